import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction } from "../../../db/client.ts";
import { advance } from "../../../db/projection/advance.ts";
import type { ProjectedEntry } from "../../../db/projection/changes.ts";
import { projectEntries } from "../../../workers/registry/read-model/project.ts";
import { replicate, textSource } from "../../../workers/registry/read-model/replicate.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";
import { anyHistory, perform } from "./commands.ts";
import { copiedRows, expectedRows, readCheckpointOf } from "./copied-rows.ts";
import { MadeRegistry } from "./made-registry.ts";

const RUNS = 25;
/** For a busy machine, and for shrinking failures. */
const PROPERTY_TIMEOUT_MS = 240_000;
let tenants = 0;

describe.each(DATABASES)("on $name", ({ available, open }) => {
  describe.skipIf(!available)("replicate", () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await open();
    });
    afterAll(() => database?.close());

    const madeRegistry = () => new MadeRegistry(`tenant-${tenants++}`);

    it(
      "produces the rows of the registry's state, for any history in any batches",
      async () => {
        const cuts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 12 }), repeated: fc.boolean() }), {
          minLength: 1,
        });
        const property = fc.asyncProperty(anyHistory, cuts, async (history, pieces) => {
          const registry = madeRegistry();
          for (const command of history) perform(registry, command);
          await applyInPieces(database, registry, pieces);

          expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
          expect(await readCheckpointOf(database.access, registry.tenant)).toBe(registry.seq);
        });

        await fc.assert(property, { numRuns: RUNS, seed: 1 });
      },
      PROPERTY_TIMEOUT_MS,
    );

    it(
      "follows a registry that changes while it is being copied",
      async () => {
        const property = fc.asyncProperty(fc.array(anyHistory, { minLength: 2, maxLength: 4 }), async (histories) => {
          const registry = madeRegistry();
          for (const history of histories) {
            for (const command of history) perform(registry, command);
            await replicate(registry.bindings(database.access), registry.tenant);

            expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
          }
        });

        await fc.assert(property, { numRuns: 8, seed: 2 });
      },
      PROPERTY_TIMEOUT_MS,
    );

    it("applies the missing part of partly applied entries", async () => {
      const registry = madeRegistry();
      for (const field of ["a", "b", "c"]) registry.register({ context: ".", subject: "s" }, [field]);
      const all = await projected(registry);
      await advance(database.access, registry.tenant, all.slice(0, 2), 0);

      const rest = await advance(database.access, registry.tenant, all, 0);
      const again = await advance(database.access, registry.tenant, all.slice(1), 0);

      expect(rest).toEqual({ outcome: "advanced", seq: 3, applied: 1, parked: [] });
      expect(again).toEqual({ outcome: "advanced", seq: 3, applied: 0, parked: [] });
    });

    it("applies nothing if earlier entries are missing", async () => {
      const registry = madeRegistry();
      for (const field of ["a", "b"]) registry.register({ context: ".", subject: "s" }, [field]);

      const ahead = await advance(database.access, registry.tenant, (await projected(registry)).slice(1), 0);

      expect(ahead).toEqual({ outcome: "elsewhere", seq: 0 });
      expect((await copiedRows(database.access, registry.tenant)).versions).toEqual([]);
    });

    it("refuses an entry with a different predecessor than the checkpoint, and one of another epoch", async () => {
      const registry = madeRegistry();
      for (const field of ["a", "b"]) registry.register({ context: ".", subject: "s" }, [field]);
      const [first, second] = (await projected(registry)) as [ProjectedEntry, ProjectedEntry];
      await advance(database.access, registry.tenant, [first], 0);
      const before = await copiedRows(database.access, registry.tenant);
      const headed = (more: Partial<ProjectedEntry["header"]>) => [
        { ...second, header: { ...second.header, ...more } },
      ];

      const otherChain = await advance(database.access, registry.tenant, headed({ prev_hash: "ab".repeat(32) }), 0);
      const otherEpoch = await advance(database.access, registry.tenant, headed({ epoch: 2 }), 0);

      expect([otherChain, otherEpoch]).toEqual([
        { outcome: "diverged", seq: 1 },
        { outcome: "diverged", seq: 1 },
      ]);
      expect(await copiedRows(database.access, registry.tenant)).toEqual(before);
      expect(await advance(database.access, registry.tenant, [second], 0)).toMatchObject({
        outcome: "advanced",
        seq: 2,
      });
    });

    it("changes no row when there is no new entry", async () => {
      const registry = madeRegistry();
      registry.register({ context: ".", subject: "s" }, ["a"]);
      await replicate(registry.bindings(database.access), registry.tenant);

      const again = await replicate(registry.bindings(database.access), registry.tenant);

      expect(again).toEqual({ outcome: "current", seq: 1, primarySeq: 1, applied: 0, parked: 0 });
    });

    it("keeps tenants apart", async () => {
      const [one, other] = [madeRegistry(), madeRegistry()];
      for (const registry of [one, other])
        registry.register({ context: ".", subject: "s" }, [registry.tenant.replace("-", "_")]);
      one.register({ context: ".", subject: "s" }, ["second"]);

      await Promise.all([one, other].map((registry) => replicate(registry.bindings(database.access), registry.tenant)));
      one.erase([1, 2]);
      await replicate(one.bindings(database.access), one.tenant);

      for (const registry of [one, other]) {
        expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
      }
    });

    it("detects that the copy follows a different log, and leaves it unchanged", async () => {
      const registry = madeRegistry();
      registry.register({ context: ".", subject: "before" }, ["a"]);
      await replicate(registry.bindings(database.access), registry.tenant);
      const other = new MadeRegistry(registry.tenant);
      other.register({ context: ".", subject: "after" }, ["b"]);
      other.register({ context: ".", subject: "after" }, ["c"]);

      const longer = await replicate(other.bindings(database.access), registry.tenant);
      const shorter = await replicate(new MadeRegistry(registry.tenant).bindings(database.access), registry.tenant);

      expect([longer.outcome, shorter.outcome]).toEqual(["diverged", "diverged"]);
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("resumes where its time limit was reached", async () => {
      const registry = madeRegistry();
      for (let n = 0; n < 600; n += 1) registry.register({ context: ".", subject: `s-${n % 9}` }, [`f_${n}`]);

      const first = await replicate(registry.bindings(database.access), registry.tenant, { forMs: 0 });
      const second = await replicate(registry.bindings(database.access), registry.tenant);

      expect(first).toMatchObject({ outcome: "more", seq: 500, primarySeq: 600 });
      expect(second).toMatchObject({ outcome: "current", seq: 600, applied: 100 });
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("writes nothing while a rebuild is emptying the copy", async () => {
      const registry = madeRegistry();
      registry.register({ context: ".", subject: "s" }, ["a"]);
      await replicate(registry.bindings(database.access), registry.tenant);
      await inTransaction(database.access, (transaction) =>
        transaction.execute(sql`UPDATE tenants SET rebuild = 'emptying' WHERE tenant = ${registry.tenant}`),
      );
      registry.register({ context: ".", subject: "s" }, ["b"]);

      const replicated = await replicate(registry.bindings(database.access), registry.tenant);
      const pushed = await advance(database.access, registry.tenant, await projected(registry), 0);

      expect([replicated.outcome, pushed.outcome]).toEqual(["emptying", "emptying"]);
      expect(await readCheckpointOf(database.access, registry.tenant)).toBe(1);
    });
  });
});

/** Like a consumer that pulls pages of any size and receives some of them twice. */
async function applyInPieces(
  { access }: TestDatabase,
  registry: MadeRegistry,
  pieces: readonly { size: number; repeated: boolean }[],
): Promise<void> {
  const all = await projected(registry);
  for (let at = 0, n = 0; at < all.length; n += 1) {
    const { size, repeated } = pieces[n % pieces.length]!;
    const piece = all.slice(at, at + size);
    await advance(access, registry.tenant, piece, 0);
    // A late, longer page that begins with entries already applied.
    if (repeated) await advance(access, registry.tenant, all.slice(Math.max(0, at - 3), at + size), 0);
    at += size;
  }
}

async function projected(registry: MadeRegistry) {
  const runs = [];
  for await (const run of projectEntries(textSource(registry.bindings({}), registry.tenant), registry.entries)) {
    runs.push(...run);
  }
  return runs;
}

import { type SQL, sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { inTransaction } from "../../../db/client.ts";
import { beginRebuild, emptySome, ROWS_PER_DELETE } from "../../../db/projection/rebuild.ts";
import { VERSION_COLUMNS } from "../../../db/projection/write.ts";
import { openPrimary } from "../../../durable-objects/primary/client.ts";
import type { Edge } from "../../../workers/edge.ts";
import { ReadCache } from "../../../workers/read-path/cache.ts";
import { readGeneration } from "../../../workers/read-path/kv-key.ts";
import { StateUnsettled, underCheckpoint } from "../../../workers/registry/read-model/parked.ts";
import { readModelStatus } from "../../../workers/registry/read-model/read-model.ts";
import { rebuildSlice } from "../../../workers/registry/read-model/rebuild.ts";
import { FIRST_SLICE, type Reconciled, reconcileSlice } from "../../../workers/registry/read-model/reconcile.ts";
import { replicate } from "../../../workers/registry/read-model/replicate.ts";
import { DATABASES, type TestDatabase } from "../../support/databases.ts";
import { copiedRows, expectedRows, readCheckpointOf } from "./copied-rows.ts";
import { grownRegistry } from "./grown-registry.ts";
import { MadeRegistry } from "./made-registry.ts";

const VERSION_NAMES = Object.keys(VERSION_COLUMNS).join(", ");
let tenants = 0;

beforeEach(() => {
  for (const level of ["log", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(DATABASES)("on $name", ({ available, open }) => {
  let database: TestDatabase;

  beforeAll(async () => {
    if (available) database = await open();
  });
  afterAll(() => database?.close());

  const write = (statement: SQL) => inTransaction(database.access, (transaction) => transaction.execute(statement));
  const copied = async (commands = 250) => {
    const registry = grownRegistry(`repair-${tenants++}`, tenants, commands);
    await replicate(registry.bindings(database.access), registry.tenant);
    return registry;
  };
  const reconcile = async (registry: MadeRegistry, repair: boolean): Promise<Reconciled[]> => {
    const slices: Reconciled[] = [];
    for (let from: Reconciled["next"] = FIRST_SLICE; from !== null; ) {
      const env = registry.bindings(database.access);
      const slice = await reconcileSlice(env, registry.tenant, { from, repair, now: Date.now });
      slices.push(slice);
      from = slice.next;
    }
    return slices;
  };
  const found = (slices: readonly Reconciled[]) =>
    slices.flatMap(({ discrepancies }) => discrepancies.map(({ table, problem }) => `${table} ${problem}`));

  describe.skipIf(!available)("reconcileSlice", () => {
    it("finds no difference in a correct copy, and compares every row", async () => {
      const registry = await copied();

      const slices = await reconcile(registry, false);

      expect(found(slices)).toEqual([]);
      const rows = { log_entries: registry.seq, versions: registry.records.size, subjects: registry.subjects.size };
      for (const [table, count] of Object.entries(rows)) {
        const compared = slices
          .filter((slice) => slice.table === table)
          .reduce((sum, slice) => sum + slice.compared, 0);
        expect([table, compared]).toEqual([table, count]);
      }
    });

    it("reports that the copy is being emptied, and changes nothing", async () => {
      const registry = await copied(30);
      await beginRebuild(database.access, registry.tenant, { epoch: 1, nowMs: 0 });
      const before = await copiedRows(database.access, registry.tenant);

      await expect(reconcile(registry, true)).rejects.toBeInstanceOf(StateUnsettled);

      expect(await copiedRows(database.access, registry.tenant)).toEqual(before);
    });

    it.each([
      ["a version that is missing", "DELETE FROM versions WHERE record_key = $key", ["versions missing"]],
      [
        "a version too many",
        `INSERT INTO versions (tenant, ${VERSION_NAMES}) SELECT tenant, ${VERSION_NAMES.replace("record_key", "100000")} FROM versions WHERE record_key = $key`,
        ["versions extra"],
      ],
      ["an owner", "UPDATE versions SET owner = 'somebody' WHERE record_key = $key", ["versions different"]],
      ["a time", "UPDATE versions SET created_at = now() WHERE record_key = $key", ["versions different"]],
      ["the text", "UPDATE versions SET content = 'other' WHERE record_key = $key", ["versions different"]],
      ["words", "UPDATE versions SET content_words = 'other' WHERE record_key = $key", ["versions different"]],
      ["a field", "DELETE FROM fields WHERE record_key = $key AND position = 1", ["versions different"]],
      [
        "a field too many",
        "INSERT INTO fields SELECT tenant, record_key, 99, 'x', 'x', 'x', NULL, true FROM versions WHERE record_key = $key",
        ["versions different"],
      ],
      [
        "a tag",
        "INSERT INTO version_tags SELECT tenant, record_key, 'invented' FROM versions WHERE record_key = $key",
        ["versions different"],
      ],
      ["a subject", "DELETE FROM subjects WHERE true", ["subjects missing"]],
      [
        "the latest version",
        "UPDATE versions SET is_latest = NOT is_latest WHERE record_key = $key",
        ["subjects different"],
      ],
      ["a log entry", "DELETE FROM log_entries WHERE seq = $key", ["log_entries missing"]],
      ["a header", "UPDATE log_entries SET header = 'x' WHERE seq = $key", ["log_entries different"]],
      [
        "a log entry too many",
        "INSERT INTO log_entries SELECT tenant, 100000, epoch, at, type, subject, actor, request_id, header, leaf_hash FROM log_entries WHERE seq = $key",
        ["log_entries extra"],
      ],
      [
        "a scope",
        "INSERT INTO scopes (tenant, context, subject, mode) SELECT tenant, 'x', 'y', 'READONLY' FROM tenants",
        ["scopes extra"],
      ],
    ])("finds and repairs %s", async (_what, damage, expected) => {
      const registry = await copied(60);
      const key = [...registry.records.keys()][0]!;
      const own = damage
        .replaceAll("$key", String(key))
        .replace(
          /( WHERE .*)?$/,
          (where) => `${where === "" ? " WHERE true" : where} AND tenant = '${registry.tenant}'`,
        );
      await write(sql.raw(own));

      const seen = await reconcile(registry, false);
      const repaired = await reconcile(registry, true);
      const after = await reconcile(registry, false);

      expect([...new Set(found(seen))].sort()).toEqual(expected);
      // Some errors disappear with others: a rewritten row also gets new flags.
      expect(found(repaired).length).toBeGreaterThan(0);
      expect(found(after)).toEqual([]);
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("fills an empty copy whose checkpoint is at the end", async () => {
      const registry = await copied();
      for (const table of [
        "versions",
        "fields",
        "version_tags",
        "version_references",
        "subjects",
        "scopes",
        "log_entries",
      ]) {
        await write(sql`DELETE FROM ${sql.identifier(table)} WHERE tenant = ${registry.tenant}`);
      }

      await reconcile(registry, true);

      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("catches up entries that lag instead of reporting them", async () => {
      const registry = await copied(50);
      registry.register({ context: ".", subject: "new" }, ["a"]);

      const slices = await reconcile(registry, false);

      expect(found(slices)).toEqual([]);
      expect(await readCheckpointOf(database.access, registry.tenant)).toBe(registry.seq);
    });

    it("reports a subject as unsettled if it changes while a failing entry blocks the copy", async () => {
      const registry = await copied(50);
      const key = registry.register({ context: ".", subject: "moving" }, ["a"]);
      await replicate(registry.bindings(database.access), registry.tenant);
      registry.describe(key, { description: "later", tags: [], owner: null, metadata: {}, role: null });
      registry.entries[registry.seq - 1]!.payload!.bytes = new TextEncoder().encode("no JSON");
      await write(sql`UPDATE versions SET owner = 'wrong' WHERE tenant = ${registry.tenant} AND record_key IN (1, 2)`);

      const slices = await reconcile(registry, false);

      expect(slices.reduce((sum, { unsettled }) => sum + unsettled, 0)).toBeGreaterThan(0);
      for (const { discrepancies } of slices) {
        for (const { subject } of discrepancies) expect(subject).not.toBe("moving");
      }
    });
  });

  describe.skipIf(!available)("underCheckpoint", () => {
    it("reads again if the copy is ahead of the state, and gives up if that persists", async () => {
      const registry = new MadeRegistry(`repair-${tenants++}`);
      for (const field of ["a", "b", "c"]) registry.register({ context: ".", subject: "s" }, [field]);
      const env = registry.bindings(database.access);
      await replicate(env, registry.tenant);
      let reads = 0;
      const growing = async () => ({ asOf: { seq: ++reads } });
      const worked: number[] = [];

      await underCheckpoint(
        env,
        registry.tenant,
        0,
        growing,
        async (_transaction, { asOf }) => void worked.push(asOf.seq),
      );
      const stuck = underCheckpoint(
        env,
        registry.tenant,
        0,
        async () => ({ asOf: { seq: 2 } }),
        async () => undefined,
      );

      expect(worked).toEqual([3]);
      await expect(stuck).rejects.toThrow("grows faster");
    });
  });

  describe.skipIf(!available)("rebuildSlice", () => {
    it("derives the same rows again, slice by slice from the beginning, and invalidates KV", async () => {
      const registry = await copied(700);
      const edge = edgeOf(registry, database);
      const generation = await readGeneration(edge);
      await write(sql`UPDATE versions SET owner = 'wrong' WHERE tenant = ${registry.tenant}`);

      let progress = await rebuildSlice(edge, true);
      for (let calls = 0; progress.phase !== null && calls < 100; calls += 1) {
        progress = await rebuildSlice(edge, false);
      }

      expect(progress).toMatchObject({ phase: null, problem: null, seq: registry.seq });
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
      expect(await readGeneration(edge)).not.toBe(generation);
      expect(await readModelStatus(edge.env, registry.tenant, 0)).toMatchObject({ rebuild: null, lagEntries: 0 });
    });

    it("switches to a different log", async () => {
      const registry = await copied(50);
      const other = new MadeRegistry(registry.tenant);
      other.register({ context: ".", subject: "other" }, ["a"]);
      const edge = edgeOf(other, database);

      let progress = await rebuildSlice(edge, true);
      while (progress.phase !== null) progress = await rebuildSlice(edge, false);

      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(other));
    });

    it("finishes immediately if the log is empty", async () => {
      const registry = new MadeRegistry(`repair-${tenants++}`);

      const progress = await rebuildSlice(edgeOf(registry, database), true);

      expect(progress).toMatchObject({ phase: null, seq: 0 });
    });
  });

  describe.skipIf(!available)("emptySome", () => {
    it("resumes in another process, deletes a bounded number of rows at a time, and blocks writers until it is done", async () => {
      const registry = await copied(200);
      await write(
        sql`INSERT INTO version_tags SELECT ${registry.tenant}, n, 'x' FROM generate_series(1, ${ROWS_PER_DELETE + 1}) AS n ON CONFLICT DO NOTHING`,
      );
      await beginRebuild(database.access, registry.tenant, { epoch: 1, nowMs: 0 });

      const deleted: number[] = [];
      for (let phase: string | null = "emptying"; phase === "emptying"; ) {
        const some = await emptySome(database.access, registry.tenant, { epoch: 1, upToSeq: registry.seq, nowMs: 0 });
        if (some.phase === "emptying") {
          const held = await replicate(registry.bindings(database.access), registry.tenant);
          expect(held.outcome).toBe("emptying");
        }
        deleted.push(some.deleted);
        phase = some.phase;
      }

      expect(Math.max(...deleted)).toBe(ROWS_PER_DELETE);
      const rows = await copiedRows(database.access, registry.tenant);
      expect(Object.values(rows).flat()).toEqual([]);
      expect(await readCheckpointOf(database.access, registry.tenant)).toBe(0);
    });
  });
});

function edgeOf(registry: MadeRegistry, { access }: TestDatabase): Edge {
  const kv = new Map<string, string>();
  const env = {
    ...registry.bindings(access),
    CACHE: {
      get: async (key: string) => kv.get(key) ?? null,
      put: async (key: string, text: string) => void kv.set(key, text),
    },
  };
  const { tenant } = registry;
  const cache = new ReadCache().of(tenant);
  return { env, tenant, cache, now: Date.now, primary: openPrimary(env, tenant) } as unknown as Edge;
}

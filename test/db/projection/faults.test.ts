import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DatabaseUnreachable, inTransaction, readDatabase } from "../../../db/client.ts";
import { advance, FIRST_RETRY_MS, MAX_ENTRY_ATTEMPTS } from "../../../db/projection/advance.ts";
import type { ProjectedEntry } from "../../../db/projection/changes.ts";
import { nudgeLaggards } from "../../../workers/cron/laggards.ts";
import type { Bindings, Nudge } from "../../../workers/edge.ts";
import { consumeChanges, followUp } from "../../../workers/queue/changes.ts";
import { retryParked } from "../../../workers/registry/read-model/parked.ts";
import { projectEntries } from "../../../workers/registry/read-model/project.ts";
import { replicate, textSource } from "../../../workers/registry/read-model/replicate.ts";
import { seededRandom } from "../../support/clock.ts";
import { DATABASES, POSTGRESQL, type TestDatabase } from "../../support/databases.ts";
import { HostileQueue } from "../../support/hostile-queue.ts";
import { eventually } from "../../support/registry-process.ts";
import { anyHistory, perform } from "./commands.ts";
import { copiedRows, expectedRows, readCheckpointOf } from "./copied-rows.ts";
import { MadeRegistry } from "./made-registry.ts";

const POISON = { context: ".", subject: "poison" };
const PLAIN = { context: ".", subject: "plain" };
let tenants = 0;
const madeRegistry = () => new MadeRegistry(`fault-${tenants++}`);

beforeEach(() => {
  for (const level of ["log", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(DATABASES)("on $name", ({ available, open }) => {
  describe.skipIf(!available)("an entry that cannot be applied", () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await open();
    });
    afterAll(() => database?.close());
    afterEach(() => healed(database));

    it("lets earlier entries be applied, is retried with growing delays, and is parked after five attempts", async () => {
      await poisoned(database);
      const registry = madeRegistry();
      registry.register(PLAIN, ["a"]);
      registry.register(PLAIN, ["b"]);
      const poison = registry.register(POISON, ["c"]);
      registry.register(PLAIN, ["d"]);
      const env = registry.bindings(database.access);
      let nowMs = 1_000_000;
      const now = () => nowMs;

      const waits: number[] = [];
      for (let attempt = 1; attempt < MAX_ENTRY_ATTEMPTS; attempt += 1) {
        const failed = await replicate(env, registry.tenant, { now });
        expect(failed).toMatchObject({ outcome: "failing", seq: 2 });
        const { retryAfterMs } = failed as { retryAfterMs: number };
        waits.push(retryAfterMs);
        nowMs += retryAfterMs - 1;
        // A nudge that arrives too early is not an attempt, so a burst of nudges does not use them up.
        expect(await replicate(env, registry.tenant, { now })).toMatchObject({ outcome: "failing", retryAfterMs: 1 });
        nowMs += 1;
      }
      const passed = await replicate(env, registry.tenant, { now });

      expect(waits).toEqual([1, 2, 4, 8].map((factor) => factor * FIRST_RETRY_MS));
      expect(passed).toMatchObject({ outcome: "current", seq: 4, parked: 1 });
      expect(await failuresOf(database, registry.tenant)).toEqual([
        { seq: poison, attempts: MAX_ENTRY_ATTEMPTS, parked: true, error: "poison is not stored" },
      ]);
      expect(alerts()).toMatchObject([{ tenant: registry.tenant, seq: poison, type: "schema.registered" }]);
      const expected = expectedRows(withoutRecord(registry, poison));
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expected);
    });

    it("is repaired from the current state once possible, including later changes", async () => {
      await poisoned(database);
      const registry = madeRegistry();
      const poison = registry.register(POISON, ["a"]);
      registry.describe(poison, { description: "later", tags: ["x"], owner: null, metadata: {}, role: null });
      const second = registry.register(POISON, ["b"]);
      registry.erase([second]);
      registry.move(poison, "deprecated");
      const env = registry.bindings(database.access);
      await parkAll(env, registry.tenant);

      const still = await retryParked(env, registry.tenant, 0);
      await healed(database);
      const made = await retryParked(env, registry.tenant, 0);

      expect(still).toEqual({ repaired: 0, failed: 1 });
      expect(made).toEqual({ repaired: 1, failed: 0 });
      expect(await failuresOf(database, registry.tenant)).toEqual([]);
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("is not undone by earlier entries once repaired", async () => {
      await poisoned(database);
      const registry = madeRegistry();
      const attributes = { description: "first", tags: ["old"], owner: null, metadata: {}, role: null };
      const poison = registry.register(POISON, ["a"]);
      registry.describe(poison, attributes);
      registry.move(poison, "deprecated");
      registry.describe(poison, { ...attributes, description: "last", tags: ["new"] });
      const env = registry.bindings(database.access);
      // At first only the poison entry is visible, so the checkpoint is far behind the state that repairs it.
      const later = registry.entries.splice(1);
      await parkAll(env, registry.tenant);
      await healed(database);
      registry.entries.push(...later);
      await retryParked(env, registry.tenant, 0);
      const made = await copiedRows(database.access, registry.tenant);

      const [second] = await projected(registry, later.slice(0, 1));
      await advance(database.access, registry.tenant, [second!], 0);
      const between = await copiedRows(database.access, registry.tenant);
      await replicate(env, registry.tenant);

      expect(await readCheckpointOf(database.access, registry.tenant)).toBe(registry.seq);
      expect({ ...between, log_entries: [] }).toEqual({ ...made, log_entries: [] });
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("is found among 500, and the others are applied", async () => {
      await poisoned(database);
      const registry = madeRegistry();
      const poisons: number[] = [];
      for (let n = 0; n < 500; n += 1) {
        if (n === 0 || n === 250 || n === 499) poisons.push(registry.register(POISON, [`f_${n}`]));
        else registry.register({ ...PLAIN, subject: `plain-${n % 7}` }, [`f_${n}`]);
      }
      const env = registry.bindings(database.access);

      await parkAll(env, registry.tenant);
      await healed(database);
      await retryParked(env, registry.tenant, 0);

      expect(alerts().map(({ seq }) => seq)).toEqual(poisons);
      expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
    });

    it("is not blamed for a missing table", async () => {
      const registry = madeRegistry();
      registry.register(PLAIN, ["a"]);
      const env = registry.bindings(database.access);
      await write(database, sql`ALTER TABLE versions RENAME TO versions_elsewhere`);
      try {
        await expect(replicate(env, registry.tenant)).rejects.toThrow();
      } finally {
        await write(database, sql`ALTER TABLE versions_elsewhere RENAME TO versions`);
      }

      const after = await replicate(env, registry.tenant);

      expect(await failuresOf(database, registry.tenant)).toEqual([]);
      expect(after).toMatchObject({ outcome: "current", applied: 1 });
    });

    it("of any kind is repaired, whichever entries follow", async () => {
      const property = fc.asyncProperty(anyHistory, fc.nat(59), async (history, at) => {
        const registry = madeRegistry();
        for (const command of history) perform(registry, command);
        const seq = (at % Math.max(1, registry.seq)) + 1;
        const env = registry.bindings(database.access);
        await refusing(database, registry.tenant, seq);
        await parkAll(env, registry.tenant);
        await healed(database);
        await retryParked(env, registry.tenant, 0);

        expect(await failuresOf(database, registry.tenant)).toEqual([]);
        expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
      });

      await fc.assert(property, { numRuns: 12, seed: 3 });
    }, 240_000);
  });
});

describe.skipIf(!POSTGRESQL.available)("on PostgreSQL only", () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await POSTGRESQL.open();
  });
  afterAll(() => database?.close());

  it("lets concurrent consumers apply each entry once, and all of them finish", async () => {
    const registry = madeRegistry();
    const env = registry.bindings(database.access);
    let applied = 0;
    for (let round = 0; round < 6; round += 1) {
      for (let n = 0; n < 120; n += 1)
        perform(registry, { kind: (n * 37 + round) % 100, pick: n * 13 + round, text: "t" });

      const done = await Promise.all(Array.from({ length: 6 }, () => replicate(env, registry.tenant)));

      for (const replicated of done) {
        expect(replicated.outcome).toBe("current");
        applied += replicated.applied;
      }
    }

    expect(applied).toBe(registry.seq);
    expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
  });

  it("loses no entry during an hour of writes without Postgres, and catches up afterwards", async () => {
    const registry = madeRegistry();
    const env = registry.bindings(database.access);
    registry.register(PLAIN, ["before"]);
    await replicate(env, registry.tenant);
    const checkpointBefore = await readCheckpointOf(database.access, registry.tenant);

    await database.server!.stop();
    const retries: number[] = [];
    // A write per second; each nudge fails and is redelivered with growing delays, as by the queue.
    for (let second = 0; second < 3_600; second += 1) {
      registry.register({ ...PLAIN, subject: `plain-${second % 20}` }, [`f_${second}`]);
      if (second % 300 !== 0) continue;
      const messages = [message(nudgeOf(registry), 1 + second / 300)];
      await consumeChanges({ messages }, env);
      expect(messages[0]!.ack).not.toHaveBeenCalled();
      retries.push(messages[0]!.retry.mock.calls[0]![0].delaySeconds);
    }
    await expect(replicate(env, registry.tenant)).rejects.toThrow(DatabaseUnreachable);
    await database.server!.start();

    expect(await readCheckpointOf(database.access, registry.tenant)).toBe(checkpointBefore);
    const back = [message(nudgeOf(registry), 13)];
    await consumeChanges({ messages: back }, env);
    expect(back[0]!.ack).toHaveBeenCalledTimes(1);
    expect(retries).toEqual(retries.toSorted((a, b) => a - b));
    expect(await readCheckpointOf(database.access, registry.tenant)).toBe(registry.seq);
    expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
  }, 180_000);

  it.each([1, 2, 3])("is correct with nudges lost, repeated and out of order (seed %i)", async (seed) => {
    const random = seededRandom(seed);
    const queue = new HostileQueue<Nudge>(random);
    const registry = new MadeRegistry(`hostile-${seed}`);
    const env: Bindings = { ...registry.bindings(database.access), CHANGES: queue.binding() as Bindings["CHANGES"] };

    for (let n = 0; n < 400; n += 1) {
      perform(registry, { kind: Math.floor(random() * 100), pick: Math.floor(random() * 1_000), text: "t" });
      if (random() < 0.3) await env.CHANGES.send(nudgeOf(registry));
      if (random() > 0.05) continue;
      for (const batch of queue.takeBatches()) {
        if (random() < 0.4) continue;
        const messages = batch.map((nudge) => message(nudge, 1));
        await consumeChanges({ messages }, env);
        for (const { ack } of messages) expect(ack).toHaveBeenCalledTimes(1);
      }
    }
    // What the cron does for a tenant; nothing else reports the last entries.
    await followUp(nudgeOf(registry), env);

    expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
  });

  it("is caught up by the cron alone when every nudge is lost", async () => {
    const registry = new MadeRegistry("default");
    for (let n = 0; n < 50; n += 1) registry.register({ ...PLAIN, subject: `plain-${n % 5}` }, [`f_${n}`]);

    await nudgeLaggards(registry.bindings(database.access), 0);

    expect(await copiedRows(database.access, "default")).toEqual(expectedRows(registry));
  });

  it("is correct after a crash of Postgres during batches", async () => {
    const registry = madeRegistry();
    const env = registry.bindings(database.access);
    for (let round = 0; round < 4; round += 1) {
      for (let n = 0; n < 300; n += 1) perform(registry, { kind: (n * 31) % 100, pick: n * 7 + round, text: "t" });
      const replicating = replicate(env, registry.tenant).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 20 + 40 * round));
      await database.server!.crash();
      await replicating;
      await database.server!.start();
    }

    // The proxy's pooled connections are found broken one after another, as after any failover.
    const caughtUp = () =>
      replicate(env, registry.tenant).then(
        ({ outcome }) => outcome === "current",
        () => false,
      );
    expect(await eventually(caughtUp)).toBe(true);
    expect(await copiedRows(database.access, registry.tenant)).toEqual(expectedRows(registry));
  }, 120_000);
});

/** The database itself refuses registrations under one name. */
async function poisoned(database: TestDatabase): Promise<void> {
  await refuse(database, sql.raw("versions"), sql.raw("NEW.subject = 'poison'"));
}

/** The log_entries row of one entry is refused, and with it the entry, whatever its type. */
async function refusing(database: TestDatabase, tenant: string, seq: number): Promise<void> {
  await refuse(database, sql.raw("log_entries"), sql.raw(`NEW.tenant = '${tenant}' AND NEW.seq = ${seq}`));
}

async function refuse(database: TestDatabase, table: ReturnType<typeof sql.raw>, when: ReturnType<typeof sql.raw>) {
  await healed(database);
  await write(
    database,
    sql`CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF ${when} THEN RAISE EXCEPTION 'poison is not stored'; END IF; RETURN NEW; END $$`,
  );
  await write(
    database,
    sql`CREATE TRIGGER refuse_poison BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_poison()`,
  );
}

async function healed(database: TestDatabase): Promise<void> {
  await write(database, sql`DROP FUNCTION IF EXISTS refuse_poison() CASCADE`);
}

async function write({ access }: TestDatabase, statement: ReturnType<typeof sql>): Promise<void> {
  await inTransaction(access, (transaction) => transaction.execute(statement));
}

async function failuresOf({ access }: TestDatabase, tenant: string) {
  const { rows } = await readDatabase(access, (db) =>
    db.execute(sql`SELECT seq::int, attempts, parked, error FROM entry_failures WHERE tenant = ${tenant} ORDER BY seq`),
  );
  return rows;
}

async function projected(registry: MadeRegistry, entries: MadeRegistry["entries"]): Promise<ProjectedEntry[]> {
  const runs: ProjectedEntry[] = [];
  for await (const run of projectEntries(textSource(registry.bindings({}), registry.tenant), entries))
    runs.push(...run);
  return runs;
}

/** Time passes until nothing is retried any more. */
async function parkAll(env: Bindings, tenant: string): Promise<void> {
  let nowMs = 0;
  for (let calls = 0; calls < 100; calls += 1) {
    const done = await replicate(env, tenant, { now: () => nowMs });
    if (done.outcome === "current") return;
    nowMs += 60_000;
  }
  throw new Error("It never came to an end.");
}

function alerts(): { message: string; tenant: string; seq: number; type: string }[] {
  return vi
    .mocked(console.error)
    .mock.calls.map(([line]) => JSON.parse(String(line)))
    .filter(({ message }) => message.startsWith("A log entry was parked"));
}

/** The registry as if it had never registered a record, except for the log. */
function withoutRecord(registry: MadeRegistry, key: number): MadeRegistry {
  registry.subjects.delete(registry.records.get(key)!.subjectKey);
  registry.records.delete(key);
  return registry;
}

function nudgeOf({ tenant, seq }: MadeRegistry): Nudge {
  return { tenant, epoch: 1, upToSeq: Math.max(1, seq) };
}

function message(body: Nudge, attempts: number) {
  return { id: "m", body, attempts, ack: vi.fn(), retry: vi.fn<(options: { delaySeconds: number }) => void>() };
}

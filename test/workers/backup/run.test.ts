import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { MAX_SEGMENT_ENTRIES } from "../../../registry/segment.ts";
import {
  backUp,
  MAX_RUN_MS,
  MAX_SMALL_LOG_ENTRIES,
  ORPHAN_GRACE_MS,
  STATE_EVERY_MS,
  SWEEP_EVERY_MS,
} from "../../../workers/backup/run.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { request } from "../../durable-objects/primary/commands.ts";
import { ERASED_WORDS } from "../../support/eventful-history.ts";
import type { WriteFault } from "../../support/hostile-r2.ts";
import type { HostilePlatform } from "../../support/platform.ts";
import { avroRecord, hostileRegistry, type ProblemBody, plainRegistry, type Registry } from "../http/native-calls.ts";
import {
  bucketHolds,
  bucketOf,
  filledRegistry,
  manifestOf,
  primaryStub,
  restored,
  rowsOf,
  soundBackupOf,
  stateOf,
} from "./registries.ts";

type Hostile = Registry & { platform: HostilePlatform };
type Ran = { last_seq: number; exported: number; more: boolean };

/** One scheduled run, some time after the previous one, because R2 allows one write per second of the manifest. */
async function runBackup(registry: Hostile): Promise<Ran> {
  registry.platform.clock.advance(5_000);
  const { status, body, text } = await registry.call("POST", "/backup");
  expect(status, text).toBe(200);
  return body as Ran;
}

async function failingRun(registry: Hostile): Promise<string> {
  registry.platform.clock.advance(5_000);
  const { status, body } = await registry.call("POST", "/backup");
  expect(status).toBe(503);
  return (body as ProblemBody).detail;
}

/** This many log entries, created as cheaply as possible. */
async function entries(registry: Registry, count: number): Promise<void> {
  await runInDurableObject(primaryStub(registry), async (primary: PrimaryObject) => {
    for (let n = 0; n < count; n += 1) {
      const changes = { compatibilityLevel: n % 2 === 0 ? ("FULL" as const) : ("NONE" as const) };
      const answer = await primary.commit(
        request({ type: "setConfig", scope: { context: ".", subject: "configured" }, changes }),
      );
      expect(answer).toMatchObject({ ok: true, value: { type: "done", repeated: false } });
    }
  });
}

describe("a run of the backup", () => {
  it("exports a log from which the registry can be restored row by row, and digests its state", async () => {
    const source = hostileRegistry();
    await filledRegistry(source);

    const run = await runBackup(source);

    const { seq, leaf_hash, state } = await stateOf(source);
    const manifest = await manifestOf(source);
    expect(run).toEqual({ last_seq: seq, exported: seq, more: false });
    expect(manifest).toMatchObject({ last_seq: seq, tip: leaf_hash, state: { seq, ...state } });
    const target = await restored(await soundBackupOf(source), { seq, leaf_hash, state });
    expect(await rowsOf(target)).toEqual(await rowsOf(source));
  });

  it("exports new entries, keeps one partial segment, and leaves nothing else behind", async () => {
    const registry = hostileRegistry();
    for (const subject of ["a", "b", "c"]) {
      await registry.register(subject, avroRecord("id"));
      expect(await runBackup(registry)).toMatchObject({ exported: 1, more: false });
    }

    expect(await soundBackupOf(registry)).toHaveLength(1);
    expect([...(await bucketOf(registry)).keys()]).toHaveLength(2);
  });

  it("digests the state of a long log once an hour, and of a short one whenever it has grown", async () => {
    const registry = hostileRegistry();
    await registry.register("a", avroRecord("id"));
    await runBackup(registry);
    await registry.register("b", avroRecord("id"));
    await runBackup(registry);
    const short = (await manifestOf(registry))!.state;
    await entries(registry, MAX_SMALL_LOG_ENTRIES);
    await runBackup(registry);
    const long = (await manifestOf(registry))!.state;
    registry.platform.clock.advance(STATE_EVERY_MS);
    await entries(registry, 1);
    await runBackup(registry);
    const later = (await manifestOf(registry))!.state;

    expect([short, long, later].map((state) => state!.seq)).toEqual([2, 2, MAX_SMALL_LOG_ENTRIES + 3]);
  }, 120_000);

  it("writes nothing when nothing is new", async () => {
    const registry = hostileRegistry();
    await registry.register("a", avroRecord("id"));
    await runBackup(registry);
    const { writes } = registry.platform.backups;

    expect(await runBackup(registry)).toEqual({ last_seq: 1, exported: 0, more: false });

    expect(registry.platform.backups.writes).toBe(writes);
  });

  it("starts another segment when one is full", async () => {
    const registry = hostileRegistry();
    await entries(registry, MAX_SEGMENT_ENTRIES);
    await runBackup(registry);
    const full = (await manifestOf(registry))!.segments;

    await entries(registry, 1);
    await runBackup(registry);

    const after = (await manifestOf(registry))!.segments;
    expect(full.map(({ first, last, full: isFull }) => [first, last, isFull])).toEqual([[1, 500, false]]);
    expect(after.map(({ first, last, full: isFull }) => [first, last, isFull])).toEqual([
      [1, 500, true],
      [501, 501, false],
    ]);
    await soundBackupOf(registry);
  });
});

describe("hard-deleted data", () => {
  it("is removed from the bucket by the run that exports the hard delete, from any segment", async () => {
    const registry = hostileRegistry();
    const [word, description] = ERASED_WORDS;
    const erased = await registry.register(
      "s",
      { ...avroRecord("id"), name: word },
      { description, compatibility_level: "NONE" },
    );
    await registry.register("s", avroRecord("id"));
    await registry.call("PATCH", `/schemas/${erased.id}`, { body: { description: `${description} again` } });
    await entries(registry, MAX_SEGMENT_ENTRIES);
    await runBackup(registry);
    await entries(registry, 1);
    await runBackup(registry);
    expect(await bucketHolds(registry, [word])).toBe(true);
    expect(await bucketHolds(registry, [description])).toBe(true);

    await registry.call("DELETE", `/schemas/${erased.id}`);
    await registry.call("DELETE", `/schemas/${erased.id}?permanent=true`);
    await runBackup(registry);

    expect(await bucketHolds(registry, ERASED_WORDS)).toBe(false);
    const { seq, leaf_hash, state } = await stateOf(registry);
    const target = await restored(await soundBackupOf(registry), { seq, leaf_hash, state });
    expect(await rowsOf(target)).toEqual(await rowsOf(registry));
  });

  it("does not count as exported while an earlier segment still contains it", async () => {
    const registry = hostileRegistry();
    const erased = await registry.register(
      "s",
      { ...avroRecord("id"), name: ERASED_WORDS[0] },
      { compatibility_level: "NONE" },
    );
    await registry.register("s", avroRecord("id"));
    const { last_seq } = await runBackup(registry);
    await registry.call("DELETE", `/schemas/${erased.id}`);
    await registry.call("DELETE", `/schemas/${erased.id}?permanent=true`);

    // The first write of the run is the segment that must be rewritten.
    registry.platform.backups.writeFault = () => "refused";
    await failingRun(registry);
    expect((await manifestOf(registry))!.last_seq).toBe(last_seq);

    registry.platform.backups.writeFault = () => undefined;
    expect(await runBackup(registry)).toMatchObject({ last_seq: last_seq + 2, exported: 2 });
    expect(await bucketHolds(registry, ERASED_WORDS)).toBe(false);
  });

  it("is also removed if a run wrote it but could not list it", async () => {
    const registry = hostileRegistry();
    const erased = await registry.register("s", { ...avroRecord("id"), name: ERASED_WORDS[0] });
    registry.platform.backups.writeFault = (key) => (key.endsWith("manifest.json") ? "refused" : undefined);
    await failingRun(registry);
    expect(await bucketHolds(registry, ERASED_WORDS)).toBe(true);
    registry.platform.backups.writeFault = () => undefined;

    await registry.call("DELETE", `/schemas/${erased.id}`);
    await registry.call("DELETE", `/schemas/${erased.id}?permanent=true`);
    registry.platform.clock.advance(Math.max(ORPHAN_GRACE_MS, SWEEP_EVERY_MS));
    await runBackup(registry);

    expect(await bucketHolds(registry, ERASED_WORDS)).toBe(false);
  });
});

describe("R2 failing", () => {
  const faults: WriteFault[] = ["refused", "reply lost", "dropped"];

  it.each(faults)("at any write (%s) leaves a valid backup, and the next run continues", async (fault) => {
    for (let failing = 0; failing < 6; failing += 1) {
      const registry = hostileRegistry();
      const { backups } = registry.platform;
      const erased = await registry.register("s", avroRecord("id"));
      await entries(registry, MAX_SEGMENT_ENTRIES + 2);
      await runBackup(registry);
      await registry.call("DELETE", `/schemas/${erased.id}`);
      await registry.call("DELETE", `/schemas/${erased.id}?permanent=true`);

      const before = backups.writes;
      backups.writeFault = (_key, writes) => (writes - before === failing ? fault : undefined);
      registry.platform.clock.advance(5_000);
      await registry.call("POST", "/backup");
      await soundBackupOf(registry);
      backups.writeFault = () => undefined;
      await runBackup(registry);

      expect((await manifestOf(registry))!.last_seq).toBe((await stateOf(registry)).seq);
      await soundBackupOf(registry);
      const wasReached = backups.writes - before > failing;
      if (!wasReached) return expect(failing).toBeGreaterThan(1);
    }
  });

  it("completely is reported by the status, with the state of the bucket, until a run succeeds", async () => {
    const registry = hostileRegistry();
    await registry.register("s", avroRecord("id"));
    await runBackup(registry);
    await registry.register("s", avroRecord("id", "e?"));

    registry.platform.backups.away = true;
    await failingRun(registry);
    registry.platform.clock.advance(60_000);
    const failed = await registry.get("/backup");
    registry.platform.backups.away = false;
    await runBackup(registry);
    registry.platform.clock.advance(60_000);
    const well = await registry.get("/backup");

    expect(failed.body).toMatchObject({
      last_seq: 1,
      log_seq: 2,
      lag_entries: 1,
      last_failure: { message: expect.stringContaining("internal error") },
      bucket: null,
    });
    expect(well.body).toMatchObject({ last_seq: 2, lag_entries: 0, last_failure: null, bucket: { segments: 1 } });
  });

  it("by being slow ends the run at its time limit, and the next one continues", async () => {
    const registry = hostileRegistry();
    await entries(registry, 2 * MAX_SEGMENT_ENTRIES + 1);
    registry.platform.backups.delayMs = MAX_RUN_MS / 2;

    const slow = await runBackup(registry);
    registry.platform.backups.delayMs = 0;
    const rest = await runBackup(registry);

    expect(slow).toEqual({ last_seq: MAX_SEGMENT_ENTRIES, exported: MAX_SEGMENT_ENTRIES, more: true });
    expect(rest).toMatchObject({ last_seq: 2 * MAX_SEGMENT_ENTRIES + 1, more: false });
    expect(await soundBackupOf(registry)).toHaveLength(3);
  });
});

describe("concurrent runs", () => {
  it("leave one valid backup, whichever wins", async () => {
    const registry = hostileRegistry();
    await entries(registry, MAX_SEGMENT_ENTRIES + 1);

    const runs = await Promise.all([1, 2, 3].map(() => registry.call("POST", "/backup")));

    expect(runs.map(({ status }) => status)).toContain(200);
    await soundBackupOf(registry);
    expect((await manifestOf(registry))!.last_seq).toBe(MAX_SEGMENT_ENTRIES + 1);
    await runBackup(registry);
    await soundBackupOf(registry);
  });

  it("do not undo what the other one has written, even at the last moment", async () => {
    const registry = plainRegistry();
    const { tenant } = registry.platform;
    const bindings = env as unknown as Bindings;
    const now = () => Date.now();
    await registry.register("s", avroRecord("id"));
    let overtaken = false;
    const put = async (key: string, value: string, options: R2PutOptions) => {
      if (key.endsWith("manifest.json") && !overtaken) {
        overtaken = true;
        await registry.register("s", avroRecord("id", "e?"));
        expect(await backUp({ env: bindings, now }, tenant)).toMatchObject({ ok: true, value: { lastSeq: 2 } });
      }
      return bindings.BACKUPS.put(key, value, options);
    };
    const { BACKUPS } = bindings;
    const slow = {
      get: (key: string) => BACKUPS.get(key),
      list: (options?: R2ListOptions) => BACKUPS.list(options),
      delete: (keys: string | string[]) => BACKUPS.delete(keys),
      put,
    } as unknown as Bindings["BACKUPS"];

    const run = await backUp({ env: { ...bindings, BACKUPS: slow }, now }, tenant);

    expect(run).toMatchObject({ ok: false, refusal: expect.stringContaining("Another run") });
    expect((await manifestOf(registry))!.last_seq).toBe(2);
    await soundBackupOf(registry);
  });

  it("refuse to touch the backup of a different log", async () => {
    const registry = hostileRegistry();
    const other = hostileRegistry();
    await registry.register("s", avroRecord("id"));
    await other.register("s", avroRecord("other"));
    await runBackup(other);
    const manifest = (await bucketOf(other)).get(`${other.platform.tenant}/1/manifest.json`)!;
    await (env as unknown as { BACKUPS: R2Bucket }).BACKUPS.put(
      `${registry.platform.tenant}/1/manifest.json`,
      manifest,
    );

    expect(await failingRun(registry)).toContain("a different log");
    await registry.register("s", avroRecord("id", "e?"));
    expect(await failingRun(registry)).toContain("a different log");
  });
});

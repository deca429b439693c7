import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeSegment,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENT_CONTENT_BYTES,
  MAX_SEGMENT_ENTRIES,
  type Segment,
} from "../../durable-objects/backup-format";
import type { PrimaryObject } from "../../durable-objects/primary";
import {
  type Command,
  type CommitAnswer,
  type EventPage,
  NO_ATTRIBUTES,
  PROTOCOL_VERSION,
  type SchemaRecord,
} from "../../durable-objects/protocol";
import type { RestoreAnswer } from "../../durable-objects/restore";
import { textKey } from "../../durable-objects/texts";
import { EMPTY_RULE_BOOK } from "../../schema/rules";
import { parseSubjectName } from "../../schema/subject-name";
import { Operations, readWholeSegment, type WholeSegment } from "../../workers/backup/segments";
import type { Bindings } from "../../workers/edge";
import { commit, type PrimaryStub, primaryWith, register, registerCommand, request, useFormat } from "./commands";
import { lineFormat } from "./line-format";
import { URL_OF_ONE, WebhooksUnderTest } from "./webhooks-under-test";

const BINDINGS = env as unknown as Bindings & { TEXTS: R2Bucket };
const v = PROTOCOL_VERSION;
const SEED = 20_261_124;

const tenantOf = (primary: PrimaryStub) => primary.name!.slice(0, -"/1".length);

/** Segments of at most `entries` entries each. */
async function segmentsOf(primary: PrimaryStub, after = 0, entries = MAX_SEGMENT_ENTRIES): Promise<WholeSegment[]> {
  const segments: WholeSegment[] = [];
  for (let at = after; ; ) {
    const range = { after: at, upTo: at + entries };
    const read = await readWholeSegment({ env: BINDINGS }, tenantOf(primary), range, new Operations());
    if (!("segment" in read)) return segments;
    segments.push(read);
    at = read.last;
  }
}

async function restoreInto(target: PrimaryStub, segments: readonly WholeSegment[]): Promise<RestoreAnswer | undefined> {
  let answer: RestoreAnswer | undefined;
  for (const { encoded } of segments) {
    answer = (await target.restoreSegment({ v, segment: encoded.bytes })) as RestoreAnswer;
    if (answer.type === "refused") return answer;
  }
  return answer;
}

/** Ends the restore with what the source says of itself. */
async function finish(source: PrimaryStub, target: PrimaryStub) {
  const { state, leafHash, asOf } = await source.readState({ v });
  return target.finishRestore({ v, seq: asOf.seq, leafHash, state });
}

/** State, log, payloads and texts: everything but the object's own work. */
async function rowsOf(primary: PrimaryStub) {
  const { current, replayed } = await primary.replayState();
  expect(replayed).toEqual(current);
  const sources = await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) => ({
    log: sql.exec("SELECT * FROM log ORDER BY seq").toArray().map(printable),
    payloads: sql.exec("SELECT * FROM payloads ORDER BY seq").toArray().map(printable),
    // Deflated by whoever had the text, so what counts is what it inflates to.
    texts: sql
      .exec<{ content_hash: ArrayBuffer; deflated: ArrayBuffer | null; text_bytes: number }>(
        "SELECT content_hash, deflated, text_bytes FROM texts ORDER BY content_hash",
      )
      .toArray()
      .map((row) => printable({ ...row, deflated: row.deflated && inflateRawSync(row.deflated).toString("utf8") })),
    lastHardDelete: sql.exec("SELECT value FROM marks WHERE name = 'last_hard_delete'").toArray(),
  }));
  return { ...sources, state: current };
}

/** Of this object alone, for the bindings themselves are everybody's. */
async function replaceBindings(primary: PrimaryStub, replaced: (object: PrimaryObject) => object): Promise<void> {
  await runInDurableObject(primary, (object: PrimaryObject) => {
    const held = object as unknown as { env: object };
    held.env = { ...held.env, ...replaced(object) };
  });
}

function printable(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof ArrayBuffer ? Buffer.from(value).toString("hex") : value,
    ]),
  );
}

/** Stays above 4 KiB when deflated. */
const LARGE = [0, 1].map((n) => `large ${n}\n${randomBytes(6_000).toString("hex")}`);
const TEXTS = ["a", "a\nb", "Ünïcode ☃", ...LARGE];
const SUBJECTS = ["one", "two", ":.other:one", ":.other:three"];

type Step =
  | { type: "register"; subject: string; text: string; draft: boolean }
  | { type: "record"; pick: number; what: "update" | "deprecate" | "activate" | "delete" | "erase" | "undelete" }
  | { type: "scope"; subject: string; what: "config" | "mode" | "rules" | "association" | "dropContext" };

const subject = fc.constantFrom(...SUBJECTS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("register" as const),
      subject,
      text: fc.constantFrom(...TEXTS),
      draft: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("record" as const),
      pick: fc.nat(),
      what: fc.constantFrom("update", "deprecate", "activate", "delete", "erase", "undelete"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("scope" as const),
      subject,
      what: fc.constantFrom("config", "mode", "rules", "association", "dropContext"),
    }),
  },
);

/** What a step asks for; a refusal is as good as an outcome. */
async function perform(primary: PrimaryStub, asked: Step, records: SchemaRecord[]): Promise<void> {
  const run = async (command: Command) =>
    (await primary.commit(request(command, { computeMissing: true }))) as CommitAnswer;
  if (asked.type === "register") {
    const state = asked.draft ? ("draft" as const) : ("active" as const);
    const more = { state, compatibilityLevel: "NONE" as const, attributes: { ...NO_ATTRIBUTES, description: "first" } };
    const answer = await run(registerCommand(asked.subject, asked.text, more));
    if (answer.type === "done" && answer.outcome.type === "registered") records.push(answer.outcome.record);
    return;
  }
  if (asked.type === "scope") {
    await run(scopeCommand(asked));
    return;
  }
  const record = records[asked.pick % Math.max(1, records.length)];
  if (record === undefined) return;
  const { id } = record;
  const update = { type: "updateRecord" as const, id, changes: {}, state: null, reason: null, ifMatchSeq: null };
  switch (asked.what) {
    case "update":
      await run({ ...update, changes: { description: `changed ${asked.pick}` } });
      return;
    case "deprecate":
      await run({ ...update, state: "deprecated", reason: "old" });
      return;
    case "activate":
      await run({ type: "activate", id, reason: null, ifMatchSeq: null });
      return;
    case "undelete":
      await run({ type: "undelete", id });
      return;
    case "erase":
      await run({ type: "deleteRecord", id, permanent: false, ifMatchSeq: null });
      await run({ type: "deleteRecord", id, permanent: true, ifMatchSeq: null });
      return;
    case "delete":
      await run({ type: "deleteRecord", id, permanent: false, ifMatchSeq: null });
  }
}

function scopeCommand({ subject: name, what }: Step & { type: "scope" }): Command {
  const scope = parseSubjectName(name);
  switch (what) {
    case "config":
      return { type: "setConfig", scope, changes: { normalize: true } };
    case "mode":
      return { type: "setMode", scope, mode: "READWRITE", force: false };
    case "rules":
      return { type: "setRules", scope, book: { ...EMPTY_RULE_BOOK, overrides: [] } };
    case "association":
      return {
        type: "setAssociations",
        resource: { name: "orders", namespace: "cluster", id: `resource of ${name}`, type: "topic" },
        associations: [{ name: scope, type: "value", lifecycle: null, frozen: null, expectsVersion: false }],
        upsert: true,
        dryRun: false,
      };
    case "dropContext":
      return { type: "deleteContext", context: scope.context };
  }
}

describe("a log that is exported and restored", () => {
  it(`ends in the same rows, whatever was done and wherever it was cut (seed ${SEED})`, {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        // What is done while the export is under way: earlier segments still hold what is erased then.
        fc.array(step, { maxLength: 15 }),
        fc.integer({ min: 1, max: 9 }),
        async (first, meanwhile, cut) => {
          const source = await primaryWith();
          const records: SchemaRecord[] = [];
          for (const asked of first) await perform(source, asked, records);
          const before = await segmentsOf(source, 0, cut);
          for (const asked of meanwhile) await perform(source, asked, records);
          const after = await segmentsOf(source, before.at(-1)?.last ?? 0, cut);
          await runDurableObjectAlarm(source);
          const segments = [...before, ...after];
          if (segments.length === 0) return;
          const target = await primaryWith();

          expect(await restoreInto(target, segments)).toMatchObject({ type: "restored" });
          expect(await finish(source, target)).toMatchObject({ type: "proven", compared: true });
          await runDurableObjectAlarm(target);

          expect(await rowsOf(target)).toEqual(await rowsOf(source));
          for (const record of records) {
            const key = (primary: PrimaryStub) => textKey(tenantOf(primary), record.contentHash);
            const [here, there] = await Promise.all(
              [source, target].map((primary) => BINDINGS.TEXTS.get(key(primary))),
            );
            expect(await there?.text()).toBe(await here?.text());
          }
          const next = await Promise.all([source, target].map((primary) => register(primary, "next", "next")));
          expect({ ...next[1], record: { ...next[1]!.record, ...OWN } }).toEqual({
            ...next[0],
            record: { ...next[0]!.record, ...OWN },
          });
        },
      ),
      { seed: SEED, numRuns: 25 },
    );
  });
});

describe("a text that is erased and registered again while an export is under way", () => {
  it.each([
    ["small", "a"],
    ["large", LARGE[0]!],
  ])("is there after the restore (%s)", async (_, text) => {
    const source = await primaryWith();
    const records: SchemaRecord[] = [];
    const again: Step = { type: "register", subject: "one", text, draft: false };
    await perform(source, again, records);
    const before = await segmentsOf(source);
    await perform(source, { type: "record", pick: 0, what: "erase" }, records);
    await runDurableObjectAlarm(source);
    await perform(source, again, records);
    const target = await primaryWith();

    await restoreInto(target, [...before, ...(await segmentsOf(source, before.at(-1)!.last))]);
    await finish(source, target);
    await runDurableObjectAlarm(target);

    expect(await rowsOf(target)).toEqual(await rowsOf(source));
    const { contentHash } = records.at(-1)!;
    const stored = await BINDINGS.TEXTS.head(textKey(tenantOf(target), contentHash));
    expect(stored !== null).toBe(text !== "a");
  });
});

/** What differs between two registries that do the same. */
const OWN = { id: "", createdAtMs: 0, updatedAtMs: 0 };

describe("restoreSegment", () => {
  async function filled(): Promise<{ source: PrimaryStub; segments: WholeSegment[] }> {
    const source = await primaryWith();
    for (const text of ["a", "b", "c", "d"]) await register(source, text, text);
    return { source, segments: await segmentsOf(source, 0, 2) };
  }

  it("appends a segment once, also if it is sent again or cut elsewhere", async () => {
    const { source, segments } = await filled();
    const target = await primaryWith();

    const first = await target.restoreSegment({ v, segment: segments[0]!.encoded.bytes });
    const again = await target.restoreSegment({ v, segment: segments[0]!.encoded.bytes });
    const [whole] = await segmentsOf(source);
    const overlapping = await target.restoreSegment({ v, segment: whole!.encoded.bytes });

    expect([first, again, overlapping]).toMatchObject([
      { type: "restored", first: 1, last: 2, appended: 2 },
      { type: "restored", first: 1, last: 2, appended: 0 },
      { type: "restored", first: 1, last: 4, appended: 2 },
    ]);
    expect(await finish(source, target)).toMatchObject({ type: "proven" });
    expect(await rowsOf(target)).toEqual(await rowsOf(source));
  });

  it("refuses a segment that leaves a gap, and a log that has something else", async () => {
    const { segments } = await filled();
    const empty = await primaryWith();
    const other = await primaryWith();
    await register(other, "other", "other");

    expect(await empty.restoreSegment({ v, segment: segments[1]!.encoded.bytes })).toMatchObject({
      type: "refused",
      refusal: { error: "CONFLICT", detail: expect.stringContaining("begins with entry 3") },
      asOf: { seq: 0 },
    });
    expect(await other.restoreSegment({ v, segment: segments[0]!.encoded.bytes })).toMatchObject({
      type: "refused",
      refusal: { error: "CONFLICT", detail: expect.stringContaining("another entry 1") },
      asOf: { seq: 1 },
    });
  });

  it("refuses to go on in a registry that is in use, though it holds the same entries", async () => {
    const { source, segments } = await filled();
    const [beginning] = segments;
    const copy = await primaryWith();
    await restoreInto(copy, [beginning!]);
    const { leafHash } = await copy.readState({ v });
    expect(await copy.finishRestore({ v, seq: 2, leafHash, state: null })).toMatchObject({ type: "proven" });

    expect(await restoreInto(copy, segments)).toMatchObject({
      type: "refused",
      refusal: { detail: expect.stringContaining("in use") },
    });
    expect(await restoreInto(source, segments)).toMatchObject({ type: "restored", appended: 0 });
  });

  it("writes nothing of a segment whose last entry cannot be applied", async () => {
    const { source } = await filled();
    // Verifies, for nothing that is hashed was touched; but it is not applied twice.
    const [{ segment }] = (await segmentsOf(source)) as [WholeSegment];
    const target = await primaryWith();
    await runInDurableObject(target, (_object: PrimaryObject, { storage }) => {
      storage.sql.exec(
        "CREATE TRIGGER refuses BEFORE INSERT ON records WHEN NEW.record_key = 4 BEGIN SELECT raise(ABORT, 'no'); END",
      );
    });

    const answer = await target.restoreSegment({ v, segment: encodeSegment(segment).bytes });

    expect(answer).toMatchObject({
      type: "refused",
      refusal: { error: "UNPROCESSABLE", detail: expect.stringContaining("entry 4") },
      asOf: { seq: 0, lastHardDelete: 0 },
    });
    expect((await rowsOf(target)).log).toEqual([]);
    await evictDurableObject(target);
    await useFormat(target, lineFormat());
    expect(await commit(target, registerCommand("s", "a"))).toMatchObject({ type: "done" });
  });

  it("writes nothing while R2 cannot take the large texts", async () => {
    const source = await primaryWith();
    await source.commit(request(registerCommand("s", LARGE[0]!), { computeMissing: true }));
    const segments = await segmentsOf(source);
    const target = await primaryWith();
    await replaceBindings(target, () => ({ TEXTS: { put: () => Promise.reject(new Error("R2 is away.")) } }));

    expect(await restoreInto(target, segments)).toMatchObject({
      type: "refused",
      refusal: { error: "NOT_READY", detail: expect.stringContaining("R2 is away.") },
    });

    expect((await target.readState({ v })).asOf.seq).toBe(0);
  });

  it("lets no deletion take a text that comes back, though the alarm rings while it is being put", async () => {
    const source = await primaryWith();
    const records: SchemaRecord[] = [];
    const again: Step = { type: "register", subject: "one", text: LARGE[0]!, draft: false };
    await perform(source, again, records);
    const before = await segmentsOf(source);
    await perform(source, { type: "record", pick: 0, what: "erase" }, records);
    const erasing = await segmentsOf(source, before.at(-1)!.last);
    await perform(source, again, records);
    const target = await primaryWith();
    await restoreInto(target, [...before, ...erasing]);
    await replaceBindings(target, (object) => ({
      TEXTS: {
        put: async (key: string, bytes: Uint8Array) => {
          await BINDINGS.TEXTS.put(key, bytes);
          await object.alarm();
        },
        delete: (key: string) => BINDINGS.TEXTS.delete(key),
      },
    }));

    await restoreInto(target, await segmentsOf(source, erasing.at(-1)!.last));

    const key = textKey(tenantOf(target), records.at(-1)!.contentHash);
    expect(await BINDINGS.TEXTS.head(key)).not.toBeNull();
  });

  it("keeps writers out until the restore is proven, also after eviction", async () => {
    const { source, segments } = await filled();
    const target = await primaryWith();
    await restoreInto(target, segments.slice(0, 1));
    await evictDurableObject(target);
    await useFormat(target, lineFormat());

    const early = await commit(target, registerCommand("s", "x"));
    await restoreInto(target, segments);
    const unproven = await commit(target, registerCommand("s", "x"));
    await finish(source, target);
    const proven = await commit(target, registerCommand("s", "x"));

    expect([early, unproven]).toMatchObject([
      { type: "refused", refusal: { error: "NOT_READY" } },
      { type: "refused", refusal: { error: "NOT_READY" } },
    ]);
    expect(proven).toMatchObject({ type: "done", asOf: { seq: 5 } });
  });

  it("tells the followers of what came back", async () => {
    const { segments } = await filled();
    const target = await primaryWith();
    const sent: unknown[] = [];
    await replaceBindings(target, () => ({
      CHANGES: { send: (nudge: unknown) => Promise.resolve(sent.push(nudge)) },
    }));

    await restoreInto(target, segments);
    await runDurableObjectAlarm(target);

    expect(sent).toMatchObject([{ upToSeq: 4 }]);
  });

  it("marks as restored what it brought, and not what happens afterwards", async () => {
    const { source, segments } = await filled();
    const target = await primaryWith();
    const marked = async (primary: PrimaryStub = target) => {
      const { events } = (await primary.readEvents({ v, after: 0, limit: 10 })) as unknown as EventPage;
      return events.map(({ restored }) => restored);
    };

    await restoreInto(target, segments);
    const underWay = await marked();
    await finish(source, target);
    await evictDurableObject(target);
    await useFormat(target, lineFormat());
    await register(target, "new", "new");

    expect(underWay).toEqual([true, true, true, true]);
    expect(await marked()).toEqual([true, true, true, true, undefined]);
    expect(await marked(source)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("tells no webhook of what it brought, and every one of what comes next", async () => {
    const source = await WebhooksUnderTest.open();
    await source.create();
    await source.registerIn("before");
    const target = await WebhooksUnderTest.open();

    await restoreInto(target.primary, await segmentsOf(source.primary));
    await target.run();
    await finish(source.primary, target.primary);
    const seq = await target.registerIn("after");
    await target.run();

    expect(target.outside.idsTo(URL_OF_ONE)).toEqual([`1.${seq}`]);
  });

  it("reads segments of this size and no larger ones", async () => {
    const target = await primaryWith();
    const refusal = { detail: expect.stringContaining("larger than") };

    expect(await target.restoreSegment({ v, segment: new Uint8Array(MAX_SEGMENT_BYTES) })).not.toMatchObject({
      refusal,
    });
    expect(await target.restoreSegment({ v, segment: new Uint8Array(MAX_SEGMENT_BYTES + 1) })).toMatchObject({
      refusal,
    });
  });
});

describe("finishRestore", () => {
  it("refuses another end, a payload that nothing accounts for, and other rows than the backup's", async () => {
    const source = await primaryWith();
    for (const text of ["a", "b"]) await register(source, text, text);
    const [{ segment }] = (await segmentsOf(source)) as [WholeSegment];
    const lost: Segment = {
      ...segment,
      entries: segment.entries.map((entry) => (entry.seq === 1 ? { ...entry, payload: null } : entry)),
      texts: new Map([...segment.texts].slice(1)),
    };
    const target = await primaryWith();
    const { state, leafHash } = await source.readState({ v });
    const other = { ...state, tables: { ...state.tables, records: { rows: 2, sha256: "0".repeat(64) } } };

    const restored = await target.restoreSegment({ v, segment: encodeSegment(lost).bytes });
    const sound = await primaryWith();
    await restoreInto(sound, await segmentsOf(source));

    expect(restored).toMatchObject({ type: "restored" });
    const finishing = (primary: PrimaryStub, asked: object) =>
      primary.finishRestore({ v, seq: 2, leafHash, state, ...asked });
    expect(await finishing(target, {})).toMatchObject({
      refusal: { detail: "The payload of entry 1 is missing, and no hard delete took it." },
    });
    expect(await finishing(sound, { seq: 3 })).toMatchObject({
      refusal: { detail: expect.stringContaining("ends with entry 2") },
    });
    expect(await finishing(sound, { leafHash: "0".repeat(64) })).toMatchObject({ type: "refused" });
    expect(await finishing(sound, { state: other })).toMatchObject({
      refusal: { detail: 'The state is not that of the backup: table "records" has other rows.' },
    });
    expect(await finishing(sound, { state: { ...other, version: 999 } })).toMatchObject({
      type: "proven",
      compared: false,
    });
    expect(await finishing(sound, {})).toMatchObject({ type: "proven", compared: true });
  });

  it("applies a log once more up to its bound, and says so", async () => {
    const source = await primaryWith();
    for (const text of ["a", "b"]) await register(source, text, text);
    const target = await primaryWith();
    await restoreInto(target, await segmentsOf(source));
    const boundedBy = (entries: number) =>
      runInDurableObject(target, (object: PrimaryObject) => {
        object.maxReplayedEntries = entries;
      });

    await boundedBy(1);
    const beyond = await finish(source, target);
    await boundedBy(2);
    const within = await finish(source, target);

    expect(beyond).toMatchObject({ type: "proven", compared: true, replayed: false });
    expect(within).toMatchObject({ type: "proven", compared: true, replayed: true });
  });

  it("refuses state that the log does not account for", async () => {
    const source = await primaryWith();
    await register(source, "a", "a");
    const target = await primaryWith();
    await restoreInto(target, await segmentsOf(source));
    await runInDurableObject(target, (_object: PrimaryObject, { storage }) => {
      storage.sql.exec("UPDATE records SET label = '9.9.9'");
    });

    expect(await finish(source, target)).toMatchObject({
      refusal: { detail: 'The state is not what the log says: table "records" has other rows.' },
    });
  });
});

describe("readSegment", () => {
  it("ends a segment at its bound of entries and of bytes, and gives at least one entry", async () => {
    const many = await primaryWith();
    await runInDurableObject(many, async (object: PrimaryObject) => {
      for (let n = 0; n <= MAX_SEGMENT_ENTRIES; n += 1) {
        const changes = { normalize: n % 2 === 0 };
        await object.commit(request({ type: "setConfig", scope: parseSubjectName("s"), changes }));
      }
    });
    const large = await primaryWith();
    // Raw bytes count, not deflated ones: they are what has to be inflated.
    for (const letter of ["a", "b", "c", "d", "e"]) {
      await large.commit(request(registerCommand(letter, letter.repeat(1_000_000)), { computeMissing: true }));
    }

    expect((await segmentsOf(many)).map(({ first, last, more }) => [first, last, more])).toEqual([
      [1, MAX_SEGMENT_ENTRIES, false],
      [MAX_SEGMENT_ENTRIES + 1, MAX_SEGMENT_ENTRIES + 1, false],
    ]);
    const bySize = await large.readSegment({ v, after: 0, upTo: Number.MAX_SAFE_INTEGER });
    expect(bySize).toMatchObject({
      more: true,
      entries: { length: Math.floor(MAX_SEGMENT_CONTENT_BYTES / 1_001_000) },
    });
    expect(await many.readSegment({ v, after: 0, upTo: Number.MAX_SAFE_INTEGER })).toMatchObject({ more: true });
  });
});

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { EventPage } from "../../../registry/event.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { encodeSegment, MAX_SEGMENT_BYTES } from "../../../registry/segment.ts";
import { textKey } from "../../../registry/text-key.ts";
import type { WholeSegment } from "../../../workers/backup/segments.ts";
import { URL_OF_ONE, WebhooksUnderTest } from "../webhooks/webhooks-under-test.ts";
import { commit, type PrimaryStub, primaryWith, register, registerCommand, request, useFormat } from "./commands.ts";
import { lineFormat } from "./line-format.ts";
import {
  BINDINGS,
  finish,
  LARGE,
  perform,
  replaceBindings,
  restoreInto,
  rowsOf,
  SEED,
  type Step,
  segmentsOf,
  step,
  tenantOf,
  v,
} from "./restoring.ts";

describe("a log that is exported and restored", () => {
  it(`produces the same rows, for any history and any segment boundaries (seed ${SEED})`, {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        // Changes during the export: earlier segments then still contain hard-deleted data.
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

          expect(await restoreInto(target, segments)).toMatchObject({ ok: true });
          expect(await finish(source, target)).toMatchObject({ ok: true, value: { compared: true } });
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

describe("a text that is hard-deleted and registered again during an export", () => {
  it.each([
    ["small", "a"],
    ["large", LARGE[0]!],
  ])("exists after the restore (%s)", async (_, text) => {
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

/** The parts that differ between two registries with the same history. */
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
      { ok: true, value: { first: 1, last: 2, appended: 2 } },
      { ok: true, value: { first: 1, last: 2, appended: 0 } },
      { ok: true, value: { first: 1, last: 4, appended: 2 } },
    ]);
    expect(await finish(source, target)).toMatchObject({ ok: true });
    expect(await rowsOf(target)).toEqual(await rowsOf(source));
  });

  it("refuses a segment that leaves a gap, and a log with other entries", async () => {
    const { segments } = await filled();
    const empty = await primaryWith();
    const other = await primaryWith();
    await register(other, "other", "other");

    expect(await empty.restoreSegment({ v, segment: segments[1]!.encoded.bytes })).toMatchObject({
      ok: false,
      refusal: { error: "CONFLICT", detail: expect.stringContaining("begins with entry 3") },
      asOf: { seq: 0 },
    });
    expect(await other.restoreSegment({ v, segment: segments[0]!.encoded.bytes })).toMatchObject({
      ok: false,
      refusal: { error: "CONFLICT", detail: expect.stringContaining("Entry 1 differs") },
      asOf: { seq: 1 },
    });
  });

  it("refuses to continue in a registry that is in use, even with the same entries", async () => {
    const { source, segments } = await filled();
    const [beginning] = segments;
    const copy = await primaryWith();
    await restoreInto(copy, [beginning!]);
    const { leafHash } = await copy.readState({ v });
    expect(await copy.finishRestore({ v, seq: 2, leafHash, state: null })).toMatchObject({ ok: true });

    expect(await restoreInto(copy, segments)).toMatchObject({
      ok: false,
      refusal: { detail: expect.stringContaining("in use") },
    });
    expect(await restoreInto(source, segments)).toMatchObject({ ok: true, value: { appended: 0 } });
  });

  it("writes nothing of a segment whose last entry cannot be applied", async () => {
    const { source } = await filled();
    // Verification succeeds because nothing hashed was changed, but applying it fails.
    const [{ segment }] = (await segmentsOf(source)) as [WholeSegment];
    const target = await primaryWith();
    await runInDurableObject(target, (_object: PrimaryObject, { storage }) => {
      storage.sql.exec(
        "CREATE TRIGGER refuses BEFORE INSERT ON records WHEN NEW.record_key = 4 BEGIN SELECT raise(ABORT, 'no'); END",
      );
    });

    const answer = await target.restoreSegment({ v, segment: encodeSegment(segment).bytes });

    expect(answer).toMatchObject({
      ok: false,
      refusal: { error: "UNPROCESSABLE", detail: expect.stringContaining("entry 4") },
      asOf: { seq: 0, lastHardDelete: 0 },
    });
    expect((await rowsOf(target)).entries).toEqual([]);
    await evictDurableObject(target);
    await useFormat(target, lineFormat());
    expect(await commit(target, registerCommand("s", "a"))).toMatchObject({ ok: true, value: { type: "done" } });
  });

  it("writes nothing while R2 refuses the large texts", async () => {
    const source = await primaryWith();
    await source.commit(request(registerCommand("s", LARGE[0]!), { computeMissing: true }));
    const segments = await segmentsOf(source);
    const target = await primaryWith();
    await replaceBindings(target, () => ({ TEXTS: { put: () => Promise.reject(new Error("R2 is away.")) } }));

    expect(await restoreInto(target, segments)).toMatchObject({
      ok: false,
      refusal: { error: "NOT_READY", detail: expect.stringContaining("R2 is away.") },
    });

    expect((await target.readState({ v })).asOf.seq).toBe(0);
  });

  it("does not delete a restored text, even if the alarm fires during the upload", async () => {
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

  it("refuses writes until the restore is verified, also after eviction", async () => {
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
      { ok: false, refusal: { error: "NOT_READY" } },
      { ok: false, refusal: { error: "NOT_READY" } },
    ]);
    expect(proven).toMatchObject({ ok: true, value: { type: "done" }, asOf: { seq: 5 } });
  });

  it("nudges the followers about restored entries", async () => {
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

  it("marks restored entries, but not later ones", async () => {
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

  it("sends no webhook for restored entries, and one for every later entry", async () => {
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

  it("reads segments up to this size and no larger", async () => {
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

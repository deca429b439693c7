import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import {
  encodeSegment,
  MAX_SEGMENT_CONTENT_BYTES,
  MAX_SEGMENT_ENTRIES,
  type Segment,
} from "../../../registry/segment.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import type { WholeSegment } from "../../../workers/backup/segments.ts";
import { type PrimaryStub, primaryWith, register, registerCommand, request } from "./commands.ts";
import { finish, restoreInto, segmentsOf, v } from "./restoring.ts";

describe("finishRestore", () => {
  it("refuses a wrong end, an unexplained missing payload, and rows that differ from the backup's", async () => {
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

    expect(restored).toMatchObject({ ok: true });
    const finishing = (primary: PrimaryStub, asked: object) =>
      primary.finishRestore({ v, seq: 2, leafHash, state, ...asked });
    expect(await finishing(target, {})).toMatchObject({
      refusal: { detail: "The payload of entry 1 is missing, and no hard delete removed it." },
    });
    expect(await finishing(sound, { seq: 3 })).toMatchObject({
      refusal: { detail: expect.stringContaining("ends with entry 2") },
    });
    expect(await finishing(sound, { leafHash: "0".repeat(64) })).toMatchObject({ ok: false });
    expect(await finishing(sound, { state: other })).toMatchObject({
      refusal: { detail: `The state differs from the backup's: table "records" has other rows.` },
    });
    expect(await finishing(sound, { state: { ...other, version: 999 } })).toMatchObject({
      ok: true,
      value: { compared: false },
    });
    expect(await finishing(sound, {})).toMatchObject({ ok: true, value: { compared: true } });
  });

  it("replays a log up to the limit, and reports that", async () => {
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

    expect(beyond).toMatchObject({ ok: true, value: { compared: true, replayed: false } });
    expect(within).toMatchObject({ ok: true, value: { compared: true, replayed: true } });
  });

  it("refuses state that the log does not explain", async () => {
    const source = await primaryWith();
    await register(source, "a", "a");
    const target = await primaryWith();
    await restoreInto(target, await segmentsOf(source));
    await runInDurableObject(target, (_object: PrimaryObject, { storage }) => {
      storage.sql.exec("UPDATE records SET created_by = 'nobody'");
    });

    expect(await finish(source, target)).toMatchObject({
      refusal: { detail: 'The state differs from the log: table "records" has other rows.' },
    });
  });
});

describe("readSegment", () => {
  it("ends a segment at its limit of entries and bytes, and returns at least one entry", async () => {
    const many = await primaryWith();
    await runInDurableObject(many, async (object: PrimaryObject) => {
      for (let n = 0; n <= MAX_SEGMENT_ENTRIES; n += 1) {
        const changes = { normalize: n % 2 === 0 };
        await object.commit(request({ type: "setConfig", scope: parseSubjectName("s"), changes }));
      }
    });
    const large = await primaryWith();
    // Raw bytes count, not deflated ones, because they have to be inflated.
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

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { repairConfluentIds } from "../../../durable-objects/primary/state/confluent-ids.ts";
import { COUNTED_IDS, LARGEST_INTEGER } from "../../../registry/confluent-id.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import {
  commit,
  expectReplayEqualsState,
  lastSeq,
  type PrimaryStub,
  primaryWith,
  register,
  registerCommand,
} from "./commands.ts";

const REGISTRY = parseSubjectName("");

async function setMode(primary: PrimaryStub, mode: "IMPORT" | "READWRITE", scope = REGISTRY): Promise<void> {
  expect(await commit(primary, { type: "setMode", scope, mode, force: true })).toMatchObject({
    ok: true,
    value: { type: "done" },
  });
}

/** Imports a version under an id, and leaves the registry writable. */
async function importAs(primary: PrimaryStub, subject: string, text: string, confluentId: number, versionNumber = 1) {
  await setMode(primary, "IMPORT");
  const answer = await commit(
    primary,
    registerCommand(subject, text, { api: "confluent", confluentId, versionNumber }),
  );
  await setMode(primary, "READWRITE");
  return answer;
}

async function deleteForGood(primary: PrimaryStub, subject: string): Promise<void> {
  for (const permanent of [false, true]) {
    const answer = await commit(primary, { type: "deleteSubject", name: parseSubjectName(subject), permanent });
    expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
  }
}

describe("ids of a context", () => {
  it.each([LARGEST_INTEGER, LARGEST_INTEGER - 1, COUNTED_IDS])("continue from 1 after %i was imported", async (id) => {
    const primary = await primaryWith();
    expect(await importAs(primary, "imported", "a", id)).toMatchObject({
      value: { outcome: { record: { confluentId: id } } },
    });

    const first = await register(primary, "s", "b");
    const second = await register(primary, "t", "c");

    expect([first.record.confluentId, second.record.confluentId]).toEqual([1, 2]);
    await expectReplayEqualsState(primary);
  });

  it("stay with a content when the version that first had it is hard-deleted", async () => {
    const primary = await primaryWith();
    const first = await register(primary, "first", "a");
    await register(primary, "second", "a");
    await deleteForGood(primary, "first");

    const third = await register(primary, "third", "a");
    const elsewhere = await register(primary, ":.ctx:third", "a");
    const other = await register(primary, "third", "a\nb?");

    expect(third.record.confluentId).toBe(first.record.confluentId);
    expect([elsewhere.record.confluentId, other.record.confluentId]).toEqual([1, 2]);
    await expectReplayEqualsState(primary);
  });

  it("continue after an imported one of the lower half", async () => {
    const primary = await primaryWith();
    await importAs(primary, "imported", "a", 100);

    expect((await register(primary, "s", "b")).record.confluentId).toBe(101);
  });

  it("continue past half of the range, avoiding imported ones", async () => {
    const primary = await primaryWith();
    await importAs(primary, "low", "a", COUNTED_IDS - 1);
    await importAs(primary, "high", "b", COUNTED_IDS + 1);

    const first = await register(primary, "s", "c");
    const second = await register(primary, "t", "d");

    expect([first.record.confluentId, second.record.confluentId]).toEqual([COUNTED_IDS, COUNTED_IDS + 2]);
    await expectReplayEqualsState(primary);
  });

  it("are not reused after a hard delete, even if the largest was imported", async () => {
    const primary = await primaryWith();
    await register(primary, "gone", "a");
    await importAs(primary, "imported", "b", LARGEST_INTEGER);
    await deleteForGood(primary, "gone");

    expect((await register(primary, "s", "c")).record.confluentId).toBe(2);
    await expectReplayEqualsState(primary);
  });

  it("are not reused after the context was deleted, and the context is listed again", async () => {
    const primary = await primaryWith();
    await register(primary, ":.ctx:s", "a");
    await deleteForGood(primary, ":.ctx:s");
    expect(await commit(primary, { type: "deleteContext", context: ".ctx" })).toMatchObject({
      ok: true,
      value: { type: "done" },
    });
    const contexts = () => primary.read({ v: PROTOCOL_VERSION, name: "contexts", args: {} });
    expect(await contexts()).toMatchObject({ value: { value: ["."] } });

    const { record } = await register(primary, ":.ctx:s", "b");
    await deleteForGood(primary, ":.ctx:s");

    expect(record.confluentId).toBe(2);
    expect(await contexts()).toMatchObject({ value: { value: [".", ".ctx"] } });
    await expectReplayEqualsState(primary);
  });

  it("do not create a context for a draft that is hard-deleted", async () => {
    const primary = await primaryWith();
    await register(primary, ":.ctx:s", "a", { state: "draft" });
    await deleteForGood(primary, ":.ctx:s");

    expect(await primary.read({ v: PROTOCOL_VERSION, name: "contexts", args: {} })).toMatchObject({
      value: { value: ["."] },
    });
    await expectReplayEqualsState(primary);
  });

  it("are valid again in a context that an earlier build had counted past the end", async () => {
    const primary = await primaryWith();
    const kept = await register(primary, "kept", "a");
    await importAs(primary, "imported", "b", LARGEST_INTEGER);
    const lost = await register(primary, "lost", "c");
    await runInDurableObject(primary, (_object: PrimaryObject, ctx) => {
      const { sql } = ctx.storage;
      const past = LARGEST_INTEGER + 1;
      for (const table of ["records", "confluent_ids"]) {
        sql.exec(`UPDATE ${table} SET confluent_id = ? WHERE confluent_id = ?`, past, lost.record.confluentId);
      }
      sql.exec("UPDATE contexts SET next_confluent_id = ?", past + 1);
      const [row] = sql
        .exec<{ seq: number; payload: ArrayBuffer }>(
          "SELECT seq, payload FROM log WHERE json_extract(CAST(payload AS TEXT), '$.id') = ?",
          lost.record.id,
        )
        .toArray();
      const payload = JSON.parse(new TextDecoder().decode(row!.payload));
      const numbering = { ...payload.numbering, confluentId: past, nextConfluentId: past + 1 };
      const bytes = new TextEncoder().encode(JSON.stringify({ ...payload, numbering }));
      // In that build's form, in a separate table.
      sql.exec("INSERT INTO payloads (seq, salt, bytes) SELECT seq, salt, ? FROM log WHERE seq = ?", bytes, row!.seq);
      sql.exec("UPDATE log SET salt = NULL, payload = NULL WHERE seq = ?", row!.seq);

      repairConfluentIds(sql);
    });

    const next = await register(primary, "s", "d");
    const again = await register(primary, "t", "c");

    expect(next.record.confluentId).toBe(kept.record.confluentId! + 1);
    expect(again.record.confluentId).toBe(COUNTED_IDS);
    await expectReplayEqualsState(primary);
  });
});

describe("version numbers that are imported", () => {
  it("leave a number for the next version", async () => {
    const primary = await primaryWith();
    const before = await lastSeq(primary);

    const answer = await importAs(primary, "s", "a", 1, LARGEST_INTEGER);

    expect(answer).toMatchObject({ ok: false, refusal: { error: "INVALID_SCHEMA" } });
    expect(await lastSeq(primary)).toBe(before + 2);
  });

  it("may be the last but one; a subject that has used the last one refuses further ones", async () => {
    const primary = await primaryWith();
    await importAs(primary, "s", "a", 1, LARGEST_INTEGER - 1);

    const { record } = await register(primary, "s", "b");
    const answer = await commit(primary, registerCommand("s", "c"));

    expect(record.versionNumber).toBe(LARGEST_INTEGER);
    expect(answer).toMatchObject({ ok: false, refusal: { error: "CONFLICT" } });
  });
});

describe("soft-deleted content that is imported again", () => {
  it("under another id keeps the version with the first one", async () => {
    const primary = await primaryWith();
    const first = await register(primary, "s", "a");
    const subject = parseSubjectName("s");
    await commit(primary, { type: "deleteSubject", name: subject, permanent: false });

    await importAs(primary, "s", "a", 3, 2);

    const read = await primary.read({
      v: PROTOCOL_VERSION,
      name: "recordById",
      args: { id: first.record.id, deleted: true },
    });
    expect(read).toMatchObject({ value: { value: { confluentId: 1, deleted: true } } });
    await expectReplayEqualsState(primary);
  });
});

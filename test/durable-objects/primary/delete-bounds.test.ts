import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MAX_DELETED_RECORDS } from "../../../durable-objects/primary/decide/delete.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { commit, lastSeq, type PrimaryStub, primaryWith, register } from "./commands.ts";

/**
 * A subject with many soft-deleted versions. Rows are copied in place, because registering them would take minutes.
 */
async function withVersions(count: number): Promise<PrimaryStub> {
  const primary = await primaryWith();
  await register(primary, "orders", "a");
  await runInDurableObject(primary, (_, { storage: { sql } }) => {
    const columns = sql
      .exec("SELECT * FROM records LIMIT 1")
      .columnNames.filter((name) => !["record_key", "id", "number", "label"].includes(name));
    sql.exec(
      `WITH RECURSIVE more (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < ?)
        INSERT INTO records (record_key, id, number, ${columns.join()})
        SELECT 1000 + n, records.id || n, n, ${columns.map((name) => `records.${name}`).join()} FROM records, more`,
      count,
    );
  });
  return primary;
}

function deleteSubject(primary: PrimaryStub, permanent: boolean) {
  return commit(primary, { type: "deleteSubject", name: parseSubjectName("orders"), permanent });
}

describe("deleting a subject", () => {
  it(`deletes up to ${MAX_DELETED_RECORDS} versions in one command, soft or hard`, async () => {
    const primary = await withVersions(MAX_DELETED_RECORDS);

    for (const permanent of [false, true]) {
      const answer = await deleteSubject(primary, permanent);
      expect(answer).toMatchObject({
        ok: true,
        value: { type: "done", outcome: { versions: { length: MAX_DELETED_RECORDS } } },
      });
    }
  });

  it("refuses one more and changes nothing, until some are deleted individually", async () => {
    const primary = await withVersions(MAX_DELETED_RECORDS + 1);

    const refused = await deleteSubject(primary, false);

    expect(refused).toMatchObject({ ok: false, refusal: { error: "TOO_COMPLEX" } });
    expect(await lastSeq(primary)).toBe(1);
    const one = {
      type: "deleteVersion",
      name: parseSubjectName("orders"),
      versionNumber: 1,
      permanent: false,
    } as const;
    expect(await commit(primary, one)).toMatchObject({ ok: true, value: { type: "done" } });
    expect(await deleteSubject(primary, false)).toMatchObject({ ok: true, value: { type: "done" } });
    expect(await deleteSubject(primary, true)).toMatchObject({ ok: false, refusal: { error: "TOO_COMPLEX" } });
  });

  it("counts the records that a change set deletes together", async () => {
    const primary = await withVersions(MAX_DELETED_RECORDS);
    await register(primary, "payments", "b");
    const deletes = (...subjects: string[]) =>
      commit(primary, {
        type: "makeChanges",
        kind: "bulk",
        message: null,
        changes: subjects.map((subject) => ({
          type: "deleteSubject" as const,
          name: parseSubjectName(subject),
          permanent: false,
        })),
      });

    expect(await deletes("orders", "payments")).toMatchObject({ ok: false, refusal: { error: "TOO_COMPLEX" } });
    expect(await lastSeq(primary)).toBe(2);
    expect(await deletes("orders")).toMatchObject({ ok: true, value: { type: "done" } });
  });

  it("refuses to make room for an import that would delete more", async () => {
    const primary = await withVersions(MAX_DELETED_RECORDS + 1);
    const one = {
      type: "deleteVersion",
      name: parseSubjectName("orders"),
      versionNumber: 1,
      permanent: false,
    } as const;
    await commit(primary, one);
    await deleteSubject(primary, false);
    const importing = {
      type: "setMode",
      scope: { context: ".", subject: "orders" },
      mode: "IMPORT",
      force: false,
    } as const;

    expect(await commit(primary, importing)).toMatchObject({ ok: false, refusal: { error: "TOO_COMPLEX" } });
    expect(await commit(primary, { ...one, permanent: true })).toMatchObject({ ok: true, value: { type: "done" } });
    expect(await commit(primary, importing)).toMatchObject({ ok: true, value: { type: "done" } });
  });
});

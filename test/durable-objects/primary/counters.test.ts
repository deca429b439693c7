import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { raiseLoweredCounters } from "../../../durable-objects/primary/state/migrations.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { commit, expectReplayEqualsState, type PrimaryStub, primaryWith, register } from "./commands.ts";

async function softDelete(primary: PrimaryStub, subject: string): Promise<void> {
  const answer = await commit(primary, {
    type: "deleteSubject",
    name: parseSubjectName(subject),
    permanent: false,
  });
  expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
}

function countersOf(primary: PrimaryStub, subject: string) {
  return runInDurableObject(primary, (_object: PrimaryObject, ctx) =>
    ctx.storage.sql.exec("SELECT last_number, last_label FROM subject_counters WHERE subject = ?", subject).one(),
  );
}

/**
 * Puts a subject into the state that an earlier build left after re-registering soft-deleted content, and migrates it.
 */
async function lowerAndMigrate(primary: PrimaryStub, subject: string): Promise<void> {
  await runInDurableObject(primary, (_object: PrimaryObject, ctx) => {
    const { sql } = ctx.storage;
    sql.exec("UPDATE subjects SET last_number = 1, last_label = '1.0.0' WHERE subject = ?", subject);
    raiseLoweredCounters(sql);
  });
}

describe("a subject's counters", () => {
  it("are kept when soft-deleted content is registered again", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a");
    await softDelete(primary, "s");

    const { record } = await register(primary, "s", "a");

    expect(record.versionNumber).toBe(2);
    expect(await countersOf(primary, "s")).toEqual({ last_number: 2, last_label: record.semver });
    await expectReplayEqualsState(primary);
  });

  it("keep the highest semver after the number of a hard-deleted version is imported again", async () => {
    const primary = await primaryWith();
    const scope = parseSubjectName("");
    await commit(primary, { type: "setMode", scope, mode: "IMPORT", force: true });
    const third = { api: "confluent", confluentId: 1, versionNumber: 3 } as const;
    await register(primary, "s", "a", { api: "confluent", confluentId: 1, versionNumber: 1 });
    const { record: removed } = await register(primary, "s", "a", third);
    await softDelete(primary, "s");
    await commit(primary, { type: "deleteRecord", id: removed.id, permanent: true, ifMatchSeq: null });

    const { record } = await register(primary, "s", "a", third);

    expect(record.semver).not.toBe(removed.semver);
    expect(await countersOf(primary, "s")).toEqual({ last_number: 3, last_label: record.semver });
    await expectReplayEqualsState(primary);
  });

  it("keep the highest semver after an import of an older number", async () => {
    const primary = await primaryWith();
    const scope = parseSubjectName("");
    await register(primary, "s", "a");
    await commit(primary, { type: "setMode", scope, mode: "IMPORT", force: true });
    for (const [text, versionNumber] of [
      ["b", 5],
      ["c", 3],
    ] as const) {
      const imported = { api: "confluent", confluentId: versionNumber, versionNumber } as const;
      await register(primary, "s", text, imported);
    }
    await commit(primary, { type: "setMode", scope, mode: "READWRITE", force: true });

    expect(await countersOf(primary, "s")).toEqual({ last_number: 5, last_label: "1.2.0" });
    const name = parseSubjectName("s");
    for (const permanent of [false, true]) {
      await commit(primary, { type: "deleteVersion", name, versionNumber: 3, permanent });
    }
    expect(await countersOf(primary, "s")).toEqual({ last_number: 5, last_label: "1.2.0" });
    expect((await register(primary, "s", "b\nd?")).record).toMatchObject({ versionNumber: 6, semver: "1.2.1" });
    await expectReplayEqualsState(primary);
  });

  it("are repaired in a database in which an earlier build had decreased them", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a");
    await softDelete(primary, "s");
    const again = await register(primary, "s", "a");
    await lowerAndMigrate(primary, "s");

    const { record } = await register(primary, "s", "a\nb?");

    expect(record.versionNumber).toBe(3);
    expect(record.semver).not.toBe(again.record.semver);
    await expectReplayEqualsState(primary);
  });
});

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { commit, expectReplayEqualsState, lastSeq, primaryWith, register, registerCommand } from "./commands.ts";

describe("deletes", () => {
  const name = { context: ".", subject: "a" };

  it("never reuses a number while the subject exists, and starts over once it is gone", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "1");
    await register(primary, "a", "2");
    await commit(primary, { type: "deleteVersion", name, versionNumber: 2, permanent: false });
    await commit(primary, { type: "deleteVersion", name, versionNumber: 2, permanent: true });

    const next = await register(primary, "a", "3");
    await commit(primary, { type: "deleteSubject", name, permanent: false });
    await commit(primary, { type: "deleteSubject", name, permanent: true });
    const reborn = await register(primary, "a", "4");

    expect(next.record.versionNumber).toBe(3);
    expect(reborn.record.versionNumber).toBe(1);
    await expectReplayEqualsState(primary);
  });

  it("gives re-registered content a new number and its old id, and removes the soft-deleted row", async () => {
    const primary = await primaryWith();
    const first = await register(primary, "a", "1");
    await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: false });

    const again = await register(primary, "a", "1");

    expect(again.record).toMatchObject({ versionNumber: 2, confluentId: first.record.confluentId });
    const undelete = await commit(primary, { type: "undelete", id: first.record.id });
    expect(undelete).toMatchObject({ ok: false, refusal: { error: "SCHEMA_NOT_FOUND" } });
    await expectReplayEqualsState(primary);
  });

  it("refuses to delete a version that a live schema references, and names the referrer", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "1");
    await register(primary, "user", "2", { references: [{ name: "a", subject: "a", version: 1 }] });

    const answer = await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: false });

    expect(answer).toMatchObject({
      ok: false,
      refusal: { error: "REFERENCE_EXISTS", arguments: ["a", "1", "user version 1"] },
    });
    expect((answer as { refusal: { detail: string } }).refusal.detail).toContain("user version 1");
  });

  it("works when storage is full, while registrations are refused", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "1");
    await runInDurableObject(primary, (object: PrimaryObject) => {
      object.storageLimitBytes = 1;
    });

    const registration = await commit(primary, registerCommand("a", "2"));
    const deletion = await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: false });

    expect(registration).toMatchObject({ ok: false, refusal: { error: "STORAGE_FULL" } });
    expect(deletion).toMatchObject({ ok: true, value: { type: "done", outcome: { versions: [1] } } });
  });
});

describe("drafts, lifecycle and replay", () => {
  it("assigns number, semver and Confluent id at activation", async () => {
    const primary = await primaryWith();
    const draft = await register(primary, "a", "1", { state: "draft" });
    await register(primary, "a", "2");

    const answer = await commit(primary, { type: "activate", id: draft.record.id, reason: null, ifMatchSeq: null });

    expect(draft.record).toMatchObject({ versionNumber: null, semver: null, confluentId: null, state: "draft" });
    expect(answer).toMatchObject({
      ok: true,
      value: { type: "done", outcome: { record: { versionNumber: 2, confluentId: 2, state: "active" } } },
    });
    await expectReplayEqualsState(primary);
  });

  it("replays every kind of entry into the same rows, also after hard deletes", async () => {
    const primary = await primaryWith();
    const scope = { context: ".", subject: "a" };
    const attributes = { description: "d", tags: ["t"], owner: "o", metadata: { k: 1 }, role: null };
    const one = await register(primary, "a", "1", { attributes, compatibilityLevel: "NONE" });
    await register(primary, "a", "2");
    const three = await register(primary, ":.ctx:b", "1");
    await register(primary, "c", "x", { references: [{ name: "a", subject: "a", version: 2 }] });
    const draft = await register(primary, "a", "4", { state: "draft" });
    await commit(primary, {
      type: "updateRecord",
      id: one.record.id,
      changes: { owner: "p" },
      state: "deprecated",
      reason: "old",
      ifMatchSeq: null,
    });
    await commit(primary, {
      type: "updateRecord",
      id: one.record.id,
      changes: {},
      state: "archived",
      reason: null,
      ifMatchSeq: null,
    });
    await commit(primary, { type: "setConfig", scope, changes: { policy: "lenient" } });
    await commit(primary, { type: "setMode", scope, mode: "READWRITE", force: false });
    await commit(primary, { type: "deleteVersion", name: scope, versionNumber: 1, permanent: false });
    await commit(primary, { type: "undelete", id: one.record.id });
    await commit(primary, { type: "deleteVersion", name: scope, versionNumber: 1, permanent: false });
    await commit(primary, { type: "deleteVersion", name: scope, versionNumber: 1, permanent: true });
    await commit(primary, { type: "activate", id: draft.record.id, reason: "ready", ifMatchSeq: null });
    await commit(primary, { type: "deleteRecord", id: three.record.id, permanent: false, ifMatchSeq: null });
    await commit(primary, { type: "deleteRecord", id: three.record.id, permanent: true, ifMatchSeq: null });
    await commit(primary, { type: "deleteContext", context: ".ctx" });
    await commit(primary, { type: "deleteMode", scope, recursive: false });

    await expectReplayEqualsState(primary);
    expect(await lastSeq(primary)).toBeGreaterThan(17);
  });
});

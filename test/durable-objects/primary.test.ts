import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { chainProblem, GENESIS_HASH, parseHeader } from "../../durable-objects/log";
import type { PrimaryObject } from "../../durable-objects/primary";
import { PROTOCOL_VERSION, type Registered } from "../../durable-objects/protocol";
import { MAX_RULES } from "../../schema/rules";
import {
  commit,
  expectReplayEqualsState,
  type PrimaryStub,
  primaryWith,
  register,
  registerCommand,
  request,
} from "./commands";
import { BREAKING, lineFormat } from "./line-format";

describe("commit of a registration", () => {
  it("gives the first version number 1, label 1.0.0 and Confluent id 1", async () => {
    const primary = await primaryWith();

    const { record, created } = await register(primary, "orders-value", "a\nb");

    expect(created).toBe(true);
    expect(record).toMatchObject({ versionNumber: 1, label: "1.0.0", confluentId: 1, state: "active", seq: 1 });
    expect(record.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("gives a content the subject already has the version it has, and writes nothing", async () => {
    const primary = await primaryWith();
    const first = await register(primary, "orders-value", "a");

    const again = await register(primary, "orders-value", "  a  ");

    expect(again).toMatchObject({ created: false, record: { id: first.record.id } });
    expect(await lastSeq(primary)).toBe(1);
  });

  it("gives one content one Confluent id in a context and independent ids across contexts", async () => {
    const primary = await primaryWith();
    await register(primary, "first", "x");

    const one = await register(primary, "one", "a");
    const two = await register(primary, "two", "a");
    const elsewhere = await register(primary, ":.other:one", "a");

    expect([one, two, elsewhere].map(({ record }) => record.confluentId)).toEqual([2, 2, 1]);
    expect(new Set([one, two, elsewhere].map(({ record }) => record.guid)).size).toBe(1);
  });

  it("answers needs for a reading it does not know and changes nothing", async () => {
    const primary = await primaryWith();

    const answer = await primary.commit(request(registerCommand("orders-value", "a")));

    expect(answer).toMatchObject({ type: "needs", needs: [{ type: "reading" }], asOf: { seq: 0 } });
  });

  it("computes what is missing itself when told to", async () => {
    const primary = await primaryWith();

    const answer = await primary.commit(request(registerCommand("orders-value", "a"), { computeMissing: true }));

    expect(answer).toMatchObject({ type: "done", outcome: { record: { versionNumber: 1 } } });
  });

  it("answers busy, and writes nothing, when the work exceeds its budget", async () => {
    const primary = await primaryWith();
    await runInDurableObject(primary, (object: PrimaryObject) => {
      object.computeBudgetBytes = 10;
    });

    const within = await primary.commit(request(registerCommand("s", "a".repeat(10)), { computeMissing: true }));
    const beyond = await primary.commit(request(registerCommand("s", "a".repeat(11)), { computeMissing: true }));

    expect(within.type).toBe("done");
    expect(beyond).toMatchObject({ type: "refused", refusal: { error: "BUSY", retryAfterSeconds: 1 } });
    expect(await lastSeq(primary)).toBe(1);
  });

  it("gives a repeated command the first outcome, also after eviction", async () => {
    const primary = await primaryWith();
    const asked = request(registerCommand("orders-value", "a"), { computeMissing: true });
    const first = await primary.commit(asked);
    await primary.commit(request(registerCommand("orders-value", "b"), { computeMissing: true }));

    await evictDurableObject(primary);
    const repeated = await primary.commit(asked);

    expect(repeated).toEqual({ ...first, repeated: true });
    expect(await lastSeq(primary)).toBe(2);
  });

  it("forgets a command after 24 hours, and not before", async () => {
    const primary = await primaryWith();
    const start = Date.now();
    await setNow(primary, start);
    const asked = request(registerCommand("orders-value", "a"), { computeMissing: true });
    await primary.commit(asked);

    await setNow(primary, start + 24 * 3_600_000 - 1);
    await runDurableObjectAlarm(primary);
    const before = await primary.commit(asked);
    await setNow(primary, start + 24 * 3_600_000);
    await runDurableObjectAlarm(primary);
    const after = await primary.commit(asked);

    expect(before).toMatchObject({ repeated: true });
    expect(after).toMatchObject({ repeated: false, outcome: { created: false } });
  });

  it("refuses an invalid text with its problems and leaves no trace", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, registerCommand("orders-value", "loud!"));

    expect(answer).toMatchObject({
      type: "refused",
      refusal: { error: "INVALID_SCHEMA", items: [{ rule: "shouting" }] },
    });
    expect(await lastSeq(primary)).toBe(0);
  });

  it("refuses a call of a protocol version it does not know", async () => {
    const primary = await primaryWith();

    const answer = await primary.commit({ ...request(registerCommand("s", "a")), v: PROTOCOL_VERSION + 1 });

    expect(answer).toMatchObject({ type: "refused", refusal: { error: "NOT_READY" } });
  });
});

describe("verdicts and races", () => {
  it("needs a verdict for the pair the level compares, and refuses on a breaking one", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");

    const answer = await commit(primary, registerCommand("s", "b"), { format });

    expect(answer).toMatchObject({
      type: "refused",
      refusal: {
        error: "INCOMPATIBLE_SCHEMA",
        extra: { verdict: { level: "BACKWARD", compared_versions: [{ version_number: 1 }] } },
      },
    });
    expect(await lastSeq(primary)).toBe(1);
  });

  it("compares with a version that arrived between two calls of one commit", async () => {
    const format = lineFormat((reader, writer) =>
      writer.lines[0] === "rival" && reader.lines[0] === "c" ? [BREAKING] : [],
    );
    const primary = await primaryWith(format);
    await register(primary, "s", "a");

    const answer = await commit(primary, registerCommand("s", "c"), {
      format,
      between: async (call) => {
        if (call === 2) await register(primary, "s", "rival");
      },
    });

    expect(answer).toMatchObject({ type: "refused", refusal: { error: "INCOMPATIBLE_SCHEMA" } });
  });

  it("obeys a config that appears between two calls of one commit", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await commit(primary, {
      type: "setConfig",
      scope: { context: ".", subject: "s" },
      changes: { compatibilityLevel: "NONE" },
    });

    const answer = await commit(primary, registerCommand("s", "b"), {
      format,
      between: async (call) => {
        if (call === 1) {
          const scope = { context: ".", subject: "s" };
          await commit(primary, { type: "setConfig", scope, changes: { compatibilityLevel: "BACKWARD" } });
        }
      },
    });

    expect(answer).toMatchObject({ type: "refused", refusal: { error: "INCOMPATIBLE_SCHEMA" } });
  });

  it("obeys a mode that appears between two calls of one commit", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, registerCommand("s", "a"), {
      between: async () => {
        await commit(primary, {
          type: "setMode",
          scope: { context: ".", subject: "" },
          mode: "READONLY",
          force: false,
        });
      },
    });

    expect(answer).toMatchObject({ type: "refused", refusal: { error: "OPERATION_NOT_PERMITTED" } });
  });

  it("reads a reference anew when it was deleted and re-created with other content between two calls", async () => {
    const primary = await primaryWith();
    await register(primary, "common", "old");
    const references = [{ name: "common", subject: "common", version: 1 }];
    const name = { context: ".", subject: "common" };

    const answer = await commit(primary, registerCommand("s", "a", { references }), {
      between: async (call) => {
        if (call > 1) return;
        await commit(primary, { type: "deleteSubject", name, permanent: false });
        await commit(primary, { type: "deleteSubject", name, permanent: true });
        await register(primary, "common", "new");
      },
      maxCalls: 2,
    });

    expect(answer).toMatchObject({ type: "needs", needs: [{ type: "reading" }] });
  });

  it.each(["NONE", "BACKWARD_TRANSITIVE"] as const)("lets 100 racing writers all through at %s", async (level) => {
    const format = lineFormat();
    const primary = await primaryWith(format);
    await commit(primary, {
      type: "setConfig",
      scope: { context: ".", subject: "s" },
      changes: { compatibilityLevel: level },
    });

    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const command = registerCommand("s", `writer ${index}`);
        const commandId = `race-${index}`;
        const attempt = await commit(primary, command, { format, commandId, maxCalls: 2 });
        return attempt.type === "needs"
          ? await primary.commit({ ...request(command), commandId, computeMissing: true })
          : attempt;
      }),
    );

    const numbers = answers.map((answer) =>
      answer.type === "done" ? (answer.outcome as Registered).record.versionNumber : answer,
    );
    expect(numbers.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    await expectReplayEqualsState(primary);
  });
});

describe("the log", () => {
  it("chains every entry to its predecessor and keeps the bytes that were hashed", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "1");
    await register(primary, "a", "2");
    await register(primary, "b", "1");

    const { entries } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 10 });

    expect(entries.map(({ header }) => parseHeader(header).type)).toEqual(Array(3).fill("schema.registered"));
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toBeUndefined();
    entries[1]!.header[10]! ^= 1;
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toContain("Entry 2");
  });

  it("carries actor, time, request id and tenant of every mutation", async () => {
    const primary = await primaryWith();
    await setNow(primary, 1_700_000_000_000);
    await register(primary, "a", "1");

    const { entries } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 1 });

    expect(parseHeader(entries[0]!.header)).toMatchObject({
      v: 1,
      epoch: 1,
      seq: 1,
      at: 1_700_000_000_000,
      tenant: "test",
      actor: "tester",
      request_id: "request-1",
      subject: "a",
      prev_hash: GENESIS_HASH,
    });
  });

  it("still verifies after a hard delete has removed payload, salt and text", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "secret");
    await register(primary, "a", "public");
    const name = { context: ".", subject: "a" };
    await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: false });
    await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: true });

    const { entries, asOf } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 10 });
    const texts = await runInDurableObject(primary, (_, ctx) => ctx.storage.sql.exec("SELECT * FROM texts").toArray());

    expect(entries[0]!.payload).toBeNull();
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toBeUndefined();
    expect(texts).toHaveLength(1);
    expect(asOf.lastHardDelete).toBe(4);
    await expectReplayEqualsState(primary);
  });

  it("is read in pages of bounded size", async () => {
    const primary = await primaryWith();
    for (const text of ["1", "2", "3"]) await register(primary, "a", text);

    const page = await primary.readLog({ v: PROTOCOL_VERSION, after: 1, limit: 1 });

    expect(page.entries.map(({ seq }) => seq)).toEqual([2]);
    expect(page.asOf.seq).toBe(3);
  });

  it("nudges its followers of the next commit too, although an alarm is set for what is to be forgotten tomorrow", async () => {
    const primary = await primaryWith();
    await register(primary, "first", "a");
    await runDurableObjectAlarm(primary);

    await register(primary, "second", "a");

    const alarm = await runInDurableObject(primary, (_object: PrimaryObject, ctx) => ctx.storage.getAlarm());
    // Null: it has rung already.
    expect((alarm ?? Date.now()) - Date.now()).toBeLessThan(5_000);
  });

  it("nudges its followers from the alarm that a commit sets, once, and again where it cannot know that it has", async () => {
    const primary = await primaryWith();
    const sent: unknown[] = [];
    const watch = () =>
      runInDurableObject(primary, (object: PrimaryObject) => {
        const watched = object as unknown as { env: object };
        watched.env = { ...watched.env, CHANGES: { send: async (nudge: unknown) => void sent.push(nudge) } };
      });
    await watch();
    await register(primary, "a", "1");

    // On a busy machine the first has rung by itself.
    await runDurableObjectAlarm(primary);
    await runDurableObjectAlarm(primary);
    const before = sent.length;
    await evictDurableObject(primary);
    await watch();
    await runDurableObjectAlarm(primary);

    expect(before).toBe(1);
    expect(sent).toEqual([expect.objectContaining({ upToSeq: 1 }), expect.objectContaining({ upToSeq: 1 })]);
  });
});

describe("deletes", () => {
  const name = { context: ".", subject: "a" };

  it("never gives a number twice while the subject lives, and starts over when it is gone", async () => {
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
    expect(undelete).toMatchObject({ type: "refused", refusal: { error: "SCHEMA_NOT_FOUND" } });
    await expectReplayEqualsState(primary);
  });

  it("refuses to delete what a live schema refers to, and names the referrer", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "1");
    await register(primary, "user", "2", { references: [{ name: "a", subject: "a", version: 1 }] });

    const answer = await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: false });

    expect(answer).toMatchObject({ type: "refused", refusal: { error: "REFERENCE_EXISTS", arguments: ["a", "1"] } });
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

    expect(registration).toMatchObject({ type: "refused", refusal: { error: "STORAGE_FULL" } });
    expect(deletion).toMatchObject({ type: "done", outcome: { versions: [1] } });
  });
});

describe("drafts, lifecycle and replay", () => {
  it("assigns number, label and Confluent id at activation", async () => {
    const primary = await primaryWith();
    const draft = await register(primary, "a", "1", { state: "draft" });
    await register(primary, "a", "2");

    const answer = await commit(primary, { type: "activate", id: draft.record.id, reason: null, ifMatchSeq: null });

    expect(draft.record).toMatchObject({ versionNumber: null, label: null, confluentId: null, state: "draft" });
    expect(answer).toMatchObject({
      type: "done",
      outcome: { record: { versionNumber: 2, confluentId: 2, state: "active" } },
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

async function lastSeq(primary: PrimaryStub): Promise<number> {
  return (await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 1 })).asOf.seq;
}

async function setNow(primary: PrimaryStub, nowMs: number): Promise<void> {
  await runInDurableObject(primary, (object: PrimaryObject) => {
    object.now = () => nowMs;
  });
}

describe("enforced versions", () => {
  const scope = { context: ".", subject: "s" };

  it("hold a given label to the change, in whatever state of knowledge, and replay as state", async () => {
    const format = lineFormat(() => [{ ...BREAKING, severity: "warning" }]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await commit(primary, { type: "setConfig", scope, changes: { enforceVersion: true } });

    const small = await commit(primary, registerCommand("s", "b", { label: "1.0.1" }), { format });
    const enough = await commit(primary, registerCommand("s", "b", { label: "1.1.0" }), { format });

    expect(small).toMatchObject({
      refusal: { error: "CONFLICT", extra: { demanded: { step: "minor", at_least: "1.1.0" } } },
    });
    expect(enough).toMatchObject({ type: "done", outcome: { record: { label: "1.1.0" } } });
    await expectReplayEqualsState(primary);
  });

  it("take a change of format, and one that is too complex to weigh, for a major", async () => {
    const format = lineFormat();
    format.compare = () => ({ ok: false, reason: "too_complex", pointer: "/deep", message: "Too deep." });
    const primary = await primaryWith(format);
    await register(primary, "s", "a", { compatibilityLevel: "NONE" });
    await commit(primary, { type: "setConfig", scope, changes: { enforceVersion: true, compatibilityLevel: "NONE" } });

    const complex = await commit(primary, registerCommand("s", "b", { label: "1.1.0" }), { format });
    const other = await commit(primary, registerCommand("s", "b", { label: "1.1.0", format: "protobuf" }), { format });

    for (const refusedAnswer of [complex, other]) {
      expect(refusedAnswer).toMatchObject({ refusal: { extra: { demanded: { step: "major", at_least: "2.0.0" } } } });
    }
  });

  it("find no label after the last one there can be", async () => {
    const primary = await primaryWith();
    const last = `${Number.MAX_SAFE_INTEGER}.${Number.MAX_SAFE_INTEGER}.${Number.MAX_SAFE_INTEGER}`;
    await register(primary, "s", "a", { compatibilityLevel: "NONE", label: last });

    const answer = await commit(primary, registerCommand("s", "b"));

    expect(answer).toMatchObject({ refusal: { error: "CONFLICT" } });
  });
});

describe("custom rules", () => {
  const scope = { context: ".", subject: "s" };

  it("decide over the policy, are read back from the log, and say so", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    const rules = [
      { name: "tolerant", expr: "difference.kind == 'LINE_CHANGED' && reader == 'b'", action: "warn" as const },
    ];
    await commit(primary, { type: "setRules", scope, book: { rules, overrides: [], exceptions: [] } });

    const tolerated = await commit(primary, registerCommand("s", "b"), { format });
    const refusedAnswer = await commit(primary, registerCommand("s", "c"), { format });

    expect(tolerated).toMatchObject({ type: "done" });
    expect(refusedAnswer).toMatchObject({ type: "refused", refusal: { error: "INCOMPATIBLE_SCHEMA" } });
    await expectReplayEqualsState(primary);
  });

  it("let an exception through until its date", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await setNow(primary, 1_000);
    const exceptions = [{ name: "e", owner: "ana", reason: "migration", expiresAtMs: 2_000 }];
    await commit(primary, { type: "setRules", scope, book: { rules: [], overrides: [], exceptions } });

    const before = await commit(primary, registerCommand("s", "b"), { format });
    await setNow(primary, 2_000);
    const after = await commit(primary, registerCommand("s", "c"), { format });

    expect(before).toMatchObject({ type: "done" });
    expect(after).toMatchObject({ type: "refused" });
  });

  it("take one exception more, whoever else writes, and let an expired namesake go", async () => {
    const primary = await primaryWith();
    await setNow(primary, 1_000);
    const add = (name: string, expiresAtMs: number) =>
      commit(primary, {
        type: "addException",
        scope,
        exception: { name, owner: "ana", reason: "migration", expiresAtMs },
      });
    await add("e", 2_000);
    await add("f", 5_000);

    const taken = await add("e", 9_000);
    const past = await add("g", 1_000);
    await setNow(primary, 2_000);
    const replaced = await add("e", 9_000);

    expect([taken, past]).toMatchObject([{ refusal: { error: "CONFLICT" } }, { refusal: { error: "UNPROCESSABLE" } }]);
    expect(replaced).toMatchObject({ type: "done" });
    const { value } = (await primary.read({ v: PROTOCOL_VERSION, name: "rules", args: { scope } })) as {
      value: { exceptions: { name: string; expiresAtMs: number }[] };
    };
    expect(value.exceptions.map(({ name, expiresAtMs }) => [name, expiresAtMs])).toEqual([
      ["f", 5_000],
      ["e", 9_000],
    ]);
    expect(await lastSeq(primary)).toBe(3);
    await expectReplayEqualsState(primary);
  });

  it("make room for an exception among expired ones", async () => {
    const primary = await primaryWith();
    await setNow(primary, 1_000);
    const exceptions = Array.from({ length: MAX_RULES }, (_, index) => ({
      name: `e${index}`,
      owner: "ana",
      reason: "migration",
      expiresAtMs: index === 0 ? 2_000 : 9_000,
    }));
    await commit(primary, { type: "setRules", scope, book: { rules: [], overrides: [], exceptions } });
    const one = { name: "more", owner: "ana", reason: "migration", expiresAtMs: 9_000 };

    const full = await commit(primary, { type: "addException", scope, exception: one });
    await setNow(primary, 2_000);
    const fits = await commit(primary, { type: "addException", scope, exception: one });

    expect(full).toMatchObject({ type: "refused", refusal: { items: [{ pointer: "/exceptions" }] } });
    expect(fits).toMatchObject({ type: "done" });
  });

  it("are no context's", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, { type: "setRules", scope: { context: ".ctx", subject: "" }, book: null });

    expect(answer).toMatchObject({ type: "refused", refusal: { error: "UNPROCESSABLE" } });
  });

  it("are refused with the place of every problem", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, {
      type: "setRules",
      scope,
      book: { rules: [{ name: "r", expr: "1 +", action: "deny" }], overrides: [], exceptions: [] },
    });

    expect(answer).toMatchObject({
      type: "refused",
      refusal: { error: "UNPROCESSABLE", items: [{ pointer: "/rules/0/expr" }] },
    });
  });
});

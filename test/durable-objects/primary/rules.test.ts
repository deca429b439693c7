import { describe, expect, it } from "vitest";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { MAX_RULES } from "../../../schema/rules/rule-book.ts";
import {
  commit,
  expectReplayEqualsState,
  lastSeq,
  primaryWith,
  register,
  registerCommand,
  setNow,
} from "./commands.ts";
import { BREAKING, lineFormat } from "./line-format.ts";

describe("enforced versions", () => {
  const scope = { context: ".", subject: "s" };

  it("require a given semver to match the change, with any available facts, and replay as state", async () => {
    const format = lineFormat(() => [{ ...BREAKING, severity: "warning" }]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await commit(primary, { type: "setConfig", scope, changes: { enforceVersion: true } });

    const small = await commit(primary, registerCommand("s", "b", { semver: "1.0.1" }), { format });
    const enough = await commit(primary, registerCommand("s", "b", { semver: "1.1.0" }), { format });

    expect(small).toMatchObject({
      refusal: { error: "CONFLICT", extra: { demanded: { step: "minor", at_least: "1.1.0" } } },
    });
    expect(enough).toMatchObject({ ok: true, value: { type: "done", outcome: { record: { semver: "1.1.0" } } } });
    await expectReplayEqualsState(primary);
  });

  it("treat a change of format, and one that is too complex to classify, as a major", async () => {
    const format = lineFormat();
    format.compare = () => ({ ok: false, refusal: { reason: "too_complex", pointer: "/deep", message: "Too deep." } });
    const primary = await primaryWith(format);
    await register(primary, "s", "a", { compatibilityLevel: "NONE" });
    await commit(primary, { type: "setConfig", scope, changes: { enforceVersion: true, compatibilityLevel: "NONE" } });

    const complex = await commit(primary, registerCommand("s", "b", { semver: "1.1.0" }), { format });
    const other = await commit(primary, registerCommand("s", "b", { semver: "1.1.0", format: "protobuf" }), { format });

    for (const refusedAnswer of [complex, other]) {
      expect(refusedAnswer).toMatchObject({ refusal: { extra: { demanded: { step: "major", at_least: "2.0.0" } } } });
    }
  });

  it("find no semver after the largest one", async () => {
    const primary = await primaryWith();
    const last = `${Number.MAX_SAFE_INTEGER}.${Number.MAX_SAFE_INTEGER}.${Number.MAX_SAFE_INTEGER}`;
    await register(primary, "s", "a", { compatibilityLevel: "NONE", semver: last });

    const answer = await commit(primary, registerCommand("s", "b"));

    expect(answer).toMatchObject({ refusal: { error: "CONFLICT" } });
  });
});

describe("custom rules", () => {
  const scope = { context: ".", subject: "s" };

  it("override the policy, are read back from the log, and report that", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    const rules = [
      { name: "tolerant", expr: "difference.kind == 'LINE_CHANGED' && reader == 'b'", action: "warn" as const },
    ];
    await commit(primary, { type: "setRules", scope, book: { rules, overrides: [], exceptions: [] } });

    const tolerated = await commit(primary, registerCommand("s", "b"), { format });
    const refusedAnswer = await commit(primary, registerCommand("s", "c"), { format });

    expect(tolerated).toMatchObject({ ok: true, value: { type: "done" } });
    expect(refusedAnswer).toMatchObject({ ok: false, refusal: { error: "INCOMPATIBLE_SCHEMA" } });
    await expectReplayEqualsState(primary);
  });

  it("allow a break under an exception until its date", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await setNow(primary, 1_000);
    const exceptions = [{ name: "e", owner: "ana", reason: "migration", expiresAtMs: 2_000 }];
    await commit(primary, { type: "setRules", scope, book: { rules: [], overrides: [], exceptions } });

    const before = await commit(primary, registerCommand("s", "b"), { format });
    await setNow(primary, 2_000);
    const after = await commit(primary, registerCommand("s", "c"), { format });

    expect(before).toMatchObject({ ok: true, value: { type: "done" } });
    expect(after).toMatchObject({ ok: false });
  });

  it("add an exception despite concurrent writes, and replace an expired one of the same name", async () => {
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
    expect(replaced).toMatchObject({ ok: true, value: { type: "done" } });
    const read = (await primary.read({ v: PROTOCOL_VERSION, name: "rules", args: { scope } })) as {
      value: { value: { exceptions: { name: string; expiresAtMs: number }[] } };
    };
    expect(read.value.value.exceptions.map(({ name, expiresAtMs }) => [name, expiresAtMs])).toEqual([
      ["f", 5_000],
      ["e", 9_000],
    ]);
    expect(await lastSeq(primary)).toBe(3);
    await expectReplayEqualsState(primary);
  });

  it("drop expired exceptions to make room for a new one", async () => {
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

    expect(full).toMatchObject({ ok: false, refusal: { items: [{ pointer: "/exceptions" }] } });
    expect(fits).toMatchObject({ ok: true, value: { type: "done" } });
  });

  it("cannot be set for a context", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, { type: "setRules", scope: { context: ".ctx", subject: "" }, book: null });

    expect(answer).toMatchObject({ ok: false, refusal: { error: "UNPROCESSABLE" } });
  });

  it("are refused with the location of every problem", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, {
      type: "setRules",
      scope,
      book: { rules: [{ name: "r", expr: "1 +", action: "deny" }], overrides: [], exceptions: [] },
    });

    expect(answer).toMatchObject({
      ok: false,
      refusal: { error: "UNPROCESSABLE", items: [{ pointer: "/rules/0/expr" }] },
    });
  });
});

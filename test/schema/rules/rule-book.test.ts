import { describe, expect, it } from "vitest";
import type { Difference } from "../../../schema/compatibility.ts";
import {
  compileCel,
  MAX_CEL_STEPS,
  MAX_COMPREHENSION_DEPTH,
  MAX_EVALUATION_STEPS,
  MAX_EXPRESSION_CHARACTERS,
} from "../../../schema/rules/cel.ts";
import {
  applyOverrides,
  applyRules,
  type CompatibilityRule,
  EMPTY_RULE_BOOK,
  MAX_RULE_BOOK_CHARACTERS,
  MAX_RULES,
  ruleBookProblems,
} from "../../../schema/rules/rule-book.ts";

const difference: Difference = {
  kind: "REQUIRED_ADDED",
  reader_pointer: "/properties/address/required",
  writer_pointer: null,
  message: "The reader requires zip.",
  severity: "breaking",
};
const schemas = { format: "json-schema", role: null, reader: { title: "R", tags: ["a", "b"] }, writer: {} };

const plenty = () => ({ remaining: MAX_CEL_STEPS });

describe("compileCel", () => {
  it("evaluates over variables and returns errors as values", () => {
    const program = compileCel("difference.kind.startsWith('REQ') && reader.tags.exists(t, t == 'b')");

    expect(program.ok && program.value.evaluate({ difference, ...schemas }, plenty())).toEqual({
      ok: true,
      value: true,
    });
    expect(program.ok && program.value.evaluate({}, plenty())).toMatchObject({ ok: false });
    expect(compileCel("a ==")).toMatchObject({ ok: false, refusal: expect.stringContaining("1:") });
  });

  it("accepts 2,048 characters and refuses 2,049", () => {
    const expression = (length: number) => `'${"a".repeat(length - 2)}'`;

    expect(compileCel(expression(MAX_EXPRESSION_CHARACTERS)).ok).toBe(true);
    expect(compileCel(expression(MAX_EXPRESSION_CHARACTERS + 1)).ok).toBe(false);
  });

  it("accepts two nested macros and refuses three", () => {
    const nested = (depth: number): string => (depth === 0 ? "true" : `l.all(x${depth}, ${nested(depth - 1)})`);

    expect(compileCel(nested(MAX_COMPREHENSION_DEPTH)).ok).toBe(true);
    expect(compileCel(nested(MAX_COMPREHENSION_DEPTH + 1))).toMatchObject({
      ok: false,
      refusal: expect.stringContaining("3"),
    });
  });

  it("matches patterns in linear time", () => {
    const program = compileCel("text.matches('^(a+)+$')");

    expect(program.ok && program.value.evaluate({ text: `${"a".repeat(50_000)}!` }, plenty())).toEqual({
      ok: true,
      value: false,
    });
  });
});

describe("applyRules", () => {
  const rule = (more: Partial<CompatibilityRule>): CompatibilityRule => ({
    name: "r",
    expr: "true",
    action: "allow",
    ...more,
  });
  const applied = (...rules: CompatibilityRule[]) => {
    const comparison = applyRules({ ok: true, value: { differences: [difference] } }, rules, schemas);
    return comparison.ok ? comparison.value.differences[0] : undefined;
  };

  it("changes the severity, names the rule, and lets the last matching rule decide", () => {
    expect(applied(rule({ action: "warn", message: "Agreed." }))).toMatchObject({
      severity: "warning",
      message: "The reader requires zip. Agreed.",
      decided_by: { type: "rule", name: "r", was: "breaking" },
    });
    expect(applied(rule({}), rule({ name: "s", action: "deny" }))).toMatchObject({
      severity: "breaking",
      decided_by: { name: "s" },
    });
    expect(applied(rule({ expr: "difference.kind == 'OTHER'" }))).toEqual(difference);
  });

  it("denies if an expression fails or returns no boolean", () => {
    expect(applied(rule({}), rule({ name: "broken", expr: "nothing.there" }))).toMatchObject({ severity: "breaking" });
    expect(applied(rule({}), rule({ name: "text", expr: "'yes'" }))).toMatchObject({ severity: "breaking" });
  });
});

describe("the cost of an expression", () => {
  const list = Array.from({ length: 2_000 }, (_, index) => index);
  const decide = (expr: string, reader: unknown, role: "event" | null = null) => {
    const rules: CompatibilityRule[] = [{ name: "r", expr, action: "warn" }];
    const comparison = applyRules({ ok: true, value: { differences: [difference] } }, rules, {
      format: "json-schema",
      role,
      reader,
      writer: {},
    });
    return comparison.ok ? comparison.value.differences[0]! : undefined;
  };

  it("is limited in steps, and exceeding the limit denies", () => {
    const once = decide("reader.list.all(a, a >= 0)", { list });
    const squared = decide("reader.list.all(a, reader.list.all(b, a + b >= 0))", { list });
    const compared = decide("reader.list.all(a, reader.list == reader.list)", { list });

    expect(once).toMatchObject({ severity: "warning" });
    for (const denied of [squared, compared]) {
      expect(denied).toMatchObject({
        severity: "breaking",
        message: expect.stringContaining(`${MAX_EVALUATION_STEPS} steps`),
      });
    }
  });

  it("is limited for all evaluations of one comparison together", () => {
    const rules = Array.from({ length: MAX_CEL_STEPS / 50_000 }, (_, index): CompatibilityRule => {
      return { name: `r${index}`, expr: "reader.list.all(a, a >= 0)", action: "warn" };
    });
    const decideAll = (count: number) => {
      const schemas = { format: "json-schema", role: null, reader: { list: Array(50_000).fill(1) }, writer: {} };
      const ruled = applyRules({ ok: true, value: { differences: [difference] } }, rules.slice(0, count), schemas);
      return ruled.ok ? ruled.value.differences[0]! : undefined;
    };

    expect(decideAll(rules.length - 1)).toMatchObject({ severity: "warning" });
    expect(decideAll(rules.length)).toMatchObject({
      severity: "breaking",
      message: expect.stringContaining(`${MAX_CEL_STEPS} steps together`),
    });
  });

  it("counts the work on an expression's own values: listed values and patterns", () => {
    const own = `[${Array.from({ length: 300 }, (_, index) => index).join()}]`;
    const properties = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`p${index}`, {}]));
    const listed = decide(`reader.list.all(a, a in ${own} || a >= 0)`, { list: [1, 2, 3] });
    const squared = decide(`reader.all(key, ${own}.all(a, a >= 0))`, properties);
    const matched = decide("reader.all(key, key.matches('^p[0-9]+$'))", properties);
    const long = decide("reader.text.matches('^(a|b)*c$')", { text: "ab".repeat(1_000_000) });

    for (const decided of [listed, matched]) expect(decided).toMatchObject({ severity: "warning" });
    for (const denied of [squared, long]) expect(denied).toMatchObject({ severity: "breaking" });
  });

  it("reads members of a large map in constant time", () => {
    const properties = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`p${index}`, { at: index }]));

    expect(decide("reader.properties.all(key, reader.properties[key].at >= 0)", { properties })).toMatchObject({
      severity: "warning",
    });
  });

  it("counts the steps of a map's keys, and accepts every name that a map may have", () => {
    const properties = { constructor: { type: "string" }, __proto__: { type: "null" }, toString: {} };
    const parsed = JSON.parse('{"constructor": {"type": "string"}, "__proto__": {}, "toString": {}}') as object;

    expect(decide("reader.constructor.type == 'string'", properties)).toMatchObject({ severity: "warning" });
    expect(decide("'__proto__' in reader && reader.all(key, key != '')", parsed)).toMatchObject({
      severity: "warning",
    });
    expect(decide("'valueOf' in reader", parsed)).toEqual(difference);
    expect(decide("size(reader) == 3", parsed)).toMatchObject({ severity: "warning" });
  });

  it("gives expressions the role, null if there is none", () => {
    expect(decide("role == 'event'", {}, "event")).toMatchObject({ severity: "warning" });
    expect(decide("role == null", {})).toMatchObject({ severity: "warning" });
  });
});

describe("applyOverrides", () => {
  const override = (pointer: string) =>
    applyOverrides(
      { differences: [difference] },
      { ...EMPTY_RULE_BOOK, overrides: [{ pointer, action: "allow" }] },
      0,
    )[0]!.severity;

  it("matches pointers token by token", () => {
    expect(["/properties/*/required", "/properties/**", "**", "/**/required"].map(override)).toEqual(
      Array(4).fill("info"),
    );
    expect(["/properties/*", "/properties", "/**/other", "/properties/address/require"].map(override)).toEqual(
      Array(4).fill("breaking"),
    );
  });

  it("allows a break until the exception's date and not from then on", () => {
    const exceptions = [{ name: "e", owner: "ana", reason: "migration", expiresAtMs: 1_000 }];
    const at = (nowMs: number) =>
      applyOverrides({ differences: [difference] }, { ...EMPTY_RULE_BOOK, exceptions }, nowMs)[0]!;

    expect(at(999)).toMatchObject({ severity: "warning", decided_by: { type: "exception", name: "e" } });
    expect(at(1_000)).toEqual(difference);
  });
});

describe("ruleBookProblems", () => {
  it("returns every problem with its location", () => {
    const problems = ruleBookProblems({
      rules: [
        { name: "a", expr: "1 +", action: "allow" },
        { name: "a", expr: "true", action: "allow" },
      ],
      overrides: [{ pointer: "properties", action: "warn" }],
      exceptions: [{ name: "e", owner: " ", reason: "r", expiresAtMs: Number.NaN }],
    });

    expect(problems.map(({ pointer }) => pointer)).toEqual([
      "/rules/0/expr",
      "/rules/1/name",
      "/overrides/0/pointer",
      "/exceptions/0/owner",
      "/exceptions/0/expires_at",
    ]);
  });

  it("accepts 100 rules and refuses 101", () => {
    const rules = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ name: `r${index}`, expr: "true", action: "warn" as const }));

    expect(ruleBookProblems({ ...EMPTY_RULE_BOOK, rules: rules(MAX_RULES) })).toEqual([]);
    expect(ruleBookProblems({ ...EMPTY_RULE_BOOK, rules: rules(MAX_RULES + 1) })).toHaveLength(1);
  });

  it("accepts a book of the maximum size and refuses one more character", () => {
    const book = (characters: number) => {
      const empty = { ...EMPTY_RULE_BOOK, overrides: [{ pointer: "/", action: "warn" as const, message: "" }] };
      const message = "m".repeat(characters - JSON.stringify(empty).length);
      return { ...empty, overrides: [{ ...empty.overrides[0]!, message }] };
    };

    expect(ruleBookProblems(book(MAX_RULE_BOOK_CHARACTERS))).toEqual([]);
    expect(ruleBookProblems(book(MAX_RULE_BOOK_CHARACTERS + 1))).toMatchObject([{ pointer: "" }]);
  });
});

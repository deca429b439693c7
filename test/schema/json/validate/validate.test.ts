import { describe, expect, it } from "vitest";
import type { JsonDialect } from "../../../../schema/format.ts";
import { followReference } from "../../../../schema/json/model.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { isMultiple } from "../../../../schema/json/validate/assertions.ts";
import {
  MAX_EVALUATION_DEPTH,
  MAX_EVALUATIONS,
  MAX_INSTANCE_DEPTH,
  MAX_INSTANCE_ERRORS,
  MAX_PATTERN_STEPS,
} from "../../../../schema/json/validate/evaluation.ts";
import { validateAt, validateInstance } from "../../../../schema/json/validate/validate.ts";

function modelOf(schema: unknown, defaultDialect: JsonDialect = "2020-12", strictness: "new" | "stored" = "new") {
  const result = parseJsonSchema({ text: JSON.stringify(schema), references: [] }, { strictness, defaultDialect });
  if (!result.ok) throw new Error(result.refusal.problems[0]?.message);
  return result.value.model;
}

function validate(schema: unknown, value: unknown, formats = false) {
  return validateInstance(modelOf(schema), value, { formats });
}

describe("validateInstance", () => {
  it("reports the location of an error, its keyword, and what was expected", () => {
    const schema = { properties: { "a/b": { items: { type: "string", maxLength: 2 } } }, required: ["c"] };

    expect(validate(schema, { "a/b": ["x", 5, "xyz"] })).toEqual({
      ok: true,
      value: {
        valid: false,
        steps: 6,
        errors: [
          {
            pointer: "/a~1b/1",
            keyword: "type",
            schema_pointer: "/properties/a~1b/items/type",
            message: "Expected a string, got 5.",
            expected: "a string",
            got: "5",
          },
          {
            pointer: "/a~1b/2",
            keyword: "maxLength",
            schema_pointer: "/properties/a~1b/items/maxLength",
            message: 'Expected a string of at most 2 characters, got "xyz".',
            expected: "a string of at most 2 characters",
            got: '"xyz"',
          },
          {
            pointer: "",
            keyword: "required",
            schema_pointer: "/required",
            message: 'Expected a member "c", got an object.',
            expected: 'a member "c"',
            got: "an object",
          },
        ],
      },
    });
  });

  it("reports a forbidden member at the member", () => {
    expect(validate({ properties: { a: {} }, additionalProperties: false }, { a: 1, b: 2 })).toMatchObject({
      value: {
        valid: false,
        errors: [{ pointer: "/b", keyword: "additionalProperties", schema_pointer: "/additionalProperties" }],
      },
    });
  });

  it("reports that no alternative matches, and what the closest one expected", () => {
    const schema = { anyOf: [{ type: "string" }, { required: ["a"], properties: { a: { type: "string" } } }] };

    const result = validate({ oneOf: [{ not: {} }, schema] }, { a: 1 });

    expect(result.ok && result.value.errors.map(({ keyword, pointer }) => [keyword, pointer])).toEqual([
      ["oneOf", ""],
      ["not", ""],
    ]);
    const nearest = validate(schema, { a: 1 });
    expect(nearest.ok && nearest.value.errors.map(({ keyword }) => keyword)).toEqual(["anyOf", "type"]);
  });

  it("reports a false schema at the schema", () => {
    expect(validate({ anyOf: [false] }, 1)).toMatchObject({
      value: {
        errors: [{ keyword: "anyOf" }, { keyword: "false schema", schema_pointer: "/anyOf/0" }],
      },
    });
    expect(validate(false, 1)).toMatchObject({ value: { errors: [{ keyword: "false schema", schema_pointer: "" }] } });
  });

  it("names the reference that contains a keyword", () => {
    const source = { text: '{"type":"string"}', references: [] };
    const references = [{ name: "a.json", subject: "a", version: 1, source }];
    const options = { strictness: "new", defaultDialect: "draft-07" } as const;
    const parsed = parseJsonSchema({ text: '{"$ref":"a.json"}', references }, options);
    if (!parsed.ok) throw new Error(parsed.refusal.problems[0]?.message);

    expect(validateInstance(parsed.value.model, 1, { formats: false })).toMatchObject({
      value: {
        errors: [{ schema_pointer: "a.json#/type" }],
      },
    });
  });

  it("asserts formats only on request", () => {
    expect(validate({ format: "date" }, "yesterday")).toMatchObject({ value: { valid: true } });
    expect(validate({ format: "date" }, "yesterday", true)).toMatchObject({
      value: {
        valid: false,
        errors: [{ keyword: "format" }],
      },
    });
    expect(validate({ format: "unheard-of" }, "yesterday", true)).toMatchObject({ value: { valid: true } });
  });

  it("treats members named like inherited properties as any others", () => {
    const schema = {
      required: ["constructor"],
      properties: { toString: { type: "string" } },
      additionalProperties: false,
    };

    expect(validate(schema, {})).toMatchObject({ value: { valid: false, errors: [{ keyword: "required" }] } });
    expect(validate({ required: ["__proto__"] }, JSON.parse('{"__proto__":1}'))).toMatchObject({
      value: { valid: true },
    });
    expect(validate({ additionalProperties: false }, JSON.parse('{"__proto__":1}'))).toMatchObject({
      value: { valid: false },
    });
  });

  it("ignores keywords of later dialects in earlier ones", () => {
    const model = modelOf({ const: 1, contains: false, propertyNames: false, if: false, else: false }, "draft-04");
    const later = modelOf(
      { dependentRequired: { a: ["b"] }, unevaluatedProperties: false, minContains: 2, contains: {} },
      "draft-07",
    );

    expect(validateInstance(model, { a: 1 }, { formats: false })).toMatchObject({ value: { valid: true } });
    expect(validateInstance(later, { a: 1 }, { formats: false })).toMatchObject({ value: { valid: true } });
    expect(validateInstance(later, [1], { formats: false })).toMatchObject({ value: { valid: true } });
  });

  it("is undecided if the result depends on a pattern with back references", () => {
    const schema = { properties: { a: { pattern: "^(a)\\1$" } } };

    expect(validate(schema, { a: "aa" })).toMatchObject({
      ok: false,
      refusal: { reason: "unsupported_pattern", pointer: "/a", schema_pointer: "/properties/a/pattern" },
    });
    expect(validate(schema, { b: "aa" })).toMatchObject({ ok: true, value: { valid: true } });
  });

  it("is undecided if a stored schema's reference does not resolve", () => {
    const model = modelOf({ properties: { a: { $ref: "gone.json" } } }, "2020-12", "stored");

    expect(validateInstance(model, { a: 1 }, { formats: false })).toMatchObject({
      ok: false,
      refusal: { reason: "unresolved_reference" },
    });
    expect(validateInstance(model, {}, { formats: false })).toMatchObject({ ok: true, value: { valid: true } });
  });

  it("refuses an endlessly recursive schema as too complex", () => {
    for (const schema of [
      { $ref: "#" },
      { anyOf: [{ $ref: "#" }] },
      { not: { oneOf: [{ allOf: [{ $ref: "#" }] }] } },
    ]) {
      expect(validate(schema, {})).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
    }
  });

  it("evaluates nested schemas up to the limit and no further", () => {
    const chain = (length: number) => ({
      $ref: "#/$defs/d1",
      $defs: Object.fromEntries(
        Array.from({ length: length - 1 }, (_, index) => [
          `d${index + 1}`,
          index + 2 < length ? { $ref: `#/$defs/d${index + 2}` } : { type: "string" },
        ]),
      ),
    });

    expect(validate(chain(MAX_EVALUATION_DEPTH), "x")).toMatchObject({ ok: true, value: { valid: true } });
    expect(validate(chain(MAX_EVALUATION_DEPTH + 1), "x")).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("refuses a value that would take exponentially many steps as too complex", () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => {
        const next = { $ref: `#/$defs/d${index + 1}` };
        return [`d${index}`, index < 39 ? { allOf: [next, next] } : {}];
      }),
    );

    expect(validate({ $ref: "#/$defs/d0", $defs }, 1)).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
  });

  it("evaluates as many schemas as the budget allows and no more", () => {
    // The schema of the array itself is one of them.
    const within = new Array<number>(MAX_EVALUATIONS - 1).fill(0);

    expect(validate({ items: { type: "integer" } }, within)).toMatchObject({ ok: true, value: { valid: true } });
    expect(validate({ items: { type: "integer" } }, [...within, 0])).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("accepts values up to the maximum depth and refuses deeper ones", () => {
    const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as unknown;
    const schema = { items: { $ref: "#" } };

    expect(validate({}, nested(MAX_INSTANCE_DEPTH))).toMatchObject({ ok: true, value: { valid: true } });
    expect(validate({}, nested(MAX_INSTANCE_DEPTH + 1))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
    expect(validate({}, nested(200_000))).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
    expect(validate(schema, nested(300))).toMatchObject({ ok: true, value: { valid: true } });
  });

  it("reports errors up to the limit and no more", () => {
    const items = (count: number) => Array.from({ length: count }, () => 1);
    const countOf = (count: number) => {
      const result = validate({ items: { type: "string" } }, items(count));
      return result.ok ? result.value.errors.length : undefined;
    };

    expect(countOf(MAX_INSTANCE_ERRORS)).toBe(MAX_INSTANCE_ERRORS);
    expect(countOf(MAX_INSTANCE_ERRORS + 1)).toBe(MAX_INSTANCE_ERRORS);
  });

  it("spends at most the budget on patterns", () => {
    const schema = { pattern: "(?:a?){1000}b$" };

    expect(validate(schema, "a".repeat(100))).toMatchObject({ ok: true, value: { valid: false } });
    expect(validate(schema, "a".repeat(MAX_PATTERN_STEPS / 1_000))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("finishes in time for an enumeration of two hundred thousand values", () => {
    const model = modelOf({ items: { enum: Array.from({ length: 200_000 }, (_, index) => index) } });
    const values = Array.from({ length: 100_000 }, (_, index) => index);

    expect(validateInstance(model, values, { formats: false })).toMatchObject({ ok: true, value: { valid: true } });
    expect(validateInstance(model, [...values, -1], { formats: false })).toMatchObject({
      ok: true,
      value: { valid: false },
    });
  });
});

describe("validateAt", () => {
  it("validates against one schema inside the model", () => {
    const model = modelOf({ $ref: "#/$defs/a", $defs: { a: { type: "string" } } });
    const location = followReference(model, model.root, "$ref")!;

    expect(validateAt(model, location, 1, { formats: false })).toMatchObject({
      value: {
        valid: false,
        errors: [{ schema_pointer: "/$defs/a/type" }],
      },
    });
  });
});

describe("isMultiple", () => {
  it.each([
    [0.3, 0.1, true],
    [4.35, 0.01, true],
    [0.0075, 0.0001, true],
    [0.00751, 0.0001, false],
    [1e308, 0.123456789, false],
    [1e308, 0.5, true],
    [12391239123, 1e-8, true],
    [-4, 2, true],
    [0, 7, true],
    [1, Number.POSITIVE_INFINITY, false],
    [2 ** 53 + 2, 5, false],
  ])("decides for %d and %d: %s", (value, divisor, expected) => {
    expect(isMultiple(value, divisor)).toBe(expected);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonDialect, ParseOptions } from "../../../schema/format.ts";
import { JSON_DIALECTS } from "../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../schema/json/parse/parse.ts";
import { canonicalJsonSchema, equivalentJsonSchemas } from "../../../schema/json/text/canonical.ts";
import { jsonSchemaFields, topLevelNames } from "../../../schema/json/text/fields.ts";
import { normalisedJsonSchema } from "../../../schema/json/text/normalise.ts";
import { validateInstance } from "../../../schema/json/validate/validate.ts";

const SEED = 7_300_420;
/** Generous: the slowest takes a tenth of it on a busy machine with two cores. */
const TIME_LIMIT_MS = 10_000;

/** Every operation on a schema, none of which may throw. */
function exercise(text: string, options: ParseOptions): string {
  const parsed = parseJsonSchema({ text, references: [] }, options);
  if (!parsed.ok) {
    expect(parsed.refusal.problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(parsed.refusal.problems).length).toBeLessThan(200_000);
    return parsed.refusal.reason;
  }
  const { model } = parsed.value;
  const canonical = canonicalJsonSchema(model);
  const again = parseJsonSchema({ text: canonical, references: [] }, options);
  if (!again.ok) throw new Error(`The canonical text does not parse: ${again.refusal.problems[0]?.message}`);
  expect(canonicalJsonSchema(again.value.model)).toBe(canonical);
  expect(equivalentJsonSchemas(again.value.model, model)).toBe(true);
  expect(normalisedJsonSchema(again.value.model)).toBe(normalisedJsonSchema(model));
  expect(topLevelNames(again.value.model)).toEqual(topLevelNames(model));
  expect(jsonSchemaFields(again.value.model)).toEqual(jsonSchemaFields(model));
  for (const value of [null, 1, "a", [1, "a"], { a: { b: [{}] } }]) {
    const result = validateInstance(model, value, { formats: true });
    expect(validateInstance(again.value.model, value, { formats: true })).toEqual(result);
  }
  return "ok";
}

const nested = (depth: number, open: string, close: string, core = "{}") =>
  open.repeat(depth) + core + close.repeat(depth);
const list = (count: number, itemOf: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => itemOf(index)).join();

const HOSTILE: [string, () => string, "ok" | "invalid" | "too_complex"][] = [
  ["deep applicators", () => nested(255, '{"allOf":[', "]}"), "ok"],
  ["properties too deep", () => nested(400, '{"properties":{"a":', "}}"), "too_complex"],
  ["a million brackets", () => "[".repeat(1_000_000), "too_complex"],
  ["a reference to itself", () => '{"$ref":"#"}', "ok"],
  [
    "references in a circle",
    () => '{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}',
    "ok",
  ],
  ["a dynamic reference to itself", () => '{"$dynamicAnchor":"a","$dynamicRef":"#a"}', "ok"],
  ["a name of a million characters", () => `{"properties":{"${"x".repeat(1_000_000)}":{}}}`, "ok"],
  ["an identifier of a million characters", () => `{"$id":"${"x".repeat(1_000_000)}"}`, "too_complex"],
  ["a pointer of a million characters", () => `{"$ref":"#${"/a".repeat(500_000)}"}`, "invalid"],
  ["a percent-encoded pointer of a million characters", () => `{"$ref":"#/${"%25".repeat(300_000)}"}`, "invalid"],
  ["a wrong percent-encoding", () => '{"$ref":"#/%zz"}', "invalid"],
  ["a million values", () => `{"enum":[${list(300_000, String)}]}`, "ok"],
  [
    "a hundred thousand values that are objects",
    () => `{"$schema":"http://json-schema.org/draft-04/schema#","enum":[${list(70_000, (i) => `{"a":${i}}`)}]}`,
    "ok",
  ],
  ["too many schemas", () => `{"anyOf":[${list(150_000, () => "{}")}]}`, "too_complex"],
  ["many references", () => `{"allOf":[${list(40_000, () => '{"$ref":"#/$defs/a"}')}],"$defs":{"a":{}}}`, "ok"],
  [
    "many long references",
    () => `{"$id":"http://x/${"y".repeat(2_000)}/","allOf":[${list(40_000, (i) => `{"$ref":"${i}"}`)}]}`,
    "invalid",
  ],
  ["long identifiers inside one another", () => nested(250, `{"$id":"${"a/".repeat(1_000)}","not":`, "}"), "ok"],
  ["an identifier used ten thousand times", () => `{"allOf":[${list(9_000, () => '{"$id":"http://a/a"}')}]}`, "ok"],
  ["ten thousand patterns", () => `{"patternProperties":{${list(10_000, (i) => `"(a+)+$${i}":{}`)}}}`, "ok"],
  ["a pattern of half a million groups", () => `{"pattern":"${"(".repeat(250_000)}${")".repeat(250_000)}"}`, "ok"],
  [
    "a million blank lines and many mistakes",
    () => `${"\n".repeat(1_000_000)}{"allOf":[${list(60, String)}]}`,
    "invalid",
  ],
  [
    "numbers without end",
    () => `{"minimum":${"9".repeat(500_000)},"maximum":1e${"9".repeat(1_000)},"multipleOf":0.${"0".repeat(1_000)}1}`,
    "ok",
  ],
  ["halves of characters", () => '{"\\ud800":1,"title":"\\udc00\\u0000","required":["\\ud800"]}', "ok"],
  [
    "names that objects inherit",
    () => '{"properties":{"__proto__":{},"constructor":{},"toString":{}},"format":"toString","type":"object"}',
    "ok",
  ],
];

describe("parseJsonSchema", () => {
  it.each(HOSTILE)(
    "finishes in time for %s",
    (_, textOf, expected) => {
      expect(exercise(textOf(), { strictness: "new", defaultDialect: "2020-12", validateFields: true })).toBe(expected);
    },
    TIME_LIMIT_MS,
  );

  it("terminates for any value with any options, and the canonical text has the same meaning", () => {
    const key = fc.constantFrom(
      ..."$id id $ref $anchor $dynamicAnchor $dynamicRef $recursiveRef $recursiveAnchor $defs definitions properties items".split(
        " ",
      ),
      ..."prefixItems additionalProperties allOf anyOf oneOf not if then else type enum const required pattern".split(
        " ",
      ),
      ..."patternProperties dependencies unevaluatedProperties unevaluatedItems contains $schema a b __proto__".split(
        " ",
      ),
    );
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        0,
        1.5,
        1e300,
        "string",
        "object",
        "#",
        "#a",
        "a",
        "#/properties/a",
        "#/$defs/a",
      ),
      fc.constantFrom<unknown>(
        "http://a/b",
        "./b",
        "../%41",
        "urn:a:b",
        "//x",
        "#/%25",
        "^(a+)+$",
        "(",
        "\ud800",
        "a#b",
      ),
      fc.constantFrom<unknown>(...JSON_DIALECTS.map((dialect) => `http://json-schema.org/${dialect}/schema#`)),
    );
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { depthSize: "medium", withCrossShrink: true },
        leaf,
        fc.dictionary(key, tie("schema"), { maxKeys: 4 }),
        fc.array(tie("schema"), { maxLength: 3 }),
      ),
    }));
    const seen: Record<string, number> = {};
    const dialects = fc.constantFrom<JsonDialect>(...JSON_DIALECTS);
    fc.assert(
      fc.property(schema, dialects, fc.constantFrom("new", "stored"), (value, defaultDialect, strictness) => {
        const answer = exercise(JSON.stringify(value), { strictness, defaultDialect });
        seen[`${strictness} ${answer}`] = (seen[`${strictness} ${answer}`] ?? 0) + 1;
      }),
      { seed: SEED, numRuns: 3_000 },
    );
    expect(seen["new ok"]).toBeGreaterThan(200);
    expect(seen["stored ok"]).toBeGreaterThan(400);
  });

  it("terminates for any text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.constantFrom(...'{}[]:,"$ref#/\\ud80 0e-.tfn')).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        exercise(candidate, { strictness: "new", defaultDialect: "draft-07" });
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});

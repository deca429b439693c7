import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019";
import Ajv2020 from "ajv/dist/2020";
import draft06 from "ajv/dist/refs/json-schema-draft-06.json" with { type: "json" };
import draft07 from "ajv/dist/refs/json-schema-draft-07.json" with { type: "json" };
import AjvDraft04 from "ajv-draft-04";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonDialect, SchemaProblem } from "../../../../schema/format.ts";
import { JSON_DIALECTS } from "../../../../schema/json/parse/dialects.ts";
import { checkMetaSchema } from "../../../../schema/json/parse/metaschema.ts";
import { type JsonNode, parseJsonText } from "../../../../schema/json-text.ts";
import { HAS_SUITE, suiteGroups } from "../validate/suite.ts";

type Verdict = (schema: unknown) => boolean;

/** The published draft-07 only requires `enum` to be an array; the copy in ajv requires more. */
function publishedDraft07() {
  const schema = structuredClone(draft07) as { properties: { enum: object } };
  schema.properties.enum = { type: "array", items: true };
  return schema;
}

const OPTIONS = { strict: false, validateFormats: false, logger: false, meta: false, validateSchema: false } as const;
const META_SCHEMAS: Record<JsonDialect, Verdict> = {
  "draft-04": verdictOf(new AjvDraft04({ ...OPTIONS, meta: true }).getSchema("http://json-schema.org/draft-04/schema")),
  "draft-06": verdictOf(new Ajv(OPTIONS).compile(draft06)),
  "draft-07": verdictOf(new Ajv(OPTIONS).compile(publishedDraft07())),
  "2019-09": verdictOf(
    new Ajv2019({ ...OPTIONS, meta: true }).getSchema("https://json-schema.org/draft/2019-09/schema"),
  ),
  "2020-12": verdictOf(
    new Ajv2020({ ...OPTIONS, meta: true }).getSchema("https://json-schema.org/draft/2020-12/schema"),
  ),
};

function verdictOf(validate: ((schema: unknown) => unknown) | undefined): Verdict {
  if (validate === undefined) throw new Error("The meta-schema is missing.");
  return (schema) => validate(schema) === true;
}

function problemsOf(schema: unknown, dialect: JsonDialect): SchemaProblem[] {
  const text = JSON.stringify(schema);
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw new Error(parsed.refusal.problem.message);
  const problems: SchemaProblem[] = [];
  checkMetaSchema({ name: null, text, root: parsed.value.root as JsonNode }, parsed.value.root, dialect, "", problems);
  return problems;
}

/** An embedded resource may change the dialect, which the published meta-schemas cannot express. */
function namesDialects(schema: unknown): boolean {
  return JSON.stringify(schema).includes('"$schema"');
}

const SEED = 7_300_417;

const KEYWORDS = [
  ..."id $id $schema $ref $anchor $dynamicAnchor $dynamicRef $recursiveRef $recursiveAnchor $vocabulary $comment $defs".split(
    " ",
  ),
  ..."definitions title description default examples multipleOf maximum exclusiveMaximum minimum exclusiveMinimum".split(
    " ",
  ),
  ..."maxLength minLength pattern items prefixItems additionalItems maxItems minItems uniqueItems contains maxContains".split(
    " ",
  ),
  ..."minContains maxProperties minProperties required additionalProperties properties patternProperties".split(" "),
  ..."dependencies dependentRequired dependentSchemas propertyNames const enum type format contentMediaType".split(" "),
  ..."contentEncoding contentSchema if then else allOf anyOf oneOf not readOnly writeOnly deprecated".split(" "),
  ..."unevaluatedItems unevaluatedProperties unknown".split(" "),
];

const value = fc.letrec<{ value: unknown; schema: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 1.5, 2, "string", "object", "a#b", "#", "x", "", "1a", "a:b"),
    fc.constantFrom<unknown>([], {}, ["a"], ["a", "a"], ["string"], ["string", "string"], [1, 1], [{}], [[]], [true]),
    tie("schema"),
    fc.array(tie("schema"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("value"), { maxKeys: 2 }),
  ),
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.boolean(),
    fc.dictionary(fc.constantFrom(...KEYWORDS), tie("value"), { maxKeys: 3 }),
  ),
})).value;

describe("checkMetaSchema", () => {
  it.each(JSON_DIALECTS)("agrees with the published meta-schema of %s on generated schemas", (dialect) => {
    const accepts = META_SCHEMAS[dialect];
    const seen = { valid: 0, invalid: 0 };
    fc.assert(
      fc.property(value, (schema) => {
        fc.pre(!namesDialects(schema));
        const expected = accepts(schema);
        seen[expected ? "valid" : "invalid"] += 1;
        expect(problemsOf(schema, dialect).length === 0).toBe(expected);
      }),
      { seed: SEED, numRuns: 4_000 },
    );
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(500);
  });

  it.skipIf(!HAS_SUITE).each(JSON_DIALECTS)(
    "agrees with the published meta-schema of %s on changed schemas of the suite",
    (dialect) => {
      const accepts = META_SCHEMAS[dialect];
      const schemas = suiteGroups(dialect).map(({ schema }) => withoutDialect(schema));
      expect(
        schemas.filter((schema) => !namesDialects(schema)).every((schema) => problemsOf(schema, dialect).length === 0),
      ).toBe(true);

      fc.assert(
        fc.property(fc.constantFrom(...schemas), fc.nat(), value, (schema, place, replacement) => {
          const changed = replaceNth(schema, place, replacement);
          fc.pre(!namesDialects(changed));
          expect({ changed, valid: problemsOf(changed, dialect).length === 0 }).toEqual({
            changed,
            valid: accepts(changed),
          });
        }),
        { seed: SEED, numRuns: 3_000 },
      );
    },
  );

  it("reports the location and what would be accepted", () => {
    const problems = problemsOf({ properties: { "a/b": { minLength: -1 } }, required: ["x", "x"] }, "2020-12");

    expect(problems).toEqual([
      {
        rule: "invalid_keyword",
        message: '"minLength" must be a non-negative integer, not -1.',
        pointer: "/properties/a~1b/minLength",
        line: 1,
        column: 35,
      },
      {
        rule: "invalid_keyword",
        message: '"required" must be an array of different strings, not this array.',
        pointer: "/required",
        line: 1,
        column: 51,
      },
    ]);
  });

  it("checks an embedded resource by the rules of its dialect", () => {
    const embedded = {
      $id: "https://example.com/inner",
      $schema: "http://json-schema.org/draft-07/schema#",
      items: [{}],
    };

    expect(problemsOf({ $defs: { inner: embedded } }, "2020-12")).toEqual([]);
    expect(problemsOf({ $defs: { inner: { items: [{}] } } }, "2020-12")).toHaveLength(1);
  });
});

function withoutDialect(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  const { $schema: _, ...rest } = schema as Record<string, unknown>;
  return rest;
}

/** The schema with one nested value, counted in order, replaced. */
function replaceNth(schema: unknown, place: number, replacement: unknown): unknown {
  const copy = structuredClone(schema);
  const slots: [Record<string, unknown>, string][] = [];
  const open: unknown[] = [copy];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    for (const [key, member] of Object.entries(next)) {
      slots.push([next as Record<string, unknown>, key]);
      open.push(member);
    }
  }
  if (slots.length === 0) return replacement;
  const [container, key] = slots[place % slots.length]!;
  container[key] = replacement;
  return copy;
}

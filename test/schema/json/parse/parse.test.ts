import { describe, expect, it } from "vitest";
import canonicalCases from "../../../../contract/vectors/json-schema/canonical.json" with { type: "json" };
import invalidCases from "../../../../contract/vectors/json-schema/invalid.json" with { type: "json" };
import type { JsonDialect, ParseOptions, ResolvedReference } from "../../../../schema/format.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { canonicalJsonSchema, equivalentJsonSchemas } from "../../../../schema/json/text/canonical.ts";
import { normalisedJsonSchema } from "../../../../schema/json/text/normalise.ts";

const OPTIONS: ParseOptions = { strictness: "new", defaultDialect: "draft-07" };

function parse(schema: unknown, options: Partial<ParseOptions> = {}, references: ResolvedReference[] = []) {
  const text = typeof schema === "string" ? schema : JSON.stringify(schema);
  return parseJsonSchema({ text, references }, { ...OPTIONS, ...options });
}

function modelOf(schema: unknown, options: Partial<ParseOptions> = {}, references: ResolvedReference[] = []) {
  const result = parse(schema, options, references);
  if (!result.ok) throw new Error(result.refusal.problems[0]?.message);
  return result.value.model;
}

describe("parseJsonSchema", () => {
  it.each(invalidCases)("refuses $description", ({ text, dialect, problems }) => {
    const result = parse(text, { defaultDialect: (dialect as JsonDialect | undefined) ?? "draft-07" });

    const found = result.ok ? [] : result.refusal.problems.map(({ message: _, ...place }) => place);
    expect(found).toEqual(problems);
  });

  it.each([
    ["http://json-schema.org/draft-04/schema#", "draft-04"],
    ["http://json-schema.org/draft-06/schema", "draft-06"],
    ["https://json-schema.org/draft-07/schema#", "draft-07"],
    ["http://json-schema.org/draft/2019-09/schema", "2019-09"],
    ["https://json-schema.org/draft/2020-12/schema#", "2020-12"],
  ])("reads %s as %s", (url, dialect) => {
    const result = parse({ $schema: url });

    expect(result).toMatchObject({ ok: true, value: { warnings: [], model: { root: { resource: { dialect } } } } });
  });

  it("reads a schema without $schema in the default dialect", () => {
    expect(modelOf({}, { defaultDialect: "2020-12" }).root.resource.dialect).toBe("2020-12");
    expect(modelOf(true, { defaultDialect: "draft-06" }).root.resource.dialect).toBe("draft-06");
  });

  it("reads an unknown $schema in the default dialect, with a warning", () => {
    expect(parse('{\n "$schema": "https://example.com/mine"}')).toMatchObject({
      ok: true,
      value: {
        model: { root: { resource: { dialect: "draft-07" } } },
        warnings: [{ rule: "unknown_dialect", pointer: "/$schema", line: 2, column: 13 }],
      },
    });
  });

  it("applies the dialect and the vocabularies of a registered custom meta-schema", () => {
    const text = JSON.stringify({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $vocabulary: { "https://json-schema.org/draft/2020-12/vocab/applicator": true },
    });
    const name = "https://example.com/meta";
    const reference = { name, subject: "meta", version: 1, source: { text, references: [] } };

    const { resource } = modelOf({ $schema: name }, {}, [reference]).root;

    expect(resource.dialect).toBe("2020-12");
    expect(resource.ignoredKeywords.has("minimum")).toBe(true);
    expect(resource.ignoredKeywords.has("properties")).toBe(false);
  });

  it("warns about patterns that ECMA-262 refuses, and stores the schema", () => {
    expect(parse({ properties: { a: { pattern: "[\\w-\\.]" } }, patternProperties: { "(": {} } })).toMatchObject({
      ok: true,
      value: {
        warnings: [
          { rule: "invalid_pattern", pointer: "/patternProperties/(" },
          { rule: "invalid_pattern", pointer: "/properties/a/pattern" },
        ],
      },
    });
  });

  it("warns about repeated keys, at the later one", () => {
    expect(parse('{"type":"object",\n"type":"string"}')).toMatchObject({
      ok: true,
      value: { warnings: [{ rule: "duplicate_key", line: 2, column: 1 }] },
    });
  });

  it("warns about a repeated identifier, and uses the first one", () => {
    const inner = (type: string) => ({ $id: "https://example.com/a", type });

    expect(parse({ definitions: { a: inner("string"), b: inner("number") } })).toMatchObject({
      ok: true,
      value: { warnings: [{ rule: "duplicate_identifier", pointer: "/definitions/b" }] },
    });
  });

  it("accepts unknown keywords, formats and names", () => {
    const schema = { "x-mine": { $ref: "nowhere" }, format: "price", type: "string", connect: [1], __proto__: 5 };

    expect(parse(schema)).toMatchObject({ ok: true, value: { warnings: [] } });
  });

  it("reads stored schemas with invalid references or keywords, with warnings for the references", () => {
    const schema = { type: "strin", properties: { a: { $ref: "gone.json" } } };

    expect(parse(schema)).toMatchObject({ ok: false, refusal: { reason: "invalid" } });
    expect(parse(schema, { strictness: "stored" })).toMatchObject({
      ok: true,
      value: { warnings: [{ rule: "unresolved_reference", pointer: "/properties/a/$ref" }] },
    });
  });

  it("names the missing schema", () => {
    const result = parse({ $ref: "https://example.com/gone.json#/a" });

    expect(!result.ok && result.refusal.problems[0]?.message).toContain('"https://example.com/gone.json"');
  });

  it("names the reference that contains an unresolved reference", () => {
    const source = { text: '{"$ref": "gone.json"}', references: [] };

    const result = parse({ $ref: "a.json" }, {}, [{ name: "a.json", subject: "a", version: 1, source }]);

    expect(!result.ok && result.refusal.problems[0]?.message).toMatch(/^In reference "a.json": "gone.json"/);
  });

  it("ignores invalid references next to a $ref up to draft-07, where they have no effect", () => {
    const schema = { $ref: "#/definitions/a", properties: { b: { $ref: "gone" } }, definitions: { a: {} } };

    expect(parse(schema, { defaultDialect: "draft-07" }).ok).toBe(true);
    expect(parse(schema, { defaultDialect: "2019-09" }).ok).toBe(false);
  });

  it("refuses top-level properties that start with $$ only if fields are validated", () => {
    const schema = {
      allOf: [{ $ref: "#/definitions/a" }],
      definitions: { a: { properties: { $$x: {}, b: { properties: { $$y: {} } } } } },
    };

    expect(parse(schema).ok).toBe(true);
    const result = parse(schema, { validateFields: true });
    expect(!result.ok && result.refusal.problems.map(({ rule, message }) => [rule, message])).toEqual([
      ["reserved_name", 'The top-level property "$$x" starts with "$$", which is reserved.'],
    ]);
  });
});

describe("canonicalJsonSchema and normalisedJsonSchema", () => {
  it.each(canonicalCases)("match the vector: $description", ({ text, canonical, normalised }) => {
    const model = modelOf(text);

    expect(canonicalJsonSchema(model)).toBe(canonical);
    expect(normalisedJsonSchema(model)).toBe(normalised);
    expect(canonicalJsonSchema(modelOf(canonical))).toBe(canonical);
    expect(normalisedJsonSchema(modelOf(normalised))).toBe(normalised);
  });
});

describe("equivalentJsonSchemas", () => {
  it("treats texts as equal only if they differ in nothing but white space", () => {
    const schema = modelOf('{"type":"object","title":"a"}');

    expect(equivalentJsonSchemas(schema, modelOf('{ "type": "object", "title": "\\u0061" }'))).toBe(true);
    expect(equivalentJsonSchemas(schema, modelOf('{"title":"a","type":"object"}'))).toBe(false);
    expect(equivalentJsonSchemas(modelOf('{"minimum":1.0}'), modelOf('{"minimum":1}'))).toBe(false);
  });
});

describe("warnings about patterns", () => {
  it.each([
    ["(a)\\1", ["pattern_not_evaluated"]],
    ["(?<x>a)\\k<x>", ["pattern_not_evaluated"]],
    ["^[a-z]{2,200}$", []],
    ["a{99999}", ["pattern_not_evaluated"]],
  ])("report whether %s can be evaluated", (pattern, rules) => {
    const parsed = parseJsonSchema(
      { text: JSON.stringify({ pattern }), references: [] },
      { strictness: "new", defaultDialect: "2020-12" },
    );

    expect(parsed.ok && parsed.value.warnings.map(({ rule }) => rule)).toEqual(rules);
  });
});

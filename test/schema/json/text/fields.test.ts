import { describe, expect, it } from "vitest";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { jsonSchemaFields, MAX_FIELD_DEPTH, MAX_FIELDS, topLevelNames } from "../../../../schema/json/text/fields.ts";

function modelOf(schema: unknown) {
  const source = { text: JSON.stringify(schema), references: [] };
  const result = parseJsonSchema(source, { strictness: "new", defaultDialect: "2020-12" });
  if (!result.ok) throw new Error(result.refusal.problems[0]?.message);
  return result.value.model;
}

describe("jsonSchemaFields", () => {
  it("lists every property with type, documentation and whether it is required", () => {
    const schema = {
      required: ["user"],
      properties: {
        user: {
          type: "object",
          description: "Who it is.",
          required: ["emails"],
          properties: { emails: { type: "array", items: { properties: { address: { type: "string" } } } } },
        },
        note: { type: ["string", "null"] },
        labels: { additionalProperties: { properties: { since: { const: 1 } } } },
        kind: { enum: ["a", 1] },
        anything: true,
      },
    };

    expect(jsonSchemaFields(modelOf(schema))).toEqual([
      { path: "user", type: "object", documentation: "Who it is.", required: true },
      { path: "user.emails", type: "array", documentation: null, required: true },
      { path: "user.emails[]", type: "object", documentation: null, required: false },
      { path: "user.emails[].address", type: "string", documentation: null, required: false },
      { path: "note", type: "string|null", documentation: null, required: false },
      { path: "labels", type: "any", documentation: null, required: false },
      { path: "labels{}", type: "object", documentation: null, required: false },
      { path: "labels{}.since", type: "number", documentation: null, required: false },
      { path: "kind", type: "string|number", documentation: null, required: false },
      { path: "anything", type: "any", documentation: null, required: false },
    ]);
  });

  it("follows references and applicators, and marks as required what always is", () => {
    const schema = {
      $ref: "#/$defs/base",
      allOf: [{ required: ["a"] }],
      anyOf: [{ properties: { b: { $ref: "#/$defs/text" } }, required: ["b"] }, {}],
      $defs: {
        base: { properties: { a: { $ref: "#/$defs/text" } } },
        text: { type: "string", description: "A text." },
      },
    };

    expect(jsonSchemaFields(modelOf(schema))).toEqual([
      { path: "a", type: "string", documentation: "A text.", required: true },
      { path: "b", type: "string", documentation: "A text.", required: false },
    ]);
  });

  it("stops where a schema contains itself", () => {
    const schema = {
      $defs: { node: { properties: { next: { $ref: "#/$defs/node" }, value: {} } } },
      $ref: "#/$defs/node",
    };

    expect(jsonSchemaFields(modelOf(schema)).map(({ path }) => path)).toEqual(["next", "value"]);
  });

  it("lists a schema completely at every use, even if it was first seen inside itself", () => {
    const schema = {
      $defs: { a: { properties: { x: { $ref: "#/$defs/b" } } }, b: { $ref: "#/$defs/a" } },
      properties: { first: { $ref: "#/$defs/a" }, second: { $ref: "#/$defs/b" } },
    };

    expect(jsonSchemaFields(modelOf(schema)).map(({ path }) => path)).toEqual([
      "first",
      "first.x",
      "second",
      "second.x",
    ]);
  });

  it("lists fields up to the limit and no more", () => {
    const wide = (count: number) => {
      return modelOf({
        properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, {}])),
      });
    };

    expect(jsonSchemaFields(wide(MAX_FIELDS))).toHaveLength(MAX_FIELDS);
    expect(jsonSchemaFields(wide(MAX_FIELDS + 1))).toHaveLength(MAX_FIELDS);
  });

  it("lists levels up to the limit and no more", () => {
    let schema = {};
    for (let level = 0; level < MAX_FIELD_DEPTH + 3; level += 1) schema = { properties: { a: schema } };

    expect(jsonSchemaFields(modelOf(schema))).toHaveLength(MAX_FIELD_DEPTH + 1);
  });

  it("terminates quickly if definitions reference each other in every way", () => {
    const names = Array.from({ length: 60 }, (_, index) => `d${index}`);
    const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]));
    const $defs = Object.fromEntries(names.map((name) => [name, { properties }]));

    expect(jsonSchemaFields(modelOf({ $ref: "#/$defs/d0", $defs }))).toHaveLength(MAX_FIELDS);
  });
});

describe("topLevelNames", () => {
  it("returns the names of the root, through references and applicators, and none from below", () => {
    const schema = {
      properties: { a: { properties: { inner: {} } } },
      allOf: [{ $ref: "#/$defs/more" }],
      $defs: { more: { properties: { b: {} }, $ref: "#" } },
    };

    expect(topLevelNames(modelOf(schema))).toEqual(["a", "b"]);
  });
});

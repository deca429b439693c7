import { describe, expect, it } from "vitest";
import type { JsonDialect } from "../../../schema/format.ts";
import {
  compilableSchema,
  MAX_COMPILED_CHARACTERS,
  MAX_COMPILED_ENUM,
  MAX_COMPILED_SCHEMAS,
} from "../../../schema/json/compilable.ts";
import { parseJsonSchema } from "../../../schema/json/parse/parse.ts";

function isCompiled(schema: unknown, defaultDialect: JsonDialect = "2020-12"): boolean {
  const text = typeof schema === "string" ? schema : JSON.stringify(schema);
  const parsed = parseJsonSchema({ text, references: [] }, { strictness: "stored", defaultDialect });
  if (!parsed.ok) throw new Error(parsed.refusal.problems[0]?.message);
  return compilableSchema(parsed.value.model) !== undefined;
}

const both = (schema: object) => ({ allOf: [schema, schema] });

describe("compilableSchema", () => {
  it.each([
    ["a recursive schema", { properties: { next: { $ref: "#" } } }],
    [
      "one that is as wide as it is long",
      {
        $defs: Object.fromEntries(
          Array.from({ length: 12 }, (_, index) => [
            `d${index}`,
            index === 11 ? {} : both({ $ref: `#/$defs/d${index + 1}` }),
          ]),
        ),
        $ref: "#/$defs/d0",
      },
    ],
    ["unique items", { uniqueItems: true }],
    ["a dynamic reference", { $dynamicRef: "#x", $dynamicAnchor: "x" }],
    ["unevaluated members", { unevaluatedProperties: false }],
    ["a keyword that only the compiler knows", { nullable: true, type: "string" }],
    ["a fraction to be a multiple of", { multipleOf: 0.1 }],
    ["a schema with an id of its own", { $defs: { a: { $id: "a.json" } } }],
    ["an empty enumeration", { enum: [] }],
  ])("leaves out %s", (_, schema) => {
    expect(isCompiled(schema)).toBe(false);
  });

  it("leaves out names that compilers ignore", () => {
    expect(isCompiled('{"properties":{"__proto__":{"type":"string"}}}')).toBe(false);
    expect(isCompiled('{"required":["__proto__"]}')).toBe(false);
  });

  it("leaves out the keywords beside a reference in drafts where they have no effect", () => {
    const schema = { definitions: { a: {} }, properties: { a: { $ref: "#/definitions/a", type: "string" } } };

    expect([isCompiled(schema, "draft-07"), isCompiled(schema, "2020-12")]).toEqual([false, true]);
  });

  it.each([
    ["characters", MAX_COMPILED_CHARACTERS, (size: number) => JSON.stringify({ title: "x".repeat(size - 12) })],
    ["schemas", MAX_COMPILED_SCHEMAS, (size: number) => ({ anyOf: Array.from({ length: size - 1 }, () => true) })],
    [
      "listed values",
      MAX_COMPILED_ENUM,
      (size: number) => ({ enum: Array.from({ length: size }, (_, index) => index) }),
    ],
  ])("accepts up to that many %s: %i", (_, limit, schemaOf) => {
    expect([isCompiled(schemaOf(limit)), isCompiled(schemaOf(limit + 1))]).toEqual([true, false]);
  });

  it("accepts common schemas, their references and annotations", () => {
    expect(
      isCompiled({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        $id: "https://example.com/order",
        title: "Order",
        type: "object",
        properties: { id: { $ref: "#/$defs/id" }, tags: { type: "array", items: { type: "string" } } },
        required: ["id"],
        "x-owner": "me",
        $defs: { id: { type: "string", format: "uuid", pattern: "^0" } },
      }),
    ).toBe(true);
  });
});

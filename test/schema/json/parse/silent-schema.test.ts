import { describe, expect, it } from "vitest";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";

function warningsOf(schema: unknown): string[] {
  const options = { strictness: "new", defaultDialect: "2020-12" } as const;
  const parsed = parseJsonSchema({ text: JSON.stringify(schema), references: [] }, options);
  if (!parsed.ok) throw new Error(parsed.refusal.problems[0]?.message);
  return parsed.value.warnings.map(({ rule, pointer }) => `${rule} ${pointer}`);
}

describe("warnings for schemas without constraints", () => {
  it.each<[string, unknown, string[]]>([
    [
      "words that are nearly keywords",
      { type: "object", propertees: {}, requred: [] },
      ["misspelled_keyword /propertees", "misspelled_keyword /requred"],
    ],
    [
      "a slip further inside",
      { properties: { a: { items: { typ: "string", maxlength: 3 } } } },
      ["misspelled_keyword /properties/a/items/typ", "misspelled_keyword /properties/a/items/maxlength"],
    ],
    ["a slip in a definition", { $defs: { "a/b": { patern: "a" } } }, ["misspelled_keyword /$defs/a~1b/patern"]],
    ["annotations alone", { title: "T", description: "D" }, ["constrains_nothing "]],
    ["words that no dialect has", { user: { name: "string" } }, ["constrains_nothing "]],
    ["a tool", { name: "t", inputSchema: { type: "object" } }, ["tool_definition /inputSchema"]],
  ])("are given for %s", (_, schema, warnings) => {
    expect(warningsOf(schema)).toEqual(warnings);
  });

  it.each<[string, unknown]>([
    ["true", true],
    ["an empty schema", {}],
    [
      "an empty schema with a name",
      { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://example.com/a" },
    ],
    ["a library", { $defs: { a: { type: "string" } } }],
    ["a reference", { $ref: "#/$defs/a", $defs: { a: {} } }],
    ["words of OpenAPI and of vendors", { type: "string", nullable: true, example: "a", "x-order": 1, order: 2 }],
    ["keywords of another draft", { type: "string", dependencies: {}, definitions: {} }],
    ["properties that are called so", { properties: { requred: { type: "string" }, propertees: {} } }],
    ["data that looks like a schema", { enum: [{ propertees: {} }], default: { requred: true } }],
  ])("are not given for %s", (_, schema) => {
    expect(warningsOf(schema)).toEqual([]);
  });

  it("list at most fifty misspellings of a schema that has thousands", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => [`p${index}`, { typ: "string" }]),
    );

    expect(warningsOf({ properties })).toHaveLength(50);
  });
});

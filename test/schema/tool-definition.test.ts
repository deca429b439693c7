import { describe, expect, it } from "vitest";
import { parseJsonText } from "../../schema/json-text.ts";
import { describeToolDefinition, findToolDefinition } from "../../schema/tool-definition.ts";

const SCHEMA = { type: "object", properties: { q: { type: "string" } }, required: ["q"] };

function find(value: unknown) {
  const parsed = parseJsonText(JSON.stringify(value));
  return parsed.ok ? findToolDefinition(parsed.value.root) : undefined;
}

describe("findToolDefinition", () => {
  it.each<[string, unknown, string, string[]]>([
    [
      "OpenAI chat",
      { type: "function", function: { name: "f", parameters: SCHEMA } },
      "openai",
      ["/function/parameters"],
    ],
    ["OpenAI responses", { type: "function", name: "f", strict: true, parameters: SCHEMA }, "openai", ["/parameters"]],
    ["a function of old", { name: "f", description: "d", parameters: SCHEMA }, "function", ["/parameters"]],
    [
      "a response format",
      { type: "json_schema", json_schema: { name: "f", schema: SCHEMA } },
      "openai-response-format",
      ["/json_schema/schema"],
    ],
    ["the inside of one", { name: "f", strict: true, schema: SCHEMA }, "openai-response-format", ["/schema"]],
    ["Anthropic", { name: "f", input_schema: SCHEMA }, "anthropic", ["/input_schema"]],
    ["Anthropic with a type", { type: "custom", name: "f", input_schema: SCHEMA }, "anthropic", ["/input_schema"]],
    ["MCP", { name: "f", title: "F", inputSchema: SCHEMA, annotations: {} }, "mcp", ["/inputSchema"]],
    [
      "MCP with output",
      { name: "f", inputSchema: SCHEMA, outputSchema: SCHEMA },
      "mcp",
      ["/inputSchema", "/outputSchema"],
    ],
    ["Gemini", { name: "f", parametersJsonSchema: SCHEMA }, "gemini", ["/parametersJsonSchema"]],
    ["Bedrock", { toolSpec: { name: "f", inputSchema: { json: SCHEMA } } }, "bedrock", ["/toolSpec/inputSchema/json"]],
    [
      "a list",
      [
        { name: "f", inputSchema: SCHEMA },
        { name: "g", inputSchema: SCHEMA },
      ],
      "list",
      ["/0/inputSchema", "/1/inputSchema"],
    ],
    [
      "a tools/list answer",
      { result: { tools: [{ name: "f", inputSchema: SCHEMA }] } },
      "list",
      ["/result/tools/0/inputSchema"],
    ],
    [
      "Gemini's tools",
      { tools: [{ functionDeclarations: [{ name: "f", parameters: SCHEMA }] }] },
      "list",
      ["/tools/0/functionDeclarations/0/parameters"],
    ],
    [
      "OpenAPI",
      { openapi: "3.1.0", info: {}, paths: {}, components: { schemas: { "a/b": SCHEMA, C: SCHEMA } } },
      "openapi",
      ["/components/schemas/a~1b", "/components/schemas/C"],
    ],
    ["Swagger", { swagger: "2.0", definitions: { A: SCHEMA } }, "openapi", ["/definitions/A"]],
    ["an OpenAPI document without shapes", { openapi: "3.0.3", paths: {} }, "openapi", []],
  ])("recognises %s", (_, value, kind, pointers) => {
    const found = find(value);

    expect(found?.kind).toBe(kind);
    expect(found?.schemas.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(describeToolDefinition(found!)).toContain(pointers[0] ?? "Register a schema instead");
  });

  it.each<[string, unknown]>([
    ["a schema", SCHEMA],
    [
      "a schema of tools",
      { type: "object", properties: { name: { type: "string" }, inputSchema: { type: "object" } } },
    ],
    ["a schema with a name and parameters beside its keywords", { name: "f", parameters: SCHEMA, properties: {} }],
    ["a schema with a name", { name: "f", type: "object" }],
    ["parameters that are no object", { name: "f", parameters: ["q"] }],
    ["an input schema without a name", { inputSchema: SCHEMA }],
    ["an unknown keyword called openapi", { openapi: true }],
    ["an empty list", []],
    ["a list of other things", [{ a: 1 }]],
    ["a list of texts", ["a"]],
    ["a boolean", true],
  ])("does not detect %s", (_, value) => {
    expect(find(value)).toBeUndefined();
  });
});

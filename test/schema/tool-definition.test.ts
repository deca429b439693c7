import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type JsonNode, parseJsonText, toPlainValue } from "../../schema/json-text.ts";
import {
  describeToolDefinition,
  findToolDefinition,
  findToolSchemas,
  MAX_TOOL_DEFINITIONS,
} from "../../schema/tool-definition.ts";
import { CORPUS } from "../support/corpus.ts";

const SCHEMA = { type: "object", properties: { q: { type: "string" } }, required: ["q"] };

const FUNCTION_SCHEMA = { type: "object", properties: { name: { type: "string" } } };

function treeOf(value: unknown): JsonNode {
  const parsed = parseJsonText(JSON.stringify(value));
  if (!parsed.ok) throw new Error(parsed.refusal.problem.message);
  return parsed.value.root;
}

const find = (value: unknown) => findToolDefinition(treeOf(value));

const findSchemas = (value: unknown) =>
  findToolSchemas(treeOf(value)).map(({ node, ...found }) => ({ ...found, schema: node && toPlainValue(node) }));

describe("findToolDefinition", () => {
  it.each<[string, unknown, string, string[]]>([
    [
      "OpenAI chat",
      { type: "function", function: { name: "f", parameters: SCHEMA } },
      "openai-chat-tool",
      ["/function/parameters"],
    ],
    [
      "OpenAI responses",
      { type: "function", name: "f", strict: true, parameters: SCHEMA },
      "openai-responses-tool",
      ["/parameters"],
    ],
    ["a function of old", { name: "f", description: "d", parameters: SCHEMA }, "openai-function", ["/parameters"]],
    [
      "a response format",
      { type: "json_schema", json_schema: { name: "f", schema: SCHEMA } },
      "openai-chat-response-format",
      ["/json_schema/schema"],
    ],
    ["the inside of one", { name: "f", strict: true, schema: SCHEMA }, "openai-chat-response-format", ["/schema"]],
    ["Anthropic", { name: "f", input_schema: SCHEMA }, "anthropic-tool", ["/input_schema"]],
    ["Anthropic with a type", { type: "custom", name: "f", input_schema: SCHEMA }, "anthropic-tool", ["/input_schema"]],
    ["MCP", { name: "f", title: "F", inputSchema: SCHEMA, annotations: {} }, "mcp-tool", ["/inputSchema"]],
    [
      "MCP with output",
      { name: "f", inputSchema: SCHEMA, outputSchema: SCHEMA },
      "mcp-tool",
      ["/inputSchema", "/outputSchema"],
    ],
    ["Gemini", { name: "f", parametersJsonSchema: SCHEMA }, "gemini-function-declaration", ["/parametersJsonSchema"]],
    ["the inside of Bedrock's", { name: "f", inputSchema: { json: SCHEMA } }, "bedrock-tool", ["/inputSchema/json"]],
    [
      "a request with an output schema",
      { response_format: { type: "json_schema", json_schema: { name: "f", schema: SCHEMA } } },
      "openai-chat-response-format",
      ["/response_format/json_schema/schema"],
    ],
    [
      "Bedrock",
      { toolSpec: { name: "f", inputSchema: { json: SCHEMA } } },
      "bedrock-tool",
      ["/toolSpec/inputSchema/json"],
    ],
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
    ["parameters that are not an object", { name: "f", parameters: ["q"] }],
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

describe("findToolSchemas", () => {
  it.each([
    [
      "openai-chat-tool",
      { type: "function", function: { name: "f", description: "d", parameters: FUNCTION_SCHEMA } },
      "/function/parameters",
    ],
    [
      "openai-responses-tool",
      { type: "function", name: "f", description: "d", parameters: FUNCTION_SCHEMA, strict: true },
      "/parameters",
    ],
    ["openai-function", { name: "f", description: "d", parameters: FUNCTION_SCHEMA }, "/parameters"],
    ["anthropic-tool", { name: "f", description: "d", input_schema: FUNCTION_SCHEMA }, "/input_schema"],
    ["mcp-tool", { name: "f", description: "d", inputSchema: FUNCTION_SCHEMA, annotations: {} }, "/inputSchema"],
    [
      "bedrock-tool",
      { toolSpec: { name: "f", description: "d", inputSchema: { json: FUNCTION_SCHEMA } } },
      "/toolSpec/inputSchema/json",
    ],
    [
      "gemini-function-declaration",
      { name: "f", description: "d", parametersJsonSchema: FUNCTION_SCHEMA },
      "/parametersJsonSchema",
    ],
  ])("finds the schema of one %s", (kind, document, pointer) => {
    expect(findSchemas(document)).toEqual([
      { kind, name: "f", description: "d", purpose: "input", pointer, schema: FUNCTION_SCHEMA },
    ]);
  });

  it.each([
    [
      "openai-chat-response-format",
      { response_format: { type: "json_schema", json_schema: { name: "r", schema: FUNCTION_SCHEMA } } },
      "/response_format/json_schema/schema",
      "r",
    ],
    [
      "openai-responses-text-format",
      { text: { format: { type: "json_schema", name: "r", schema: FUNCTION_SCHEMA } } },
      "/text/format/schema",
      "r",
    ],
    [
      "anthropic-output",
      { output_config: { format: { type: "json_schema", schema: FUNCTION_SCHEMA } } },
      "/output_config/format/schema",
      null,
    ],
    [
      "gemini-generation-config",
      { generationConfig: { responseMimeType: "application/json", responseSchema: FUNCTION_SCHEMA } },
      "/generationConfig/responseSchema",
      null,
    ],
    [
      "gemini-interactions-format",
      { response_format: { type: "text", mime_type: "application/json", schema: FUNCTION_SCHEMA } },
      "/response_format/schema",
      null,
    ],
  ])("finds the output schema of %s", (kind, document, pointer, name) => {
    expect(findSchemas(document)).toMatchObject([{ kind, name, purpose: "output", pointer, schema: FUNCTION_SCHEMA }]);
  });

  it("finds them in lists: a request, a response of tools/list, declarations of several tools", () => {
    const mcp = { name: "a", inputSchema: FUNCTION_SCHEMA, outputSchema: FUNCTION_SCHEMA };

    const pointers = [
      { tools: [{ type: "function", function: { name: "a", parameters: FUNCTION_SCHEMA } }] },
      [{ name: "a", input_schema: FUNCTION_SCHEMA }],
      { jsonrpc: "2.0", id: 1, result: { tools: [mcp] } },
      {
        tools: [
          {
            functionDeclarations: [
              { name: "a", parameters: { type: "OBJECT" } },
              { name: "b", parameters: { type: "OBJECT" } },
            ],
          },
        ],
      },
      { toolConfig: { tools: [{ toolSpec: { name: "a", inputSchema: { json: FUNCTION_SCHEMA } } }] } },
    ].map((document) => findSchemas(document).map(({ pointer }) => pointer));

    expect(pointers).toEqual([
      ["/tools/0/function/parameters"],
      ["/0/input_schema"],
      ["/result/tools/0/inputSchema", "/result/tools/0/outputSchema"],
      ["/tools/0/functionDeclarations/0/parameters", "/tools/0/functionDeclarations/1/parameters"],
      ["/toolConfig/tools/0/toolSpec/inputSchema/json"],
    ]);
  });

  it.each([
    ["a schema", FUNCTION_SCHEMA],
    [
      "a schema whose properties are named like a definition's",
      { type: "object", properties: { name: {}, parameters: {}, tools: {} } },
    ],
    [
      "a schema with definitions",
      { $schema: "https://json-schema.org/draft/2020-12/schema", $defs: { tools: FUNCTION_SCHEMA } },
    ],
    ["a boolean", true],
    ["nothing", null],
    ["a document of another kind", { name: "x", version: 1 }],
  ])("finds nothing in %s", (_, document) => {
    expect(findSchemas(document)).toEqual([]);
  });

  const corpus = join(CORPUS, "llm", "mcp-tools.json");
  it.skipIf(!existsSync(corpus))("finds all tools of a real server", () => {
    const document = JSON.parse(readFileSync(corpus, "utf8")) as { tools: unknown[] };

    expect(findSchemas(document)).toHaveLength(document.tools.length);
  });

  it(`finds the first ${MAX_TOOL_DEFINITIONS} definitions of a document`, () => {
    const document = (count: number) => ({
      tools: Array.from({ length: count }, (_, n) => ({ name: `tool_${n}`, inputSchema: { type: "object" } })),
    });

    for (const more of [0, 1, 100]) {
      const found = findSchemas(document(MAX_TOOL_DEFINITIONS + more));
      expect(found).toHaveLength(MAX_TOOL_DEFINITIONS);
      expect(found.at(-1)).toMatchObject({ pointer: `/tools/${MAX_TOOL_DEFINITIONS - 1}/inputSchema` });
    }
  });
});

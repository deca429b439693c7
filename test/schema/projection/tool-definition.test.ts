import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findToolSchemas } from "../../../schema/projection/tool-definition.ts";
import { CORPUS } from "../../support/corpus.ts";

const SCHEMA = { type: "object", properties: { name: { type: "string" } } };

describe("findToolSchemas", () => {
  it.each([
    [
      "openai-chat-tool",
      { type: "function", function: { name: "f", description: "d", parameters: SCHEMA } },
      "/function/parameters",
    ],
    [
      "openai-responses-tool",
      { type: "function", name: "f", description: "d", parameters: SCHEMA, strict: true },
      "/parameters",
    ],
    ["openai-function", { name: "f", description: "d", parameters: SCHEMA }, "/parameters"],
    ["anthropic-tool", { name: "f", description: "d", input_schema: SCHEMA }, "/input_schema"],
    ["mcp-tool", { name: "f", description: "d", inputSchema: SCHEMA, annotations: {} }, "/inputSchema"],
    [
      "bedrock-tool",
      { toolSpec: { name: "f", description: "d", inputSchema: { json: SCHEMA } } },
      "/toolSpec/inputSchema/json",
    ],
    [
      "gemini-function-declaration",
      { name: "f", description: "d", parametersJsonSchema: SCHEMA },
      "/parametersJsonSchema",
    ],
  ])("finds the schema of one %s", (kind, document, pointer) => {
    expect(findToolSchemas(document)).toEqual([
      { kind, name: "f", description: "d", purpose: "input", pointer, schema: SCHEMA },
    ]);
  });

  it.each([
    [
      "openai-chat-response-format",
      { response_format: { type: "json_schema", json_schema: { name: "r", schema: SCHEMA } } },
      "/response_format/json_schema/schema",
      "r",
    ],
    [
      "openai-responses-text-format",
      { text: { format: { type: "json_schema", name: "r", schema: SCHEMA } } },
      "/text/format/schema",
      "r",
    ],
    [
      "anthropic-output",
      { output_config: { format: { type: "json_schema", schema: SCHEMA } } },
      "/output_config/format/schema",
      null,
    ],
    [
      "gemini-generation-config",
      { generationConfig: { responseMimeType: "application/json", responseSchema: SCHEMA } },
      "/generationConfig/responseSchema",
      null,
    ],
    [
      "gemini-interactions-format",
      { response_format: { type: "text", mime_type: "application/json", schema: SCHEMA } },
      "/response_format/schema",
      null,
    ],
  ])("finds the output schema of %s", (kind, document, pointer, name) => {
    expect(findToolSchemas(document)).toMatchObject([{ kind, name, purpose: "output", pointer, schema: SCHEMA }]);
  });

  it("finds them in lists: a request, a response of tools/list, declarations of several tools", () => {
    const mcp = { name: "a", inputSchema: SCHEMA, outputSchema: SCHEMA };

    const pointers = [
      { tools: [{ type: "function", function: { name: "a", parameters: SCHEMA } }] },
      [{ name: "a", input_schema: SCHEMA }],
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
      { toolConfig: { tools: [{ toolSpec: { name: "a", inputSchema: { json: SCHEMA } } }] } },
    ].map((document) => findToolSchemas(document).map(({ pointer }) => pointer));

    expect(pointers).toEqual([
      ["/tools/0/function/parameters"],
      ["/0/input_schema"],
      ["/result/tools/0/inputSchema", "/result/tools/0/outputSchema"],
      ["/tools/0/functionDeclarations/0/parameters", "/tools/0/functionDeclarations/1/parameters"],
      ["/toolConfig/tools/0/toolSpec/inputSchema/json"],
    ]);
  });

  it.each([
    ["a schema", SCHEMA],
    [
      "a schema whose properties are named like a definition's",
      { type: "object", properties: { name: {}, parameters: {}, tools: {} } },
    ],
    [
      "a schema with definitions",
      { $schema: "https://json-schema.org/draft/2020-12/schema", $defs: { tools: SCHEMA } },
    ],
    ["a boolean", true],
    ["nothing", null],
    ["a document of another kind", { name: "x", version: 1 }],
  ])("finds nothing in %s", (_, document) => {
    expect(findToolSchemas(document)).toEqual([]);
  });

  const corpus = join(CORPUS, "llm", "mcp-tools.json");
  it.skipIf(!existsSync(corpus))("finds all tools of a real server", () => {
    const document = JSON.parse(readFileSync(corpus, "utf8")) as { tools: unknown[] };

    expect(findToolSchemas(document)).toHaveLength(document.tools.length);
  });
});

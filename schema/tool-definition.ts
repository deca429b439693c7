/**
 * Detects tool definitions as found in code, configuration and server responses, and API documents: which parts of a
 * document are schemas, and their purpose. None of the members of such a document are keywords, so as a JSON Schema it
 * accepts every value: a mistake no validator reports.
 */
import { type JsonNode, type JsonObject, pointerToken } from "./json-text.ts";

/** Rule name for a tool definition where a schema is expected: a warning, and a refusal under a model's roles. */
export const TOOL_DEFINITION_RULE = "tool_definition";

const KIND_NAMES = {
  "openai-chat-tool": "an OpenAI tool definition",
  "openai-responses-tool": "an OpenAI tool definition",
  "openai-function": "a function definition",
  "openai-chat-response-format": "an OpenAI response format",
  "openai-responses-text-format": "an OpenAI text format",
  "anthropic-tool": "an Anthropic tool definition",
  "anthropic-output": "an Anthropic output format",
  "gemini-function-declaration": "a Gemini function declaration",
  "gemini-generation-config": "a Gemini generation config",
  "gemini-interactions-format": "a Gemini response format",
  "bedrock-tool": "an Amazon Bedrock tool definition",
  "mcp-tool": "an MCP tool definition",
} as const;
type ToolDefinitionKind = keyof typeof KIND_NAMES;

/** One schema inside a definition. */
export type ToolSchema = {
  readonly kind: ToolDefinitionKind;
  /** The name in the definition; null if it has none. */
  readonly name: string | null;
  readonly description: string | null;
  readonly purpose: "input" | "output";
  /** JSON pointer to the schema in the document. */
  readonly pointer: string;
  /** The schema as written; undefined for a tool without parameters. */
  readonly node: JsonNode | undefined;
};

export type SchemaInside = { name: string | undefined; pointer: string; node: JsonNode };

/** A document that is not a schema but contains schemas. */
export type ToolDefinition = {
  kind: ToolDefinitionKind | "list" | "openapi";
  /** The schemas inside, in order. */
  schemas: readonly SchemaInside[];
};

/** Nested lists, as in `{tools: [{functionDeclarations: [‥]}]}`. */
const MAX_LIST_LEVELS = 4;
/** Definitions in one document: the largest tool sets in public use have some hundreds. */
export const MAX_TOOL_DEFINITIONS = 1_000;
/** Maximum number of schemas listed if a whole document was sent as a schema. */
const MAX_SCHEMAS_INSIDE = 100;

/** The document's kind and schemas; undefined if it can be a schema itself. */
export function findToolDefinition(root: JsonNode): ToolDefinition | undefined {
  const document = root.type === "object" ? openApiDocument(root) : undefined;
  if (document !== undefined) return document;
  const found = findToolSchemas(root);
  const schemas = found.flatMap(({ name, pointer, node }) =>
    node?.type === "object" ? [{ name: name ?? undefined, pointer, node }] : [],
  );
  if (schemas.length === 0) return undefined;
  const isOne = root.type === "object" && readDefinition(root, "").length > 0;
  const isList = !isOne && found.some(({ purpose }) => purpose === "input");
  return { kind: isList ? "list" : found[0]!.kind, schemas: schemas.slice(0, MAX_SCHEMAS_INSIDE) };
}

/** One sentence: what the document is, why that is wrong, and where the schemas are. */
export function describeToolDefinition({ kind, schemas }: ToolDefinition): string {
  const [first, second] = schemas;
  const where =
    first === undefined
      ? "Register a schema instead."
      : second === undefined
        ? `Register the schema at ${first.pointer} instead.`
        : `Register each schema in it under its own subject; the first is at ${first.pointer}.`;
  const what =
    kind === "list" ? "a list of tool definitions" : kind === "openapi" ? "an OpenAPI document" : KIND_NAMES[kind];
  return `This is ${what}, not a schema: as a JSON Schema it allows every value. ${where}`;
}

function openApiDocument(root: JsonObject): ToolDefinition | undefined {
  const version = stringAt(root, "openapi") ?? stringAt(root, "swagger");
  if (version === undefined || !/^\d+\./.test(version)) return undefined;
  const components = objectAt(root, "components");
  const isSwagger = !root.members.has("openapi");
  const named = isSwagger ? objectAt(root, "definitions") : components && objectAt(components, "schemas");
  const base = isSwagger ? "/definitions" : "/components/schemas";
  const schemas = [...(named?.members ?? [])]
    .slice(0, MAX_SCHEMAS_INSIDE)
    .map(([name, node]) => ({ name, pointer: `${base}/${pointerToken(name)}`, node }));
  return { kind: "openapi", schemas };
}

/** The schemas of the definitions in a document, in order; empty if it is not a tool definition, such as a schema. */
export function findToolSchemas(document: JsonNode): ToolSchema[] {
  const found: ToolSchema[] = [];
  collect(document, "", 0, found);
  return found.slice(0, MAX_TOOL_DEFINITIONS);
}

function collect(value: JsonNode, pointer: string, level: number, found: ToolSchema[]): void {
  if (level > MAX_LIST_LEVELS || found.length > MAX_TOOL_DEFINITIONS) return;
  if (value.type === "array") {
    for (const [index, item] of value.items.entries()) collect(item, `${pointer}/${index}`, level + 1, found);
    return;
  }
  if (value.type !== "object" || isSchema(value)) return;
  const own = readDefinition(value, pointer);
  if (own.length > 0) {
    found.push(...own);
    return;
  }
  for (const key of LIST_KEYS) {
    const list = value.members.get(key);
    if (list !== undefined) collect(list, `${pointer}/${key}`, level + 1, found);
  }
}

/** Keys that contain lists of definitions: requests, responses of tools/list, agent configurations. */
const LIST_KEYS = [
  "tools",
  "functions",
  "functionDeclarations",
  "function_declarations",
  "toolConfig",
  "result",
  "response_format",
  "text",
  "output_config",
  "generationConfig",
  "generation_config",
];

/** Keywords that no tool definition has at its root. `type` is missing because OpenAI's tools have it. */
const SCHEMA_KEYWORDS = [
  "$schema",
  "$ref",
  "$defs",
  "definitions",
  "properties",
  "patternProperties",
  "additionalProperties",
  "required",
  "items",
  "prefixItems",
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "enum",
  "const",
];

/** A schema has members named like those of a definition only below `properties`. */
function isSchema(value: JsonObject): boolean {
  return stringAt(value, "type") === "object" || SCHEMA_KEYWORDS.some((keyword) => value.members.has(keyword));
}

type Reader = (value: JsonObject, pointer: string) => ToolSchema[];

function readDefinition(value: JsonObject, pointer: string): ToolSchema[] {
  for (const read of READERS) {
    const found = read(value, pointer);
    if (found.length > 0) return found;
  }
  return [];
}

const READERS: readonly Reader[] = [
  // {type: "function", function: {name, parameters}}
  (value, pointer) => {
    const held = objectAt(value, "function");
    if (held === undefined || stringAt(held, "name") === undefined) return [];
    return [schemaAt("openai-chat-tool", held, `${pointer}/function`, "parameters", "input")];
  },
  // {type: "json_schema", json_schema: {name, schema}}
  (value, pointer) => {
    const held = objectAt(value, "json_schema");
    if (held === undefined || stringAt(value, "type") !== "json_schema") return [];
    return [schemaAt("openai-chat-response-format", held, `${pointer}/json_schema`, "schema", "output")];
  },
  // {format: {type: "json_schema", schema, name?}}: OpenAI gives it a name, Anthropic does not.
  (value, pointer) => {
    const format = objectAt(value, "format");
    if (format === undefined || stringAt(format, "type") !== "json_schema" || !objectAt(format, "schema")) return [];
    const kind = stringAt(format, "name") === undefined ? "anthropic-output" : "openai-responses-text-format";
    return [schemaAt(kind, format, `${pointer}/format`, "schema", "output")];
  },
  // {toolSpec: {name, inputSchema: {json}}}
  (value, pointer) => {
    const spec = objectAt(value, "toolSpec");
    return spec === undefined ? [] : readBedrock(spec, `${pointer}/toolSpec`);
  },
  // {type: "text", mime_type: "application/json", schema}
  (value, pointer) =>
    stringAt(value, "mime_type") !== undefined && objectAt(value, "schema")
      ? [schemaAt("gemini-interactions-format", value, pointer, "schema", "output")]
      : [],
  (value, pointer) => readGenerationConfig(value, pointer),
  (value, pointer) => readNamed(value, pointer),
];

function readBedrock(spec: JsonObject, pointer: string): ToolSchema[] {
  const holder = objectAt(spec, "inputSchema");
  if (holder === undefined || stringAt(spec, "name") === undefined) return [];
  const found = schemaAt("bedrock-tool", spec, pointer, "inputSchema", "input");
  return [{ ...found, pointer: `${found.pointer}/json`, node: holder.members.get("json") }];
}

function readGenerationConfig(value: JsonObject, pointer: string): ToolSchema[] {
  const keys = ["responseJsonSchema", "response_json_schema", "responseSchema", "response_schema"];
  const key = keys.find((name) => objectAt(value, name));
  return key === undefined ? [] : [schemaAt("gemini-generation-config", value, pointer, key, "output")];
}

/** Definitions with the name and schema as siblings. */
function readNamed(value: JsonObject, pointer: string): ToolSchema[] {
  if (stringAt(value, "name") === undefined) return [];
  const has = (key: string) => objectAt(value, key) !== undefined;
  const type = stringAt(value, "type");
  if (has("input_schema")) return [schemaAt("anthropic-tool", value, pointer, "input_schema", "input")];
  const input = objectAt(value, "inputSchema");
  // The contents of a `toolSpec`.
  if (input !== undefined && !isSchema(input) && objectAt(input, "json")) return readBedrock(value, pointer);
  if (input !== undefined) {
    const tool = schemaAt("mcp-tool", value, pointer, "inputSchema", "input");
    return has("outputSchema") ? [tool, schemaAt("mcp-tool", value, pointer, "outputSchema", "output")] : [tool];
  }
  if (type === "function") {
    const tool = schemaAt("openai-responses-tool", value, pointer, "parameters", "input");
    return has("output_schema")
      ? [tool, schemaAt("openai-responses-tool", value, pointer, "output_schema", "output")]
      : [tool];
  }
  const key = ["parametersJsonSchema", "parameters_json_schema", "parameters"].find(has);
  if (key !== undefined) {
    // OpenAI's first functions have the same form as Gemini's declarations, which write types in upper case.
    const written = stringAt(objectAt(value, key)!, "type");
    const isGemini = key !== "parameters" || (written !== undefined && written === written.toUpperCase());
    return [schemaAt(isGemini ? "gemini-function-declaration" : "openai-function", value, pointer, key, "input")];
  }
  // The contents of a `json_schema`.
  const isFormat = has("schema") && (type === undefined || type === "json_schema");
  return isFormat ? [schemaAt("openai-chat-response-format", value, pointer, "schema", "output")] : [];
}

function schemaAt(
  kind: ToolDefinitionKind,
  holder: JsonObject,
  pointer: string,
  key: string,
  purpose: ToolSchema["purpose"],
): ToolSchema {
  return {
    kind,
    name: stringAt(holder, "name") ?? null,
    description: stringAt(holder, "description") ?? null,
    purpose,
    pointer: `${pointer}/${pointerToken(key)}`,
    node: holder.members.get(key),
  };
}

function objectAt({ members }: JsonObject, key: string): JsonObject | undefined {
  const node = members.get(key);
  return node?.type === "object" ? node : undefined;
}

function stringAt({ members }: JsonObject, key: string): string | undefined {
  const node = members.get(key);
  return node?.type === "string" ? node.value : undefined;
}

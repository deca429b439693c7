/**
 * Detects whole tool definitions and API documents where a schema is expected. None of their members are keywords, so as
 * JSON Schemas they accept every value: a mistake no validator reports.
 */
import { type JsonNode, type JsonObject, pointerToken } from "./json-text.ts";

/** Rule name for a tool definition where a schema is expected: a warning, and a refusal under a model's roles. */
export const TOOL_DEFINITION_RULE = "tool_definition";

type ToolDefinitionKind =
  | "openai"
  | "openai-response-format"
  | "anthropic"
  | "mcp"
  | "gemini"
  | "bedrock"
  | "function"
  | "list"
  | "openapi";

export type ToolDefinition = {
  kind: ToolDefinitionKind;
  /** The schemas inside, in order. */
  schemas: readonly SchemaInside[];
};

export type SchemaInside = { name: string | undefined; pointer: string; node: JsonNode };

/** Schemas searched for in a list or API document; more are no help. */
const MAX_SCHEMAS_INSIDE = 100;

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

/** The kind of a document that is not a schema but contains some. */
export function findToolDefinition(root: JsonNode): ToolDefinition | undefined {
  if (root.type === "array") return readToolList(root.items, "");
  if (root.type !== "object") return undefined;
  return openApiDocument(root) ?? listInside(root) ?? singleTool(root, "");
}

const KIND_NAMES: Readonly<Record<ToolDefinitionKind, string>> = {
  openai: "an OpenAI tool definition",
  "openai-response-format": "an OpenAI response format",
  anthropic: "an Anthropic tool definition",
  mcp: "an MCP tool definition",
  gemini: "a Gemini function declaration",
  bedrock: "an Amazon Bedrock tool definition",
  function: "a function definition",
  list: "a list of tool definitions",
  openapi: "an OpenAPI document",
};

/** One sentence: what the document is, why that is wrong, and where the schemas are. */
export function describeToolDefinition({ kind, schemas }: ToolDefinition): string {
  const [first, second] = schemas;
  const where =
    first === undefined
      ? "Register a schema instead."
      : second === undefined
        ? `Register the schema at ${first.pointer} instead.`
        : `Register each schema in it under its own subject; the first is at ${first.pointer}.`;
  return `This is ${KIND_NAMES[kind]}, not a schema: as a JSON Schema it allows every value. ${where}`;
}

type Shape = { kind: ToolDefinitionKind; path: readonly string[] };

/** Where each kind of document keeps its schemas; the first that matches decides the kind. */
const SHAPES: readonly Shape[] = [
  { kind: "openai", path: ["function", "parameters"] },
  { kind: "openai-response-format", path: ["json_schema", "schema"] },
  { kind: "anthropic", path: ["input_schema"] },
  { kind: "bedrock", path: ["toolSpec", "inputSchema", "json"] },
  { kind: "bedrock", path: ["inputSchema", "json"] },
  { kind: "mcp", path: ["inputSchema"] },
  { kind: "gemini", path: ["parametersJsonSchema"] },
];

function singleTool(tool: JsonObject, base: string): ToolDefinition | undefined {
  const { members } = tool;
  if (SCHEMA_KEYWORDS.some((keyword) => members.has(keyword))) return undefined;
  const type = readString(members.get("type"));
  for (const { kind, path } of SHAPES) {
    const node = objectAt(tool, path);
    // A tool's name is beside its schema or at the start of its definition.
    const name = readName(tool, path);
    if (node === undefined || name === undefined) continue;
    const output = kind === "mcp" ? objectAt(tool, ["outputSchema"]) : undefined;
    return {
      kind,
      schemas: [
        { name, pointer: base + toPointer(path), node },
        ...(output ? [{ name, pointer: `${base}/outputSchema`, node: output }] : []),
      ],
    };
  }
  const parameters = objectAt(tool, ["parameters"]) ?? objectAt(tool, ["schema"]);
  if (parameters === undefined || readString(members.get("name")) === undefined) return undefined;
  if (type !== undefined && type !== "function" && type !== "json_schema") return undefined;
  const key = members.has("parameters") ? "parameters" : "schema";
  const kind = key === "schema" ? "openai-response-format" : type === "function" ? "openai" : "function";
  return { kind, schemas: [{ name: readString(members.get("name")), pointer: `${base}/${key}`, node: parameters }] };
}

function readName(tool: JsonObject, path: readonly string[]): string | undefined {
  return readString(tool.members.get("name")) ?? readString(objectAt(tool, path.slice(0, 1))?.members.get("name"));
}

const LIST_MEMBERS = ["tools", "functions", "functionDeclarations", "function_declarations"];

/** `{"tools": […]}`, as in requests to a model and MCP server responses. */
function listInside(root: JsonObject): ToolDefinition | undefined {
  const result = objectAt(root, ["result"]);
  for (const [holder, base] of [[root, ""] as const, ...(result ? [[result, "/result"] as const] : [])]) {
    if (SCHEMA_KEYWORDS.some((keyword) => holder.members.has(keyword))) continue;
    for (const member of LIST_MEMBERS) {
      const list = holder.members.get(member);
      const found = list?.type === "array" ? readToolList(list.items, `${base}/${member}`) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

/** A list contains tools if every element is a tool or contains some. */
function readToolList(items: readonly JsonNode[], base: string): ToolDefinition | undefined {
  const schemas: SchemaInside[] = [];
  for (const [index, item] of items.entries()) {
    if (item.type !== "object") return undefined;
    const found = singleTool(item, `${base}/${index}`) ?? readDeclarations(item, `${base}/${index}`);
    // Tools without parameters and tools run by the provider have no schema.
    if (found === undefined && readString(item.members.get("name")) === undefined && !item.members.has("type")) {
      return undefined;
    }
    if (schemas.length < MAX_SCHEMAS_INSIDE) schemas.push(...(found?.schemas ?? []));
  }
  return schemas.length === 0 ? undefined : { kind: "list", schemas };
}

/** Gemini nests several declarations in one tool. */
function readDeclarations(tool: JsonObject, base: string): ToolDefinition | undefined {
  for (const member of ["functionDeclarations", "function_declarations"]) {
    const list = tool.members.get(member);
    if (list?.type === "array") return readToolList(list.items, `${base}/${member}`);
  }
  return undefined;
}

function openApiDocument(root: JsonObject): ToolDefinition | undefined {
  const version = readString(root.members.get("openapi")) ?? readString(root.members.get("swagger"));
  if (version === undefined || !/^\d+\./.test(version)) return undefined;
  const path = root.members.has("openapi") ? ["components", "schemas"] : ["definitions"];
  const named = objectAt(root, path);
  const schemas = [...(named?.members ?? [])]
    .slice(0, MAX_SCHEMAS_INSIDE)
    .map(([name, node]) => ({ name, pointer: toPointer([...path, name]), node }));
  return { kind: "openapi", schemas };
}

function objectAt(root: JsonObject, path: readonly string[]): JsonObject | undefined {
  let node: JsonNode | undefined = root;
  for (const key of path) node = node?.type === "object" ? node.members.get(key) : undefined;
  return node?.type === "object" ? node : undefined;
}

function toPointer(path: readonly string[]): string {
  return path.map((key) => `/${pointerToken(key)}`).join("");
}

function readString(node: JsonNode | undefined): string | undefined {
  return node?.type === "string" ? node.value : undefined;
}

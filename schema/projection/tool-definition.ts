/**
 * Detects tool definitions as found in code, configuration and server responses: which parts of a document are JSON
 * Schemas, and their purpose. Also the basis of the warning for whole definitions that are registered as schemas.
 */
import { isMembers } from "../json/validate/evaluation.ts";
import { pointerToken } from "../json-text.ts";

const TOOL_DEFINITION_KINDS = [
  "openai-chat-tool",
  "openai-responses-tool",
  "openai-function",
  "openai-chat-response-format",
  "openai-responses-text-format",
  "anthropic-tool",
  "anthropic-output",
  "gemini-function-declaration",
  "gemini-generation-config",
  "gemini-interactions-format",
  "bedrock-tool",
  "mcp-tool",
] as const;
type ToolDefinitionKind = (typeof TOOL_DEFINITION_KINDS)[number];

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
  readonly schema: unknown;
};

/** Nested lists, as in `{tools: [{functionDeclarations: [‥]}]}`. */
const MAX_LIST_LEVELS = 4;
/** Definitions in one document: the largest tool sets in public use have some hundreds. */
export const MAX_TOOL_DEFINITIONS = 1_000;

/** The schemas of the definitions in a document, in order; empty if it is not a tool definition, such as a schema. */
export function findToolSchemas(document: unknown): ToolSchema[] {
  const found: ToolSchema[] = [];
  collect(document, "", 0, found);
  return found.slice(0, MAX_TOOL_DEFINITIONS);
}

function collect(value: unknown, pointer: string, level: number, found: ToolSchema[]): void {
  if (level > MAX_LIST_LEVELS || found.length > MAX_TOOL_DEFINITIONS) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, `${pointer}/${index}`, level + 1, found);
    return;
  }
  if (!isMembers(value) || isSchema(value)) return;
  const own = readDefinition(value, pointer);
  if (own.length > 0) found.push(...own);
  else
    for (const key of LIST_KEYS)
      if (Object.hasOwn(value, key)) collect(value[key], `${pointer}/${key}`, level + 1, found);
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

/** A schema has members named like those of a definition only below `properties`. */
function isSchema(value: Members): boolean {
  return (
    typeof value.$schema === "string" ||
    isMembers(value.properties) ||
    value.type === "object" ||
    Array.isArray(value.required)
  );
}

type Members = Record<string, unknown>;
type Reader = (value: Members, pointer: string) => ToolSchema[];

function readDefinition(value: Members, pointer: string): ToolSchema[] {
  for (const read of READERS) {
    const found = read(value, pointer);
    if (found.length > 0) return found;
  }
  return [];
}

const READERS: readonly Reader[] = [
  // {type: "function", function: {name, parameters}}
  (value, pointer) =>
    isMembers(value.function) && typeof value.function.name === "string"
      ? [schemaAt("openai-chat-tool", value.function, `${pointer}/function`, "parameters", "input")]
      : [],
  // {type: "json_schema", json_schema: {name, schema}}
  (value, pointer) =>
    value.type === "json_schema" && isMembers(value.json_schema)
      ? [schemaAt("openai-chat-response-format", value.json_schema, `${pointer}/json_schema`, "schema", "output")]
      : [],
  // {format: {type: "json_schema", schema, name?}}: OpenAI gives it a name, Anthropic does not.
  (value, pointer) => {
    const { format } = value;
    if (!isMembers(format) || format.type !== "json_schema" || !isMembers(format.schema)) return [];
    const kind = typeof format.name === "string" ? "openai-responses-text-format" : "anthropic-output";
    return [schemaAt(kind, format, `${pointer}/format`, "schema", "output")];
  },
  // {toolSpec: {name, inputSchema: {json}}}
  (value, pointer) => {
    const spec = value.toolSpec;
    if (!isMembers(spec) || typeof spec.name !== "string" || !isMembers(spec.inputSchema)) return [];
    const named = { ...spec, json: spec.inputSchema.json };
    const found = schemaAt("bedrock-tool", named, `${pointer}/toolSpec`, "json", "input");
    return [{ ...found, pointer: `${pointer}/toolSpec/inputSchema/json` }];
  },
  // {type: "text", mime_type: "application/json", schema}
  (value, pointer) =>
    typeof value.mime_type === "string" && isMembers(value.schema)
      ? [schemaAt("gemini-interactions-format", value, pointer, "schema", "output")]
      : [],
  (value, pointer) => readGenerationConfig(value, pointer),
  (value, pointer) => readNamed(value, pointer),
];

function readGenerationConfig(value: Members, pointer: string): ToolSchema[] {
  const keys = ["responseJsonSchema", "response_json_schema", "responseSchema", "response_schema"];
  const key = keys.find((name) => isMembers(value[name]));
  return key === undefined ? [] : [schemaAt("gemini-generation-config", value, pointer, key, "output")];
}

/** Definitions with the name and schema as siblings. */
function readNamed(value: Members, pointer: string): ToolSchema[] {
  if (typeof value.name !== "string") return [];
  const has = (key: string) => isMembers(value[key]);
  if (has("input_schema")) return [schemaAt("anthropic-tool", value, pointer, "input_schema", "input")];
  if (has("inputSchema")) {
    const input = schemaAt("mcp-tool", value, pointer, "inputSchema", "input");
    return has("outputSchema") ? [input, schemaAt("mcp-tool", value, pointer, "outputSchema", "output")] : [input];
  }
  if (value.type === "function") {
    const input = schemaAt("openai-responses-tool", value, pointer, "parameters", "input");
    return has("output_schema")
      ? [input, schemaAt("openai-responses-tool", value, pointer, "output_schema", "output")]
      : [input];
  }
  const key = ["parametersJsonSchema", "parameters_json_schema", "parameters"].find(has);
  if (key === undefined) return [];
  // OpenAI's first functions have the same form as Gemini's declarations, which write types in upper case.
  const type = (value[key] as Members).type;
  const isGemini = key !== "parameters" || (typeof type === "string" && type === type.toUpperCase());
  return [schemaAt(isGemini ? "gemini-function-declaration" : "openai-function", value, pointer, key, "input")];
}

function schemaAt(
  kind: ToolDefinitionKind,
  holder: Members,
  pointer: string,
  key: string,
  purpose: ToolSchema["purpose"],
): ToolSchema {
  return {
    kind,
    name: typeof holder.name === "string" ? holder.name : null,
    description: typeof holder.description === "string" ? holder.description : null,
    purpose,
    pointer: `${pointer}/${pointerToken(key)}`,
    schema: holder[key],
  };
}

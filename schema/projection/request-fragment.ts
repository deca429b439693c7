/** The part of a request that carries a projected schema, ready to be merged into the body, for each API. */
import { type JsonNode, type JsonObject, writeJsonText } from "../json-text.ts";
import { ok, type Result, refuse } from "../result.ts";
import { arrayNode, booleanNode, objectNode, stringNode } from "./json-nodes.ts";
import { type Profile, profileId } from "./profile.ts";
import type { ShapeName } from "./shapes.ts";

/** The schema's name in the request. */
type Naming = { readonly name: string; readonly description?: string };

type Members = (readonly [string, JsonNode])[];
type Build = (schema: JsonNode, naming: Naming, profile: Profile) => JsonObject;

/** `name` of OpenAI's formats and tools, and of Anthropic's tools: the most restrictive of all. */
const MAX_NAME_CHARACTERS = 64;

export function requestFragment(
  profile: Profile,
  shape: string | undefined,
  schema: JsonNode,
  naming: Naming,
): Result<{ shape: ShapeName; fragment: JsonObject }, { message: string }> {
  const chosen = shape === undefined ? profile.shapes[0]! : profile.shapes.find((name) => name === shape);
  if (chosen === undefined) {
    const expected = profile.shapes.join(", ");
    return refuse({ message: `"${shape}" is not a request form of ${profileId(profile)} (expected ${expected}).` });
  }
  const name = naming.name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, MAX_NAME_CHARACTERS) || "schema";
  return ok({ shape: chosen, fragment: BUILDERS[chosen](schema, { ...naming, name }, profile) });
}

const text = stringNode;

function object(...members: (readonly [string, JsonNode] | null)[]): JsonObject {
  return objectNode(members.filter((member): member is Members[number] => member !== null));
}

function described({ description }: Naming): Members[number] | null {
  return description === undefined || description === "" ? null : ["description", text(description)];
}

/** Always set, because without it OpenAI's Responses API tries strict and silently falls back. */
function strictOf({ name }: Profile): Members[number] {
  return ["strict", booleanNode(name !== "anthropic-tool")];
}

/** A tool without parameters has none, instead of an object without properties. */
function parametersOf(key: string, schema: JsonNode, profile: Profile): Members[number] | null {
  const properties = schema.type === "object" ? schema.members.get("properties") : undefined;
  const isEmpty = properties?.type !== "object" || properties.members.size === 0;
  return isEmpty && !profile.emptyObjects.value ? null : [key, schema];
}

const BUILDERS: Readonly<Record<ShapeName, Build>> = {
  "openai-chat-response-format": (schema, naming, profile) =>
    object([
      "response_format",
      object(
        ["type", text("json_schema")],
        ["json_schema", object(["name", text(naming.name)], described(naming), ["schema", schema], strictOf(profile))],
      ),
    ]),
  "openai-responses-text-format": (schema, naming, profile) =>
    object([
      "text",
      object([
        "format",
        object(
          ["type", text("json_schema")],
          ["name", text(naming.name)],
          described(naming),
          ["schema", schema],
          strictOf(profile),
        ),
      ]),
    ]),
  "openai-chat-tool": (schema, naming, profile) =>
    toolsOf(
      object(
        ["type", text("function")],
        ["function", object(["name", text(naming.name)], described(naming), ["parameters", schema], strictOf(profile))],
      ),
    ),
  "openai-responses-tool": (schema, naming, profile) =>
    toolsOf(
      object(
        ["type", text("function")],
        ["name", text(naming.name)],
        described(naming),
        ["parameters", schema],
        strictOf(profile),
      ),
    ),
  "anthropic-output": (schema) =>
    object(["output_config", object(["format", object(["type", text("json_schema")], ["schema", schema])])]),
  "anthropic-tool": (schema, naming, profile) =>
    toolsOf(
      object(
        ["name", text(naming.name)],
        described(naming),
        ["input_schema", schema],
        profile.name === "anthropic-tool" ? null : strictOf(profile),
      ),
    ),
  "bedrock-converse-output": (schema, naming) =>
    object([
      "outputConfig",
      object([
        "textFormat",
        object(
          ["type", text("json_schema")],
          // Here the schema is a string, not an object.
          [
            "structure",
            object([
              "jsonSchema",
              object(["schema", text(writeJsonText(schema))], ["name", text(naming.name)], described(naming)),
            ]),
          ],
        ),
      ]),
    ]),
  "bedrock-converse-tool": (schema, naming, profile) =>
    object([
      "toolConfig",
      toolsOf(
        object([
          "toolSpec",
          object(
            ["name", text(naming.name)],
            described(naming),
            ["inputSchema", object(["json", schema])],
            strictOf(profile),
          ),
        ]),
      ),
    ]),
  "gemini-generate-content": (schema) =>
    object([
      "generationConfig",
      object(["responseMimeType", text("application/json")], ["responseJsonSchema", schema]),
    ]),
  "gemini-interactions": (schema) =>
    object([
      "response_format",
      object(["type", text("text")], ["mime_type", text("application/json")], ["schema", schema]),
    ]),
  "gemini-function-declaration": (schema, naming, profile) =>
    declarationOf(naming, parametersOf("parametersJsonSchema", schema, profile)),
  "gemini-interactions-tool": (schema, naming) =>
    toolsOf(object(["type", text("function")], ["name", text(naming.name)], described(naming), ["parameters", schema])),
  "gemini-generate-content-legacy": (schema) =>
    object(["generationConfig", object(["responseMimeType", text("application/json")], ["responseSchema", schema])]),
  "gemini-function-declaration-legacy": (schema, naming, profile) =>
    declarationOf(naming, parametersOf("parameters", schema, profile)),
  "mcp-tool": (schema, naming) =>
    toolsOf(object(["name", text(naming.name)], described(naming), ["inputSchema", schema])),
  "mcp-tool-output": (schema, naming) =>
    toolsOf(object(["name", text(naming.name)], described(naming), ["outputSchema", schema])),
  "vllm-structured-outputs": (schema) => object(["structured_outputs", object(["json", schema])]),
  // Also a string.
  "sglang-sampling-params": (schema) =>
    object(["sampling_params", object(["json_schema", text(writeJsonText(schema))])]),
  "tensorrt-llm-guided-decoding": (schema) => object(["guided_decoding_params", object(["json", schema])]),
  "llama-cpp-json-schema": (schema) => object(["json_schema", schema]),
  "ollama-format": (schema) => object(["format", schema]),
};

function toolsOf(tool: JsonNode): JsonObject {
  return object(["tools", arrayNode([tool])]);
}

function declarationOf(naming: Naming, parameters: Members[number] | null): JsonObject {
  return toolsOf(
    object(["functionDeclarations", arrayNode([object(["name", text(naming.name)], described(naming), parameters)])]),
  );
}

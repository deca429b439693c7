/**
 * The schemas of a document, each as the text of a JSON Schema, with tool definitions unwrapped and Gemini's spelling
 * converted.
 */
import { type JsonNode, type JsonObject, writeJsonText } from "../json-text.ts";
import { findToolSchemas, type ToolSchema } from "../tool-definition.ts";
import { arrayNode, NULL_NODE, objectNode, stringNode } from "./json-nodes.ts";

export type UnwrappedSchema = Pick<ToolSchema, "name" | "description" | "pointer" | "purpose"> & {
  /** The kind of the document; null if it is a schema itself. */
  readonly kind: ToolSchema["kind"] | null;
  readonly text: string;
};

/** A tool without parameters accepts none. */
const NO_PARAMETERS: JsonNode = objectNode([
  ["type", stringNode("object")],
  ["properties", objectNode()],
]);

/** The schemas of the tool definitions in a document, or the document itself as the only schema. */
export function unwrapSchemas(root: JsonNode, text: string): UnwrappedSchema[] {
  const found = findToolSchemas(root);
  if (found.length === 0) {
    const title = root.type === "object" ? root.members.get("title") : undefined;
    const name = title?.type === "string" ? title.value : null;
    return [{ kind: null, name, description: null, purpose: "output", pointer: "", text }];
  }
  return found.map(({ kind, name, description, purpose, pointer, node = NO_PARAMETERS }) => {
    const schema = isGeminiSpelling(node) ? plainSpelling(node) : node;
    return { kind, name, description, purpose, pointer, text: writeJsonText(schema) };
  });
}

const CAPITALS = /^(?:OBJECT|ARRAY|STRING|NUMBER|INTEGER|BOOLEAN|NULL)$/;

function isGeminiSpelling(node: JsonNode): boolean {
  const type = node.type === "object" ? node.members.get("type") : undefined;
  return type?.type === "string" && CAPITALS.test(type.value);
}

/** Recursion is bounded by the depth of the text. */
function plainSpelling(node: JsonNode): JsonNode {
  if (node.type === "array") return arrayNode(node.items.map(plainSpelling));
  if (node.type !== "object") return node;
  const { members } = node;
  const plain = objectNode();
  for (const [name, value] of members) {
    if (name === "propertyOrdering" || name === "nullable") continue;
    if (name === "type" && value.type === "string") plain.members.set(name, stringNode(value.value.toLowerCase()));
    else plain.members.set(name, name === "enum" ? value : plainSpelling(value));
  }
  const nullable = members.get("nullable");
  return nullable?.type === "boolean" && nullable.value ? withNull(plain) : plain;
}

function withNull(schema: JsonObject): JsonObject {
  const type = schema.members.get("type");
  const values = schema.members.get("enum");
  if (type?.type === "string") schema.members.set("type", arrayNode([type, stringNode("null")]));
  if (values?.type === "array") schema.members.set("enum", arrayNode([...values.items, NULL_NODE]));
  return schema;
}

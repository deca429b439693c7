/**
 * Gemini's spelling of schemas: the order of properties in a list and, in the older form, OpenAI's types and
 * `nullable`.
 */
import type { JsonNode, JsonObject } from "../json-text.ts";
import { arrayNode, booleanNode, objectNode, stringNode } from "./json-nodes.ts";
import type { Profile } from "./profile.ts";

export function spellForGemini(profile: Profile, root: JsonNode): JsonNode {
  if (!profile.propertyOrdering.value) return root;
  return spell(root, profile.nullability.value === "nullable");
}

const HOLDERS: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);
const LISTS: ReadonlySet<string> = new Set(["anyOf", "oneOf", "prefixItems"]);

/** Recursion is bounded by the projected depth. */
function spell(node: JsonNode, isOpenApi: boolean): JsonNode {
  if (node.type !== "object") return node;
  const spelled = objectNode();
  for (const [name, value] of node.members) {
    // Objects are implicitly closed there.
    if (name === "additionalProperties" && isOpenApi) continue;
    if (HOLDERS.has(name) && value.type === "object") {
      spelled.members.set(
        name,
        objectNode([...value.members].map(([key, child]) => [key, spell(child, isOpenApi)] as const)),
      );
      if (name === "properties" && value.members.size > 1) {
        spelled.members.set("propertyOrdering", arrayNode([...value.members.keys()].map(stringNode)));
      }
    } else if (LISTS.has(name) && value.type === "array") {
      spelled.members.set(name, arrayNode(value.items.map((item) => spell(item, isOpenApi))));
    } else if (name === "items" || name === "additionalProperties") {
      spelled.members.set(name, spell(value, isOpenApi));
    } else spelled.members.set(name, value);
  }
  return isOpenApi ? withNullable(spelled) : spelled;
}

function withNullable(schema: JsonObject): JsonObject {
  const { members } = schema;
  const type = members.get("type");
  if (type?.type === "string") members.set("type", stringNode(type.value.toUpperCase()));
  const alternatives = members.get("anyOf");
  if (alternatives?.type !== "array") return schema;
  const others = alternatives.items.filter((item) => !isNull(item));
  if (others.length === alternatives.items.length) return schema;
  const [only] = others;
  if (others.length === 1 && only?.type === "object") {
    members.delete("anyOf");
    const merged = objectNode([...only.members, ...members]);
    merged.members.set("nullable", booleanNode(true));
    return merged;
  }
  members.set("anyOf", arrayNode(others));
  members.set("nullable", booleanNode(true));
  return schema;
}

function isNull(node: JsonNode): boolean {
  const type = node.type === "object" ? node.members.get("type") : undefined;
  return type?.type === "string" && type.value === "NULL";
}

/** JSON trees created by a projection. They have no source text, so their offsets are zero. */
import type { JsonArray, JsonNode, JsonObject, JsonString } from "../json-text.ts";

export function stringNode(value: string): JsonString {
  return { type: "string", start: 0, value };
}

export function numberNode(value: number): JsonNode {
  return { type: "number", start: 0, value, text: String(value) };
}

export function booleanNode(value: boolean): JsonNode {
  return { type: "boolean", start: 0, value };
}

export const NULL_NODE: JsonNode = { type: "null", start: 0 };

export function arrayNode(items: readonly JsonNode[]): JsonArray {
  return { type: "array", start: 0, items: [...items] };
}

export function objectNode(members: Iterable<readonly [string, JsonNode]> = []): JsonObject {
  return { type: "object", start: 0, members: new Map(members) };
}

/** The pointer of every object in a tree, by identity; the first one if a node occurs several times. */
export function indexPointers(root: JsonNode, pointerToken: (token: string | number) => string): Map<JsonNode, string> {
  const pointers = new Map<JsonNode, string>();
  const pending: [JsonNode, string][] = [[root, ""]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, pointer] = next;
    if (node.type === "object") {
      if (!pointers.has(node)) pointers.set(node, pointer);
      for (const [key, member] of node.members) pending.push([member, `${pointer}/${pointerToken(key)}`]);
    } else if (node.type === "array") {
      for (const [index, item] of node.items.entries()) pending.push([item, `${pointer}/${index}`]);
    }
  }
  return pointers;
}

/** Reads and writes the attribute that holds tags in an object of a JSON text. */
import type { JsonObject } from "./json-text.ts";
import { TAGS_ATTRIBUTE } from "./tags.ts";

export function readTags(node: JsonObject): string[] {
  const value = node.members.get(TAGS_ATTRIBUTE);
  const items = value?.type === "array" ? value.items : value ? [value] : [];
  return items.flatMap((item) => (item.type === "string" ? [item.value] : []));
}

/** Modifies the object; an empty list removes the attribute. */
export function writeTags(node: JsonObject, tags: readonly string[]): void {
  if (tags.join("\n") === readTags(node).join("\n")) return;
  if (tags.length === 0) node.members.delete(TAGS_ATTRIBUTE);
  else {
    const items = tags.map((value) => ({ type: "string" as const, start: node.start, value }));
    node.members.set(TAGS_ATTRIBUTE, { type: "array", start: node.start, items });
  }
}

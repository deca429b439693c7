/**
 * Inline tags of JSON Schema objects and properties. A path has `object` and `array` where the schema nests without a
 * name.
 */
import { readTags, writeTags } from "../../json-tags.ts";
import { type JsonNode, parseJsonText, writeJsonText } from "../../json-text.ts";
import type { EditTags } from "../../tags.ts";

/** Returns an unreadable text unchanged. */
export function editJsonTags(text: string, edit: EditTags): string {
  const parsed = parseJsonText(text);
  if (!parsed.ok) return text;
  editSchema(parsed.value.root, "", false, edit);
  return writeJsonText(parsed.value.root);
}

/**
 * Recursion is bounded by the depth of the text. References are not followed, because their targets have their own
 * location. The tags of a property's schema belong to the property.
 */
function editSchema(node: JsonNode, path: string, isProperty: boolean, edit: EditTags): void {
  if (node.type !== "object") return;
  const properties = node.members.get("properties");
  if (properties?.type === "object") {
    const entityPath = join(path, "object");
    if (!isProperty) writeTags(node, edit({ entityPath, entityType: "sr_record" }, readTags(node)));
    for (const [name, property] of properties.members) {
      const propertyPath = join(entityPath, name);
      if (property.type === "object") {
        writeTags(property, edit({ entityPath: propertyPath, entityType: "sr_field" }, readTags(property)));
      }
      editSchema(property, propertyPath, true, edit);
    }
  }
  const items = node.members.get("items");
  if (items) editSchema(items, join(path, "array"), false, edit);
  for (const keyword of ["definitions", "$defs"]) {
    const definitions = node.members.get(keyword);
    if (definitions?.type !== "object") continue;
    for (const [name, definition] of definitions.members) {
      editSchema(definition, join(join(path, keyword), name), false, edit);
    }
  }
  for (const keyword of ["allOf", "anyOf", "oneOf"]) {
    const branches = node.members.get(keyword);
    if (branches?.type !== "array") continue;
    branches.items.forEach((branch, index) => {
      editSchema(branch, join(join(path, keyword), String(index)), false, edit);
    });
  }
}

function join(path: string, part: string): string {
  return path === "" ? part : `${path}.${part}`;
}

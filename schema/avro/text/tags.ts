/** Edits the inline tags of Avro records and fields, addressed by the record's full name. */
import { readTags, writeTags } from "../../json-tags.ts";
import { type JsonNode, type JsonObject, parseJsonText, writeJsonText } from "../../json-text.ts";
import type { EditTags } from "../../tags.ts";
import { splitName } from "../names.ts";

/** Returns an unparsable text unchanged. */
export function editAvroTags(text: string, edit: EditTags): string {
  const parsed = parseJsonText(text);
  if (!parsed.ok) return text;
  editType(parsed.value.root, "", edit);
  return writeJsonText(parsed.value.root);
}

/** Recursion is bounded by the nesting of the text. */
function editType(node: JsonNode, namespace: string, edit: EditTags): void {
  if (node.type === "array") for (const branch of node.items) editType(branch, namespace, edit);
  if (node.type !== "object") return;
  const type = node.members.get("type");
  if (type?.type !== "string") {
    if (type) editType(type, namespace, edit);
    return;
  }
  if (type.value === "record" || type.value === "error") editRecord(node, namespace, edit);
  const inner = node.members.get(type.value === "array" ? "items" : "values");
  if (inner) editType(inner, namespace, edit);
}

function editRecord(node: JsonObject, namespace: string, edit: EditTags): void {
  const own = textOf(node, "namespace") ?? namespace;
  const { full, namespace: inside } = splitName(textOf(node, "name") ?? "", own);
  writeTags(node, edit({ entityPath: full, entityType: "sr_record" }, readTags(node)));
  const fields = node.members.get("fields");
  for (const field of fields?.type === "array" ? fields.items : []) {
    if (field.type !== "object") continue;
    const entityPath = `${full}.${textOf(field, "name") ?? ""}`;
    writeTags(field, edit({ entityPath, entityType: "sr_field" }, readTags(field)));
    const type = field.members.get("type");
    if (type) editType(type, inside, edit);
  }
}

function textOf(node: JsonObject, key: string): string | undefined {
  const value = node.members.get(key);
  return value?.type === "string" ? value.value : undefined;
}

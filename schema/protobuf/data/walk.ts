/** Finds missing required fields and unknown fields of a parsed message. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { type DataError, type DataWarning, MAX_DATA_ERRORS } from "../../data.ts";

import { pointerToken } from "../../json-text.ts";
import { type MessageTypes, messagePointer } from "./message-types.ts";

type Found = { errors: DataError[]; warnings: DataWarning[] };

const MAX_WARNINGS = 20;

/** Whether a message or one reachable from it has required fields, by message. */
const REQUIRING = new WeakMap<DescMessage, boolean>();

/** `unknown`: whether to look for unknown fields too, which only binary data can have. */
export function walkMessage(types: MessageTypes, type: DescMessage, message: Message, unknown: boolean): Found {
  const found: Found = { errors: [], warnings: [] };
  if (unknown || isRequiring(type)) walk(types, reflect(type, message), "", found);
  return found;
}

function isRequiring(type: DescMessage): boolean {
  const known = REQUIRING.get(type);
  if (known !== undefined) return known;
  const reached = new Set([type]);
  let requires = false;
  for (const each of reached) {
    for (const field of each.fields) {
      if (field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED) requires = true;
      if (field.message !== undefined) reached.add(field.message);
    }
  }
  REQUIRING.set(type, requires);
  return requires;
}

/** Recursion is bounded by the depth to which protobuf-es reads. */
function walk(types: MessageTypes, message: ReflectMessage, at: string, found: Found): void {
  if (found.errors.length >= MAX_DATA_ERRORS) return;
  const { desc } = message;
  for (const { no } of message.getUnknown() ?? []) {
    if (found.warnings.length >= MAX_WARNINGS) break;
    const text = `The message ${desc.typeName} has no field of the number ${no}; readers of this schema keep it unread.`;
    found.warnings.push({ rule: "unknown_field", message: text, pointer: at });
  }
  for (const field of desc.fields) {
    const isSet = message.isSet(field);
    const fieldAt = `${at}/${pointerToken(field.jsonName)}`;
    if (!isSet && field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED) {
      const expected = `the required field "${field.name}"`;
      found.errors.push({
        pointer: at,
        keyword: "required",
        schema_pointer: `${messagePointer(desc, types)}/${field.number}`,
        message: `Expected ${expected}, got none.`,
        expected,
        got: "none",
      });
    }
    if (!isSet || field.message === undefined) continue;
    if (field.fieldKind === "message") walk(types, message.get(field), fieldAt, found);
    else if (field.fieldKind === "list" && field.listKind === "message") {
      let index = 0;
      for (const item of message.get(field)) {
        walk(types, item as ReflectMessage, `${fieldAt}/${index}`, found);
        index += 1;
      }
    } else if (field.fieldKind === "map" && field.mapKind === "message") {
      for (const [key, value] of message.get(field)) {
        walk(types, value as ReflectMessage, `${fieldAt}/${pointerToken(String(key))}`, found);
      }
    }
  }
}

/**
 * Finds what a JSON reader with a schema refuses, by protobuf's JSON mapping.
 * https://protobuf.dev/programming-guides/json/
 */
import type { LinkedField, LinkedMessage, LinkedModel } from "../compare/linked.ts";
import { isEnumDefinition } from "../model.ts";
import { findMessage } from "./codec.ts";
import { EMPTY_JSON_FORMS, type Json } from "./json.ts";

type JsonRefusal = { pointer: string | null; key: string | null; reason: string };

/** The first location that a reader refuses, or null if it accepts the text. `key` is the unknown member. */
export function jsonRefusal(side: LinkedModel, message: LinkedMessage, json: Json): JsonRefusal | null {
  if (!isObject(json)) return { pointer: message.pointer, key: null, reason: "a message is an object" };
  const byName = new Map<string, LinkedField>();
  for (const field of side.fields(message).values()) {
    if (field.extensionName === null) byName.set(field.name, field);
  }
  for (const field of side.fields(message).values()) byName.set(field.jsonName, field);
  for (const [key, value] of Object.entries(json)) {
    const field = byName.get(key);
    if (field === undefined) {
      return { pointer: null, key, reason: `the message "${message.definition.element.name}" has no member "${key}"` };
    }
    const refusal = value === null ? null : fieldRefusal(side, field, value);
    if (refusal !== null) return refusal;
  }
  return null;
}

function fieldRefusal(side: LinkedModel, field: LinkedField, json: Json): JsonRefusal | null {
  if (field.cardinality === "repeated") {
    if (!Array.isArray(json)) return refused(field, json, "an array");
    return firstRefusal(json, (item) => valueRefusal(side, field, item));
  }
  if (field.cardinality !== "map") return valueRefusal(side, field, json);
  if (!isObject(json)) return refused(field, json, "an object");
  const value = findMessage(side, field)?.fields.get(2);
  return value === undefined ? null : firstRefusal(Object.values(json), (item) => valueRefusal(side, value, item));
}

function firstRefusal(items: readonly Json[], check: (item: Json) => JsonRefusal | null): JsonRefusal | null {
  for (const item of items) {
    const refusal = check(item);
    if (refusal !== null) return refusal;
  }
  return null;
}

function valueRefusal(side: LinkedModel, field: LinkedField, json: Json): JsonRefusal | null {
  const message = findMessage(side, field);
  if (message !== null) {
    const form = EMPTY_JSON_FORMS[message.fullName];
    if (form === undefined) return jsonRefusal(side, message, json);
    const isForm = typeof json === typeof form && Array.isArray(json) === Array.isArray(form);
    return form === null || isForm ? null : refused(field, json, `the form of ${message.fullName}`);
  }
  switch (field.kind) {
    case "bool":
      return typeof json === "boolean" ? null : refused(field, json, "true or false");
    case "string":
      return typeof json === "string" ? null : refused(field, json, "a string");
    case "bytes":
      return typeof json === "string" && /^[A-Za-z0-9+/_-]*={0,2}$/.test(json) ? null : refused(field, json, "base64");
    case "enum":
      return isEnumJson(side, field, json) ? null : refused(field, json, "a name or number of the enum");
    case "float":
    case "double":
      return isNumber(json) || json === "NaN" || json === "Infinity" || json === "-Infinity"
        ? null
        : refused(field, json, "a number");
    default:
      return isNumber(json) && isInRange(field, Number(json))
        ? null
        : refused(field, json, `a number of ${field.kind}`);
  }
}

function isEnumJson(side: LinkedModel, field: LinkedField, json: Json): boolean {
  if (field.type === null || !isEnumDefinition(field.type)) return true;
  const listed = side.enum(field.type);
  if (typeof json === "string") return listed.numbers.has(json);
  return typeof json === "number" && (listed.features.enum_type === "OPEN" || listed.names.has(json));
}

function isNumber(json: Json): boolean {
  return typeof json === "number" || (typeof json === "string" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(json));
}

/** Precise enough for a proof: the ends of the 64-bit ranges are not distinguished. */
function isInRange({ kind }: LinkedField, value: number): boolean {
  if (!Number.isInteger(value)) return false;
  const isUnsigned = kind.startsWith("u") || kind.startsWith("fixed");
  const bits = kind.endsWith("64") ? 64 : 32;
  return isUnsigned ? value >= 0 && value <= 2 ** bits : value >= -(2 ** (bits - 1)) && value <= 2 ** (bits - 1);
}

function isObject(json: Json): json is { [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function refused(field: LinkedField, json: Json, expected: string): JsonRefusal {
  const found = JSON.stringify(json).slice(0, 100);
  return { pointer: field.pointer, key: null, reason: `the field "${field.name}" takes ${expected}, not ${found}` };
}

/**
 * A message in protobuf's JSON mapping. Types with a special JSON form are only ever sent empty here
 * (witness/values.ts); received ones are shown by their fields. https://protobuf.dev/programming-guides/json/
 */
import { encodeBase64 } from "../../base64.ts";
import type { LinkedField, LinkedMessage, LinkedModel } from "../compare/linked.ts";
import { isEnumDefinition } from "../model.ts";
import { type FieldValue, findMessage, isMessageValue, isZero, type MessageValue } from "./codec.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The JSON of empty values of types with a special JSON form. */
export const EMPTY_JSON_FORMS: Readonly<Record<string, Json>> = {
  "google.protobuf.Timestamp": "1970-01-01T00:00:00Z",
  "google.protobuf.Duration": "0s",
  "google.protobuf.FieldMask": "",
  "google.protobuf.Any": {},
  "google.protobuf.Struct": {},
  "google.protobuf.ListValue": [],
  "google.protobuf.Value": null,
  "google.protobuf.DoubleValue": 0,
  "google.protobuf.FloatValue": 0,
  "google.protobuf.Int64Value": "0",
  "google.protobuf.UInt64Value": "0",
  "google.protobuf.Int32Value": 0,
  "google.protobuf.UInt32Value": 0,
  "google.protobuf.BoolValue": false,
  "google.protobuf.StringValue": "",
  "google.protobuf.BytesValue": "",
};

/** The JSON of a message. */
export function toJson(side: LinkedModel, message: LinkedMessage, value: MessageValue): { [key: string]: Json } {
  const entries: [string, Json][] = [];
  const fields = side.fields(message);
  const written = [...value.values.keys()].flatMap((number) => fields.get(number) ?? []);
  for (const field of written.sort((a, b) => a.element.start - b.element.start)) {
    const values = value.values.get(field.number)!;
    if (field.cardinality === "implicit" && isZero(values[0]!)) continue;
    if (field.cardinality === "map") entries.push([field.jsonName, mapToJson(side, field, values)]);
    else if (field.cardinality === "repeated")
      entries.push([field.jsonName, values.map((one) => valueToJson(side, field, one))]);
    else entries.push([field.jsonName, valueToJson(side, field, values[0]!)]);
  }
  // A field may be named "__proto__", which plain assignment would treat as the prototype.
  return Object.fromEntries(entries);
}

function mapToJson(side: LinkedModel, field: LinkedField, entries: readonly FieldValue[]): Json {
  const shape = findMessage(side, field);
  const valueField = shape?.fields.get(2);
  return Object.fromEntries(
    entries.flatMap((entry) => {
      if (!isMessageValue(entry) || valueField === undefined) return [];
      const value = entry.values.get(2)?.[0];
      return [[String(entry.values.get(1)?.[0]), value === undefined ? null : valueToJson(side, valueField, value)]];
    }),
  );
}

function valueToJson(side: LinkedModel, field: LinkedField, value: FieldValue): Json {
  if (isMessageValue(value)) {
    const message = findMessage(side, field);
    if (message === null) return {};
    const empty = EMPTY_JSON_FORMS[message.fullName];
    return value.values.size === 0 && empty !== undefined ? empty : toJson(side, message, value);
  }
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "bigint") return value;
  if (field.type !== null && isEnumDefinition(field.type)) {
    return side.enum(field.type).names.get(Number(value))?.[0] ?? Number(value);
  }
  return field.kind.endsWith("64") ? String(value) : Number(value);
}

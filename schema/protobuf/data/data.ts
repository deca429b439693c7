/**
 * Protobuf's implementation of validating, encoding and decoding values, in its JSON mapping.
 * https://protobuf.dev/programming-guides/json/
 */
import { fromBinary, fromJson, type JsonValue, type Message, toBinary, toJson } from "@bufbuild/protobuf";
import type { DataOperations, DataRefusal, DataVerdict } from "../../data.ts";
import { invalid, unreadable, VALID } from "../../data.ts";
import { ok, type Result, refuse } from "../../result.ts";
import type { ProtobufModel } from "../model.ts";
import { compilableMessage } from "./compilable.ts";
import { explainRefusal } from "./explain.ts";
import { readMessageIndexes, writeMessageIndexes } from "./message-indexes.ts";
import { findMessageType, type MessageType, messagePointer } from "./message-types.ts";
import { hasTooManyParts, hasTooManyValues, tooManyValues } from "./value-count.ts";
import { walkMessage } from "./walk.ts";

export const protobufData: DataOperations<ProtobufModel> = {
  validate(model, value, options) {
    const type = findMessageType(model, options.message);
    if (!type.ok) return type;
    if (hasTooManyParts(value)) return refuse(tooManyValues());
    const read = readMessage(type.value, value);
    return ok(read.ok ? VALID : read.refusal);
  },
  encode(model, value, options) {
    const type = findMessageType(model, options.message);
    if (!type.ok) return type;
    if (hasTooManyParts(value)) return refuse(tooManyValues());
    const read = readMessage(type.value, value);
    return read.ok ? ok(toBinary(type.value.message, read.value)) : refuse(read.refusal);
  },
  decode(model, bytes, options) {
    const type = findMessageType(model, options.message);
    if (!type.ok) return type;
    return readBytes(type.value, bytes);
  },
  compilable: (model, form, { message }) => (form === "bytes" ? compilableMessage(model, message) : undefined),
  confluentHead: {
    read: readMessageIndexes,
    write(model, name) {
      const type = findMessageType(model, name);
      return type.ok ? writeMessageIndexes(model, type.value.message.typeName) : type;
    },
  },
};

function readMessage({ types, message }: MessageType, value: unknown): Result<Message, DataVerdict> {
  const json = hasBigint(value) ? longsAsStrings(value) : (value as JsonValue);
  let read: Message;
  try {
    read = fromJson(message, json, { registry: types.registry });
  } catch (error) {
    const explained = explainRefusal(types, message, json);
    if (explained.length > 0) return refuse(invalid(explained));
    const expected = `the JSON form of ${message.typeName}`;
    return refuse(unreadable("message", expected, said(error), "", messagePointer(message, types)));
  }
  const { errors } = walkMessage(types, message, read, false);
  return errors.length > 0 ? refuse(invalid(errors)) : ok(read);
}

function readBytes(
  { types, message }: MessageType,
  bytes: Uint8Array,
): Result<{ value: unknown; warnings: DataVerdict["warnings"] }, DataVerdict | DataRefusal> {
  if (hasTooManyValues(message, bytes)) return refuse(tooManyValues());
  const schemaAt = messagePointer(message, types);
  const expected = `the message ${message.typeName} in Protobuf's binary encoding`;
  try {
    const read = fromBinary(message, bytes);
    const { errors, warnings } = walkMessage(types, message, read, true);
    if (errors.length > 0) return refuse(invalid(errors, warnings));
    return ok({ value: toJson(message, read, { registry: types.registry }), warnings });
  } catch (error) {
    return refuse(unreadable("protobuf_binary", expected, said(error), "", schemaAt));
  }
}

/** The library's message, which contains the full name of the message type. */
function said(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `what cannot be read: ${text.slice(0, 500).replace(/\.$/, "")}`;
}

/** Protobuf's JSON also accepts 64-bit integers as strings. Recursion is bounded by the depth of JSON texts. */
function longsAsStrings(value: unknown): JsonValue {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value as JsonValue;
  if (Array.isArray(value)) return value.map(longsAsStrings);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, longsAsStrings(member)]));
}

function hasBigint(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasBigint);
}

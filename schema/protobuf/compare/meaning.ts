/**
 * Distinguishes messages of the same shape with different meanings: the names of an entry's parts, and the meaning of
 * well-known types.
 */
import type { TypeDefinition } from "../model.ts";
import type { LinkedMessage } from "./linked.ts";

/** Field numbers of a map entry. */
export const KEY_NUMBER = 1;
export const VALUE_NUMBER = 2;

/**
 * Whether a message has the key and the value of a map entry, under these names. Types are compared elsewhere; this
 * only detects what types do not show, such as an author that would become a key.
 */
export function hasPartsOf(message: LinkedMessage, entry: LinkedMessage): boolean {
  return [KEY_NUMBER, VALUE_NUMBER].every((number) => {
    const part = entry.fields.get(number);
    return part !== undefined && message.fields.get(number)?.name === part.name;
  });
}

const WELL_KNOWN = /^(?:google\.protobuf|google\.type|confluent\.type)\.\w+$/;

/** A wrapper has the meaning of its value, so the value is compared; an Empty has no meaning. */
const PLAIN: ReadonlySet<string> = new Set(
  "Empty DoubleValue FloatValue Int64Value UInt64Value Int32Value UInt32Value BoolValue StringValue BytesValue"
    .split(" ")
    .map((name) => `google.protobuf.${name}`),
);

/** Whether both are well-known types with different meanings, such as Timestamp and Duration. */
export function isOtherWellKnown(writer: TypeDefinition, reader: TypeDefinition): boolean {
  const [was, is] = [writer.fullName, reader.fullName];
  if (was === is || !WELL_KNOWN.test(was) || !WELL_KNOWN.test(is)) return false;
  const isEmpty = was === "google.protobuf.Empty" || is === "google.protobuf.Empty";
  return !isEmpty && !(PLAIN.has(was) && PLAIN.has(is));
}

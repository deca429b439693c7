/** What two messages of one shape still do not have in common: the names of an entry's parts, and what a well-known type stands for. */
import type { TypeDefinition } from "../model.ts";
import type { LinkedMessage } from "./linked.ts";

/** Field numbers of a map entry. */
export const KEY_NUMBER = 1;
export const VALUE_NUMBER = 2;

/**
 * Whether a message holds the key and the value that a map entry holds, under their names. Types are compared where the two
 * messages are: here only what no type shows, such as an author that would become a key.
 */
export function hasPartsOf(message: LinkedMessage, entry: LinkedMessage): boolean {
  return [KEY_NUMBER, VALUE_NUMBER].every((number) => {
    const part = entry.fields.get(number);
    return part !== undefined && message.fields.get(number)?.name === part.name;
  });
}

const WELL_KNOWN = /^(?:google\.protobuf|google\.type|confluent\.type)\.\w+$/;

/** Wrappers stand for their one value and nothing else, so that value is compared; an Empty stands for nothing. */
const PLAIN: ReadonlySet<string> = new Set(
  "Empty DoubleValue FloatValue Int64Value UInt64Value Int32Value UInt32Value BoolValue StringValue BytesValue"
    .split(" ")
    .map((name) => `google.protobuf.${name}`),
);

/** Whether both are well-known types that stand for different things, as a Timestamp and a Duration do. */
export function isOtherWellKnown(writer: TypeDefinition, reader: TypeDefinition): boolean {
  const [was, is] = [writer.fullName, reader.fullName];
  if (was === is || !WELL_KNOWN.test(was) || !WELL_KNOWN.test(is)) return false;
  const isEmpty = was === "google.protobuf.Empty" || is === "google.protobuf.Empty";
  return !isEmpty && !(PLAIN.has(was) && PLAIN.has(is));
}

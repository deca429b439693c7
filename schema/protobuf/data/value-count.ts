/**
 * Counts the values of a message before protobuf-es reads it: it reads at any cost, and a message of a megabyte may
 * consist of half a million others.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { DataRefusal } from "../../data.ts";

/** Fields, items and entries of one message together, which are read without a pause in a tenth of a second. */
export const MAX_PROTOBUF_VALUES = 150_000;

export function tooManyValues(): DataRefusal {
  return { reason: "too_complex", message: `The message has more than ${MAX_PROTOBUF_VALUES} values.` };
}

/** Whether a JSON value has too many parts. Iterative, because the value may have any depth. */
export function hasTooManyParts(root: unknown): boolean {
  let parts = 0;
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const members = Array.isArray(value) ? value : Object.values(value);
    parts += members.length;
    if (parts > MAX_PROTOBUF_VALUES) return true;
    for (const member of members) if (typeof member === "object" && member !== null) open.push(member);
  }
  return false;
}

const LENGTH_DELIMITED = 2;
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** Whether a message has too many values. Malformed bytes are not counted to their end. */
export function hasTooManyValues(message: DescMessage, bytes: Uint8Array): boolean {
  let values = 0;
  const open: { message: DescMessage; at: number; end: number }[] = [{ message, at: 0, end: bytes.length }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const fields = fieldsOf(part.message);
    const cursor = { bytes, at: part.at };
    while (cursor.at < part.end) {
      values += 1;
      if (values > MAX_PROTOBUF_VALUES) return true;
      const tag = readVarint(cursor);
      const wireType = tag & 7;
      if (wireType === 0) readVarint(cursor);
      else if (FIXED_BYTES[wireType] !== undefined) cursor.at += FIXED_BYTES[wireType];
      else if (wireType === LENGTH_DELIMITED) {
        const length = readVarint(cursor);
        const end = cursor.at + length;
        const field = fields.get(tag >>> 3);
        if (field?.message !== undefined && end <= part.end) {
          open.push({ message: field.message, at: cursor.at, end });
        } else if (field !== undefined && isPackable(field)) values += length;
        cursor.at = end;
      }
      // Groups need no bytes of their own: their fields follow.
    }
  }
  return values > MAX_PROTOBUF_VALUES;
}

const FIELDS = new WeakMap<DescMessage, Map<number, DescField>>();

function fieldsOf(message: DescMessage): Map<number, DescField> {
  const known = FIELDS.get(message) ?? new Map(message.fields.map((field) => [field.number, field]));
  FIELDS.set(message, known);
  return known;
}

/** A packed list may hold a value in each byte. */
function isPackable(field: DescField): boolean {
  return field.fieldKind === "list" && field.message === undefined && !TEXTUAL.has(field.scalar ?? 0);
}

/** ScalarType.STRING and ScalarType.BYTES. */
const TEXTUAL: ReadonlySet<number> = new Set([9, 12]);

/** The low 32 bits; the cursor moves past all bytes. */
function readVarint(cursor: { bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.bytes[cursor.at] ?? 0;
    cursor.at += 1;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
}

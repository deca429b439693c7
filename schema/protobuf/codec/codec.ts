/**
 * A small interpreter of the wire format over linked schemas, without generated code, that follows every rule for
 * conforming readers. Records in an unexpected wire type are unknown fields, closed enums refuse unlisted numbers,
 * strings are validated if the schema requires it, and required fields are enforced.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { ok, type Result, refuse } from "../../result.ts";
import { isPackable, type LinkedField, type LinkedMessage, type LinkedModel } from "../compare/linked.ts";
import { type Definition, isEnumDefinition, isMessageDefinition, type Message } from "../model.ts";
import {
  END_GROUP,
  FIXED32,
  FIXED64,
  LENGTH_DELIMITED,
  MalformedBytes,
  START_GROUP,
  VARINT,
  WireReader,
  WireWriter,
} from "./wire.ts";

/** The default limit of other implementations. */
const MAX_MESSAGE_DEPTH = 100;

/** Integers and enums are bigint; a string that is not UTF-8 is kept as bytes. */
export type FieldValue = bigint | number | boolean | string | Uint8Array | MessageValue;

/** Values by field number, singular ones as a list of one. Absent fields are not in the map. */
export type MessageValue = {
  readonly values: Map<number, FieldValue[]>;
  /** Numbers of records that the schema does not accept. */
  readonly unknown: Set<number>;
};

/** `pointer`: the reader's field responsible, if there is one. */
type DecodeResult = Result<MessageValue, { pointer: string | null; reason: string }>;

export function emptyMessage(): MessageValue {
  return { values: new Map(), unknown: new Set() };
}

export function isMessageValue(value: FieldValue): value is MessageValue {
  return typeof value === "object" && !(value instanceof Uint8Array);
}

/** The message type of a field, or null for scalars and enums. */
export function findMessage(side: LinkedModel, field: LinkedField): LinkedMessage | null {
  return field.type !== null && isMessageDefinition(field.type)
    ? side.message(field.type as Definition<Message>)
    : null;
}

export function encodeMessageValue(side: LinkedModel, message: LinkedMessage, value: MessageValue): Uint8Array {
  const writer = new WireWriter();
  writeFields(writer, side, message, value);
  return writer.finish();
}

function writeFields(writer: WireWriter, side: LinkedModel, message: LinkedMessage, value: MessageValue): void {
  const fields = side.fields(message);
  for (const number of [...value.values.keys()].sort((a, b) => a - b)) {
    const field = fields.get(number);
    const values = value.values.get(number)!;
    if (field === undefined || values.length === 0) continue;
    if (field.cardinality === "implicit" && !message.isMapEntry && isZero(values[0]!)) continue;
    if (field.packed) writePacked(writer, field, values);
    else for (const one of values) writeField(writer, side, field, one);
  }
}

function writePacked(writer: WireWriter, field: LinkedField, values: readonly FieldValue[]): void {
  const packed = new WireWriter();
  for (const value of values) writeScalar(packed, field, value);
  writer.tag(field.number, LENGTH_DELIMITED);
  writer.bytes(packed.finish());
}

function writeField(writer: WireWriter, side: LinkedModel, field: LinkedField, value: FieldValue): void {
  const message = findMessage(side, field);
  if (message === null || !isMessageValue(value)) {
    writer.tag(field.number, wireTypeNumber(field));
    writeScalar(writer, field, value);
  } else if (field.kind === "group") {
    writer.tag(field.number, START_GROUP);
    writeFields(writer, side, message, value);
    writer.tag(field.number, END_GROUP);
  } else {
    writer.tag(field.number, LENGTH_DELIMITED);
    writer.bytes(encodeMessageValue(side, message, value));
  }
}

function wireTypeNumber({ kind }: LinkedField): number {
  switch (kind) {
    case "fixed32":
    case "sfixed32":
    case "float":
      return FIXED32;
    case "fixed64":
    case "sfixed64":
    case "double":
      return FIXED64;
    case "string":
    case "bytes":
    case "message":
    case "unresolved":
      return LENGTH_DELIMITED;
    case "group":
      return START_GROUP;
    default:
      return VARINT;
  }
}

function writeScalar(writer: WireWriter, { kind }: LinkedField, value: FieldValue): void {
  if (typeof value === "string") writer.bytes(new TextEncoder().encode(value));
  else if (value instanceof Uint8Array) writer.bytes(value);
  else if (typeof value === "boolean") writer.varint(value ? 1n : 0n);
  else if (typeof value === "number") writer.float(value, kind === "float" ? 4 : 8);
  else if (typeof value === "bigint") {
    if (kind === "fixed32" || kind === "sfixed32") writer.fixed(BigInt.asUintN(32, value), 4);
    else if (kind === "fixed64" || kind === "sfixed64") writer.fixed(BigInt.asUintN(64, value), 8);
    else if (kind === "sint32" || kind === "sint64") writer.varint(value < 0n ? -2n * value - 1n : 2n * value);
    else writer.varint(value);
  }
}

/** Whether an implicit field with this value is omitted. Minus zero is not. */
export function isZero(value: FieldValue): boolean {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length === 0;
  if (typeof value === "number") return Object.is(value, 0);
  return value === 0n || value === false;
}

/** Decodes a whole message as a conforming reader does. */
export function decodeMessageValue(side: LinkedModel, message: LinkedMessage, bytes: Uint8Array): DecodeResult {
  try {
    const value = emptyMessage();
    readFields(new WireReader(bytes), side, message, value, null, MAX_MESSAGE_DEPTH);
    const missing = findMissing(side, message, value, MAX_MESSAGE_DEPTH);
    if (missing === null) return ok(value);
    return refuse({ pointer: missing.pointer, reason: `the required field "${missing.name}" is missing` });
  } catch (error) {
    if (error instanceof Refusal) return refuse({ pointer: error.pointer, reason: error.message });
    if (error instanceof MalformedBytes) return refuse({ pointer: null, reason: error.message });
    throw error;
  }
}

class Refusal extends Error {
  readonly pointer: string;

  constructor(pointer: string, reason: string) {
    super(reason);
    this.pointer = pointer;
  }
}

function readFields(
  reader: WireReader,
  side: LinkedModel,
  message: LinkedMessage,
  into: MessageValue,
  group: number | null,
  depth: number,
): void {
  if (depth <= 0) throw new MalformedBytes("messages are nested too deeply");
  const fields = side.fields(message);
  while (group !== null || !reader.isAtEnd) {
    const { number, wireType } = reader.tag();
    if (wireType === END_GROUP) {
      if (number === group) return;
      throw new MalformedBytes("a group ends that did not begin");
    }
    const field = fields.get(number);
    if (field === undefined || !readField(reader, side, message, field, wireType, into, depth)) {
      if (field === undefined) reader.skip(number, wireType, depth);
      into.unknown.add(number);
    }
  }
}

/** Whether the field accepted the record; if not, the record was skipped. */
function readField(
  reader: WireReader,
  side: LinkedModel,
  message: LinkedMessage,
  field: LinkedField,
  wireType: number,
  into: MessageValue,
  depth: number,
): boolean {
  const isMany = field.cardinality === "repeated" || field.cardinality === "map";
  if (field.cardinality === "repeated" && wireType === LENGTH_DELIMITED && isPackable(field.kind)) {
    readPacked(side, field, reader.bytes(), into);
    return true;
  }
  if (wireType !== wireTypeNumber(field)) {
    reader.skip(field.number, wireType, depth);
    return false;
  }
  const nested = findMessage(side, field);
  if (nested !== null) {
    const known = into.values.get(field.number)?.[0];
    const merged = !isMany && known !== undefined && isMessageValue(known);
    const value = merged ? known : emptyMessage();
    try {
      if (field.kind === "group") readFields(reader, side, nested, value, field.number, depth - 1);
      else readFields(new WireReader(reader.bytes()), side, nested, value, null, depth - 1);
    } catch (error) {
      throw error instanceof MalformedBytes ? new Refusal(field.pointer, error.message) : error;
    }
    if (!merged) store(side, message, field, value, into);
    return true;
  }
  const value = readScalar(reader, field);
  if (!isListed(side, field, value)) return false;
  store(side, message, field, value, into);
  return true;
}

function readPacked(side: LinkedModel, field: LinkedField, bytes: Uint8Array, into: MessageValue): void {
  const packed = new WireReader(bytes);
  try {
    while (!packed.isAtEnd) {
      const value = readScalar(packed, field);
      if (isListed(side, field, value)) append(into, field.number, value);
      else into.unknown.add(field.number);
    }
  } catch (error) {
    throw error instanceof MalformedBytes ? new Refusal(field.pointer, error.message) : error;
  }
}

function store(
  side: LinkedModel,
  message: LinkedMessage,
  field: LinkedField,
  value: FieldValue,
  into: MessageValue,
): void {
  if (field.cardinality === "map") storeEntry(side, field, value, into);
  else if (field.cardinality === "repeated") append(into, field.number, value);
  else {
    if (field.oneof !== null) {
      for (const other of message.fields.values()) if (other.oneof === field.oneof) into.values.delete(other.number);
    }
    into.values.set(field.number, [value]);
  }
}

/** The last entry of a key wins; omitted parts of an entry are zero. */
function storeEntry(side: LinkedModel, field: LinkedField, entry: FieldValue, into: MessageValue): void {
  if (!isMessageValue(entry)) return;
  const shape = findMessage(side, field)!;
  for (const part of shape.fields.values()) {
    if (!entry.values.has(part.number)) entry.values.set(part.number, [makeZero(part)]);
  }
  const key = String(entry.values.get(1)?.[0]);
  const others = (into.values.get(field.number) ?? []).filter(
    (other) => isMessageValue(other) && String(other.values.get(1)?.[0]) !== key,
  );
  into.values.set(field.number, [...others, entry]);
}

function append(into: MessageValue, number: number, value: FieldValue): void {
  const values = into.values.get(number);
  if (values === undefined) into.values.set(number, [value]);
  else values.push(value);
}

function isListed(side: LinkedModel, field: LinkedField, value: FieldValue): boolean {
  if (field.type === null || !isEnumDefinition(field.type)) return true;
  const listed = side.enum(field.type);
  return listed.features.enum_type === "OPEN" || listed.names.has(Number(value));
}

function readScalar(reader: WireReader, field: LinkedField): FieldValue {
  switch (field.kind) {
    case "bool":
      return reader.varint() !== 0n;
    case "uint64":
      return reader.varint();
    case "int64":
      return BigInt.asIntN(64, reader.varint());
    case "uint32":
      return BigInt.asUintN(32, reader.varint());
    case "sint32":
      return BigInt.asIntN(32, unzigzag(BigInt.asUintN(32, reader.varint())));
    case "sint64":
      return unzigzag(reader.varint());
    case "fixed32":
      return reader.fixed(4);
    case "sfixed32":
      return BigInt.asIntN(32, reader.fixed(4));
    case "fixed64":
      return reader.fixed(8);
    case "sfixed64":
      return BigInt.asIntN(64, reader.fixed(8));
    case "float":
      return reader.float(4);
    case "double":
      return reader.float(8);
    case "string":
      return readString(reader.bytes(), field);
    case "bytes":
    case "unresolved":
    case "message":
    case "group":
      return reader.bytes().slice();
    default:
      // int32 and enums keep the lower 32 bits.
      return BigInt.asIntN(32, reader.varint());
  }
}

function unzigzag(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}

function readString(bytes: Uint8Array, field: LinkedField): FieldValue {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    if (field.features.utf8_validation === "NONE") return bytes.slice();
    throw new Refusal(field.pointer, `the field "${field.name}" is not valid UTF-8`);
  }
}

/** The zero value of a scalar, enum or message field. */
export function makeZero({ kind }: LinkedField): FieldValue {
  switch (kind) {
    case "bool":
      return false;
    case "float":
    case "double":
      return 0;
    case "string":
      return "";
    case "bytes":
    case "unresolved":
      return new Uint8Array();
    case "message":
    case "group":
      return emptyMessage();
    default:
      return 0n;
  }
}

function findMissing(
  side: LinkedModel,
  message: LinkedMessage,
  value: MessageValue,
  depth: number,
): LinkedField | null {
  const absent = message.required.find(({ number }) => !value.values.has(number));
  if (absent !== undefined) return absent;
  const fields = side.fields(message);
  for (const [number, values] of value.values) {
    const field = fields.get(number);
    const nested = depth > 0 && field !== undefined ? findMessage(side, field) : null;
    if (nested === null) continue;
    for (const one of values) {
      const missing = isMessageValue(one) ? findMissing(side, nested, one, depth - 1) : null;
      if (missing !== null) return missing;
    }
  }
  return null;
}

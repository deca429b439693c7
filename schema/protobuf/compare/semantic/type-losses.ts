/**
 * The loss when the reader's type differs from the writer's: by wire type first, then by the set of values the writer
 * can send. https://protobuf.dev/programming-guides/encoding/
 */
import type { WriterAssumption } from "../../../compatibility.ts";
import { isEnumDefinition } from "../../model.ts";
import type { LinkedEnum, LinkedField, LinkedModel, WireKind } from "../linked.ts";
import type { LossKind } from "./losses.ts";

type WireType = "varint" | "32-bit" | "64-bit" | "length-delimited" | "group";

const WIRE_TYPES: Record<Exclude<WireKind, "unresolved">, WireType> = {
  int32: "varint",
  int64: "varint",
  uint32: "varint",
  uint64: "varint",
  sint32: "varint",
  sint64: "varint",
  bool: "varint",
  enum: "varint",
  fixed32: "32-bit",
  sfixed32: "32-bit",
  float: "32-bit",
  fixed64: "64-bit",
  sfixed64: "64-bit",
  double: "64-bit",
  string: "length-delimited",
  bytes: "length-delimited",
  message: "length-delimited",
  group: "group",
};

type Values = { min: bigint; max: bigint };

const INTEGERS: Partial<Record<WireKind, Values>> = {
  int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  uint32: { min: 0n, max: 2n ** 32n - 1n },
  int64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  uint64: { min: 0n, max: 2n ** 64n - 1n },
  bool: { min: 0n, max: 1n },
};

/** A field and the model it belongs to. */
type Side = { model: LinkedModel; field: LinkedField };

/** The loss between two kinds that are not both messages; null if nothing changes. */
export function typeLoss(writer: Side, reader: Side, writers: WriterAssumption): LossKind | null {
  const [was, is] = [writer.field.kind, reader.field.kind];
  if (was === "unresolved" || is === "unresolved") {
    return writer.field.typeName === reader.field.typeName ? null : "TYPE_UNRESOLVED";
  }
  if (was === is && was !== "enum") return null;
  if (WIRE_TYPES[was] !== WIRE_TYPES[is]) return "WIRE_TYPE_CHANGED";
  switch (WIRE_TYPES[was]) {
    case "varint":
      return varintLoss(writer, reader, writers);
    case "length-delimited":
      return lengthDelimitedLoss(was, is);
    default:
      // Two integers of one width differ only in their sign.
      return isFloat(was) || isFloat(is) ? "FLOAT_REINTERPRETED" : "INTEGER_SIGN_CHANGED";
  }
}

function isFloat(kind: WireKind): boolean {
  return kind === "float" || kind === "double";
}

function lengthDelimitedLoss(was: WireKind, is: WireKind): LossKind {
  if (is === "message") return "BYTES_READ_AS_MESSAGE";
  if (was === "message") return is === "bytes" ? "MESSAGE_READ_AS_BYTES" : "MESSAGE_READ_AS_STRING";
  return was === "string" ? "STRING_READ_AS_BYTES" : "BYTES_READ_AS_STRING";
}

function varintLoss(writer: Side, reader: Side, writers: WriterAssumption): LossKind | null {
  const [was, is] = [writer.field.kind, reader.field.kind];
  // Differences of two enums are reported on the enums, once for all their fields.
  if (was === "enum" && is === "enum") return null;
  const [zigzagWriter, zigzagReader] = [isZigzag(was), isZigzag(is)];
  if (zigzagWriter && zigzagReader) return was === "sint64" ? "INTEGER_TRUNCATED" : "INTEGER_WIDENED";
  if (zigzagWriter || zigzagReader) return is === "bool" ? "INTEGER_READ_AS_BOOL" : "ZIGZAG_CHANGED";
  const sent = valuesOf(writer, writers);
  const held = is === "enum" ? INTEGERS.int32! : INTEGERS[is]!;
  if (sent.min < held.min || sent.max > held.max) {
    if (is === "bool") return "INTEGER_READ_AS_BOOL";
    const isNarrow = is !== "int64" && is !== "uint64";
    const isWide = sent.max > INTEGERS.uint32!.max || sent.min < INTEGERS.int32!.min;
    return isNarrow && isWide ? "INTEGER_TRUNCATED" : "INTEGER_SIGN_CHANGED";
  }
  if (is === "enum") return integerReadAsEnum(was, reader);
  if (was === "enum") return is === "bool" ? "ENUM_READ_AS_BOOL" : "ENUM_READ_AS_INTEGER";
  return was === "bool" ? "BOOL_READ_AS_INTEGER" : "INTEGER_WIDENED";
}

function isZigzag(kind: WireKind): boolean {
  return kind === "sint32" || kind === "sint64";
}

function integerReadAsEnum(was: WireKind, reader: Side): LossKind {
  const read = enumOf(reader);
  const isOpen = read === null || read.features.enum_type === "OPEN";
  if (was !== "bool") return isOpen ? "INTEGER_READ_AS_OPEN_ENUM" : "INTEGER_READ_AS_CLOSED_ENUM";
  return isOpen || (read.names.has(0) && read.names.has(1)) ? "BOOL_READ_AS_ENUM" : "INTEGER_READ_AS_CLOSED_ENUM";
}

/** The values a writer can send in a plain varint field. */
function valuesOf(side: Side, writers: WriterAssumption): Values {
  const integers = INTEGERS[side.field.kind];
  if (integers !== undefined) return integers;
  const sent = enumOf(side);
  if (sent === null || (writers === "any" && sent.features.enum_type === "OPEN")) return INTEGERS.int32!;
  const values: Values = { min: 0n, max: 0n };
  for (const number of sent.names.keys()) {
    if (BigInt(number) < values.min) values.min = BigInt(number);
    if (BigInt(number) > values.max) values.max = BigInt(number);
  }
  return values;
}

function enumOf({ model, field }: Side): LinkedEnum | null {
  return field.type !== null && isEnumDefinition(field.type) ? model.enum(field.type) : null;
}

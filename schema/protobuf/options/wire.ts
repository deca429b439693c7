/** Encodes options messages to bytes, the form that options have in a descriptor. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Definition, Field, Message, Oneof, ScalarType } from "../model.ts";
import { fieldPresence, isDelimited, isPacked } from "./editions.ts";
import type { Scalar } from "./values.ts";

/** The values of an options message, by field number. */
export type OptionMessage = {
  readonly definition: Definition<Message>;
  readonly entries: Map<number, OptionEntry>;
  /** The member set of each oneof. */
  readonly oneofs: Map<Oneof, Field>;
};
type OptionEntry = { readonly field: Definition<Field>; readonly values: OptionFieldValue[] };
export type OptionFieldValue = OptionMessage | Scalar;

/** The bytes of an options message, fields in order of their numbers. */
export function encodeOptions(message: OptionMessage): Uint8Array {
  const writer = new BinaryWriter();
  write(writer, message);
  return writer.finish();
}

function write(writer: BinaryWriter, message: OptionMessage): void {
  const numbers = [...message.entries.keys()].sort((a, b) => a - b);
  for (const number of numbers) {
    const { field, values } = message.entries.get(number)!;
    const wire = wireOf(field);
    if (values.length === 0) continue;
    if (isRepeated(field.element) && wire.isPackable && !isOptionMessage(values[0]!) && isPacked(field)) {
      writer.tag(number, WireType.LengthDelimited).fork();
      for (const value of values) wire.write(writer, value as Scalar);
      writer.join();
      continue;
    }
    // A zero in a field without presence is omitted. Map entries always have both fields.
    const isEntry = message.definition.element.synthetic === "map_entry";
    const skipsZero = !isEntry && !isRepeated(field.element) && fieldPresence(field) === "implicit";
    for (const value of values) {
      if (skipsZero && isZero(value)) continue;
      if (!isOptionMessage(value)) wire.write(writer.tag(number, wire.type), value);
      else if (isDelimited(field)) {
        writer.tag(number, WireType.StartGroup);
        write(writer, value);
        writer.tag(number, WireType.EndGroup);
      } else {
        writer.tag(number, WireType.LengthDelimited).fork();
        write(writer, value);
        writer.join();
      }
    }
  }
}

function wireOf({ element }: Definition<Field>): Wire {
  return element.type.kind === "scalar" ? WIRES[element.type.name] : WIRES.int32;
}

type Wire = { type: WireType; isPackable: boolean; write(writer: BinaryWriter, value: Scalar): void };

const varint = (write: Wire["write"]): Wire => ({ type: WireType.Varint, isPackable: true, write });
const bit32 = (write: Wire["write"]): Wire => ({ type: WireType.Bit32, isPackable: true, write });
const bit64 = (write: Wire["write"]): Wire => ({ type: WireType.Bit64, isPackable: true, write });
const delimited: Wire = {
  type: WireType.LengthDelimited,
  isPackable: false,
  write: (writer, value) => writer.bytes(value as Uint8Array),
};

const WIRES: Readonly<Record<ScalarType, Wire>> = {
  double: bit64((writer, value) => writer.double(value as number)),
  float: bit32((writer, value) => writer.float(value as number)),
  int32: varint((writer, value) => writer.int32(Number(value))),
  int64: varint((writer, value) => writer.int64(value as bigint)),
  uint32: varint((writer, value) => writer.uint32(Number(value))),
  uint64: varint((writer, value) => writer.uint64(value as bigint)),
  sint32: varint((writer, value) => writer.sint32(Number(value))),
  sint64: varint((writer, value) => writer.sint64(value as bigint)),
  fixed32: bit32((writer, value) => writer.fixed32(Number(value))),
  fixed64: bit64((writer, value) => writer.fixed64(value as bigint)),
  sfixed32: bit32((writer, value) => writer.sfixed32(Number(value))),
  sfixed64: bit64((writer, value) => writer.sfixed64(value as bigint)),
  bool: varint((writer, value) => writer.bool(value as boolean)),
  string: delimited,
  bytes: delimited,
};

function isZero(value: OptionFieldValue): boolean {
  if (isOptionMessage(value)) return false;
  return value instanceof Uint8Array ? value.length === 0 : Object.is(Number(value), 0);
}

export function isOptionMessage(value: OptionFieldValue): value is OptionMessage {
  return typeof value === "object" && "definition" in value;
}

export function isRepeated({ label, type }: Field): boolean {
  return label === "repeated" || type.kind === "map";
}

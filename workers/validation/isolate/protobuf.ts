/** Compiles one Protobuf message with protobufjs, for its binary encoding. */
import protobuf from "protobufjs/light.js";
import type { WireMessage } from "../../../schema/protobuf/data/compilable.ts";
import { MAX_PROTOBUF_VALUES } from "../../../schema/protobuf/data/value-count.ts";
import type { IsCertainlyValid } from "./checker.ts";

/** The message itself first, and all that it contains. */
export type CompiledProtobuf = readonly WireMessage[];

// Unknown fields are a warning, which the interpreter words.
(protobuf.Reader as { discardUnknown?: boolean }).discardUnknown = true;

export function compileProtobuf(messages: CompiledProtobuf): IsCertainlyValid {
  const root = new protobuf.Root();
  for (const [index, fields] of messages.entries()) {
    const type = new protobuf.Type(`M${index}`);
    for (const field of fields) type.add(newField(field));
    root.add(type);
  }
  root.resolveAll();
  const types = root.nestedArray as protobuf.Type[];
  for (const type of types) type.setup();
  const [message] = types;
  return ({ bytes }) => {
    // Every value takes a byte, so that the interpreter would read all of them.
    if (bytes.length > MAX_PROTOBUF_VALUES) return false;
    const written = message!.encode(message!.decode(bytes)).finish();
    // Bytes that are written again alike have no unknown fields, no invalid UTF-8 and no values out of range.
    return written.length === bytes.length && written.every((byte, index) => byte === bytes[index]);
  };
}

function newField({ number, type, repeated, packed, key }: WireMessage[number]): protobuf.ReflectionObject {
  const name = `f${number}`;
  const typeName = typeof type === "number" ? `M${type}` : type;
  if (key !== undefined) return new protobuf.MapField(name, number, key, typeName);
  return new protobuf.Field(name, number, typeName, repeated ? "repeated" : undefined, undefined, {
    ...(repeated ? { packed: packed === true } : {}),
  });
}

/**
 * Selects the messages that a compiler reads exactly like protobuf-es: those of proto3 without recursion and without the
 * well-known types, whose values have rules of their own.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import type { ProtobufModel } from "../model.ts";
import { findMessageType } from "./message-types.ts";

/** Maximum number of fields of all messages together. */
const MAX_COMPILED_FIELDS = 2_000;

/** What the binary encoding shows of a message: a type is a scalar's name, or the index of another message. */
export type WireMessage = readonly {
  number: number;
  type: string | number;
  repeated?: true;
  packed?: boolean;
  /** The type of a map's keys. */
  key?: string;
}[];

/** The message and all that it contains, itself first; undefined if only the interpreter can decide. */
export function compilableMessage(model: ProtobufModel, name: string | undefined): readonly WireMessage[] | undefined {
  const type = findMessageType(model, name);
  if (!type.ok) return undefined;
  const messages: DescMessage[] = [];
  return collect(type.value.message, [], messages) ? messages.map((each) => wireMessage(each, messages)) : undefined;
}

/** False if a message cannot be compiled. `path` contains the messages around this one. */
function collect(message: DescMessage, path: readonly DescMessage[], messages: DescMessage[]): boolean {
  if (path.includes(message)) return false;
  if (messages.includes(message)) return true;
  messages.push(message);
  const fields = messages.reduce((count, each) => count + each.fields.length, 0);
  if (fields > MAX_COMPILED_FIELDS || message.file.edition !== Edition.EDITION_PROTO3) return false;
  if (message.typeName.startsWith("google.protobuf.")) return false;
  return message.fields.every((field) => {
    if (field.enum !== undefined && !field.enum.open) return false;
    return field.message === undefined || collect(field.message, [...path, message], messages);
  });
}

function wireMessage(message: DescMessage, messages: readonly DescMessage[]): WireMessage {
  return message.fields.map((field) => {
    const { number } = field;
    const type = wireType(field, messages);
    if (field.fieldKind === "map") return { number, type, key: scalarName(field.mapKey) };
    return field.fieldKind === "list" ? { number, type, repeated: true, packed: field.packed } : { number, type };
  });
}

function wireType(field: DescField, messages: readonly DescMessage[]): string | number {
  if (field.message !== undefined) return messages.indexOf(field.message);
  // The numbers of an open enum are those of an int32.
  return field.scalar === undefined ? "int32" : scalarName(field.scalar);
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

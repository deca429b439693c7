/** What an Avro schema is once parsed: a graph in which a named type is one object, however often it is used. */
import type { JsonNode } from "../json-text.ts";
import type { LogicalType } from "./logical-type.ts";

export const PRIMITIVE_KINDS = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
export type AvroPrimitiveKind = (typeof PRIMITIVE_KINDS)[number];

/** Attributes the specification does not define for that place, in the order written; logical types are among them. */
export type AvroProperties = ReadonlyMap<string, JsonNode>;

export type AvroPrimitive = {
  kind: AvroPrimitiveKind;
  properties: AvroProperties;
  logicalType: LogicalType | null;
};
export type AvroArray = { kind: "array"; items: AvroType; properties: AvroProperties };
export type AvroMap = { kind: "map"; values: AvroType; properties: AvroProperties };
export type AvroUnion = { kind: "union"; branches: readonly AvroType[] };

type Named = {
  name: AvroName;
  documentation: string | null;
  /** Full names, each once, in the order written. */
  aliases: readonly string[];
  properties: AvroProperties;
};
export type AvroRecord = Named & {
  kind: "record";
  isError: boolean;
  /** Filled once, at the end of the record's parsing: fields may use the record itself. */
  fields: readonly AvroField[];
};
export type AvroEnum = Named & {
  kind: "enum";
  symbols: readonly string[];
  /** The place of each symbol. */
  ordinals: ReadonlyMap<string, number>;
  defaultSymbol: string | null;
};
export type AvroFixed = Named & { kind: "fixed"; size: number; logicalType: LogicalType | null };

export type AvroNamedType = AvroRecord | AvroEnum | AvroFixed;
export type AvroType = AvroPrimitive | AvroArray | AvroMap | AvroUnion | AvroNamedType;

export type AvroField = {
  name: string;
  type: AvroType;
  documentation: string | null;
  /** The default in its JSON encoding, null where there is none (a default of null is a node of type null). */
  defaultValue: JsonNode | null;
  order: "ascending" | "descending" | "ignore";
  aliases: readonly string[];
  properties: AvroProperties;
};

/** A name in its parts; `namespace` is empty for the null namespace. */
export type AvroName = { simple: string; namespace: string; full: string };

export type AvroModel = {
  root: AvroType;
  /** The named types of the referenced texts, by full name: visible to the text, but no part of it. */
  external: ReadonlyMap<string, AvroNamedType>;
};

export const NO_PROPERTIES: AvroProperties = new Map();

export function isNamed(type: AvroType): type is AvroNamedType {
  return type.kind === "record" || type.kind === "enum" || type.kind === "fixed";
}

/** The type in one word: its full name, or its kind. */
export function typeName(type: AvroType): string {
  return isNamed(type) ? type.name.full : type.kind;
}

/** The logical type in force, where the type has a valid one. */
export function logicalTypeOf(type: AvroType): LogicalType | null {
  return "logicalType" in type ? type.logicalType : null;
}

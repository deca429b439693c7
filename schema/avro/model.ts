/** The model of a parsed Avro schema: a graph in which each named type is one object, however often it is used. */
import type { JsonNode } from "../json-text.ts";
import type { LogicalType } from "./logical-type.ts";

export const PRIMITIVE_KINDS = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
export type AvroPrimitiveKind = (typeof PRIMITIVE_KINDS)[number];

/** Custom properties: attributes that the specification does not define for that place, in written order. Includes `logicalType`. */
export type AvroProperties = ReadonlyMap<string, JsonNode>;

export type AvroPrimitive = {
  kind: AvroPrimitiveKind;
  properties: AvroProperties;
  logicalType: LogicalType | null;
};
type AvroArray = { kind: "array"; items: AvroType; properties: AvroProperties };
type AvroMap = { kind: "map"; values: AvroType; properties: AvroProperties };
export type AvroUnion = { kind: "union"; branches: readonly AvroType[] };

type Named = {
  name: AvroName;
  documentation: string | null;
  /** Distinct full names, in written order. */
  aliases: readonly string[];
  properties: AvroProperties;
};
export type AvroRecord = Named & {
  kind: "record";
  isError: boolean;
  /** Filled in after the record is created, because its fields may refer to the record itself. */
  fields: readonly AvroField[];
};
export type AvroEnum = Named & {
  kind: "enum";
  symbols: readonly string[];
  /** The index of each symbol. */
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
  /** The default in its JSON encoding. Null means no default; a default of null is a node of type null. */
  defaultValue: JsonNode | null;
  order: "ascending" | "descending" | "ignore";
  aliases: readonly string[];
  properties: AvroProperties;
};

/** A parsed name; `namespace` is empty for the null namespace. */
export type AvroName = { simple: string; namespace: string; full: string };

export type AvroModel = {
  root: AvroType;
  /** The named types of the referenced texts by full name: visible to this text, but not part of it. */
  external: ReadonlyMap<string, AvroNamedType>;
};

export const NO_PROPERTIES: AvroProperties = new Map();

export function isNamed(type: AvroType): type is AvroNamedType {
  return type.kind === "record" || type.kind === "enum" || type.kind === "fixed";
}

/** A named type's full name, or another type's kind. */
export function typeName(type: AvroType): string {
  return isNamed(type) ? type.name.full : type.kind;
}

/** The type's valid logical type, if any. */
export function findLogicalType(type: AvroType): LogicalType | null {
  return "logicalType" in type ? type.logicalType : null;
}

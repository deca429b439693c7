/** The value that a field has when nothing was sent. */
import { isEnumDefinition } from "../../model.ts";
import { type LinkedField, type LinkedModel, writtenDefault } from "../linked.ts";

/** `number` holds integers, booleans and enum values exactly; `bytes` strings and bytes. */
export type DefaultValue =
  | { readonly kind: "number"; readonly value: bigint | number }
  | { readonly kind: "bytes"; readonly value: Uint8Array };

/** The effective default of a singular scalar or enum field; null for everything else. */
export function readDefault(side: LinkedModel, field: LinkedField): DefaultValue | null {
  if (field.cardinality === "repeated" || field.cardinality === "map") return null;
  switch (field.kind) {
    case "message":
    case "group":
    case "unresolved":
      return null;
    case "string":
    case "bytes":
      return { kind: "bytes", value: defaultBytes(field) };
    case "enum":
      return { kind: "number", value: BigInt(defaultEnumNumber(side, field)) };
    case "float":
      return { kind: "number", value: Math.fround(defaultFloat(field)) };
    case "double":
      return { kind: "number", value: defaultFloat(field) };
    case "bool": {
      const written = writtenDefault(field);
      return { kind: "number", value: written?.kind === "identifier" && written.name === "true" ? 1n : 0n };
    }
    default: {
      const written = writtenDefault(field);
      return { kind: "number", value: written?.kind === "integer" ? written.value : 0n };
    }
  }
}

function defaultBytes(field: LinkedField): Uint8Array {
  const written = writtenDefault(field);
  if (written?.kind !== "string") return new Uint8Array();
  return written.bytes ?? new TextEncoder().encode(written.value);
}

function defaultFloat(field: LinkedField): number {
  const written = writtenDefault(field);
  switch (written?.kind) {
    case "integer":
      return Number(written.value);
    case "float":
      return written.value;
    case "identifier":
      if (written.name.endsWith("inf")) return written.name.startsWith("-") ? -Infinity : Infinity;
      return Number.NaN;
    default:
      return 0;
  }
}

function defaultEnumNumber(side: LinkedModel, field: LinkedField): number {
  if (field.type === null || !isEnumDefinition(field.type)) return 0;
  const { numbers } = side.enum(field.type);
  const written = writtenDefault(field);
  const named = written?.kind === "identifier" ? numbers.get(written.name) : undefined;
  // An implicit field has no custom default: an absent value is zero.
  if (field.cardinality === "implicit") return 0;
  return named ?? field.type.element.values[0]?.number ?? 0;
}

/**
 * Whether both defaults have the same value; zero equals zero for any type, and floats are compared in single precision
 * if one side is.
 */
export function isSameDefault(a: DefaultValue, b: DefaultValue, inSinglePrecision: boolean): boolean {
  if (a.kind === "bytes" && b.kind === "bytes") return isSameBytes(a.value, b.value);
  if (a.kind === "number" && b.kind === "number") {
    if (typeof a.value === "bigint" && typeof b.value === "bigint") return a.value === b.value;
    if (typeof a.value === "number" && typeof b.value === "number") {
      const [x, y] = inSinglePrecision ? [Math.fround(a.value), Math.fround(b.value)] : [a.value, b.value];
      return x === y || (Number.isNaN(x) && Number.isNaN(y));
    }
    // JavaScript compares a bigint with a number by their mathematical values.
    // biome-ignore lint/suspicious/noDoubleEquals: strict equality is false between a bigint and a number.
    return a.value == b.value;
  }
  return isZeroDefault(a) && isZeroDefault(b);
}

export function isZeroDefault(value: DefaultValue): boolean {
  return value.kind === "bytes" ? value.value.length === 0 : Number(value.value) === 0;
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A default for messages. */
export function showDefault(value: DefaultValue): string {
  return value.kind === "bytes" ? JSON.stringify(new TextDecoder().decode(value.value)) : String(value.value);
}

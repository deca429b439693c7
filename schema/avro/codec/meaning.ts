/** Renders what a value means under a logical type, so that equal meanings give equal texts. */

import type { LogicalType, LogicalTypeName } from "../logical-type.ts";
import { type AvroType, NO_PROPERTIES } from "../model.ts";
import { decodeDatum } from "./binary.ts";
import { type AvroDatum, DatumError } from "./datum.ts";

const NANOSECONDS: Readonly<Partial<Record<LogicalTypeName, bigint>>> = {
  "time-millis": 1_000_000n,
  "time-micros": 1_000n,
  "timestamp-millis": 1_000_000n,
  "timestamp-micros": 1_000n,
  "timestamp-nanos": 1n,
  "local-timestamp-millis": 1_000_000n,
  "local-timestamp-micros": 1_000n,
  "local-timestamp-nanos": 1n,
};
const DAY_NANOSECONDS = 86_400_000_000_000n;
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** The meaning, or null if the value is invalid under the logical type, such as a string that is not a UUID or a number with too many digits. */
export function renderMeaning(logicalType: LogicalType, datum: AvroDatum): string | null {
  switch (logicalType.name) {
    case "decimal":
      return decimalMeaning(logicalType, datum as Uint8Array);
    case "uuid":
      if (datum instanceof Uint8Array) return `UUID ${hex(datum)}`;
      return UUID.test(datum as string) ? `UUID ${(datum as string).replaceAll("-", "").toLowerCase()}` : null;
    case "date":
      return `date ${datum} days after 1970-01-01`;
    case "duration":
      return `duration ${hex(datum as Uint8Array)}`;
    case "big-decimal":
      return bigDecimalMeaning(datum as Uint8Array);
    default:
      return timeMeaning(logicalType.name, BigInt(datum as number | bigint));
  }
}

/** A time of day must lie within one day; instants are unrestricted. */
function timeMeaning(name: LogicalTypeName, count: bigint): string | null {
  const [what] = name.split(/-(?=millis|micros|nanos)/);
  const nanoseconds = count * NANOSECONDS[name]!;
  if (what === "time" && (nanoseconds < 0n || nanoseconds >= DAY_NANOSECONDS)) return null;
  return `${what} of ${nanoseconds} ns`;
}

function decimalMeaning(
  { precision, scale }: Extract<LogicalType, { name: "decimal" }>,
  bytes: Uint8Array,
): string | null {
  const unscaled = integerOf(bytes);
  if (unscaled === null || digitsOf(unscaled).length > precision) return null;
  return writeDecimal(unscaled, scale);
}

/** A big-decimal's bytes hold the unscaled number followed by its scale (specification, "Big Decimal"). */
const BIG_DECIMAL: AvroType = (() => {
  const plain = { properties: NO_PROPERTIES, logicalType: null };
  const field = {
    documentation: null,
    defaultValue: null,
    order: "ascending",
    aliases: [],
    properties: NO_PROPERTIES,
  } as const;
  return {
    kind: "record",
    isError: false,
    name: { simple: "BigDecimal", namespace: "", full: "BigDecimal" },
    documentation: null,
    aliases: [],
    properties: NO_PROPERTIES,
    fields: [
      { ...field, name: "unscaled", type: { kind: "bytes", ...plain } },
      { ...field, name: "scale", type: { kind: "int", ...plain } },
    ],
  };
})();

function bigDecimalMeaning(bytes: Uint8Array): string | null {
  try {
    const parts = decodeDatum(BIG_DECIMAL, bytes) as Map<string, AvroDatum>;
    const unscaled = integerOf(parts.get("unscaled") as Uint8Array);
    return unscaled === null ? null : writeDecimal(unscaled, parts.get("scale") as number);
  } catch (error) {
    if (error instanceof DatumError) return null;
    throw error;
  }
}

/** Reads a big-endian two's-complement integer. Null for zero bytes: even 0 takes one byte. */
function integerOf(bytes: Uint8Array): bigint | null {
  return bytes.length === 0 ? null : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex(bytes)}`));
}

function digitsOf(number: bigint): string {
  return String(number < 0n ? -number : number);
}

/** The most zeros written out before switching to an exponent: a scale can be as large as 2^31 - 1. */
const MAX_WRITTEN_ZEROS = 40;

function writeDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const significant = digitsOf(unscaled).replace(/0+$/, "");
  if (significant === "") return "decimal 0";
  // The power of ten of the last significant digit.
  const exponent = digitsOf(unscaled).length - significant.length - scale;
  if (exponent > MAX_WRITTEN_ZEROS || -exponent > significant.length + MAX_WRITTEN_ZEROS) {
    return `decimal ${sign}${significant}E${exponent}`;
  }
  if (exponent >= 0) return `decimal ${sign}${significant}${"0".repeat(exponent)}`;
  const padded = significant.padStart(1 - exponent, "0");
  return `decimal ${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

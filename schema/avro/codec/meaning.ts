/** What a value means under a logical type, in a form in which equal meanings are equal texts. */

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

/** The meaning, or null where the value has none under that logical type: a text that is no UUID, a number of too many digits. */
export function meaningOf(logicalType: LogicalType, datum: AvroDatum): string | null {
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

/** A time of day lies between midnight and midnight, an instant anywhere. */
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

/** The form of its bytes (specification, "Big Decimal"): the unscaled number, and a scale of its own. */
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

/** A big-endian number in two's complement, or null where there are no bytes: zero has one. */
function integerOf(bytes: Uint8Array): bigint | null {
  return bytes.length === 0 ? null : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex(bytes)}`));
}

function digitsOf(number: bigint): string {
  return String(number < 0n ? -number : number);
}

/** Zeros that are written out to place the decimal point; a scale may be as large as an integer. */
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

/** What a value means under a logical type, in a form in which equal meanings are equal texts. */

import type { LogicalType, LogicalTypeName } from "../logical-type.ts";
import type { AvroDatum } from "./datum.ts";

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
    case "big-decimal":
      return `${logicalType.name} ${hex(datum as Uint8Array)}`;
    default: {
      const [what] = logicalType.name.split(/-(?=millis|micros|nanos)/);
      return `${what} of ${BigInt(datum as number | bigint) * NANOSECONDS[logicalType.name]!} ns`;
    }
  }
}

function decimalMeaning(
  { precision, scale }: Extract<LogicalType, { name: "decimal" }>,
  bytes: Uint8Array,
): string | null {
  if (bytes.length === 0) return null;
  const unsigned = BigInt(`0x${hex(bytes)}`);
  const unscaled = BigInt.asIntN(bytes.length * 8, unsigned);
  const digits = String(unscaled < 0n ? -unscaled : unscaled);
  if (digits.length > precision) return null;
  const padded = digits.padStart(scale + 1, "0");
  const whole = padded.slice(0, padded.length - scale);
  const fraction = padded.slice(padded.length - scale).replace(/0+$/, "");
  return `decimal ${unscaled < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

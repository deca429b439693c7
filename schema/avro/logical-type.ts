/** Logical types: how `logicalType` annotates an underlying type (specification, "Logical Types"). */
import type { JsonNode } from "../json-text.ts";
import type { AvroPrimitiveKind, AvroProperties } from "./model.ts";

export type LogicalType =
  | { name: "decimal"; precision: number; scale: number }
  | { name: Exclude<LogicalTypeName, "decimal"> };

type Carrier = AvroPrimitiveKind | "fixed";

/** The underlying types allowed for each logical type. */
const CARRIERS = {
  decimal: ["bytes", "fixed"],
  "big-decimal": ["bytes"],
  uuid: ["string", "fixed"],
  date: ["int"],
  "time-millis": ["int"],
  "time-micros": ["long"],
  "timestamp-millis": ["long"],
  "timestamp-micros": ["long"],
  "timestamp-nanos": ["long"],
  "local-timestamp-millis": ["long"],
  "local-timestamp-micros": ["long"],
  "local-timestamp-nanos": ["long"],
  duration: ["fixed"],
} as const satisfies Record<string, readonly Carrier[]>;

export type LogicalTypeName = keyof typeof CARRIERS;

const UUID_BYTES = 16;
const DURATION_BYTES = 12;

type LogicalTypeReading = { logicalType: LogicalType | null; ignoredBecause: string | null };

/** Reads a type's logical type. The specification requires invalid ones to be ignored; the reason is returned. */
export function readLogicalType(carrier: Carrier, properties: AvroProperties, fixedSize: number): LogicalTypeReading {
  const node = properties.get("logicalType");
  if (node?.type !== "string" || !Object.hasOwn(CARRIERS, node.value))
    return { logicalType: null, ignoredBecause: null };
  const name = node.value as LogicalTypeName;
  const carriers: readonly Carrier[] = CARRIERS[name];
  if (!carriers.includes(carrier)) {
    return ignored(`Logical type "${name}" belongs on ${carriers.join(" or ")}, not on ${carrier}`);
  }
  if (carrier === "fixed" && name === "uuid" && fixedSize !== UUID_BYTES) {
    return ignored(`Logical type "uuid" needs a fixed of ${UUID_BYTES} bytes, this one has ${fixedSize}`);
  }
  if (name === "duration" && fixedSize !== DURATION_BYTES) {
    return ignored(`Logical type "duration" needs a fixed of ${DURATION_BYTES} bytes, this one has ${fixedSize}`);
  }
  return name === "decimal"
    ? readDecimal(properties, carrier === "fixed" ? fixedSize : null)
    : { logicalType: { name }, ignoredBecause: null };
}

function readDecimal(properties: AvroProperties, fixedSize: number | null): LogicalTypeReading {
  const precision = integerOf(properties.get("precision"));
  if (precision === null || precision <= 0) {
    return ignored('Logical type "decimal" needs a "precision" that is an integer greater than zero');
  }
  const scaleNode = properties.get("scale");
  const scale = scaleNode === undefined ? 0 : integerOf(scaleNode);
  if (scale === null || scale < 0 || scale > precision) {
    return ignored('Logical type "decimal" needs a "scale" between 0 and its precision');
  }
  if (fixedSize !== null && precision > largestPrecision(fixedSize)) {
    return ignored(
      `A fixed of ${fixedSize} bytes holds at most ${largestPrecision(fixedSize)} decimal digits, not ${precision}`,
    );
  }
  return { logicalType: { name: "decimal", precision, scale }, ignoredBecause: null };
}

/** The largest decimal precision that `bytes` bytes of two's complement can hold: floor(log10(2^(8n-1) - 1)). */
function largestPrecision(bytes: number): number {
  return bytes === 0 ? 0 : Math.floor(Math.log10(2) * (8 * bytes - 1));
}

/** Java stores precision and scale as 32-bit integers. */
const MAX_DIGITS = 2 ** 31 - 1;

function integerOf(node: JsonNode | undefined): number | null {
  return node?.type === "number" && /^-?\d+$/.test(node.text) && Math.abs(node.value) <= MAX_DIGITS ? node.value : null;
}

function ignored(reason: string): LogicalTypeReading {
  return { logicalType: null, ignoredBecause: `${reason}; the logical type is ignored.` };
}

/** Formats a logical type for messages: `decimal(9,2)`, `timestamp-millis`. */
export function describeLogicalType(logicalType: LogicalType): string {
  return logicalType.name === "decimal" ? `decimal(${logicalType.precision},${logicalType.scale})` : logicalType.name;
}

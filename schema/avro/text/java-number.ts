/** Prints numbers as Java's Avro does in a schema: integers exactly, everything else as a double. */
import { type JsonNumber, writeJsonString } from "../../json-text.ts";

/** Double.toString uses an exponent from here on, and below a thousandth. */
const SCIENTIFIC_FROM = 1e7;
const SCIENTIFIC_BELOW = 1e-3;

/** A JSON number as Java prints it after parsing: `1.50` becomes `1.5`, `1e10` becomes `1.0E10`, a long integer stays. */
export function writeJavaNumber({ text, value }: JsonNumber): string {
  if (/^-?\d+$/.test(text)) return text === "-0" ? "0" : text;
  return Number.isFinite(value) ? writeJavaDouble(value) : writeJsonString(writeJavaDouble(value));
}

/** Prints a double like Double.toString, with the fewest digits that identify it. */
export function writeJavaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const magnitude = Math.abs(value);
  if (magnitude >= SCIENTIFIC_BELOW && magnitude < SCIENTIFIC_FROM) {
    const plain = String(value);
    return plain.includes(".") ? plain : `${plain}.0`;
  }
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${exponent.replace("+", "")}`;
}

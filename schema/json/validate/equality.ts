/**
 * JSON equality (ignoring the order of members and the spelling of numbers) as equality of strings, so that sets find
 * duplicates in linear time.
 */
import { compareCodeUnits, type JsonNode } from "../../json-text.ts";

/** Equal for equal values only. Numbers are exact: two large integers that round to one double stay different. */
export function equalityKey(node: JsonNode): string {
  switch (node.type) {
    case "string":
      return JSON.stringify(node.value);
    case "number":
      return numberKey(node.text);
    case "array":
      return `[${node.items.map(equalityKey).join(",")}]`;
    case "object": {
      const keys = [...node.members.keys()].sort(compareCodeUnits);
      return `{${keys.map((key) => `${JSON.stringify(key)}:${equalityKey(node.members.get(key)!)}`).join(",")}}`;
    }
    case "boolean":
      return String(node.value);
    default:
      return "null";
  }
}

const knownKeys = new WeakMap<readonly JsonNode[], ReadonlySet<string>>();

/** The keys of listed values. They are cached with the list, because a long list is used many times. */
export function equalityKeys(nodes: readonly JsonNode[]): ReadonlySet<string> {
  let keys = knownKeys.get(nodes);
  if (keys === undefined) {
    keys = new Set(nodes.map(equalityKey));
    knownKeys.set(nodes, keys);
  }
  return keys;
}

/**
 * The same key for a plain value; doubles are taken as the shortest decimal that reads back as them, bigints exactly.
 */
export function plainEqualityKey(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint") return numberKey(String(value));
  if (Array.isArray(value)) return `[${value.map(plainEqualityKey).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const record = value as Record<string, unknown>;
    const keys = Object.keys(record).sort(compareCodeUnits);
    return `{${keys.map((key) => `${JSON.stringify(key)}:${plainEqualityKey(record[key])}`).join(",")}}`;
  }
  return String(value);
}

const PLAIN_INTEGER = /^-?\d*[1-9]$/;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** A number as its digits without outer zeros, and the power of ten: `1`, `1.0` and `10e-1` are all `1e0`. */
function numberKey(text: string): string {
  if (PLAIN_INTEGER.test(text)) return `${text}e0`;
  const { sign, digits, exponent } = splitDecimal(text);
  if (digits === "0") return "0";
  // Exponents beyond the integers that doubles represent are compared as written.
  return Number.isSafeInteger(exponent) ? `${sign}${digits}e${exponent}` : text;
}

/** A decimal number as digits × 10^exponent. */
export type DecimalDigits = {
  sign: "" | "-";
  /** Without leading or trailing zeros; "0" for zero. */
  digits: string;
  exponent: number;
};

export function splitDecimal(text: string): DecimalDigits {
  const [, sign = "", whole = "", fraction = "", power = "0"] = NUMBER.exec(text) ?? [];
  const all = whole + fraction;
  let start = 0;
  while (start < all.length && all.charCodeAt(start) === 0x30) start += 1;
  if (start === all.length) return { sign: "", digits: "0", exponent: 0 };
  let end = all.length;
  while (all.charCodeAt(end - 1) === 0x30) end -= 1;
  return {
    sign: sign === "-" ? "-" : "",
    digits: all.slice(start, end),
    exponent: Number(power) - fraction.length + (all.length - end),
  };
}

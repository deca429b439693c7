/** The keywords that constrain a value directly: types, bounds, enumerations, names, patterns and formats. */
import { readInteger } from "../../data-text.ts";
import { describeValue } from "../../described-value.ts";
import { type JsonNode, type JsonNumber, writeExactNumber } from "../../json-text.ts";
import { keyword, type SchemaLocation } from "../model.ts";
import { isAtLeast } from "../parse/dialects.ts";
import type { KeywordCheck } from "./applying.ts";
import { type DecimalDigits, equalityKey, equalityKeys, plainEqualityKey, splitDecimal } from "./equality.ts";
import { type Evaluation, EvaluationStopped, isMembers, type Path } from "./evaluation.ts";
import { FORMATS } from "./format-keyword.ts";
import { compilePattern } from "./patterns.ts";

/** The check of one keyword, or undefined if it asserts nothing. */
export function compileAssertion(location: SchemaLocation, name: string, value: JsonNode): KeywordCheck | undefined {
  switch (name) {
    case "type":
      return typeCheck(location, value);
    case "enum":
      return enumCheck(location, value);
    case "const":
      return isAtLeast(location.resource.dialect, "draft-06") ? constCheck(location, value) : undefined;
    case "required":
      return requiredCheck(location, value);
    case "uniqueItems":
      return value.type === "boolean" && value.value ? uniqueCheck(location) : undefined;
    case "pattern":
      return value.type === "string" ? patternCheck(location, value.value) : undefined;
    case "format":
      return value.type === "string" ? formatCheck(location, value.value) : undefined;
    case "multipleOf":
      return value.type === "number" ? multipleCheck(location, value) : undefined;
    case "maximum":
    case "minimum":
    case "exclusiveMaximum":
    case "exclusiveMinimum":
      return value.type === "number" ? rangeCheck(location, name, value) : undefined;
    default:
      return value.type === "number" ? sizeCheck(location, name, value.value) : undefined;
  }
}

/** A check of a value that fails with one expectation. */
function simple(
  location: SchemaLocation,
  name: string,
  expected: string,
  holds: (value: unknown, evaluation: Evaluation) => boolean,
): KeywordCheck {
  return (evaluation: Evaluation, value: unknown, path: Path) =>
    holds(value, evaluation) || evaluation.fail(location, name, path, value, expected);
}

function typeCheck(location: SchemaLocation, node: JsonNode): KeywordCheck | undefined {
  if (node.type === "string") {
    const { value: type } = node;
    return simple(location, "type", WITH_ARTICLE.get(type) ?? type, (value) => hasType(value, type));
  }
  if (node.type !== "array") return undefined;
  const types = node.items.flatMap((item) => (item.type === "string" ? [item.value] : []));
  const expected = types.map((type) => WITH_ARTICLE.get(type) ?? type).join(" or ");
  return simple(location, "type", expected, (value) => types.some((type) => hasType(value, type)));
}

const WITH_ARTICLE: ReadonlyMap<string, string> = new Map([
  ["array", "an array"],
  ["boolean", "a boolean"],
  ["integer", "an integer"],
  ["number", "a number"],
  ["object", "an object"],
  ["string", "a string"],
]);

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "integer":
      return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
    case "number":
      return typeof value === "number" || typeof value === "bigint";
    case "null":
      return value === null;
    case "object":
      return isMembers(value);
    default:
      return typeof value === type;
  }
}

/** Alternatives named in a message. */
const MAX_NAMED_VALUES = 5;

function enumCheck(location: SchemaLocation, node: JsonNode): KeywordCheck | undefined {
  if (node.type !== "array") return undefined;
  const keys = equalityKeys(node.items);
  const hasContainers = node.items.some(({ type }) => type === "object" || type === "array");
  const named = node.items.slice(0, MAX_NAMED_VALUES).map(describeNode);
  const rest = node.items.length - named.length;
  const expected = `one of ${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  return simple(location, "enum", expected, (value, evaluation) => {
    if (typeof value === "object" && value !== null && !hasContainers) return false;
    return keys.has(spentKey(value, evaluation, location));
  });
}

function constCheck(location: SchemaLocation, node: JsonNode): KeywordCheck {
  const key = equalityKey(node);
  const isContainer = node.type === "object" || node.type === "array";
  return simple(location, "const", describeNode(node), (value, evaluation) => {
    if ((typeof value === "object" && value !== null) !== isContainer) return false;
    return spentKey(value, evaluation, location) === key;
  });
}

function describeNode(node: JsonNode): string {
  if (node.type === "object" || node.type === "array") return `a certain ${node.type}`;
  return describeValue(node.type === "null" ? null : node.value);
}

/** Characters of an equality key that cost one step. */
const CHARACTERS_PER_STEP = 32;
/** Of an object or an array: its members are sorted and written one by one. */
const STRUCTURED_CHARACTERS_PER_STEP = 2;

function spentKey(value: unknown, evaluation: Evaluation, location: SchemaLocation): string {
  const key = plainEqualityKey(value);
  const perStep = typeof value === "object" && value !== null ? STRUCTURED_CHARACTERS_PER_STEP : CHARACTERS_PER_STEP;
  evaluation.spend(Math.ceil(key.length / perStep), location);
  return key;
}

function requiredCheck(location: SchemaLocation, node: JsonNode): KeywordCheck | undefined {
  if (node.type !== "array") return undefined;
  const names = node.items.flatMap((item) => (item.type === "string" ? [item.value] : []));
  return (evaluation, value, path) => {
    if (!isMembers(value)) return true;
    evaluation.spend(Math.ceil(names.length / CHARACTERS_PER_STEP), location);
    let valid = true;
    for (const name of names) {
      if (Object.hasOwn(value, name)) continue;
      valid = evaluation.fail(location, "required", path, value, `a member ${describeValue(name)}`);
    }
    return valid;
  };
}

function uniqueCheck(location: SchemaLocation): KeywordCheck {
  return (evaluation, value, path) => {
    if (!Array.isArray(value)) return true;
    const seen = new Map<string, number>();
    for (const [index, item] of value.entries()) {
      const key = spentKey(item, evaluation, location);
      const first = seen.get(key);
      if (first !== undefined) {
        const expected = `unique items, but items ${first} and ${index} are equal`;
        return evaluation.fail(location, "uniqueItems", path, value, expected);
      }
      seen.set(key, index);
    }
    return true;
  };
}

function patternCheck(location: SchemaLocation, source: string): KeywordCheck {
  const compiled = compilePattern(source);
  const expected = `a string that matches ${describeValue(source)}`;
  return (evaluation, value, path) => {
    if (typeof value !== "string") return true;
    const at = { keyword: "pattern", path };
    if (!compiled.ok) throw new EvaluationStopped("unsupported_pattern", compiled.refusal.message, location, at);
    const matches = compiled.value.matches(value, evaluation.patternBudget);
    if (matches === undefined) {
      throw new EvaluationStopped("too_complex", "The patterns take too many steps on this value.", location, at);
    }
    return matches || evaluation.fail(location, "pattern", path, value, expected);
  };
}

function formatCheck(location: SchemaLocation, name: string): KeywordCheck | undefined {
  const holds = FORMATS.get(name);
  if (holds === undefined) return undefined;
  return simple(location, "format", `a string in the format ${name}`, (value, evaluation) => {
    return !evaluation.formats || typeof value !== "string" || holds(value);
  });
}

function rangeCheck(location: SchemaLocation, name: string, limit: JsonNumber): KeywordCheck {
  const { value: bound } = limit;
  const isBefore06 = location.resource.dialect === "draft-04";
  const exclusive = isBefore06
    ? keyword(location, name === "maximum" ? "exclusiveMaximum" : "exclusiveMinimum")
    : undefined;
  const isExclusive = name.startsWith("exclusive") || (exclusive?.type === "boolean" && exclusive.value);
  const isUpper = name.endsWith("aximum");
  const words = isUpper ? (isExclusive ? "less than" : "at most") : isExclusive ? "greater than" : "at least";
  // Doubles are compared with the limit's double, so that 0.1 satisfies a maximum of 0.1; bigints exactly.
  const exactBound = Number.isSafeInteger(bound) ? bound : (readInteger(limit.text) ?? bound);
  return simple(location, name, `a number of ${words} ${shownNumber(limit)}`, (value) => {
    if (typeof value === "bigint") {
      if (isExclusive) return isUpper ? value < exactBound : value > exactBound;
      return isUpper ? value <= exactBound : value >= exactBound;
    }
    if (typeof value !== "number" || (!isExclusive && value === bound)) return true;
    return isUpper ? value < bound : value > bound;
  });
}

/** Characters of a number in a message. */
const MAX_NUMBER_CHARACTERS = 40;

function shownNumber(number: JsonNumber): string {
  return writeExactNumber(number).slice(0, MAX_NUMBER_CHARACTERS);
}

function multipleCheck(location: SchemaLocation, divisor: JsonNumber): KeywordCheck {
  return simple(location, "multipleOf", `a multiple of ${shownNumber(divisor)}`, (value) => {
    if (typeof value === "bigint") return isDecimalMultiple(splitDecimal(value.toString()), splitDecimal(divisor.text));
    return typeof value !== "number" || isMultiple(value, divisor.value);
  });
}

/** Exact on the shortest decimals of both doubles: 0.3 is a multiple of 0.1, as users expect. */
export function isMultiple(value: number, divisor: number): boolean {
  if (value === 0) return true;
  if (divisor === 0 || !Number.isFinite(value) || !Number.isFinite(divisor)) return false;
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  return isDecimalMultiple(splitDecimal(String(value)), splitDecimal(String(divisor)));
}

/** Powers of ten that are expanded: as far as doubles reach in both directions. */
const MAX_SCALE = 1_000;

function isDecimalMultiple(value: DecimalDigits, divisor: DecimalDigits): boolean {
  const scale = Math.min(value.exponent, divisor.exponent);
  if (divisor.digits === "0" || Math.max(value.exponent, divisor.exponent) - scale > MAX_SCALE) return false;
  const scaledValue = BigInt(value.digits) * 10n ** BigInt(value.exponent - scale);
  return scaledValue % (BigInt(divisor.digits) * 10n ** BigInt(divisor.exponent - scale)) === 0n;
}

const SIZES: Record<string, { word: string; sizeOf: (value: unknown) => number | undefined; isMost: boolean }> = {
  maxLength: { word: "a string of at most % characters", sizeOf: stringSize, isMost: true },
  minLength: { word: "a string of at least % characters", sizeOf: stringSize, isMost: false },
  maxItems: { word: "an array of at most % items", sizeOf: arraySize, isMost: true },
  minItems: { word: "an array of at least % items", sizeOf: arraySize, isMost: false },
  maxProperties: { word: "an object of at most % members", sizeOf: objectSize, isMost: true },
  minProperties: { word: "an object of at least % members", sizeOf: objectSize, isMost: false },
};

function sizeCheck(location: SchemaLocation, name: string, bound: number): KeywordCheck | undefined {
  const rule = Object.hasOwn(SIZES, name) ? SIZES[name] : undefined;
  if (rule === undefined) return undefined;
  return simple(location, name, rule.word.replace("%", String(bound)), (value) => {
    const size = rule.sizeOf(value);
    return size === undefined || (rule.isMost ? size <= bound : size >= bound);
  });
}

/** Counts code points. */
function stringSize(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  let size = value.length;
  for (let at = 0; at + 1 < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code < 0xd800 || code > 0xdbff) continue;
    const next = value.charCodeAt(at + 1);
    if (next >= 0xdc00 && next <= 0xdfff) size -= 1;
  }
  return size;
}

function arraySize(value: unknown): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

function objectSize(value: unknown): number | undefined {
  return isMembers(value) ? Object.keys(value).length : undefined;
}

/** Strings, numbers, limits and enumerations under the Confluent server's rules. */
import type { JsonNumber } from "../../../json-text.ts";
import { equalityKeys } from "../../validate/equality.ts";
import type { ComparisonMeter } from "../bounds.ts";
import { compareDecimals, isMultipleOf, readDecimal } from "../decimal.ts";
import { LIMIT_KINDS, type LimitKeyword } from "../limit-kinds.ts";
import type { Findings } from "./findings.ts";
import type { ConfluentKind } from "./kinds.ts";
import type { NumberSchema, StringSchema, TypedSchema } from "./typed-schema.ts";

/** One numeric limit: added, removed, increased, decreased or equal. */
export function compareLimit(
  findings: Findings,
  path: string,
  keyword: LimitKeyword,
  original: JsonNumber | undefined,
  update: JsonNumber | undefined,
): void {
  const kind = limitKind(path, keyword, original, update);
  if (kind) findings.add(path, kind);
}

function limitKind(
  path: string,
  keyword: LimitKeyword,
  original: JsonNumber | undefined,
  update: JsonNumber | undefined,
): ConfluentKind | undefined {
  if (original === undefined && update === undefined) return undefined;
  const kinds = LIMIT_KINDS[keyword];
  if (original === undefined) return kinds.added;
  if (update === undefined) return kinds.removed;
  const pointerOf = () => path;
  const order = compareDecimals(readDecimal(original, pointerOf), readDecimal(update, pointerOf));
  if (order === 0) return undefined;
  return order < 0 ? kinds.increased : kinds.decreased;
}

export function compareStrings(findings: Findings, original: StringSchema, update: StringSchema): void {
  compareLimit(findings, "/maxLength", "maxLength", original.maxLength, update.maxLength);
  compareLimit(findings, "/minLength", "minLength", original.minLength, update.minLength);
  if (original.pattern === update.pattern) return;
  if (original.pattern === undefined) findings.add("/pattern", "PATTERN_ADDED");
  else findings.add("/pattern", update.pattern === undefined ? "PATTERN_REMOVED" : "PATTERN_CHANGED");
}

export function compareNumbers(findings: Findings, original: NumberSchema, update: NumberSchema): void {
  compareLimit(findings, "/maximum", "maximum", original.maximum, update.maximum);
  compareLimit(findings, "/minimum", "minimum", original.minimum, update.minimum);
  compareLimit(
    findings,
    "/exclusiveMaximum",
    "exclusiveMaximum",
    ...exclusiveLimits(original, update, "exclusiveMaximum", "maximum"),
  );
  compareLimit(
    findings,
    "/exclusiveMinimum",
    "exclusiveMinimum",
    ...exclusiveLimits(original, update, "exclusiveMinimum", "minimum"),
  );
  compareMultiples(findings, original.multipleOf, update.multipleOf);
  if (original.integer !== update.integer) findings.add("", original.integer ? "TYPE_EXTENDED" : "TYPE_NARROWED");
}

/**
 * A draft-04 flag modifies the limit next to it, which is compared separately: here only adding or removing the flag
 * counts.
 */
function exclusiveLimits(
  original: NumberSchema,
  update: NumberSchema,
  exclusive: "exclusiveMaximum" | "exclusiveMinimum",
  inclusive: "maximum" | "minimum",
): [JsonNumber | undefined, JsonNumber | undefined] {
  const [a, b] = [original[exclusive], update[exclusive]];
  if (a === true && b === true) return [undefined, undefined];
  return [a === true ? original[inclusive] : a, b === true ? update[inclusive] : b];
}

function compareMultiples(findings: Findings, original: JsonNumber | undefined, update: JsonNumber | undefined): void {
  if (original === undefined && update === undefined) return;
  if (original === undefined) findings.add("/multipleOf", "MULTIPLE_OF_ADDED");
  else if (update === undefined) findings.add("/multipleOf", "MULTIPLE_OF_REMOVED");
  else {
    const pointerOf = () => "/multipleOf";
    const [a, b] = [readDecimal(original, pointerOf), readDecimal(update, pointerOf)];
    if (compareDecimals(a, b) === 0) return;
    if (isMultipleOf(b, a)) findings.add("/multipleOf", "MULTIPLE_OF_EXPANDED");
    else findings.add("/multipleOf", isMultipleOf(a, b) ? "MULTIPLE_OF_REDUCED" : "MULTIPLE_OF_CHANGED");
  }
}

/** Steps to find a listed value on the other side. */
const WORK_PER_LISTED_VALUE = 0.02;

type EnumSchema = Extract<TypedSchema, { class: "enum" }>;

export function compareEnumerations(
  findings: Findings,
  original: EnumSchema,
  update: EnumSchema,
  meter: ComparisonMeter,
): void {
  const before = equalityKeys(original.values);
  const after = equalityKeys(update.values);
  meter.spend((before.size + after.size) * WORK_PER_LISTED_VALUE, "/enum");
  const keepsAll = isSubset(before, after);
  const addsNone = isSubset(after, before);
  if (keepsAll && addsNone) return;
  if (keepsAll) findings.add("/enum", "ENUM_ARRAY_EXTENDED");
  else findings.add("/enum", addsNone ? "ENUM_ARRAY_NARROWED" : "ENUM_ARRAY_CHANGED");
}

export function isSubset(part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean {
  return [...part].every((member) => whole.has(member));
}

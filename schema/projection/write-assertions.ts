/**
 * Bounds, patterns and formats: kept if the profile enforces them, rewritten if there is an equivalent form, else
 * described in words.
 */
import { compilePattern } from "../json/validate/patterns.ts";
import { type JsonNode, type JsonObject, writeJsonText } from "../json-text.ts";
import { type Assertion, coversType, type Draft } from "./draft.ts";
import { numberNode } from "./json-nodes.ts";
import type { JsonType, PatternUse } from "./profile.ts";
import type { Rewriter } from "./rewriter.ts";
import { moveToDescription } from "./write-annotations.ts";

/** The types that each keyword applies to. */
const ABOUT: Readonly<Record<string, readonly JsonType[]>> = {
  minimum: ["number", "integer"],
  maximum: ["number", "integer"],
  exclusiveMinimum: ["number", "integer"],
  exclusiveMaximum: ["number", "integer"],
  multipleOf: ["number", "integer"],
  minLength: ["string"],
  maxLength: ["string"],
  pattern: ["string"],
  format: ["string", "number", "integer"],
  minItems: ["array"],
  maxItems: ["array"],
  uniqueItems: ["array"],
  minProperties: ["object"],
  maxProperties: ["object"],
};

const WORDS: Readonly<Record<string, (value: string) => string>> = {
  minimum: (value) => `At least ${value}`,
  maximum: (value) => `At most ${value}`,
  exclusiveMinimum: (value) => `Greater than ${value}`,
  exclusiveMaximum: (value) => `Less than ${value}`,
  multipleOf: (value) => `A multiple of ${value}`,
  minLength: (value) => `At least ${value} characters`,
  maxLength: (value) => `At most ${value} characters`,
  pattern: (value) => `Must match the regular expression ${value}`,
  format: (value) => `Format: ${value}`,
  minItems: (value) => `At least ${value} items`,
  maxItems: (value) => `At most ${value} items`,
  uniqueItems: () => "No item may repeat",
  minProperties: (value) => `At least ${value} members`,
  maxProperties: (value) => `At most ${value} members`,
};

/** Adds enforced assertions to the schema, and returns the rest in words. */
export function writeAssertions(
  rewriter: Rewriter,
  draft: Draft,
  schema: JsonObject,
  types: readonly JsonType[],
): string[] {
  const moved: string[] = [];
  for (const [keyword, assertion] of draft.assertions) {
    if (!ABOUT[keyword]!.some((type) => types.includes(type))) continue;
    if (saysNothing(keyword, assertion)) continue;
    if (isEnforced(rewriter, keyword, assertion) && standsHere(rewriter, draft, keyword, types))
      setStricter(schema, keyword, assertion.node);
    else if (!writeEqual(rewriter, schema, keyword, assertion, types))
      describeAssertion(rewriter, keyword, assertion, moved);
  }
  return moved;
}

/** An exclusive bound may already have been written as an inclusive one. */
function setStricter({ members }: JsonObject, keyword: string, node: JsonNode): void {
  const known = members.get(keyword);
  if (known?.type === "number" && node.type === "number") {
    if (keyword === "minimum" ? known.value >= node.value : known.value <= node.value) return;
  }
  members.set(keyword, node);
}

/** All of them in words, for a schema of encoded values. */
export function describeAssertions(rewriter: Rewriter, draft: Draft, moved: string[]): void {
  for (const [keyword, assertion] of draft.assertions) {
    if (!saysNothing(keyword, assertion)) describeAssertion(rewriter, keyword, assertion, moved);
  }
}

function describeAssertion(rewriter: Rewriter, keyword: string, { node, pointer }: Assertion, moved: string[]): void {
  const value = node.type === "string" ? node.value : writeJsonText(node);
  moveToDescription(rewriter, keyword, pointer, WORDS[keyword]!(value), moved);
}

/** `minItems: 0` and similar values constrain nothing. */
function saysNothing(keyword: string, { node }: Assertion): boolean {
  return keyword.startsWith("min") && keyword !== "minimum" && node.type === "number" && node.value <= 0;
}

function isEnforced(rewriter: Rewriter, keyword: string, { node }: Assertion): boolean {
  const { profile } = rewriter;
  if (rewriter.use(keyword) !== "enforced") return false;
  if (keyword === "format") {
    const formats = profile.formats.value;
    return node.type === "string" && (formats.includes(node.value) || formats.includes("*"));
  }
  if (keyword === "pattern") return node.type === "string" && isPatternTaken(profile.patterns.value, node.value);
  if (keyword === "minItems" && profile.minItemsValues !== undefined) {
    return node.type === "number" && profile.minItemsValues.value.includes(node.value);
  }
  if (keyword === "maxItems") return fitsItemsBudget(rewriter, node);
  return true;
}

/** Whether the keyword has its effect next to the others and for these types. */
function standsHere(rewriter: Rewriter, draft: Draft, keyword: string, types: readonly JsonType[]): boolean {
  const { profile } = rewriter;
  if (profile.numericBounds !== undefined && ABOUT[keyword]!.includes("number") && types.includes("number"))
    return false;
  if (profile.lengthBesidePattern?.value !== false || (keyword !== "minLength" && keyword !== "maxLength")) return true;
  const pattern = draft.assertions.get("pattern");
  return pattern === undefined || !isEnforced(rewriter, "pattern", pattern);
}

/** Once the sum is used up, further bounds are checked afterwards. */
function fitsItemsBudget(rewriter: Rewriter, node: JsonNode): boolean {
  const limit = rewriter.profile.budgets.request?.maxItemsSum?.value;
  if (limit === undefined || node.type !== "number") return true;
  if (rewriter.itemsSum + node.value > limit) return false;
  rewriter.itemsSum += node.value;
  return true;
}

const LOOKAROUND = /\(\?(?:[=!]|<[=!])/;
const BEYOND_SIMPLE = /\(\?(?:[=!]|<)|\\[bBkpP1-9]/;
/** Larger repetitions have been refused by providers that compile patterns into a grammar. */
const MAX_SIMPLE_REPETITIONS = 100;

export function isPatternTaken(taken: PatternUse, pattern: string): boolean {
  if (taken === "any") return true;
  if (!compilePattern(pattern).ok) return false;
  const isPlain = !LOOKAROUND.test(pattern) && !/\\[k1-9]/.test(pattern);
  if (taken === "no_lookaround") return isPlain;
  if (taken === "anchored") return isPlain && /^\^[^|]*\$$/s.test(pattern) && !pattern.endsWith("\\$");
  const counts = [...pattern.matchAll(/\{(\d*),?(\d*)\}/g)].flatMap(([, low, high]) => [Number(low), Number(high)]);
  return !BEYOND_SIMPLE.test(pattern) && counts.every((count) => count <= MAX_SIMPLE_REPETITIONS);
}

/** For integers, above 5 means from 6 on, so it can be written as the other bound. */
function writeEqual(
  rewriter: Rewriter,
  schema: JsonObject,
  keyword: string,
  { node, pointer }: Assertion,
  types: readonly JsonType[],
): boolean {
  const other = keyword === "exclusiveMinimum" ? "minimum" : keyword === "exclusiveMaximum" ? "maximum" : undefined;
  if (other === undefined || rewriter.use(other) !== "enforced" || node.type !== "number") return false;
  if (coversType(types, "number") || !Number.isSafeInteger(node.value)) return false;
  const bound = node.value + (other === "minimum" ? 1 : -1);
  setStricter(schema, other, numberNode(bound));
  const message = `"${keyword}" is written as "${other}", which is equivalent for integers: ${rewriter.profile.provider} does not support "${keyword}".`;
  rewriter.change("respelled", pointer, "lossless", message, `Write "${other}": ${bound}.`);
  return true;
}

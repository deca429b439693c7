/**
 * Merges two drafts that must both hold into one. Parts that cannot be merged are kept as conditions, which are checked
 * after decoding.
 */
import { compareDecimals, decimalWithinLimits } from "../json/compare/decimal.ts";
import { equalityKey } from "../json/validate/equality.ts";
import { MAX_PATTERN_STEPS } from "../json/validate/evaluation.ts";
import { compilePattern } from "../json/validate/patterns.ts";
import type { JsonNode } from "../json-text.ts";
import type { ProjectionMeter } from "./bounds.ts";
import {
  type AdditionalNames,
  type Assertion,
  type Condition,
  commonTypes,
  type Draft,
  isUnconstrained,
  type Union,
} from "./draft.ts";
import type { DraftReader } from "./read-draft.ts";

export function intersectDrafts(reader: DraftReader, a: Draft, b: Draft): Draft {
  reader.meter.draft(a.pointer);
  reader.meter.combine(a.pointer, partsOf(a) + partsOf(b));
  if (isUnconstrained(a)) return joined(b, a, b);
  if (isUnconstrained(b)) return joined(a, a, b);
  if (a.never || b.never) return { ...a, never: true };
  if (a.reference !== null && b.reference !== null && a.reference.target.node === b.reference.target.node) return a;
  const left = reader.resolve(a);
  const right = reader.resolve(b);
  if (left === undefined) return conditioned(a, b);
  if (right === undefined) return conditioned(b, a);
  return saysOfOthers(left) && saysOfOthers(right)
    ? merged(reader, withoutNames(left), withoutNames(right))
    : merged(reader, left, right);
}

/** What a combination copies of a draft. */
function partsOf({ locations, annotations, assertions, properties, required, unions, conditions }: Draft): number {
  const sizes = annotations.size + assertions.size + (properties?.size ?? 0) + required.size;
  return sizes + locations.length + unions.length + conditions.length;
}

function saysOfOthers({ additional }: Draft): boolean {
  return additional !== null && additional !== true;
}

/** If both constrain undeclared members, patterns of names become conditions. */
function withoutNames(draft: Draft): Draft {
  const names = draft.additionalNames;
  if (names === null) return draft;
  const { node, pointer, location } = names;
  const conditions = [...draft.conditions, { keyword: "patternProperties", node, pointer, location }];
  if (names.isClosed) {
    const closing: JsonNode = { type: "boolean", start: 0, value: false };
    conditions.push({ keyword: "additionalProperties", node: closing, pointer, location });
  }
  return { ...draft, additional: null, additionalNames: null, conditions };
}

/** Whether a pattern concerns a name; a pattern that takes too long counts as matching. */
export function matchesName(meter: ProjectionMeter, { pattern, pointer }: AdditionalNames, name: string): boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) return true;
  const budget = { remaining: MAX_PATTERN_STEPS };
  const matches = compiled.value.matches(name, budget) !== false;
  meter.combine(pointer, (MAX_PATTERN_STEPS - budget.remaining) * MATCHING_STEPS);
  return matches;
}

/** Steps of combining that take as long as one step of a pattern. */
const MATCHING_STEPS = 0.5;

/** A schema that references an enclosing one cannot be inlined, so its siblings become a condition. */
function conditioned(reference: Draft, other: Draft): Draft {
  const [location] = other.locations;
  if (location === undefined) return reference;
  const condition = { keyword: "allOf", node: location.node, pointer: other.pointer, location };
  const annotations = new Map([...reference.annotations, ...other.annotations]);
  return { ...reference, annotations, conditions: [...reference.conditions, condition, ...other.conditions] };
}

/** If one side is unspecified, the other is used, with the annotations of both; the outer ones win. */
function joined(draft: Draft, a: Draft, b: Draft): Draft {
  const annotations = new Map([...b.annotations, ...a.annotations]);
  return { ...draft, pointer: a.pointer, annotations, locations: unique([...a.locations, ...b.locations]) };
}

function merged(reader: DraftReader, a: Draft, b: Draft): Draft {
  const { intersect } = reader;
  const conditions: Condition[] = [...a.conditions, ...b.conditions];
  const types = commonTypes(a.types, b.types);
  const values = commonValues(a.values, b.values);
  return {
    pointer: a.pointer,
    locations: unique([...a.locations, ...b.locations]),
    types,
    annotations: new Map([...b.annotations, ...a.annotations]),
    values,
    assertions: mergedAssertions(a, b, conditions),
    properties: mergedProperties(reader, a, b),
    required: new Set([...a.required, ...b.required]),
    additional: mergedRest(a.additional, b.additional, intersect),
    additionalNames: a.additionalNames ?? b.additionalNames,
    prefix: mergedPrefix(a, b, intersect),
    items: mergedRest(a.items, b.items, intersect),
    unions: distinctUnions([...a.unions, ...b.unions]),
    reference: null,
    conditions,
    never: types?.size === 0 || values?.nodes.length === 0,
  };
}

function distinctUnions(unions: readonly Union[]): Union[] {
  const seen = new Set<Union["options"]>();
  return unions.filter(({ options }) => {
    const isNew = !seen.has(options);
    seen.add(options);
    return isNew;
  });
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

function commonValues(a: Draft["values"], b: Draft["values"]): Draft["values"] {
  if (a === null) return b;
  if (b === null) return a;
  const keys = new Set(b.nodes.map(equalityKey));
  const nodes = a.nodes.filter((node) => keys.has(equalityKey(node)));
  return { ...a, nodes };
}

const LARGER_IS_STRICTER = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]);
const SMALLER_IS_STRICTER = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]);

function mergedAssertions(a: Draft, b: Draft, conditions: Condition[]): ReadonlyMap<string, Assertion> {
  const all = new Map(a.assertions);
  for (const [name, assertion] of b.assertions) {
    const known = all.get(name);
    if (known === undefined) all.set(name, assertion);
    else if (equalityKey(known.node) !== equalityKey(assertion.node)) {
      const stricter = stricterOf(name, known, assertion);
      if (stricter !== undefined) all.set(name, stricter);
      else conditions.push({ ...assertion, keyword: name, location: b.locations[0]! });
    }
  }
  return all;
}

/**
 * Undefined if both must hold and no single value is known to express that: two patterns, two formats, two divisors, or
 * numbers with too many digits to compare.
 */
function stricterOf(name: string, a: Assertion, b: Assertion): Assertion | undefined {
  if (a.node.type !== "number" || b.node.type !== "number") return undefined;
  const [left, right] = [decimalWithinLimits(a.node), decimalWithinLimits(b.node)];
  if (left === undefined || right === undefined) return undefined;
  const order = compareDecimals(left, right);
  if (LARGER_IS_STRICTER.has(name)) return order >= 0 ? a : b;
  if (SMALLER_IS_STRICTER.has(name)) return order <= 0 ? a : b;
  return undefined;
}

/** A property declared by only one side must also satisfy the other's schema for additional ones. */
function mergedProperties(reader: DraftReader, a: Draft, b: Draft): ReadonlyMap<string, Draft> | null {
  if (a.properties === null && b.properties === null) return null;
  const merged = new Map<string, Draft>();
  for (const [name, draft] of a.properties ?? []) {
    const other = b.properties?.get(name);
    merged.set(name, other === undefined ? heldTo(reader, draft, b, name) : reader.intersect(draft, other));
  }
  for (const [name, draft] of b.properties ?? []) {
    if (!merged.has(name)) merged.set(name, heldTo(reader, draft, a, name));
  }
  return merged;
}

function heldTo(reader: DraftReader, draft: Draft, { additional, additionalNames }: Draft, name: string): Draft {
  if (additionalNames !== null && !matchesName(reader.meter, additionalNames, name))
    return additionalNames.isClosed ? { ...draft, never: true } : draft;
  if (additional === null || additional === true) return draft;
  if (additional === false) return { ...draft, never: true };
  return reader.intersect(draft, additional);
}

function mergedRest(
  a: Draft | boolean | null,
  b: Draft | boolean | null,
  intersect: (a: Draft, b: Draft) => Draft,
): Draft | boolean | null {
  if (a === null || a === true) return b ?? a;
  if (b === null || b === true) return a;
  if (a === false || b === false) return false;
  return intersect(a, b);
}

function mergedPrefix(a: Draft, b: Draft, intersect: (a: Draft, b: Draft) => Draft): readonly Draft[] | null {
  if (a.prefix === null && b.prefix === null) return null;
  const length = Math.max(a.prefix?.length ?? 0, b.prefix?.length ?? 0);
  const merged: Draft[] = [];
  for (let index = 0; index < length; index += 1) {
    const left = a.prefix?.[index] ?? a.items;
    const right = b.prefix?.[index] ?? b.items;
    const both = mergedRest(left, right, intersect);
    // The first index at which one side allows no item.
    if (both === false || both === null || both === true) break;
    merged.push(both);
  }
  return merged;
}

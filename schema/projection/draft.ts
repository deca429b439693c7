/**
 * A schema taken apart, whatever its dialect: one form for what five drafts spell differently, with conjunctions merged.
 * References stay references, so a draft is finite however the schema recurs.
 */

import type { SchemaLocation } from "../json/model.ts";
import type { JsonNode } from "../json-text.ts";
import type { JsonType } from "./profile.ts";

/** A keyword with the place where it was written. */
export type Assertion = { readonly node: JsonNode; readonly pointer: string };

export type Union = {
  readonly keyword: "anyOf" | "oneOf";
  readonly options: readonly Draft[];
  readonly pointer: string;
  /** As it was written; absent where a projection made it up. */
  readonly written?: { readonly node: JsonNode; readonly location: SchemaLocation };
};

/** A keyword that has no field of its own: written out where a provider takes it, else checked after decoding. */
export type Condition = Assertion & { readonly keyword: string; readonly location: SchemaLocation };

export type AdditionalNames = {
  readonly pattern: string;
  readonly pointer: string;
  /** Whether members with other names are forbidden. */
  readonly isClosed: boolean;
  /** The whole keyword, and where it stands. */
  readonly node: JsonNode;
  readonly location: SchemaLocation;
};

export type Draft = {
  /** Where it was written: a pointer, after `name#` in a reference. */
  readonly pointer: string;
  /** The schemas that a value must all keep to. */
  readonly locations: readonly SchemaLocation[];
  /** Null: any. `number` includes integers. */
  readonly types: ReadonlySet<JsonType> | null;
  readonly annotations: ReadonlyMap<string, JsonNode>;
  readonly values: {
    readonly keyword: "const" | "enum";
    readonly nodes: readonly JsonNode[];
    readonly pointer: string;
  } | null;
  /** Keywords with a number, string or boolean, in the spelling of 2020-12. */
  readonly assertions: ReadonlyMap<string, Assertion>;
  readonly properties: ReadonlyMap<string, Draft> | null;
  readonly required: ReadonlySet<string>;
  /** Null: nothing is said. */
  readonly additional: Draft | boolean | null;
  /** What names of additional members match, where `patternProperties` says so. */
  readonly additionalNames: AdditionalNames | null;
  readonly prefix: readonly Draft[] | null;
  readonly items: Draft | boolean | null;
  readonly unions: readonly Union[];
  /** A reference; beside it stand annotations only. */
  readonly reference: { readonly target: SchemaLocation; readonly text: string; readonly pointer: string } | null;
  readonly conditions: readonly Condition[];
  /** No value keeps to it. */
  readonly never: boolean;
};

/** Without a location a draft is bound by no schema, and any value keeps to it. */
export function emptyDraft(pointer: string, location?: SchemaLocation): Draft {
  return {
    pointer,
    locations: location === undefined ? [] : [location],
    types: null,
    annotations: new Map(),
    values: null,
    assertions: new Map(),
    properties: null,
    required: new Set(),
    additional: null,
    additionalNames: null,
    prefix: null,
    items: null,
    unions: [],
    reference: null,
    conditions: [],
    never: false,
  };
}

/** Whether nothing but annotations is said. */
export function isUnconstrained(draft: Draft): boolean {
  return (
    !draft.never &&
    draft.types === null &&
    draft.values === null &&
    draft.assertions.size === 0 &&
    draft.properties === null &&
    draft.required.size === 0 &&
    draft.additional === null &&
    draft.prefix === null &&
    draft.items === null &&
    draft.unions.length === 0 &&
    draft.reference === null &&
    draft.conditions.length === 0
  );
}

export const ALL_TYPES: readonly JsonType[] = ["null", "boolean", "number", "string", "array", "object"];

/** The type that a value has in JSON; integers are told apart from other numbers. */
export function typeOfNode(node: JsonNode): JsonType {
  return node.type === "number" && Number.isInteger(node.value) ? "integer" : node.type;
}

/** Whether one of the types covers a type. */
export function coversType(types: ReadonlySet<JsonType> | readonly JsonType[], type: JsonType): boolean {
  const has = (wanted: JsonType) =>
    Array.isArray(types) ? types.includes(wanted) : (types as ReadonlySet<JsonType>).has(wanted);
  return has(type) || (type === "integer" && has("number"));
}

/** The types that both sides cover. */
export function commonTypes(
  a: ReadonlySet<JsonType> | null,
  b: ReadonlySet<JsonType> | null,
): ReadonlySet<JsonType> | null {
  if (a === null) return b;
  if (b === null) return a;
  const common = new Set<JsonType>();
  for (const type of a) {
    if (coversType(b, type)) common.add(type);
    else if (type === "number" && b.has("integer")) common.add("integer");
  }
  return common;
}

/** The drafts directly below. */
export function childrenOf(draft: Draft): Draft[] {
  const isDraft = (value: Draft | boolean | null): value is Draft => typeof value === "object" && value !== null;
  return [
    ...(draft.properties?.values() ?? []),
    ...(draft.prefix ?? []),
    ...draft.unions.flatMap(({ options }) => options),
    ...[draft.additional, draft.items].filter(isDraft),
  ];
}

/**
 * A schema in one form for all five drafts, with conjunctions merged. References stay references, so a draft is finite
 * even for recursive schemas.
 */

import type { SchemaLocation } from "../json/model.ts";
import type { JsonNode } from "../json-text.ts";
import type { JsonType } from "./profile.ts";

/** A keyword with its original location. */
export type Assertion = { readonly node: JsonNode; readonly pointer: string };

export type Union = {
  readonly keyword: "anyOf" | "oneOf";
  readonly options: readonly Draft[];
  readonly pointer: string;
  /** As written; absent if a projection created it. */
  readonly written?: { readonly node: JsonNode; readonly location: SchemaLocation };
};

/** A keyword without a dedicated field: written if a provider supports it, else checked after decoding. */
export type Condition = Assertion & { readonly keyword: string; readonly location: SchemaLocation };

export type AdditionalNames = {
  readonly pattern: string;
  readonly pointer: string;
  /** Whether members with other names are forbidden. */
  readonly isClosed: boolean;
  /** The whole keyword, and its location. */
  readonly node: JsonNode;
  readonly location: SchemaLocation;
};

export type Draft = {
  /** The original location: a pointer, prefixed with `name#` in a reference. */
  readonly pointer: string;
  /** The schemas that a value must satisfy together. */
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
  /** Null: unspecified. */
  readonly additional: Draft | boolean | null;
  /** The patterns of additional members' names, from `patternProperties`. */
  readonly additionalNames: AdditionalNames | null;
  readonly prefix: readonly Draft[] | null;
  readonly items: Draft | boolean | null;
  readonly unions: readonly Union[];
  /** A reference; it has only annotations as siblings. */
  readonly reference: { readonly target: SchemaLocation; readonly text: string; readonly pointer: string } | null;
  readonly conditions: readonly Condition[];
  /** No value is valid. */
  readonly never: boolean;
};

/** Without a location a draft is not bound to a schema, and any value is valid. */
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

/** Whether it has only annotations. */
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

/** The JSON type of a value; integers are distinguished from other numbers. */
export function typeOfNode(node: JsonNode): JsonType {
  return node.type === "number" && Number.isInteger(node.value) ? "integer" : node.type;
}

/** Whether one of the types includes a type. */
export function coversType(types: ReadonlySet<JsonType> | readonly JsonType[], type: JsonType): boolean {
  const has = (wanted: JsonType) =>
    Array.isArray(types) ? types.includes(wanted) : (types as ReadonlySet<JsonType>).has(wanted);
  return has(type) || (type === "integer" && has("number"));
}

/** The types that both sides include. */
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

/** The direct subdrafts. */
export function listChildren(draft: Draft): Draft[] {
  const isDraft = (value: Draft | boolean | null): value is Draft => typeof value === "object" && value !== null;
  return [
    ...(draft.properties?.values() ?? []),
    ...(draft.prefix ?? []),
    ...draft.unions.flatMap(({ options }) => options),
    ...[draft.additional, draft.items].filter(isDraft),
  ];
}

/** The differences between the five dialects: their names, their keywords, and which keywords hold schemas. */
import type { JsonDialect } from "../../format.ts";

export const JSON_DIALECTS = ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"] as const;

/** How a keyword holds schemas: one, an array, a map, one or an array, or a map that also allows arrays of names. */
export type SubschemaShape = "one" | "array" | "map" | "one_or_array" | "dependencies";

const META_SCHEMA_URLS: Record<string, JsonDialect> = {
  "json-schema.org/draft-04/schema": "draft-04",
  "json-schema.org/draft-06/schema": "draft-06",
  "json-schema.org/draft-07/schema": "draft-07",
  "json-schema.org/draft/2019-09/schema": "2019-09",
  "json-schema.org/draft/2020-12/schema": "2020-12",
};

/** The dialect a `$schema` names, with or without a trailing `#`, over http or https; undefined for any other. */
export function dialectOfUrl(url: string): JsonDialect | undefined {
  const match = /^https?:\/\/([^#]*)#?$/.exec(url);
  const key = match?.[1];
  return key !== undefined && Object.hasOwn(META_SCHEMA_URLS, key) ? META_SCHEMA_URLS[key] : undefined;
}

/** Whether `a` is the dialect `b` or a later one. */
export function isAtLeast(a: JsonDialect, b: JsonDialect): boolean {
  return JSON_DIALECTS.indexOf(a) >= JSON_DIALECTS.indexOf(b);
}

/** Up to draft-07 an object with `$ref` is only a reference. */
export function ignoresRefSiblings(dialect: JsonDialect): boolean {
  return dialect === "draft-07" || dialect === "draft-06" || dialect === "draft-04";
}

/** The keyword that sets a resource's identity. */
export function idKeyword(dialect: JsonDialect): "id" | "$id" {
  return dialect === "draft-04" ? "id" : "$id";
}

const DRAFT_04: [string, SubschemaShape][] = [
  ["definitions", "map"],
  // Not a keyword before 2019-09, but widely used as one, and its schemas are found by reference.
  ["$defs", "map"],
  ["properties", "map"],
  ["patternProperties", "map"],
  ["additionalProperties", "one"],
  ["additionalItems", "one"],
  ["items", "one_or_array"],
  ["dependencies", "dependencies"],
  ["allOf", "array"],
  ["anyOf", "array"],
  ["oneOf", "array"],
  ["not", "one"],
];
const DRAFT_06: [string, SubschemaShape][] = [...DRAFT_04, ["contains", "one"], ["propertyNames", "one"]];
const DRAFT_07: [string, SubschemaShape][] = [...DRAFT_06, ["if", "one"], ["then", "one"], ["else", "one"]];
const DRAFT_2019: [string, SubschemaShape][] = [
  ...DRAFT_07,
  ["dependentSchemas", "map"],
  ["unevaluatedItems", "one"],
  ["unevaluatedProperties", "one"],
  ["contentSchema", "one"],
];
const DRAFT_2020: [string, SubschemaShape][] = [
  ...DRAFT_2019.filter(([name]) => name !== "items" && name !== "additionalItems"),
  ["items", "one"],
  ["prefixItems", "array"],
];

/** The keywords of each dialect that hold schemas. */
export const SUBSCHEMA_KEYWORDS: Record<JsonDialect, ReadonlyMap<string, SubschemaShape>> = {
  "draft-04": new Map(DRAFT_04),
  "draft-06": new Map(DRAFT_06),
  "draft-07": new Map(DRAFT_07),
  "2019-09": new Map(DRAFT_2019),
  "2020-12": new Map(DRAFT_2020),
};

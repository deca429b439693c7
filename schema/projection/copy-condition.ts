/** Copies conditions in the spelling of 2020-12, with references rewritten to definitions. */

import {
  childLocation,
  keywords,
  REFERENCE_KEYWORDS,
  type ReferenceKeyword,
  type SchemaLocation,
  schemasIn,
} from "../json/model.ts";
import { isAtLeast, SUBSCHEMA_KEYWORDS } from "../json/parse/dialects.ts";
import type { JsonNode, JsonObject } from "../json-text.ts";
import type { Condition, Draft } from "./draft.ts";
import { arrayNode, objectNode, stringNode } from "./json-nodes.ts";
import type { Rewriter } from "./rewriter.ts";

/**
 * Keywords about members and items that their siblings do not cover: their meaning would change next to other schemas'
 * keywords.
 */
const ABOUT_NEIGHBOURS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "unevaluatedProperties",
  "unevaluatedItems",
]);

/** Whether a condition has the same meaning in 2020-12 next to all other keywords of its draft. */
export function canCopy({ keyword, location }: Condition, { locations, additional }: Draft): boolean {
  // A name that matches no longer counts as additional.
  if (keyword === "patternProperties" && locations.length > 1 && additional !== null && additional !== true)
    return false;
  if (ABOUT_NEIGHBOURS.has(keyword) && locations.length > 1) return false;
  // Before 2020-12 an item matched by `contains` does not count as evaluated.
  return keyword !== "unevaluatedItems" || isAtLeast(location.resource.dialect, "2020-12");
}

/** Adds a condition to a schema. */
export function copyCondition(rewriter: Rewriter, { keyword, node, location }: Condition, schema: JsonObject): void {
  addKeyword(rewriter, location, keyword, node, schema);
}

function addKeyword(
  rewriter: Rewriter,
  location: SchemaLocation,
  name: string,
  value: JsonNode,
  copy: JsonObject,
): void {
  const { members } = copy;
  const isOld = !isAtLeast(location.resource.dialect, "2020-12");
  const copied = () => copyHolder(rewriter, location, name, value);
  if (NAMING.has(name)) return;
  if (REFERENCE_KEYWORDS.some((keyword) => keyword === name)) {
    const target = rewriter.follow(location, name as ReferenceKeyword);
    if (target === undefined) return;
    const reference = stringNode(`#/$defs/${rewriter.definition(target).name}`);
    if (!members.has("$ref")) members.set("$ref", reference);
    else addPart(members, objectNode([["$ref", reference]]));
  } else if (name === "items" && value.type === "array") {
    members.set("prefixItems", copied());
  } else if (name === "additionalItems") {
    const isTuple = location.node.type === "object" && location.node.members.get("items")?.type === "array";
    if (isOld && isTuple) members.set("items", copied());
  } else if (name === "dependencies" && value.type === "object") addDependencies(copied(), members);
  else if (name.startsWith("exclusive") && value.type === "boolean") addExclusive(location, name, value.value, members);
  else if ((name === "minimum" || name === "maximum") && isMadeExclusive(location, name)) return;
  else members.set(name, SUBSCHEMA_KEYWORDS[location.resource.dialect].has(name) ? copied() : value);
}

function addPart(members: Map<string, JsonNode>, part: JsonNode): void {
  const parts = members.get("allOf");
  members.set("allOf", arrayNode([...(parts?.type === "array" ? parts.items : []), part]));
}

/** Keywords that only name or contain schemas written elsewhere. */
const NAMING: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "$id",
  "id",
  "$anchor",
  "$dynamicAnchor",
  "$schema",
]);

function addDependencies(copied: JsonNode, members: Map<string, JsonNode>): void {
  if (copied.type !== "object") return;
  const names = [...copied.members].filter(([, value]) => value.type === "array");
  const schemas = [...copied.members].filter(([, value]) => value.type !== "array");
  if (names.length > 0) members.set("dependentRequired", objectNode(names));
  if (schemas.length > 0) members.set("dependentSchemas", objectNode(schemas));
}

/** In draft-04 a boolean makes the bound next to it exclusive. */
function addExclusive(
  location: SchemaLocation,
  name: string,
  isExclusive: boolean,
  members: Map<string, JsonNode>,
): void {
  const bound = name === "exclusiveMinimum" ? "minimum" : "maximum";
  const value = location.node.type === "object" ? location.node.members.get(bound) : undefined;
  if (isExclusive && value !== undefined) members.set(name, value);
}

function isMadeExclusive({ node }: SchemaLocation, name: "minimum" | "maximum"): boolean {
  const flag =
    node.type === "object" ? node.members.get(name === "minimum" ? "exclusiveMinimum" : "exclusiveMaximum") : undefined;
  return flag?.type === "boolean" && flag.value;
}

function copyHolder(rewriter: Rewriter, location: SchemaLocation, name: string, value: JsonNode): JsonNode {
  const shape = SUBSCHEMA_KEYWORDS[location.resource.dialect].get(name);
  if (shape === undefined) return value;
  const copies = new Map<string | number | null, JsonNode>();
  for (const [key, node] of schemasIn(shape, value)) {
    const tokens = key === null ? [name] : [name, key];
    copies.set(key, copySchema(rewriter, childLocation(rewriter.reader.model, location, node, ...tokens)));
  }
  if (value.type === "array") return arrayNode(value.items.map((item, index) => copies.get(index) ?? item));
  const single = copies.get(null);
  if (single !== undefined || value.type !== "object") return single ?? value;
  return objectNode([...value.members].map(([key, member]) => [key, copies.get(key) ?? member] as const));
}

/** Recursion is bounded by the depth of the text. */
function copySchema(rewriter: Rewriter, location: SchemaLocation): JsonNode {
  rewriter.meter.project(location.pointer, 0);
  if (location.node.type !== "object") return location.node;
  const copy = objectNode();
  for (const [name, value] of keywords(location)) addKeyword(rewriter, location, name, value, copy);
  return copy;
}

/** The fields a schema describes, for search and lineage: a flat list, bounded, with cycles cut where they close. */
import type { SchemaField } from "../../format.ts";
import type { JsonNode } from "../../json-text.ts";
import { childLocation, followReference, type JsonSchemaModel, keyword, type SchemaLocation } from "../model.ts";

/** Fields listed per schema: a list to search, not a tree to rebuild. */
export const MAX_FIELDS = 10_000;
/** Nested levels listed; the deepest schema of the corpus has 14. */
export const MAX_FIELD_DEPTH = 32;
/** Schemas visited; in-place applicators visit some schemas several times, but not exponentially often. */
const MAX_FIELD_STEPS = 100_000;
/** Characters of all paths together: nested long names would otherwise multiply. */
const MAX_FIELD_PATH_CHARACTERS = 4 * 1_048_576;

/** Every property path with its type and documentation, each path once. */
export function jsonSchemaFields(model: JsonSchemaModel): SchemaField[] {
  const walk = new FieldWalk(model);
  walk.below(model.root, "", 0);
  return [...walk.fields.values()];
}

/** The names of the root's properties, including those from its references and in-place applicators. */
export function topLevelNames(model: JsonSchemaModel): string[] {
  const names = new Set<string>();
  for (const { location } of inPlace(model, model.root)) {
    const properties = keyword(location, "properties");
    if (properties?.type === "object") for (const name of properties.members.keys()) names.add(name);
  }
  return [...names];
}

const APPLICATORS = ["allOf", "anyOf", "oneOf"] as const;
const CONDITIONALS = ["if", "then", "else"] as const;
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"] as const;

const CHILD_KEYWORDS = [
  "properties",
  "patternProperties",
  "additionalProperties",
  "items",
  "prefixItems",
  "additionalItems",
  "contains",
] as const;

/** A schema that applies to a value, and whether it always does: a branch of `anyOf` may not. */
type InPlace = { location: SchemaLocation; always: boolean };

/**
 * A location and all schemas that apply to the same value, each once and in the order written, at most `limit` of them.
 */
function inPlace(
  model: JsonSchemaModel,
  start: SchemaLocation,
  limit = MAX_FIELD_STEPS,
  skipped: ReadonlySet<JsonNode> = new Set(),
): InPlace[] {
  const found: InPlace[] = [];
  const seen = new Set<JsonNode>();
  const open: InPlace[] = [{ location: start, always: true }];
  for (let next = open.pop(); next !== undefined && found.length < limit; next = open.pop()) {
    const { location, always } = next;
    if (location.node.type !== "object" || seen.has(location.node) || skipped.has(location.node)) continue;
    seen.add(location.node);
    found.push(next);
    const below: InPlace[] = [];
    for (const name of REFERENCES) {
      const target = followReference(model, location, name, [model.root.resource]);
      if (target !== undefined) below.push({ location: target, always });
    }
    for (const name of APPLICATORS) {
      const branches = keyword(location, name);
      if (branches?.type !== "array") continue;
      for (const [index, branch] of branches.items.slice(0, limit).entries()) {
        const applies = always && (name === "allOf" || branches.items.length === 1);
        below.push({ location: childLocation(model, location, branch, name, index), always: applies });
      }
    }
    for (const name of CONDITIONALS) {
      const branch = keyword(location, name);
      if (branch !== undefined) below.push({ location: childLocation(model, location, branch, name), always: false });
    }
    for (const place of below.reverse()) open.push(place);
  }
  return found;
}

class FieldWalk {
  readonly fields = new Map<string, SchemaField>();
  /** Schemas on the path from the root: a schema is not entered inside itself. */
  readonly #open = new Set<JsonNode>();
  /** Schemas with nothing below them, regardless of their in-place applicators. */
  readonly #leaves = new Set<JsonNode>();
  #steps = 0;
  #characters = 0;

  readonly model: JsonSchemaModel;

  constructor(model: JsonSchemaModel) {
    this.model = model;
  }

  /** Lists the fields below one location. Recursion is bounded by MAX_FIELD_DEPTH. */
  below(location: SchemaLocation, path: string, depth: number): void {
    if (depth > MAX_FIELD_DEPTH || this.#open.has(location.node) || this.#leaves.has(location.node)) return;
    const all = inPlace(this.model, location, MAX_FIELD_STEPS, this.#leaves);
    this.#steps += all.length;
    if (!all.some((place) => CHILD_KEYWORDS.some((name) => keyword(place.location, name) !== undefined))) {
      for (const place of all) this.#leaves.add(place.location.node);
      return;
    }
    const places = all.filter((place) => !this.#open.has(place.location.node));
    for (const place of places) this.#open.add(place.location.node);
    const required = requiredNames(places);
    for (const place of places) this.#children(place.location, path, depth, required);
    for (const place of places) this.#open.delete(place.location.node);
  }

  #children(place: SchemaLocation, path: string, depth: number, required: ReadonlySet<string>): void {
    const properties = keyword(place, "properties");
    if (properties?.type === "object") {
      for (const [name, node] of properties.members) {
        if (this.#isFull()) return;
        const child = childLocation(this.model, place, node, "properties", name);
        this.#field(child, path === "" ? name : `${path}.${name}`, depth, required.has(name));
      }
    }
    for (const [name, suffix] of ELEMENTS) {
      const value = keyword(place, name);
      if (value === undefined || value.type === "boolean") continue;
      for (const child of elements(this.model, place, name, value)) {
        if (this.#isFull()) return;
        this.#field(child, `${path}${suffix}`, depth, false);
      }
    }
  }

  #field(location: SchemaLocation, path: string, depth: number, required: boolean): void {
    this.#steps += 1;
    const known = this.fields.get(path);
    if (known === undefined) {
      this.#characters += path.length;
      this.fields.set(path, { path, ...describe(this.model, location), required });
    } else if (required && !known.required) {
      this.fields.set(path, { ...known, required });
    }
    this.below(location, path, depth + 1);
  }

  #isFull(): boolean {
    return (
      this.fields.size >= MAX_FIELDS || this.#steps >= MAX_FIELD_STEPS || this.#characters >= MAX_FIELD_PATH_CHARACTERS
    );
  }
}

/** Keywords for the elements of a value, with the suffix they add to a path. */
const ELEMENTS = [
  ["prefixItems", "[]"],
  ["items", "[]"],
  ["additionalItems", "[]"],
  ["contains", "[]"],
  ["patternProperties", "{}"],
  ["additionalProperties", "{}"],
] as const;

function elements(model: JsonSchemaModel, place: SchemaLocation, name: string, value: JsonNode): SchemaLocation[] {
  if (value.type === "array") return value.items.map((item, index) => childLocation(model, place, item, name, index));
  if (value.type !== "object") return [];
  if (name !== "patternProperties") return [childLocation(model, place, value, name)];
  return [...value.members].map(([key, node]) => childLocation(model, place, node, name, key));
}

function requiredNames(places: readonly InPlace[]): Set<string> {
  const names = new Set<string>();
  for (const { location, always } of places) {
    const required = keyword(location, "required");
    if (!always || required?.type !== "array") continue;
    for (const name of required.items) if (name.type === "string") names.add(name.value);
  }
  return names;
}

/** Schemas examined to determine the type of one field. */
const MAX_TYPE_STEPS = 16;

/** The types of a field, joined by `|`, and the first description found on it or on its reference targets. */
function describe(model: JsonSchemaModel, field: SchemaLocation): { type: string; documentation: string | null } {
  const types = new Set<string>();
  let documentation: string | null = null;
  for (const { location, always } of inPlace(model, field, MAX_TYPE_STEPS)) {
    for (const type of typesOf(location)) types.add(type);
    const description = keyword(location, "description") ?? beside(location, "description");
    if (documentation === null && always && description?.type === "string") documentation = description.value;
  }
  return { type: types.size === 0 ? "any" : [...types].join("|"), documentation };
}

/** Up to draft-07 a `$ref` disables its siblings as rules, but authors still describe the property there. */
function beside({ node }: SchemaLocation, name: string): JsonNode | undefined {
  return node.type === "object" ? node.members.get(name) : undefined;
}

function typesOf(location: SchemaLocation): string[] {
  const type = keyword(location, "type");
  if (type?.type === "string") return [type.value];
  if (type?.type === "array") return type.items.flatMap((item) => (item.type === "string" ? [item.value] : []));
  const fixed = keyword(location, "const");
  if (fixed !== undefined) return [fixed.type];
  const values = keyword(location, "enum");
  if (values?.type === "array") return [...new Set(values.items.slice(0, MAX_TYPE_STEPS).map((value) => value.type))];
  if (keyword(location, "properties") !== undefined) return ["object"];
  return keyword(location, "items") === undefined ? [] : ["array"];
}

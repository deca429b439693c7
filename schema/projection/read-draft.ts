/** Converts a parsed JSON Schema to drafts, keyword by keyword, in the spelling of 2020-12. */

import {
  childLocation,
  followReference,
  type JsonSchemaModel,
  keywords,
  REFERENCE_KEYWORDS,
  type ReferenceKeyword,
  type SchemaLocation,
} from "../json/model.ts";
import { schemaPointer } from "../json/validate/evaluation.ts";
import { compilePattern } from "../json/validate/patterns.ts";
import type { JsonNode } from "../json-text.ts";
import { MAX_NESTED_READS, type ProjectionMeter, TooComplexProjection } from "./bounds.ts";
import { type Assertion, type Draft, emptyDraft, type Union } from "./draft.ts";
import { intersectDrafts, matchesName } from "./intersect.ts";
import type { JsonType } from "./profile.ts";

/** Keywords with one plain value. */
const PLAIN_ASSERTIONS: ReadonlySet<string> = new Set([
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "format",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minProperties",
  "maxProperties",
]);

/** Combining and restricting keywords without a field of their own. */
const CONDITIONS: ReadonlySet<string> = new Set([
  "not",
  "if",
  "then",
  "else",
  "contains",
  "minContains",
  "maxContains",
  "propertyNames",
  "dependentSchemas",
  "dependentRequired",
  "dependencies",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/** Keywords that only name or contain schemas and do not constrain values. */
const SILENT: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "$id",
  "id",
  "$anchor",
  "$dynamicAnchor",
  "$recursiveAnchor",
  "$vocabulary",
]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class DraftReader {
  readonly model: JsonSchemaModel;
  readonly meter: ProjectionMeter;
  readonly #drafts = new Map<JsonNode, Draft>();
  readonly #reading = new Set<JsonNode>();

  constructor(model: JsonSchemaModel, meter: ProjectionMeter) {
    this.model = model;
    this.meter = meter;
  }

  /** The draft of one location, with references unresolved. */
  read(location: SchemaLocation): Draft {
    const known = this.#drafts.get(location.node);
    if (known !== undefined) return known;
    if (this.#reading.size >= MAX_NESTED_READS) {
      const message = `References in "allOf" lead through more than ${MAX_NESTED_READS} schemas.`;
      throw new TooComplexProjection(schemaPointer(location), message);
    }
    this.#reading.add(location.node);
    const draft = this.#read(location);
    this.#reading.delete(location.node);
    this.#drafts.set(location.node, draft);
    return draft;
  }

  /** The draft with its reference, if it has one, replaced by its target; undefined for circular references. */
  resolve(draft: Draft): Draft | undefined {
    let current = draft;
    const seen = new Set<JsonNode>();
    while (current.reference !== null) {
      const { target } = current.reference;
      if (seen.has(target.node) || this.#reading.has(target.node)) return undefined;
      seen.add(target.node);
      this.meter.combine(current.pointer, 1 + current.annotations.size);
      current = withAnnotations(this.read(target), current);
    }
    return current;
  }

  readonly intersect = (a: Draft, b: Draft): Draft => intersectDrafts(this, a, b);

  /** Recursion is bounded by the depth of the text. */
  #read(location: SchemaLocation): Draft {
    const pointer = schemaPointer(location);
    this.meter.draft(pointer);
    const draft: Mutable<Draft> = emptyDraft(pointer, location);
    const { node } = location;
    if (node.type === "boolean") draft.never = !node.value;
    if (node.type !== "object") return draft;
    const assertions = new Map<string, Assertion>();
    const annotations = new Map<string, JsonNode>();
    const conditions: Draft["conditions"][number][] = [];
    const parts: Draft[] = [];
    const unions: Union[] = [];
    for (const [name, value] of keywords(location)) {
      const at = schemaPointer(location, name);
      if (name === "not" && admitsAll(value)) draft.never = true;
      else if (PLAIN_ASSERTIONS.has(name)) assertions.set(name, { node: value, pointer: at });
      else if (CONDITIONS.has(name)) conditions.push({ keyword: name, node: value, pointer: at, location });
      else if (name === "allOf") parts.push(...this.#list(location, name, value));
      else if (name === "anyOf" || name === "oneOf") {
        unions.push({
          keyword: name,
          options: this.#list(location, name, value),
          pointer: at,
          written: { node: value, location },
        });
      } else if (!this.#readShape(draft, location, name, value) && !SILENT.has(name) && !isReference(name)) {
        annotations.set(name, value);
      }
    }
    draft.annotations = annotations;
    draft.assertions = withNumericBounds(assertions);
    draft.conditions = withoutEmptyConditions(conditions);
    draft.unions = unions;
    draft.additional = this.#additional(draft, location);
    return this.#combined(draft, location, parts);
  }

  /** Keywords with a field of their own. */
  #readShape(draft: Mutable<Draft>, location: SchemaLocation, name: string, value: JsonNode): boolean {
    switch (name) {
      case "type":
        draft.types = typesOf(value);
        return true;
      case "enum":
        if (value.type === "array" && draft.values?.keyword !== "const")
          draft.values = { keyword: "enum", nodes: value.items, pointer: schemaPointer(location, name) };
        return true;
      case "const":
        draft.values = { keyword: "const", nodes: [value], pointer: schemaPointer(location, name) };
        return true;
      case "properties":
        if (value.type === "object") {
          draft.properties = new Map(
            [...value.members].map(([key, member]) => [
              key,
              this.read(childLocation(this.model, location, member, name, key)),
            ]),
          );
        }
        return true;
      case "required":
        if (value.type === "array")
          draft.required = new Set(value.items.flatMap((item) => (item.type === "string" ? [item.value] : [])));
        return true;
      case "additionalProperties":
      case "patternProperties":
        return true;
      case "prefixItems":
        draft.prefix = this.#list(location, name, value);
        return true;
      case "items":
        if (value.type === "array") {
          draft.prefix = this.#list(location, name, value);
          const rest = location.node.type === "object" ? location.node.members.get("additionalItems") : undefined;
          draft.items = rest === undefined ? null : this.#schemaOrBoolean(location, "additionalItems", rest);
        } else draft.items = this.#schemaOrBoolean(location, name, value);
        return true;
      case "additionalItems":
        return true;
      default:
        return false;
    }
  }

  #additional(draft: Draft, location: SchemaLocation): Draft["additional"] {
    if (location.node.type !== "object") return null;
    const written = location.node.members.get("additionalProperties");
    const said = written === undefined ? null : this.#schemaOrBoolean(location, "additionalProperties", written);
    const patterns = location.node.members.get("patternProperties");
    if (patterns?.type !== "object" || patterns.members.size === 0) return said;
    const pointer = schemaPointer(location, "patternProperties");
    const [first] = patterns.members.keys();
    const isMap = patterns.members.size === 1 && (said === null || said === false) && compilePattern(first!).ok;
    const mutable = draft as Mutable<Draft>;
    if (!isMap) {
      const conditions = [...draft.conditions, { keyword: "patternProperties", node: patterns, pointer, location }];
      mutable.conditions = conditions;
      if (written === undefined || said === true) return said;
      // Which names are additional depends on the patterns, so it is also kept as a condition.
      const at = schemaPointer(location, "additionalProperties");
      conditions.push({ keyword: "additionalProperties", node: written, pointer: at, location });
      return null;
    }
    const names = { pattern: first!, pointer, isClosed: said === false, node: patterns, location };
    mutable.additionalNames = names;
    const [node] = patterns.members.values();
    const member = this.read(childLocation(this.model, location, node!, "patternProperties", first!));
    if (draft.properties !== null) {
      const held = (name: string, child: Draft) =>
        matchesName(this.meter, names, name) ? intersectDrafts(this, child, member) : child;
      mutable.properties = new Map([...draft.properties].map(([name, child]) => [name, held(name, child)]));
    }
    return member;
  }

  #combined(draft: Draft, location: SchemaLocation, parts: readonly Draft[]): Draft {
    let combined = draft;
    for (const name of REFERENCE_KEYWORDS) {
      const target = followReference(this.model, location, name);
      if (target !== undefined) combined = this.#withReference(combined, location, name, target);
    }
    for (const part of parts) combined = intersectDrafts(this, combined, part);
    return combined;
  }

  #withReference(draft: Draft, location: SchemaLocation, name: ReferenceKeyword, target: SchemaLocation): Draft {
    const value = location.node.type === "object" ? location.node.members.get(name) : undefined;
    const text = value?.type === "string" ? value.value : "";
    const reference = { target, text, pointer: schemaPointer(location, name) };
    const referring: Draft = { ...emptyDraft(draft.pointer, location), reference };
    return intersectDrafts(this, draft, referring);
  }

  #list(location: SchemaLocation, name: string, value: JsonNode): Draft[] {
    if (value.type !== "array") return [];
    return value.items.map((item, index) => this.read(childLocation(this.model, location, item, name, index)));
  }

  #schemaOrBoolean(location: SchemaLocation, name: string, value: JsonNode): Draft | boolean {
    return value.type === "boolean" ? value.value : this.read(childLocation(this.model, location, value, name));
  }
}

/** A draft with the annotations of the referring schema. */
export function withAnnotations(draft: Draft, outer: Draft): Draft {
  if (outer.annotations.size === 0) return draft;
  return { ...draft, annotations: new Map([...draft.annotations, ...outer.annotations]) };
}

/** Before boolean schemas, `{"not": {}}` was the schema without values. */
function admitsAll(node: JsonNode): boolean {
  return node.type === "object" ? node.members.size === 0 : node.type === "boolean" && node.value;
}

function isReference(name: string): boolean {
  return (REFERENCE_KEYWORDS as readonly string[]).includes(name);
}

function typesOf(value: JsonNode): ReadonlySet<JsonType> | null {
  const names = value.type === "array" ? value.items : [value];
  const types = new Set<JsonType>();
  for (const name of names) if (name.type === "string") types.add(name.value as JsonType);
  if (types.has("number")) types.delete("integer");
  return types.size === 0 ? null : types;
}

/** Draft-04 uses a boolean next to the bound, later drafts a separate bound. */
function withNumericBounds(assertions: Map<string, Assertion>): ReadonlyMap<string, Assertion> {
  for (const [exclusive, inclusive] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    const flag = assertions.get(exclusive);
    if (flag?.node.type !== "boolean") continue;
    const bound = assertions.get(inclusive);
    assertions.delete(exclusive);
    if (!flag.node.value || bound === undefined) continue;
    assertions.delete(inclusive);
    assertions.set(exclusive, { node: bound.node, pointer: flag.pointer });
  }
  const unique = assertions.get("uniqueItems");
  if (unique?.node.type === "boolean" && !unique.node.value) assertions.delete("uniqueItems");
  return assertions;
}

/** `then` without `if`, and bounds of `contains` without it, have no effect. */
function withoutEmptyConditions(conditions: readonly Draft["conditions"][number][]): Draft["conditions"] {
  const names = new Set(conditions.map(({ keyword }) => keyword));
  return conditions.filter(({ keyword }) => {
    if (keyword === "then" || keyword === "else") return names.has("if");
    if (keyword === "if") return names.has("then") || names.has("else");
    if (keyword === "minContains" || keyword === "maxContains") return names.has("contains");
    return true;
  });
}

/**
 * JSON Schemas in the Confluent server's model: one class per type, combinations as lists of members, and schemas with
 * several kinds of keywords as an allOf of their parts. All dialects translate into this one model. Nodes are built
 * lazily, once per location, so recursive schemas are finite.
 */
import type { JsonNode, JsonNumber, JsonObject } from "../../../json-text.ts";
import {
  childLocation,
  followReference,
  isSchemaNode,
  type JsonSchemaModel,
  REFERENCE_KEYWORDS,
  type SchemaLocation,
} from "../../model.ts";
import { idKeyword, isAtLeast } from "../../parse/dialects.ts";

/** Members of every class. Only the outermost part of a schema with several parts has annotations. */
type Annotations = {
  readonly id: string | undefined;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly defaultValue: JsonNode | undefined;
  /** Has the marker with which Kafka Connect stores raw bytes. */
  readonly connectBytes: boolean;
};

/** A schema that is built on first use. */
export type LazySchema = () => TypedSchema;

export type StringSchema = {
  readonly class: "string";
  readonly minLength: JsonNumber | undefined;
  readonly maxLength: JsonNumber | undefined;
  readonly pattern: string | undefined;
};
export type NumberSchema = {
  readonly class: "number";
  readonly integer: boolean;
  readonly minimum: JsonNumber | undefined;
  readonly maximum: JsonNumber | undefined;
  /** A number from draft-06 on, a flag for `minimum` in draft-04. */
  readonly exclusiveMinimum: JsonNumber | true | undefined;
  readonly exclusiveMaximum: JsonNumber | true | undefined;
  readonly multipleOf: JsonNumber | undefined;
};
export type ObjectSchema = {
  readonly class: "object";
  readonly properties: ReadonlyMap<string, LazySchema>;
  readonly required: ReadonlySet<string>;
  readonly patternProperties: ReadonlyMap<string, LazySchema>;
  readonly permitsAdditional: boolean;
  readonly additional: LazySchema | undefined;
  readonly unevaluated: LazySchema | undefined;
  readonly minProperties: JsonNumber | undefined;
  readonly maxProperties: JsonNumber | undefined;
  readonly propertyDependencies: ReadonlyMap<string, ReadonlySet<string>>;
  readonly schemaDependencies: ReadonlyMap<string, LazySchema>;
};
export type ArraySchema = {
  readonly class: "array";
  readonly allItems: LazySchema | undefined;
  readonly items: readonly LazySchema[];
  readonly permitsAdditional: boolean;
  readonly additional: LazySchema | undefined;
  readonly unevaluated: LazySchema | undefined;
  readonly minItems: JsonNumber | undefined;
  readonly maxItems: JsonNumber | undefined;
  readonly minContains: JsonNumber | undefined;
  readonly maxContains: JsonNumber | undefined;
  readonly uniqueItems: boolean;
};
type Criterion = "allOf" | "anyOf" | "oneOf";
export type CombinedSchema = {
  readonly class: "combined";
  readonly criterion: Criterion;
  readonly members: readonly LazySchema[];
};
type Part =
  | StringSchema
  | NumberSchema
  | ObjectSchema
  | ArraySchema
  | CombinedSchema
  | { readonly class: "empty" }
  | { readonly class: "false" }
  | { readonly class: "boolean" }
  | { readonly class: "null" }
  | { readonly class: "conditional" }
  | { readonly class: "enum"; readonly values: readonly JsonNode[] }
  | { readonly class: "const"; readonly value: JsonNode }
  | { readonly class: "not"; readonly schema: LazySchema }
  | { readonly class: "reference"; readonly target: LazySchema | undefined };

/**
 * Two schemas are equal if they are the same object. `node` is the JSON it was built from, shared by the parts of one
 * schema.
 */
export type TypedSchema = Part & {
  readonly annotations: Annotations;
  readonly node: JsonNode;
  readonly isPart: boolean;
};

const NO_ANNOTATIONS: Annotations = {
  id: undefined,
  title: undefined,
  description: undefined,
  defaultValue: undefined,
  connectBytes: false,
};

const NUMBER_KEYWORDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const STRING_KEYWORDS = ["minLength", "maxLength", "pattern", "format"];
const OBJECT_KEYWORDS = [
  "properties",
  "required",
  "minProperties",
  "maxProperties",
  "dependencies",
  "patternProperties",
  "additionalProperties",
];
const ARRAY_KEYWORDS = ["items", "additionalItems", "minItems", "maxItems", "uniqueItems"];

/** The classes of one model, built lazily and shared by place. */
export class TypedSchemas {
  readonly #model: JsonSchemaModel;
  readonly #built = new Map<JsonNode, TypedSchema>();

  constructor(model: JsonSchemaModel) {
    this.#model = model;
  }

  root(): TypedSchema {
    return this.#at(this.#model.root);
  }

  #at(location: SchemaLocation): TypedSchema {
    const known = this.#built.get(location.node);
    if (known) return known;
    const built = this.#build(location);
    this.#built.set(location.node, built);
    return built;
  }

  #build(location: SchemaLocation): TypedSchema {
    const { node } = location;
    if (node.type !== "object") {
      const refusesAll = node.type === "boolean" && !node.value;
      return { class: refusesAll ? "false" : "empty", annotations: NO_ANNOTATIONS, node, isPart: false };
    }
    const parts = this.#parts(location, node);
    const annotations = annotationsOf(location, node);
    const [only = { class: "empty" } as const] = parts;
    if (parts.length < 2) return { ...only, annotations, node, isPart: false };
    const members = parts.map((part) => lazyPart(part, node));
    return { class: "combined", criterion: "allOf", members, annotations, node, isPart: false };
  }

  /** One part per kind of keyword, in the order of the Confluent server's loader. */
  #parts(location: SchemaLocation, node: JsonObject): Part[] {
    const { dialect } = location.resource;
    const has = (name: string) => node.members.has(name);
    const parts: Part[] = [];
    for (const name of REFERENCE_KEYWORDS) {
      if (node.members.get(name)?.type !== "string") continue;
      const target = followReference(this.#model, location, name);
      parts.push({ class: "reference", target: target && (() => this.#at(target)) });
    }
    const enumeration = node.members.get("enum");
    if (enumeration?.type === "array") parts.push({ class: "enum", values: enumeration.items });
    for (const criterion of ["allOf", "anyOf", "oneOf"] as const) {
      const members = node.members.get(criterion);
      if (members?.type !== "array" || members.items.length === 0) continue;
      parts.push({
        class: "combined",
        criterion,
        members: members.items.map((member, index) => this.#child(location, member, criterion, index)),
      });
    }
    const not = node.members.get("not");
    if (not && isSchemaNode(not)) parts.push({ class: "not", schema: this.#child(location, not, "not") });
    const constant = node.members.get("const");
    if (constant && isAtLeast(dialect, "draft-06")) parts.push({ class: "const", value: constant });
    const type = node.members.get("type");
    if (type?.type === "string") parts.push(this.#typed(location, node, type.value));
    else if (type?.type === "array") {
      const members = type.items
        .filter((item) => item.type === "string")
        .map((item) => lazyPart(this.#typed(location, node, item.value), node));
      if (members.length > 0) parts.push({ class: "combined", criterion: "anyOf", members });
    } else {
      const laterArray = isAtLeast(dialect, "draft-06") ? ["contains"] : [];
      const later2019 = isAtLeast(dialect, "2019-09");
      if (
        [...ARRAY_KEYWORDS, ...laterArray].some(has) ||
        (later2019 && ["prefixItems", "unevaluatedItems", "minContains", "maxContains"].some(has))
      )
        parts.push(this.#array(location, node));
      if (
        OBJECT_KEYWORDS.some(has) ||
        (isAtLeast(dialect, "draft-06") && has("propertyNames")) ||
        (later2019 && ["dependentRequired", "dependentSchemas", "unevaluatedProperties"].some(has))
      )
        parts.push(this.#object(location, node));
      if (NUMBER_KEYWORDS.some(has)) parts.push(numberSchema(node, false));
      if (STRING_KEYWORDS.some(has)) parts.push(stringSchema(node));
    }
    if (isAtLeast(dialect, "draft-07") && has("if") && (has("then") || has("else")))
      parts.push({ class: "conditional" });
    return parts;
  }

  #typed(location: SchemaLocation, node: JsonObject, type: string): Part {
    switch (type) {
      case "string":
        return stringSchema(node);
      case "integer":
      case "number":
        return numberSchema(node, type === "integer");
      case "object":
        return this.#object(location, node);
      case "array":
        return this.#array(location, node);
      case "boolean":
        return { class: "boolean" };
      case "null":
        return { class: "null" };
      default:
        return { class: "empty" };
    }
  }

  #object(location: SchemaLocation, node: JsonObject): ObjectSchema {
    const additional = node.members.get("additionalProperties");
    const propertyDependencies = new Map<string, ReadonlySet<string>>();
    const schemaDependencies = new Map<string, LazySchema>();
    for (const keyword of ["dependencies", "dependentRequired", "dependentSchemas"]) {
      for (const [name, value] of membersOf(node, keyword)) {
        if (value.type === "array") propertyDependencies.set(name, stringsIn(value));
        else if (isSchemaNode(value)) schemaDependencies.set(name, this.#child(location, value, keyword, name));
      }
    }
    return {
      class: "object",
      properties: this.#map(location, node, "properties"),
      required: stringsIn(node.members.get("required")),
      patternProperties: this.#map(location, node, "patternProperties"),
      permitsAdditional: !(additional?.type === "boolean" && !additional.value),
      additional: additional?.type === "object" ? this.#child(location, additional, "additionalProperties") : undefined,
      unevaluated: this.#unevaluated(location, node, "unevaluatedProperties"),
      minProperties: numberIn(node, "minProperties"),
      maxProperties: numberIn(node, "maxProperties"),
      propertyDependencies,
      schemaDependencies,
    };
  }

  #array(location: SchemaLocation, node: JsonObject): ArraySchema {
    const items = node.members.get("items");
    const prefix = isAtLeast(location.resource.dialect, "2020-12") ? node.members.get("prefixItems") : undefined;
    const tuple = prefix?.type === "array" ? prefix : items?.type === "array" ? items : undefined;
    const tupleKeyword = tuple === prefix ? "prefixItems" : "items";
    const allItems =
      tuple === undefined && items && isSchemaNode(items) ? this.#child(location, items, "items") : undefined;
    // In 2020-12, `items` next to `prefixItems` has the meaning of `additionalItems` next to an array of items.
    const additionalKeyword = tuple !== undefined && tuple === prefix ? "items" : "additionalItems";
    const additional = node.members.get(additionalKeyword);
    const schemaOfAdditional =
      additional?.type === "object" ? this.#child(location, additional, additionalKeyword) : undefined;
    return {
      class: "array",
      allItems,
      items: tuple?.items.map((item, index) => this.#child(location, item, tupleKeyword, index)) ?? [],
      permitsAdditional: allItems !== undefined || !(additional?.type === "boolean" && !additional.value),
      additional: schemaOfAdditional,
      unevaluated: this.#unevaluated(location, node, "unevaluatedItems"),
      minItems: numberIn(node, "minItems"),
      maxItems: numberIn(node, "maxItems"),
      minContains: numberIn(node, "minContains"),
      maxContains: numberIn(node, "maxContains"),
      uniqueItems: isTrue(node.members.get("uniqueItems")),
    };
  }

  #unevaluated(location: SchemaLocation, node: JsonObject, keyword: string): LazySchema | undefined {
    const value = node.members.get(keyword);
    if (!value || !isSchemaNode(value) || !isAtLeast(location.resource.dialect, "2019-09")) return undefined;
    return this.#child(location, value, keyword);
  }

  #map(location: SchemaLocation, node: JsonObject, keyword: string): ReadonlyMap<string, LazySchema> {
    const schemas = new Map<string, LazySchema>();
    for (const [name, value] of membersOf(node, keyword))
      schemas.set(name, this.#child(location, value, keyword, name));
    return schemas;
  }

  #child(parent: SchemaLocation, node: JsonNode, ...tokens: (string | number)[]): LazySchema {
    return () => this.#at(childLocation(this.#model, parent, node, ...tokens));
  }
}

/** The object is created once, because recursion is detected by identity. */
function lazyPart(part: Part, node: JsonNode): LazySchema {
  const schema = { ...part, annotations: NO_ANNOTATIONS, node, isPart: true };
  return () => schema;
}

function annotationsOf({ resource }: SchemaLocation, node: JsonObject): Annotations {
  const connectType = node.members.get("connect.type");
  return {
    id: stringIn(node, idKeyword(resource.dialect)),
    title: stringIn(node, "title"),
    description: stringIn(node, "description"),
    defaultValue: node.members.get("default"),
    connectBytes: connectType?.type === "string" && connectType.value === "bytes",
  };
}

function stringSchema(node: JsonObject): StringSchema {
  return {
    class: "string",
    minLength: numberIn(node, "minLength"),
    maxLength: numberIn(node, "maxLength"),
    pattern: stringIn(node, "pattern"),
  };
}

function numberSchema(node: JsonObject, integer: boolean): NumberSchema {
  return {
    class: "number",
    integer,
    minimum: numberIn(node, "minimum"),
    maximum: numberIn(node, "maximum"),
    exclusiveMinimum: numberIn(node, "exclusiveMinimum") ?? (isTrue(node.members.get("exclusiveMinimum")) || undefined),
    exclusiveMaximum: numberIn(node, "exclusiveMaximum") ?? (isTrue(node.members.get("exclusiveMaximum")) || undefined),
    multipleOf: numberIn(node, "multipleOf"),
  };
}

function membersOf(node: JsonObject, keyword: string): Iterable<[string, JsonNode]> {
  const value = node.members.get(keyword);
  return value?.type === "object" ? value.members : [];
}

function stringsIn(node: JsonNode | undefined): ReadonlySet<string> {
  const strings = node?.type === "array" ? node.items.filter((item) => item.type === "string") : [];
  return new Set(strings.map(({ value }) => value));
}

function numberIn(node: JsonObject, keyword: string): JsonNumber | undefined {
  const value = node.members.get(keyword);
  return value?.type === "number" ? value : undefined;
}

function stringIn(node: JsonObject, keyword: string): string | undefined {
  const value = node.members.get(keyword);
  return value?.type === "string" ? value.value : undefined;
}

function isTrue(node: JsonNode | undefined): boolean {
  return node?.type === "boolean" && node.value;
}

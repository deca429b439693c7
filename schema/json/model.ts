/**
 * A parsed JSON Schema: ordered trees, divided into resources, with every reference resolved. Schema locations are
 * compared by their `node`: a node belongs to exactly one resource, so node identity is location identity. Cycles are
 * normal: code that follows references keeps a visited set or a limit.
 */
import type { JsonDialect } from "../format.ts";
import { type JsonNode, type JsonObject, pointerToken } from "../json-text.ts";
import { ignoresRefSiblings, SUBSCHEMA_KEYWORDS, type SubschemaShape } from "./parse/dialects.ts";

/** One JSON text: the schema itself, one of its registered references, or a meta-schema. */
export type SchemaDocument = {
  /** The name under which it is referenced; null for the schema itself. A meta-schema's name is its URL. */
  readonly name: string | null;
  readonly text: string;
  readonly root: JsonNode;
};

/** A schema with its own identity: a document's root, or a subschema with its own `$id`. */
export type SchemaResource = {
  readonly document: SchemaDocument;
  readonly root: JsonNode;
  /** JSON pointer from the document's root to this resource's root. */
  readonly pointer: string;
  /** The base of relative references, without fragment; "" if unknown. */
  readonly baseUri: string;
  readonly dialect: JsonDialect;
  /** Keywords that a custom meta-schema's `$vocabulary` disables here; nearly always empty. */
  readonly ignoredKeywords: ReadonlySet<string>;
  /** Plain-name fragments: `$anchor`, `$dynamicAnchor`, and `$id: "#name"` up to draft-07. */
  readonly anchors: ReadonlyMap<string, SchemaLocation>;
  /** The anchors among them that a `$dynamicRef` may resolve to. */
  readonly dynamicAnchors: ReadonlyMap<string, SchemaLocation>;
  /** Whether the root has `$recursiveAnchor: true`. */
  readonly recursiveAnchor: boolean;
};

/** A location of a schema. */
export type SchemaLocation = {
  readonly node: JsonNode;
  readonly resource: SchemaResource;
  /** JSON pointer from the root of the resource's document. */
  readonly pointer: string;
};

export type JsonSchemaModel = {
  readonly root: SchemaLocation;
  readonly document: SchemaDocument;
  /** Every resource, by its root node. */
  readonly resources: ReadonlyMap<JsonNode, SchemaResource>;
  /**
   * The target of each reference without dynamic scope, by the node of the `$ref`'s value. Unresolved ones are absent.
   */
  readonly targets: ReadonlyMap<JsonNode, SchemaLocation>;
};

export type ReferenceKeyword = "$ref" | "$dynamicRef" | "$recursiveRef";
export const REFERENCE_KEYWORDS: readonly ReferenceKeyword[] = ["$ref", "$dynamicRef", "$recursiveRef"];

/** The resources entered on the way here, outermost first, each once, because only the outermost match counts. */
export type DynamicScope = readonly SchemaResource[];

/**
 * The scope after stepping into a location. Returns the same array if nothing changes, so scopes can be compared by
 * identity.
 */
export function enterScope(scope: DynamicScope, location: SchemaLocation): DynamicScope {
  return scope.includes(location.resource) ? scope : [...scope, location.resource];
}

/**
 * The value of a keyword if it has an effect: siblings of `$ref` up to draft-07 and keywords of disabled vocabularies
 * have none.
 */
export function keyword(location: SchemaLocation, name: string): JsonNode | undefined {
  const { node, resource } = location;
  if (node.type !== "object") return undefined;
  if (name !== "$ref" && ignoresRefSiblings(resource.dialect) && node.members.get("$ref")?.type === "string") {
    return undefined;
  }
  return resource.ignoredKeywords.has(name) ? undefined : node.members.get(name);
}

/** All keywords that have an effect at a location, in the order written. */
export function keywords(location: SchemaLocation): Iterable<[string, JsonNode]> {
  const { node, resource } = location;
  if (node.type !== "object") return [];
  const ref = node.members.get("$ref");
  if (ref?.type === "string" && ignoresRefSiblings(resource.dialect)) return [["$ref", ref]];
  if (resource.ignoredKeywords.size === 0) return node.members;
  return [...node.members].filter(([name]) => !resource.ignoredKeywords.has(name));
}

/** The location of a nested schema: `tokens` are the keys and indexes that lead to it. */
export function childLocation(
  model: JsonSchemaModel,
  parent: SchemaLocation,
  node: JsonNode,
  ...tokens: (string | number)[]
): SchemaLocation {
  let pointer = parent.pointer;
  for (const token of tokens) pointer += `/${pointerToken(token)}`;
  return { node, resource: model.resources.get(node) ?? parent.resource, pointer };
}

type Subschema = {
  readonly keyword: string;
  /** The property name, pattern or index below the keyword; null if the keyword holds one schema. */
  readonly key: string | number | null;
  readonly location: SchemaLocation;
};

/**
 * The direct subschemas of a location, in the order written, by the keywords of its dialect. References are not
 * followed.
 */
export function subschemas(model: JsonSchemaModel, location: SchemaLocation): Subschema[] {
  const found: Subschema[] = [];
  const shapes = SUBSCHEMA_KEYWORDS[location.resource.dialect];
  for (const [name, value] of keywords(location)) {
    const shape = shapes.get(name);
    if (shape === undefined) continue;
    for (const [key, node] of schemasIn(shape, value)) {
      const tokens = key === null ? [name] : [name, key];
      found.push({ keyword: name, key, location: childLocation(model, location, node, ...tokens) });
    }
  }
  return found;
}

/** The schemas inside a keyword's value, with their key or index. */
export function* schemasIn(shape: SubschemaShape, value: JsonNode): Generator<[string | number | null, JsonNode]> {
  if (value.type === "array") {
    if (shape === "array" || shape === "one_or_array") yield* value.items.entries();
  } else if (shape === "map" || shape === "dependencies") {
    if (value.type !== "object") return;
    for (const [key, node] of value.members) {
      if (shape === "map" || node.type !== "array") yield [key, node];
    }
  } else if (shape !== "array" && (value.type === "object" || value.type === "boolean")) {
    yield [null, value];
  }
}

/** The target of a reference keyword at this location, or undefined if it has none or is unresolved. */
export function followReference(
  model: JsonSchemaModel,
  location: SchemaLocation,
  name: ReferenceKeyword,
  scope: DynamicScope = [],
): SchemaLocation | undefined {
  const value = keyword(location, name);
  if (value?.type !== "string") return undefined;
  const target = model.targets.get(value);
  if (target === undefined || name === "$ref") return target;
  if (name === "$recursiveRef") {
    if (!target.resource.recursiveAnchor || target.node !== target.resource.root) return target;
    const outermost = scope.find((resource) => resource.recursiveAnchor);
    return outermost === undefined ? target : rootLocation(outermost);
  }
  const anchor = value.value.slice(value.value.indexOf("#") + 1);
  // Only a plain name that the first target declares as dynamic is looked up in the scope (2020-12 core, §8.2.3.2).
  if (target.resource.dynamicAnchors.get(anchor)?.node !== target.node) return target;
  for (const resource of scope) {
    const dynamic = resource.dynamicAnchors.get(anchor);
    if (dynamic !== undefined) return dynamic;
  }
  return target;
}

export function rootLocation(resource: SchemaResource): SchemaLocation {
  return { node: resource.root, resource, pointer: resource.pointer };
}

/** Whether a node can be a schema at all: an object, or a boolean from draft-06. */
export function isSchemaNode(node: JsonNode): node is JsonObject | Extract<JsonNode, { type: "boolean" }> {
  return node.type === "object" || node.type === "boolean";
}

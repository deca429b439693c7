/**
 * Selects the schemas that a compiler decides exactly like the interpreter, in bounded time. All others are
 * interpreted: those that compilers are known to read differently, and those with which a small schema or value causes
 * unbounded work.
 */
import { type JsonNode, type JsonObject, toPlainValue } from "../json-text.ts";
import { followReference, type JsonSchemaModel, type SchemaLocation, subschemas } from "./model.ts";
import { ignoresRefSiblings } from "./parse/dialects.ts";

/** Maximum length of a compiled schema in characters: its code is ten times as long. */
export const MAX_COMPILED_CHARACTERS = 64 * 1024;
/** Maximum number of subschemas, each counted once per path that leads to it: all may evaluate the same value. */
export const MAX_COMPILED_SCHEMAS = 2_000;
/** Enumerated values are compared one by one. */
export const MAX_COMPILED_ENUM = 200;

const KEYWORDS = new Set(
  `type enum const properties required additionalProperties patternProperties propertyNames minProperties maxProperties
  items prefixItems additionalItems minItems maxItems contains minContains maxContains allOf anyOf oneOf not if then else
  dependencies dependentRequired dependentSchemas minLength maxLength pattern format minimum maximum exclusiveMinimum
  exclusiveMaximum multipleOf $ref $defs definitions uniqueItems
  title description default examples $comment readOnly writeOnly deprecated contentEncoding contentMediaType`.split(
    /\s+/,
  ),
);
/** At the root they only describe the schema. */
const ROOT_KEYWORDS = new Set(["$schema", "$id", "id"]);
const NOTES = new Set(["title", "description", "$comment", "default", "examples", "definitions", "$defs"]);

/** The schema in the compiler's form, or undefined if only the interpreter can decide. */
export function compilableSchema(model: JsonSchemaModel): unknown {
  const { document, root, resources } = model;
  if (document.text.length > MAX_COMPILED_CHARACTERS || resources.size !== 1) return undefined;
  if (!isCompilable(model, root, [], { left: MAX_COMPILED_SCHEMAS })) return undefined;
  if (root.node.type !== "object") return toPlainValue(root.node);
  const members = new Map([...root.node.members].filter(([name]) => !ROOT_KEYWORDS.has(name)));
  return toPlainValue({ ...root.node, members } satisfies JsonObject);
}

/** `path` contains the schemas on the current path: a schema that leads back to itself has unbounded work. */
function isCompilable(
  model: JsonSchemaModel,
  location: SchemaLocation,
  path: readonly JsonNode[],
  budget: { left: number },
): boolean {
  const { node } = location;
  budget.left -= 1;
  if (budget.left < 0 || path.includes(node) || location.resource.document !== model.document) return false;
  if (node.type === "boolean") return true;
  if (node.type !== "object") return false;
  for (const [name, value] of node.members) {
    const isKnown = KEYWORDS.has(name) || name.startsWith("x-") || (path.length === 0 && ROOT_KEYWORDS.has(name));
    if (!isKnown || !isReadAlike(location, name, value)) return false;
  }
  const deeper = [...path, node];
  if (node.members.has("$ref")) {
    const target = followReference(model, location, "$ref");
    if (target === undefined || !isCompilable(model, target, deeper, budget)) return false;
  }
  // Definitions are counted at their references.
  const parts = subschemas(model, location).filter(({ keyword }) => keyword !== "$defs" && keyword !== "definitions");
  return parts.every(({ location: part }) => isCompilable(model, part, deeper, budget));
}

function isReadAlike({ node, resource }: SchemaLocation, name: string, value: JsonNode): boolean {
  switch (name) {
    case "$ref": {
      if (value.type !== "string" || !value.value.startsWith("#") || node.type !== "object") return false;
      // Up to draft-07, keywords next to a reference have no effect, and compilers accept them.
      return (
        !ignoresRefSiblings(resource.dialect) ||
        [...node.members.keys()].every((key) => key === "$ref" || NOTES.has(key))
      );
    }
    case "uniqueItems":
      // Compilers compare each pair of items.
      return value.type === "boolean" && !value.value;
    case "enum":
      return value.type === "array" && value.items.length > 0 && value.items.length <= MAX_COMPILED_ENUM;
    case "multipleOf":
      return value.type === "number" && Number.isSafeInteger(value.value) && value.value > 0;
    case "properties":
    case "dependencies":
    case "dependentRequired":
    case "dependentSchemas":
      return value.type === "object" && !value.members.has("__proto__");
    case "required":
      return (
        value.type === "array" && value.items.every((item) => item.type === "string" && item.value !== "__proto__")
      );
    default:
      return true;
  }
}

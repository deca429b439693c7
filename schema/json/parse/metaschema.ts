/**
 * Whether a schema conforms to the meta-schema of its dialect: the same verdict as validating it against the published
 * document, in one linear walk and with readable messages. Formats are not asserted, because the published meta-schemas
 * only annotate them.
 */
import type { JsonDialect, SchemaProblem } from "../../format.ts";
import { type JsonNode, type JsonNumber, type JsonObject, pointerToken } from "../../json-text.ts";
import type { SchemaDocument } from "../model.ts";
import { equalityKey } from "../validate/equality.ts";
import { dialectOfUrl, idKeyword, isAtLeast } from "./dialects.ts";
import { MAX_PROBLEMS, problemAt, quoted } from "./problems.ts";

/** What a keyword's value must be. The first group holds no schemas. */
type Rule =
  | "string"
  | "boolean"
  | "number"
  | "positive"
  | "count"
  | "array"
  | "type"
  | "names"
  | "names_once"
  | "values_once"
  | "identifier"
  | "anchor_2019"
  | "anchor_2020"
  | "vocabularies"
  | "names_by_name"
  | "schema"
  | "schema_or_boolean"
  | "schemas"
  | "schema_or_schemas"
  | "schemas_by_name"
  | "dependencies";

const BOUNDS: Record<string, Rule> = {
  multipleOf: "positive",
  maximum: "number",
  minimum: "number",
  maxLength: "count",
  minLength: "count",
  pattern: "string",
  maxItems: "count",
  minItems: "count",
  uniqueItems: "boolean",
  maxProperties: "count",
  minProperties: "count",
};
const APPLICATORS: Record<string, Rule> = {
  definitions: "schemas_by_name",
  properties: "schemas_by_name",
  patternProperties: "schemas_by_name",
  dependencies: "dependencies",
  items: "schema_or_schemas",
  allOf: "schemas",
  anyOf: "schemas",
  oneOf: "schemas",
  not: "schema",
};
const DRAFT_04: Record<string, Rule> = {
  ...BOUNDS,
  ...APPLICATORS,
  id: "string",
  $schema: "string",
  title: "string",
  description: "string",
  exclusiveMaximum: "boolean",
  exclusiveMinimum: "boolean",
  additionalItems: "schema_or_boolean",
  additionalProperties: "schema_or_boolean",
  required: "names_once",
  enum: "values_once",
  type: "type",
};
const DRAFT_06: Record<string, Rule> = {
  ...BOUNDS,
  ...APPLICATORS,
  $id: "string",
  $schema: "string",
  $ref: "string",
  title: "string",
  description: "string",
  examples: "array",
  exclusiveMaximum: "number",
  exclusiveMinimum: "number",
  additionalItems: "schema",
  additionalProperties: "schema",
  contains: "schema",
  propertyNames: "schema",
  required: "names",
  enum: "values_once",
  type: "type",
  format: "string",
};
const DRAFT_07: Record<string, Rule> = {
  ...DRAFT_06,
  $comment: "string",
  readOnly: "boolean",
  contentMediaType: "string",
  contentEncoding: "string",
  // The published draft-07 requires no more; some copies of it do.
  enum: "array",
  if: "schema",
  then: "schema",
  else: "schema",
};
const DRAFT_2019: Record<string, Rule> = {
  ...DRAFT_07,
  $id: "identifier",
  $anchor: "anchor_2019",
  $recursiveRef: "string",
  $recursiveAnchor: "boolean",
  $vocabulary: "vocabularies",
  $defs: "schemas_by_name",
  dependentSchemas: "schemas_by_name",
  dependentRequired: "names_by_name",
  unevaluatedItems: "schema",
  unevaluatedProperties: "schema",
  maxContains: "count",
  minContains: "count",
  deprecated: "boolean",
  writeOnly: "boolean",
  contentSchema: "schema",
};
const { additionalItems: _, ...WITHOUT_ADDITIONAL_ITEMS } = DRAFT_2019;
const DRAFT_2020: Record<string, Rule> = {
  ...WITHOUT_ADDITIONAL_ITEMS,
  $anchor: "anchor_2020",
  $dynamicAnchor: "anchor_2020",
  $dynamicRef: "string",
  $recursiveAnchor: "anchor_2020",
  items: "schema",
  prefixItems: "schemas",
};

const RULES: Record<JsonDialect, ReadonlyMap<string, Rule>> = {
  "draft-04": new Map(Object.entries(DRAFT_04)),
  "draft-06": new Map(Object.entries(DRAFT_06)),
  "draft-07": new Map(Object.entries(DRAFT_07)),
  "2019-09": new Map(Object.entries(DRAFT_2019)),
  "2020-12": new Map(Object.entries(DRAFT_2020)),
};

const TYPES = new Set(["array", "boolean", "integer", "null", "number", "object", "string"]);
const TYPE_NAMES = "array, boolean, integer, null, number, object or string";

/** Reports violations of the meta-schema in a schema and everything below it. */
export function checkMetaSchema(
  document: SchemaDocument,
  node: JsonNode,
  dialect: JsonDialect,
  pointer: string,
  problems: SchemaProblem[],
): void {
  new MetaSchemaCheck(document, problems).schema(node, dialect, pointer, null, null);
}

class MetaSchemaCheck {
  readonly document: SchemaDocument;
  readonly problems: SchemaProblem[];

  constructor(document: SchemaDocument, problems: SchemaProblem[]) {
    this.document = document;
    this.problems = problems;
  }

  /** Recursion is bounded by the depth of JSON texts. */
  schema(
    node: JsonNode,
    outerDialect: JsonDialect,
    pointer: string,
    keyword: string | null,
    key: string | number | null,
  ): void {
    if (node.type !== "object") {
      if (node.type === "boolean" && isAtLeast(outerDialect, "draft-06")) return;
      const expected = outerDialect === "draft-04" ? "an object" : "an object or a boolean";
      this.#report(node, pointer, `${place(keyword, key)} must be ${expected}, not ${described(node)}.`);
      return;
    }
    const dialect = embeddedDialect(node, outerDialect);
    const rules = RULES[dialect];
    for (const [name, value] of node.members) {
      const rule = rules.get(name);
      if (rule !== undefined) this.#keyword(rule, name, value, dialect, `${pointer}/${name}`);
    }
    if (dialect === "draft-04") {
      for (const bound of ["maximum", "minimum"] as const) {
        const exclusive = bound === "maximum" ? "exclusiveMaximum" : "exclusiveMinimum";
        if (node.members.has(exclusive) && !node.members.has(bound)) {
          this.#report(
            node.members.get(exclusive)!,
            `${pointer}/${exclusive}`,
            `"${exclusive}" needs "${bound}" beside it in draft-04.`,
          );
        }
      }
    }
  }

  #keyword(rule: Rule, name: string, value: JsonNode, dialect: JsonDialect, pointer: string): void {
    switch (rule) {
      case "schema":
        this.schema(value, dialect, pointer, name, null);
        return;
      case "schema_or_boolean":
        if (value.type !== "boolean") this.schema(value, dialect, pointer, name, null);
        return;
      case "schemas":
        this.#schemas(name, value, dialect, pointer);
        return;
      case "schema_or_schemas":
        if (value.type === "array") this.#schemas(name, value, dialect, pointer);
        else this.schema(value, dialect, pointer, name, null);
        return;
      case "schemas_by_name":
      case "dependencies":
      case "names_by_name":
        this.#byName(rule, name, value, dialect, pointer);
        return;
      default: {
        const expected = refusal(rule, value);
        if (expected !== undefined) {
          this.#report(value, pointer, `"${name}" must be ${expected}, not ${described(value)}.`);
        }
      }
    }
  }

  #schemas(name: string, value: JsonNode, dialect: JsonDialect, pointer: string): void {
    if (value.type !== "array" || value.items.length === 0) {
      this.#report(value, pointer, `"${name}" must be a non-empty array of schemas, not ${described(value)}.`);
      return;
    }
    for (const [index, item] of value.items.entries()) {
      this.schema(item, dialect, `${pointer}/${index}`, name, index);
    }
  }

  #byName(
    rule: "schemas_by_name" | "dependencies" | "names_by_name",
    name: string,
    value: JsonNode,
    dialect: JsonDialect,
    pointer: string,
  ): void {
    if (value.type !== "object") {
      this.#report(value, pointer, `"${name}" must be an object, not ${described(value)}.`);
      return;
    }
    for (const [key, member] of value.members) {
      const below = `${pointer}/${pointerToken(key)}`;
      if (rule === "schemas_by_name" || (rule === "dependencies" && member.type !== "array")) {
        this.schema(member, dialect, below, name, key);
        continue;
      }
      const expected = refusal(dialect === "draft-04" ? "names_once" : "names", member);
      if (expected !== undefined) {
        this.#report(member, below, `${place(name, key)} must be ${expected}, not ${described(member)}.`);
      }
    }
  }

  #report(node: JsonNode, pointer: string, message: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push(problemAt(this.document, pointer, node, "invalid_keyword", message));
  }
}

/** The name of a location in messages. */
function place(keyword: string | null, key: string | number | null): string {
  if (keyword === null) return "A schema";
  if (key === null) return `"${keyword}"`;
  return typeof key === "number" ? `Item ${key} of "${keyword}"` : `${quoted(key)} in "${keyword}"`;
}

/** An embedded resource may have another dialect. */
function embeddedDialect(node: JsonObject, dialect: JsonDialect): JsonDialect {
  const named = node.members.get("$schema");
  if (named?.type !== "string" || !node.members.has(idKeyword(dialect))) return dialect;
  return dialectOfUrl(named.value) ?? dialect;
}

/** Describes the accepted values if a rule refuses this one; undefined if the value is valid. */
function refusal(rule: Rule, value: JsonNode): string | undefined {
  switch (rule) {
    case "string":
    case "boolean":
    case "number":
      return value.type === rule ? undefined : `a ${rule}`;
    case "array":
      return value.type === "array" ? undefined : "an array";
    case "positive":
      return value.type === "number" && isPositive(value) ? undefined : "a number greater than 0";
    case "count":
      return value.type === "number" && isCount(value) ? undefined : "a non-negative integer";
    case "type":
      return isType(value) ? undefined : `one of ${TYPE_NAMES}, or a non-empty array of them without repetition`;
    case "names":
      return areNames(value) ? undefined : "an array of different strings";
    case "names_once":
      return areNames(value) && value.items.length > 0 ? undefined : "a non-empty array of different strings";
    case "values_once":
      return value.type === "array" && value.items.length > 0 && areDifferent(value.items)
        ? undefined
        : "a non-empty array of different values";
    case "identifier":
      return value.type === "string" && /^[^#]*#?$/.test(value.value) ? undefined : "a URI reference without fragment";
    case "anchor_2019":
      return value.type === "string" && /^[A-Za-z][-A-Za-z0-9.:_]*$/.test(value.value)
        ? undefined
        : "a letter followed by letters, digits, hyphens, underscores, colons and dots";
    case "anchor_2020":
      return value.type === "string" && /^[A-Za-z_][-A-Za-z0-9._]*$/.test(value.value)
        ? undefined
        : "a letter or underscore followed by letters, digits, hyphens, underscores and dots";
    case "vocabularies":
      return value.type === "object" && [...value.members.values()].every((member) => member.type === "boolean")
        ? undefined
        : "an object of booleans";
    default:
      return undefined;
  }
}

function isPositive({ text }: JsonNumber): boolean {
  return !text.startsWith("-") && /^[0.]*[1-9]/.test(text);
}

function isCount(value: JsonNumber): boolean {
  return value.value >= 0 && (Number.isInteger(value.value) || value.value === Number.POSITIVE_INFINITY);
}

function isType(value: JsonNode): boolean {
  if (value.type === "string") return TYPES.has(value.value);
  if (value.type !== "array" || value.items.length === 0) return false;
  return value.items.every((item) => item.type === "string" && TYPES.has(item.value)) && areDifferent(value.items);
}

function areNames(value: JsonNode): value is Extract<JsonNode, { type: "array" }> {
  return value.type === "array" && value.items.every((item) => item.type === "string") && areDifferent(value.items);
}

function areDifferent(items: readonly JsonNode[]): boolean {
  return new Set(items.map(equalityKey)).size === items.length;
}

function described(value: JsonNode): string {
  switch (value.type) {
    case "string":
      return quoted(value.value);
    case "number":
      return value.text.length > 40 ? "this number" : value.text;
    case "array":
      return value.items.length === 0 ? "an empty array" : "this array";
    case "object":
      return "an object";
    case "boolean":
      return String(value.value);
    default:
      return "null";
  }
}

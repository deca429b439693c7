/** Random schemas that cover every keyword, small changes to them, and random values: the input of soundness tests. */
import type { JsonDialect } from "../../../../../schema/format.ts";
import { isAtLeast } from "../../../../../schema/json/parse/dialects.ts";
import type { Random } from "../../../../../schema/random.ts";

export type Schema = boolean | { [keyword: string]: unknown };

const NAMES = ["a", "b", "c", "ab"];
const STRINGS = ["", "a", "ab", "abc", "b", "1", "a@b.example", "2024-02-29"];
/** Numbers whose sums and multiples are wrong in doubles. */
const HUGE_NUMBERS = [1e21, -1e21, 3e21, 1e300, 1e308, -1e308, 9_007_199_254_740_992, 1e-7, 3e-7, 1e-300];
const PATTERNS = ["^a", "b$", "^[a-c]+$", "^[a-z]*$", "\\d", "^a{1,2}$", "."];
const FORMATS = ["date", "email", "ipv4", "uri", "uri-reference", "made-up"];
const TYPES = ["string", "integer", "number", "boolean", "null", "array", "object"];

const ANNOTATIONS: readonly { name: string; since: JsonDialect; values: readonly unknown[] }[] = [
  { name: "title", since: "draft-04", values: ["one", "two"] },
  { name: "x-note", since: "draft-04", values: ["one", "two"] },
  { name: "examples", since: "draft-06", values: [[1], ["a"]] },
  { name: "$comment", since: "draft-07", values: ["one", "two"] },
  { name: "readOnly", since: "draft-07", values: [true, false] },
  { name: "writeOnly", since: "draft-07", values: [true, false] },
  { name: "contentMediaType", since: "draft-07", values: ["text/plain", "application/json"] },
  { name: "deprecated", since: "2019-09", values: [true, false] },
];
const SELDOM = [
  ...["minContains", "maxContains", "dependentRequired", "dependencies", "format", "not", "$ref", "$dynamicRef"],
  ...ANNOTATIONS.map(({ name }) => name),
];

export class SchemaGenerator {
  readonly random: Random;
  readonly dialect: JsonDialect;

  constructor(random: Random, dialect: JsonDialect) {
    this.random = random;
    this.dialect = dialect;
  }

  /** A whole schema, sometimes with definitions that reference each other and the root. */
  root(): Schema {
    const schema = this.schema(3);
    if (typeof schema === "boolean") return isAtLeast(this.dialect, "draft-06") ? schema : {};
    if (this.random.chance(0.35)) {
      schema.definitions = { one: this.#definition("$dynamicAnchor", "node"), two: this.#definition("$anchor", "two") };
    } else replaceReferences(schema);
    if (this.random.chance(0.05)) schema.$id = "http://schemas.example/root";
    return { $schema: META_SCHEMAS[this.dialect], ...schema };
  }

  #definition(keyword: string, name: string): Schema {
    const schema = this.schema(2);
    const isKnown = this.#has(keyword === "$anchor" ? "2019-09" : "2020-12");
    return isKnown ? { [keyword]: name, ...(typeof schema === "boolean" ? { not: !schema } : schema) } : schema;
  }

  /** `isPart`: it applies to a part of the value, so a reference there may be circular. */
  schema(depth: number, isPart = false, wanted?: string): Schema {
    const { random } = this;
    if (random.chance(0.06)) return this.#has("draft-06") ? random.chance(0.75) : {};
    if (isPart && random.chance(0.08)) return this.#reference();
    const schema: { [keyword: string]: unknown } = {};
    const likely = wanted !== undefined && random.chance(0.75) ? wanted : random.pick(TYPES);
    if (random.chance(wanted === undefined ? 0.8 : 0.5)) {
      schema.type = random.chance(0.8) ? likely : [...new Set([likely, ...this.#some(TYPES, 2)])];
    }
    const types = schema.type === undefined ? [likely] : [schema.type].flat();
    for (const type of types) this.#ofType(schema, String(type), depth);
    if (random.chance(0.1)) schema.enum = this.#some(valuesOf(types.map(String), random), 4);
    if (random.chance(0.05) && this.#has("draft-06")) schema.const = random.pick(valuesOf(types.map(String), random));
    if (depth > 0) this.#combinations(schema, depth - 1, String(random.pick(types)));
    if (random.chance(0.1)) schema.description = random.pick(["one", "two"]);
    if (random.chance(0.1)) schema.default = random.pick([1, "a", null]);
    if (random.chance(0.1)) this.#annotation(schema);
    return schema;
  }

  /** Keywords that are only annotations. */
  #annotation(schema: { [keyword: string]: unknown }): void {
    const keyword = this.random.pick(ANNOTATIONS.filter(({ since }) => this.#has(since)));
    schema[keyword.name] = this.random.pick(keyword.values);
  }

  /** References to a definition or the root, by any keyword of the dialect. */
  #reference(): Schema {
    const kind = this.random.next();
    if (kind < 0.15 && this.dialect === "2020-12") return { $dynamicRef: "#node" };
    if (kind < 0.15 && this.dialect === "2019-09") return { $recursiveRef: "#" };
    if (kind < 0.2 && this.dialect === "2020-12") return { $ref: "#/definitions/one", $dynamicRef: "#node" };
    if (kind < 0.3 && this.#has("2019-09")) return { $ref: "#two" };
    return { $ref: this.random.pick(["#/definitions/one", "#/definitions/two", "#"]) };
  }

  #ofType(schema: { [keyword: string]: unknown }, type: string, depth: number): void {
    switch (type) {
      case "string":
        this.#maybe(schema, "minLength", 0.25, () => this.random.integer(0, 3));
        this.#maybe(schema, "maxLength", 0.25, () => this.random.integer(0, 5));
        this.#maybe(schema, "pattern", 0.2, () => this.random.pick(PATTERNS));
        this.#maybe(schema, "format", 0.1, () => this.random.pick(FORMATS));
        return;
      case "integer":
      case "number":
        this.#number(schema);
        return;
      case "array":
        this.#array(schema, depth);
        return;
      case "object":
        this.#object(schema, depth);
        return;
      default:
    }
  }

  #number(schema: { [keyword: string]: unknown }): void {
    const isHuge = this.random.chance(0.06);
    const bound = () => this.random.pick(isHuge ? HUGE_NUMBERS : [-1, 0, 1, 1.5, 2, 3, 5, 10]);
    this.#maybe(schema, "minimum", 0.3, bound);
    this.#maybe(schema, "maximum", 0.3, bound);
    const isNumeric = this.#has("draft-06");
    this.#maybe(schema, "exclusiveMinimum", 0.12, () => (isNumeric ? bound() : true));
    this.#maybe(schema, "exclusiveMaximum", 0.12, () => (isNumeric ? bound() : true));
    if (!isNumeric && schema.minimum === undefined) delete schema.exclusiveMinimum;
    if (!isNumeric && schema.maximum === undefined) delete schema.exclusiveMaximum;
    this.#maybe(schema, "multipleOf", 0.2, () =>
      this.random.pick(isHuge ? HUGE_NUMBERS.filter((value) => value > 0) : [1, 2, 3, 6, 0.5, 1.5]),
    );
  }

  #array(schema: { [keyword: string]: unknown }, depth: number): void {
    this.#maybe(schema, "minItems", 0.25, () => this.random.integer(0, 2));
    this.#maybe(schema, "maxItems", 0.25, () => this.random.integer(0, 3));
    this.#maybe(schema, "uniqueItems", 0.15, () => this.random.chance(0.8));
    if (depth === 0) return;
    const tuple = () => Array.from({ length: this.random.integer(1, 2) }, () => this.schema(depth - 1, true));
    if (this.#has("2020-12")) {
      this.#maybe(schema, "prefixItems", 0.25, tuple);
      this.#maybe(schema, "items", 0.45, () => this.schema(depth - 1, true));
    } else {
      this.#maybe(schema, "items", 0.6, () => (this.random.chance(0.4) ? tuple() : this.#part(depth - 1)));
      this.#maybe(schema, "additionalItems", 0.2, () => (this.random.chance(0.4) ? false : this.#part(depth - 1)));
    }
    if (this.#has("draft-06")) this.#maybe(schema, "contains", 0.3, () => this.schema(depth - 1, true));
    if (!this.#has("2019-09")) return;
    if (schema.contains !== undefined) {
      this.#maybe(schema, "minContains", 0.6, () => this.random.integer(0, 2));
      this.#maybe(schema, "maxContains", 0.6, () => this.random.integer(1, 2));
    }
    this.#maybe(schema, "unevaluatedItems", 0.12, () => (this.random.chance(0.6) ? false : this.schema(0)));
  }

  #object(schema: { [keyword: string]: unknown }, depth: number): void {
    const child = () => this.schema(Math.max(0, depth - 1), true);
    const map = (keys: readonly string[], most: number) =>
      Object.fromEntries(this.#some(keys, most).map((key) => [key, child()]));
    this.#maybe(schema, "properties", 0.75, () => map(NAMES, 3));
    this.#maybe(schema, "required", 0.4, () => this.#some(NAMES, 2));
    this.#maybe(schema, "patternProperties", 0.15, () => map(PATTERNS, 2));
    this.#maybe(schema, "additionalProperties", 0.35, () => {
      if (this.random.chance(0.2)) return this.random.pick([true, {}]);
      return this.random.chance(0.5) ? false : this.#part(depth - 1);
    });
    this.#maybe(schema, "minProperties", 0.1, () => this.random.integer(0, 2));
    this.#maybe(schema, "maxProperties", 0.1, () => this.random.integer(0, 3));
    if (this.#has("draft-06")) {
      this.#maybe(schema, "propertyNames", 0.08, () => ({
        [this.random.pick(["pattern"])]: this.random.pick(PATTERNS),
      }));
    }
    if (this.#has("2019-09")) {
      this.#maybe(schema, "dependentRequired", 0.08, () => ({ [this.random.pick(NAMES)]: this.#some(NAMES, 2) }));
      this.#maybe(schema, "dependentSchemas", 0.08, () => ({
        [this.random.pick(NAMES)]: this.schema(Math.max(0, depth - 1), false, "object"),
      }));
      this.#maybe(schema, "unevaluatedProperties", 0.12, () => (this.random.chance(0.6) ? false : this.schema(0)));
    } else {
      const dependency = () =>
        this.random.chance(0.5) ? this.#some(NAMES, 2) : this.schema(Math.max(0, depth - 1), false, "object");
      this.#maybe(schema, "dependencies", 0.1, () => ({ [this.random.pick(NAMES)]: dependency() }));
    }
  }

  #combinations(schema: { [keyword: string]: unknown }, depth: number, type: string): void {
    const member = () => this.schema(depth, false, type);
    const members = () => Array.from({ length: this.random.integer(1, 3) }, member);
    this.#maybe(schema, "allOf", 0.07, members);
    this.#maybe(schema, "anyOf", 0.1, members);
    this.#maybe(schema, "oneOf", 0.1, members);
    this.#maybe(schema, "not", 0.06, member);
    if (!this.#has("draft-07") || !this.random.chance(0.07)) return;
    schema.if = member();
    this.#maybe(schema, "then", 0.7, member);
    this.#maybe(schema, "else", 0.5, member);
  }

  #part(depth: number): Schema {
    return this.schema(Math.max(0, depth), true);
  }

  #has(dialect: JsonDialect): boolean {
    return isAtLeast(this.dialect, dialect);
  }

  #maybe(schema: { [keyword: string]: unknown }, keyword: string, probability: number, make: () => unknown): void {
    if (schema[keyword] === undefined && this.random.chance(probability)) schema[keyword] = make();
  }

  #some<T>(items: readonly T[], most: number): T[] {
    return this.random.shuffled(items).slice(0, this.random.integer(1, most));
  }

  /** The schema with a few small changes, as an author would make them. */
  changed(schema: Schema): Schema {
    const copy = structuredClone(schema);
    if (typeof copy === "boolean") return this.root();
    const changes = this.random.integer(1, 2);
    for (let count = 0; count < changes; count += 1) this.#change(copy);
    return copy;
  }

  #change(root: { [keyword: string]: unknown }): void {
    const places = schemasOf(root);
    if (this.random.chance(0.15) && this.#changeSeldom(places)) return;
    const schema = this.random.pick(places);
    const keywords = Object.keys(schema).filter(
      (keyword) =>
        !["$schema", "$id", "definitions"].includes(keyword) &&
        !keyword.includes("Ref") &&
        !keyword.includes("nchor") &&
        keyword !== "$ref",
    );
    const fresh = this.schema(1);
    const choice = this.random.next();
    if (keywords.length === 0 || choice < 0.25) {
      if (typeof fresh === "object") {
        const added = Object.keys(fresh).filter((keyword) => schema[keyword] === undefined && keyword !== "$ref");
        for (const keyword of added.slice(0, 1)) schema[keyword] = fresh[keyword];
      }
      return;
    }
    const keyword = this.random.pick(keywords);
    const value = schema[keyword];
    if (choice < 0.45) delete schema[keyword];
    else if (typeof value === "number")
      schema[keyword] =
        Math.max(keyword.startsWith("m") && !keyword.endsWith("imum") ? 0 : -9, value + this.random.pick([-1, 1, 2])) ||
        1;
    else if (Array.isArray(value)) this.#changeArray(schema, keyword, value);
    else if (isSchemaObject(value) && ["properties", "patternProperties"].includes(keyword)) this.#changeMap(value);
    else if (keyword === "type") schema[keyword] = this.random.pick([TYPES, ["number"], [[value, "null"]]].flat());
    else if (typeof fresh === "object" && fresh[keyword] !== undefined) schema[keyword] = fresh[keyword];
  }

  /** Changes a rare keyword, if the schema has one; false otherwise. */
  #changeSeldom(places: readonly { [keyword: string]: unknown }[]): boolean {
    const found = places.flatMap((schema) =>
      Object.keys(schema)
        .filter((keyword) => SELDOM.includes(keyword))
        .map((keyword) => ({ schema, keyword })),
    );
    if (found.length === 0) return false;
    const { schema, keyword } = this.random.pick(found);
    const value = schema[keyword];
    const annotation = ANNOTATIONS.find(({ name }) => name === keyword);
    if (this.random.chance(0.25)) delete schema[keyword];
    else if (typeof value === "number") schema[keyword] = Math.max(0, value + this.random.pick([-1, 1]));
    else if (keyword === "format") schema[keyword] = this.random.pick(FORMATS);
    else if (keyword === "$ref" && this.dialect === "2020-12" && this.random.chance(0.5))
      this.#changeReferences(schema);
    else if (keyword === "$ref") schema[keyword] = "#";
    else if (keyword === "$dynamicRef") schema[keyword] = "#node";
    else if (annotation) schema[keyword] = this.random.pick(annotation.values);
    else if (isSchemaObject(value)) {
      const name = this.random.pick(Object.keys(value));
      if (Array.isArray(value[name])) value[name] = this.#some(NAMES, 3);
      else schema[keyword] = keyword === "not" ? this.schema(1) : value;
    }
    return true;
  }

  /** Adds or removes a second reference. */
  #changeReferences(schema: { [keyword: string]: unknown }): void {
    if (schema.$dynamicRef === undefined) schema.$dynamicRef = "#";
    else delete schema.$dynamicRef;
  }

  #changeArray(schema: { [keyword: string]: unknown }, keyword: string, value: unknown[]): void {
    if (value.length > 1 && this.random.chance(0.5)) value.splice(this.random.integer(0, value.length - 1), 1);
    else if (["allOf", "anyOf", "oneOf", "prefixItems", "items"].includes(keyword)) value.push(this.schema(1));
    else if (keyword === "required") value.push(...NAMES.filter((name) => !value.includes(name)).slice(0, 1));
    else if (keyword === "enum") value.push(...[7, "new", false].filter((item) => !value.includes(item)).slice(0, 1));
    else if (keyword === "type") value.push(...TYPES.filter((type) => !value.includes(type)).slice(0, 1));
    if (value.length === 0) delete schema[keyword];
  }

  #changeMap(map: { [name: string]: unknown }): void {
    const names = Object.keys(map);
    if (names.length > 0 && this.random.chance(0.5)) delete map[this.random.pick(names)];
    else map[this.random.pick(NAMES)] = this.schema(1);
  }

  /** A value unrelated to any schema, from the same vocabulary. */
  value(depth = 2): unknown {
    const { random } = this;
    const kind = random.integer(0, depth > 0 ? 7 : 4);
    if (kind === 0) return random.pick(STRINGS);
    if (kind === 1) return random.pick(random.chance(0.1) ? HUGE_NUMBERS : [-1, 0, 1, 2, 3, 6, 10, 12]);
    if (kind === 2) return random.pick([0.5, 1.5, 2.5, true, false, null]);
    if (kind <= 4) return random.pick([...STRINGS, 0, 1, null, true]);
    if (kind === 5) return Array.from({ length: random.integer(0, 3) }, () => this.value(depth - 1));
    return Object.fromEntries(this.#some([...NAMES, "other", "x"], 4).map((name) => [name, this.value(depth - 1)]));
  }
}

export const META_SCHEMAS: Record<JsonDialect, string> = {
  "draft-04": "http://json-schema.org/draft-04/schema#",
  "draft-06": "http://json-schema.org/draft-06/schema#",
  "draft-07": "http://json-schema.org/draft-07/schema#",
  "2019-09": "https://json-schema.org/draft/2019-09/schema",
  "2020-12": "https://json-schema.org/draft/2020-12/schema",
};

function isSchemaObject(value: unknown): value is { [keyword: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every subschema, including the schema itself. */
function schemasOf(root: { [keyword: string]: unknown }): { [keyword: string]: unknown }[] {
  const found = [root];
  for (const [keyword, value] of Object.entries(root)) {
    if (["enum", "const", "default", "required", "dependentRequired"].includes(keyword)) continue;
    if (Array.isArray(value)) for (const item of value) found.push(...(isSchemaObject(item) ? schemasOf(item) : []));
    else if (isSchemaObject(value)) {
      const isMap = ["properties", "patternProperties", "definitions", "dependentSchemas", "dependencies"].includes(
        keyword,
      );
      const inner = isMap ? Object.values(value).filter(isSchemaObject) : [value];
      for (const schema of inner) found.push(...schemasOf(schema));
    }
  }
  return found;
}

/** Values that mostly match the types. */
function valuesOf(types: readonly string[], random: Random): unknown[] {
  const fitting: unknown[] = [];
  if (types.includes("string")) fitting.push(...STRINGS);
  if (types.includes("integer")) fitting.push(0, 1, 2, 3, 10);
  if (types.includes("number")) fitting.push(0, 1, 2.5, 3);
  if (types.includes("boolean")) fitting.push(true, false);
  if (types.includes("null")) fitting.push(null);
  if (types.includes("array")) fitting.push([], [1], ["a"]);
  if (types.includes("object")) fitting.push({}, { a: 1 }, { b: "a" });
  return random.chance(0.8) ? fitting : [...fitting, "a", 0, null, true];
}

/** Without definitions, references point to the root. */
function replaceReferences(schema: { [keyword: string]: unknown }): void {
  for (const inner of schemasOf(schema)) {
    if (inner.$ref !== undefined) inner.$ref = "#";
    if (inner.$dynamicRef !== undefined) inner.$dynamicRef = "#";
  }
}

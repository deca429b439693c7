/**
 * One schema location with its keywords sorted by meaning, the same for all dialects: what the semantic comparison works on.
 * A view is made once per location (and dynamic scope), so views are compared by identity. It never changes.
 */
import type { JsonDialect } from "../../format";
import { type JsonNode, type JsonNumber, type JsonObject, pointerToken } from "../../json-text";
import { isAtLeast } from "../dialects";
import { equalityKey } from "../equality";
import {
  childLocation,
  type DynamicScope,
  enterScope,
  followReference,
  isSchemaNode,
  type JsonSchemaModel,
  keywords,
  REFERENCE_KEYWORDS,
  type SchemaLocation,
} from "../model";
import { compareDecimals, type Decimal, decimalOf } from "./decimal";

/** JSON's types as bits; a number is an integer or a fraction. */
export const TYPE = { null: 1, boolean: 2, integer: 4, fraction: 8, string: 16, array: 32, object: 64 } as const;
export const NUMBER = TYPE.integer | TYPE.fraction;
export const ALL_TYPES = 127;

export type Bound = { readonly limit: Decimal; readonly exclusive: boolean; readonly keyword: string };
export type Side = "reader" | "writer";
/** Views are made when asked for: schemas may be recursive. */
export type LazyView = () => View;

/** What a view stands for after references and single demands; itself where they run in a circle. */
export function unaliased(view: View): View {
  if (view.alias === undefined) return view;
  const visited = new Set<View>();
  let current = view;
  while (current.alias !== undefined && !visited.has(current)) {
    visited.add(current);
    current = current.alias();
  }
  return current;
}

export class View {
  /** True or false for a schema that accepts everything or nothing by itself. */
  constant: boolean | undefined;
  types: number | undefined;
  enumeration: readonly JsonNode[] | undefined;
  constantValue: JsonNode | undefined;
  minimum: Bound | undefined;
  maximum: Bound | undefined;
  multipleOf: Decimal | undefined;
  minLength = 0;
  maxLength: number | undefined;
  pattern: string | undefined;
  format: string | undefined;
  properties: ReadonlyMap<string, LazyView> = NO_VIEWS;
  patternProperties: ReadonlyMap<string, LazyView> = NO_VIEWS;
  additionalProperties: LazyView | undefined;
  unevaluatedProperties: LazyView | undefined;
  propertyNames: LazyView | undefined;
  required: readonly string[] = [];
  minProperties = 0;
  maxProperties: number | undefined;
  dependentRequired: ReadonlyMap<string, readonly string[]> = NO_NAMES;
  dependentSchemas: ReadonlyMap<string, LazyView> = NO_VIEWS;
  prefixItems: readonly LazyView[] = [];
  /** What items after the prefix are. */
  items: LazyView | undefined;
  unevaluatedItems: LazyView | undefined;
  contains: LazyView | undefined;
  minContains = 1;
  maxContains: number | undefined;
  minItems = 0;
  maxItems: number | undefined;
  uniqueItems = false;
  allOf: readonly LazyView[] = [];
  anyOf: readonly LazyView[] = [];
  oneOf: readonly LazyView[] = [];
  not: LazyView | undefined;
  /** `if`, `then` and `else`. */
  condition: LazyView | undefined;
  consequence: LazyView | undefined;
  alternative: LazyView | undefined;
  references: readonly LazyView[] = [];
  /** Set where the view says exactly what another one says: a lone reference, an allOf of one. */
  alias: LazyView | undefined;
  /** References that lead nowhere, as written: nothing is known of what they accept. */
  unresolved: readonly string[] = [];
  /** Where each keyword stands, for pointers: the keyword it was written as (`dependencies` for `dependentRequired`). */
  readonly written = new Map<string, string>();
  /** Whether it says nothing about values. */
  isTrivial = true;
  /** Whether it says something about types and nothing else. */
  isTypeOnly = false;

  constructor(
    readonly id: number,
    readonly side: Side,
    /** For people: a JSON pointer, after the document's name where it is not the schema's own. */
    readonly pointer: string,
    readonly location: SchemaLocation | undefined,
  ) {}

  /** The pointer of one of its keywords, or of what stands below it. */
  at(keyword: string, ...tokens: (string | number)[]): string {
    const written = this.written.get(keyword) ?? keyword;
    return [this.pointer, written, ...tokens.map(pointerToken)].join("/");
  }
}

/** The schemas that a view applies to the same value, other than to refuse it. */
export function inPlace(view: View): LazyView[] {
  const schemas = [...view.references, ...view.allOf, ...view.anyOf, ...view.oneOf, ...view.dependentSchemas.values()];
  for (const schema of [view.condition, view.consequence, view.alternative]) if (schema) schemas.push(schema);
  return schemas;
}

const NO_VIEWS: ReadonlyMap<string, LazyView> = new Map();
const NO_NAMES: ReadonlyMap<string, readonly string[]> = new Map();

/** The views of both sides of one comparison. */
export class Views {
  #nextId = 0;
  readonly #synthetics = new Map<string, View>();
  readonly #made = new Map<JsonNode, { scope: DynamicScope; view: View }[]>();
  readonly #models: Record<Side, JsonSchemaModel>;
  readonly #isDynamic: Record<Side, boolean>;
  readonly #scopes = new Map<string, DynamicScope>();

  constructor(reader: JsonSchemaModel, writer: JsonSchemaModel) {
    this.#models = { reader, writer };
    this.#isDynamic = { reader: hasDynamicScope(reader), writer: hasDynamicScope(writer) };
  }

  root(side: Side): View {
    return this.#of(side, this.#models[side].root, NO_SCOPE);
  }

  /** How many have been made. */
  get count(): number {
    return this.#nextId;
  }

  /** The knowledge that a value is an object with a property. */
  present(name: string): View {
    return this.#synthetic(`+${name}`, (view) => {
      view.types = TYPE.object;
      view.required = [name];
    });
  }

  /** The knowledge that a property is not there. */
  absent(name: string): View {
    const nothing = this.#synthetic("false", (view) => {
      view.constant = false;
    });
    return this.#synthetic(`-${name}`, (view) => {
      view.properties = new Map([[name, () => nothing]]);
    });
  }

  /** The knowledge that a value has one of some types. */
  ofTypes(types: number): View {
    return this.#synthetic(`types ${types}`, (view) => {
      view.types = types;
    });
  }

  /** The knowledge that a string matches a pattern. */
  matching(pattern: string): View {
    return this.#synthetic(`pattern ${pattern}`, (view) => {
      view.pattern = pattern;
    });
  }

  /** The knowledge that a value is one of a few. */
  oneOf(values: readonly JsonNode[]): View {
    return this.#synthetic(`values ${values.map(equalityKey).join()}`, (view) => {
      view.enumeration = values;
    });
  }

  /** The knowledge that a property has a value that fits a view. */
  withProperty(name: string, value: View): View {
    return this.#synthetic(`property ${value.id} ${name}`, (view) => {
      view.properties = new Map([[name, () => value]]);
    });
  }

  #synthetic(key: string, fill: (view: View) => void): View {
    const known = this.#synthetics.get(key);
    if (known) return known;
    const view = new View(this.#nextId++, "writer", "", undefined);
    view.isTrivial = false;
    fill(view);
    this.#synthetics.set(key, view);
    return view;
  }

  #of(side: Side, location: SchemaLocation, outer: DynamicScope): View {
    // Without dynamic references the scope cannot matter, and one view per location is enough.
    const scope = this.#isDynamic[side] ? this.#interned(side, enterScope(outer, location)) : NO_SCOPE;
    const made = this.#made.get(location.node) ?? [];
    const known = made.find((entry) => entry.scope === scope && entry.view.side === side);
    if (known) return known.view;
    const { document } = location.resource;
    const pointer = document.name === null ? location.pointer : `${document.name}#${location.pointer}`;
    const view = new View(this.#nextId++, side, pointer, location);
    made.push({ scope, view });
    this.#made.set(location.node, made);
    this.#fill(view, location, scope);
    return view;
  }

  /** Equal scopes as one array. */
  #interned(side: Side, scope: DynamicScope): DynamicScope {
    const key = [side, ...scope.map(({ document, pointer }) => `${document.name ?? ""}#${pointer}`)].join("\n");
    const known = this.#scopes.get(key) ?? scope;
    this.#scopes.set(key, known);
    return known;
  }

  #fill(view: View, location: SchemaLocation, scope: DynamicScope): void {
    if (location.node.type === "boolean") {
      view.constant = location.node.value;
      view.isTrivial = location.node.value;
      return;
    }
    new Filling(
      this.#models[view.side],
      view,
      location,
      (child) => () => this.#of(view.side, child, scope),
      scope,
    ).fill();
  }
}

const NO_SCOPE: DynamicScope = [];

function hasDynamicScope(model: JsonSchemaModel): boolean {
  if (model.resources.size < 2) return false;
  for (const { dynamicAnchors, recursiveAnchor } of model.resources.values()) {
    if (recursiveAnchor || dynamicAnchors.size > 0) return true;
  }
  return false;
}

/** Reads the keywords of one location into its view. */
class Filling {
  readonly #dialect: JsonDialect;
  #exclusiveMinimum: JsonNode | undefined;
  #exclusiveMaximum: JsonNode | undefined;
  #itemsArray = false;
  #additionalItems: JsonNode | undefined;

  constructor(
    readonly model: JsonSchemaModel,
    readonly view: View,
    readonly location: SchemaLocation,
    readonly viewOf: (child: SchemaLocation) => LazyView,
    readonly scope: DynamicScope,
  ) {
    this.#dialect = location.resource.dialect;
  }

  fill(): void {
    let meaningful = 0;
    for (const [name, value] of keywords(this.location)) if (this.#read(name, value)) meaningful += 1;
    this.view.isTrivial = meaningful === 0;
    this.view.isTypeOnly = meaningful === 1 && this.view.types !== undefined;
    const { references, allOf } = this.view;
    if (meaningful === 1 && references.length + allOf.length === 1) this.view.alias = references[0] ?? allOf[0];
    this.#readExclusiveBounds();
    // Beside an array of items stands `additionalItems`; beside one schema it means nothing.
    if (this.#itemsArray && this.#additionalItems && isSchemaNode(this.#additionalItems)) {
      this.view.items = this.#child(this.#additionalItems, "additionalItems");
      this.view.written.set("items", "additionalItems");
    }
    if (this.#itemsArray) this.view.written.set("prefixItems", "items");
  }

  /** Reads one keyword; whether it says something about values. */
  #read(name: string, value: JsonNode): boolean {
    switch (value.type) {
      case "number":
        return this.#readNumber(name, value);
      case "string":
        return this.#readString(name, value.value);
      case "array":
        return this.#readArray(name, value.items);
      case "object":
        return this.#readSchema(name, value) || this.#readMap(name, value) || this.#readConst(name, value);
      case "boolean":
        return this.#readBoolean(name, value) || this.#readConst(name, value);
      case "null":
        return this.#readConst(name, value);
    }
  }

  #readConst(name: string, value: JsonNode): boolean {
    if (name !== "const" || !this.#has("draft-06")) return false;
    this.view.constantValue = value;
    return true;
  }

  #readNumber(name: string, value: JsonNumber): boolean {
    const { view } = this;
    const count = Math.max(0, Math.ceil(value.value));
    switch (name) {
      case "minimum":
        view.minimum = { limit: decimalOf(value), exclusive: false, keyword: name };
        return true;
      case "maximum":
        view.maximum = { limit: decimalOf(value), exclusive: false, keyword: name };
        return true;
      case "exclusiveMinimum":
        this.#exclusiveMinimum = value;
        return this.#has("draft-06");
      case "exclusiveMaximum":
        this.#exclusiveMaximum = value;
        return this.#has("draft-06");
      case "multipleOf":
        view.multipleOf = decimalOf(value);
        return true;
      case "minLength":
      case "minItems":
      case "minProperties":
        view[name] = count;
        return count > 0;
      case "maxLength":
      case "maxItems":
      case "maxProperties":
        view[name] = Math.floor(value.value);
        return true;
      case "minContains":
        if (this.#has("2019-09")) view.minContains = count;
        return false;
      case "maxContains":
        if (this.#has("2019-09")) view.maxContains = Math.floor(value.value);
        return false;
      default:
        return this.#readConst(name, value);
    }
  }

  #readString(name: string, value: string): boolean {
    const { view } = this;
    for (const keyword of REFERENCE_KEYWORDS) {
      if (name !== keyword) continue;
      const target = followReference(this.model, this.location, keyword, this.scope);
      if (target) view.references = [...view.references, this.viewOf(target)];
      else if (keyword === "$ref" || this.#has(keyword === "$dynamicRef" ? "2020-12" : "2019-09"))
        view.unresolved = [...view.unresolved, value];
      return target !== undefined || view.unresolved.length > 0;
    }
    if (name === "type") {
      view.types = typeBits(value);
      return true;
    }
    if (name === "pattern" || name === "format") {
      view[name] = value;
      return true;
    }
    return name === "const" && this.#readConst(name, { type: "string", start: 0, value });
  }

  #readArray(name: string, items: readonly JsonNode[]): boolean {
    const { view } = this;
    switch (name) {
      case "type":
        view.types = items.reduce((bits, item) => bits | (item.type === "string" ? typeBits(item.value) : 0), 0);
        return true;
      case "enum":
        view.enumeration = items;
        return true;
      case "required":
        view.required = strings(items);
        return view.required.length > 0;
      case "allOf":
      case "anyOf":
      case "oneOf":
        view[name] = items.map((item, index) => this.#child(item, name, index));
        return items.length > 0;
      case "prefixItems":
        if (!this.#has("2020-12")) return false;
        view.prefixItems = items.map((item, index) => this.#child(item, name, index));
        return items.length > 0;
      case "items":
        if (this.#has("2020-12")) return false;
        view.prefixItems = items.map((item, index) => this.#child(item, name, index));
        this.#itemsArray = true;
        return true;
      default:
        return name === "const" && this.#readConst(name, { type: "array", start: 0, items: [...items] });
    }
  }

  #readSchema(name: string, value: JsonNode): boolean {
    const { view } = this;
    if (!isSchemaNode(value)) return false;
    switch (name) {
      case "additionalProperties":
      case "not":
        view[name] = this.#child(value, name);
        return true;
      case "items":
        view.items = this.#child(value, name);
        return true;
      case "additionalItems":
        if (!this.#has("2020-12")) this.#additionalItems = value;
        return false;
      case "contains":
      case "propertyNames":
        if (!this.#has("draft-06")) return false;
        view[name] = this.#child(value, name);
        return true;
      case "if":
        if (!this.#has("draft-07")) return false;
        view.condition = this.#child(value, name);
        return true;
      case "then":
        if (this.#has("draft-07")) view.consequence = this.#child(value, name);
        return false;
      case "else":
        if (this.#has("draft-07")) view.alternative = this.#child(value, name);
        return false;
      case "unevaluatedProperties":
      case "unevaluatedItems":
        if (!this.#has("2019-09")) return false;
        view[name] = this.#child(value, name);
        return true;
      default:
        return false;
    }
  }

  #readMap(name: string, value: JsonObject): boolean {
    const { view } = this;
    switch (name) {
      case "properties":
      case "patternProperties":
        view[name] = this.#children(value, name);
        return value.members.size > 0;
      case "dependentSchemas":
        if (!this.#has("2019-09")) return false;
        view.dependentSchemas = new Map([...view.dependentSchemas, ...this.#children(value, name)]);
        return true;
      case "dependentRequired":
        if (!this.#has("2019-09")) return false;
        this.#readDependencies(name, value);
        return true;
      case "dependencies":
        this.#readDependencies(name, value);
        return true;
      default:
        return false;
    }
  }

  /** Up to draft-07 one keyword did both; later dialects still know it. */
  #readDependencies(keyword: string, value: JsonObject): void {
    const names = new Map(this.view.dependentRequired);
    const schemas = new Map(this.view.dependentSchemas);
    for (const [name, dependency] of value.members) {
      if (dependency.type === "array") names.set(name, strings(dependency.items));
      else if (isSchemaNode(dependency)) schemas.set(name, this.#child(dependency, keyword, name));
    }
    this.view.dependentRequired = names;
    this.view.dependentSchemas = schemas;
    if (names.size > 0) this.view.written.set("dependentRequired", keyword);
    if (schemas.size > 0 && keyword === "dependencies") this.view.written.set("dependentSchemas", keyword);
  }

  #readBoolean(name: string, value: JsonNode): boolean {
    if (value.type !== "boolean") return false;
    if (name === "uniqueItems") {
      this.view.uniqueItems = value.value;
      return value.value;
    }
    if (name === "exclusiveMinimum" && !this.#has("draft-06")) this.#exclusiveMinimum = value;
    if (name === "exclusiveMaximum" && !this.#has("draft-06")) this.#exclusiveMaximum = value;
    return this.#readSchema(name, value);
  }

  #readExclusiveBounds(): void {
    const { view } = this;
    const minimum = exclusiveBound(view.minimum, this.#exclusiveMinimum, "exclusiveMinimum", this.#has("draft-06"));
    const maximum = exclusiveBound(view.maximum, this.#exclusiveMaximum, "exclusiveMaximum", this.#has("draft-06"));
    if (minimum && (!view.minimum || compareBound(minimum, view.minimum) >= 0)) view.minimum = minimum;
    if (maximum && (!view.maximum || compareBound(maximum, view.maximum) <= 0)) view.maximum = maximum;
  }

  #has(dialect: JsonDialect): boolean {
    return isAtLeast(this.#dialect, dialect);
  }

  #child(node: JsonNode, ...tokens: (string | number)[]): LazyView {
    return this.viewOf(childLocation(this.model, this.location, node, ...tokens));
  }

  #children(value: JsonObject, keyword: string): Map<string, LazyView> {
    return new Map([...value.members].map(([name, node]) => [name, this.#child(node, keyword, name)]));
  }
}

function exclusiveBound(
  inclusive: Bound | undefined,
  exclusive: JsonNode | undefined,
  keyword: string,
  isNumeric: boolean,
): Bound | undefined {
  if (isNumeric) {
    return exclusive?.type === "number" ? { limit: decimalOf(exclusive), exclusive: true, keyword } : undefined;
  }
  const isFlagged = exclusive?.type === "boolean" && exclusive.value;
  return isFlagged && inclusive ? { ...inclusive, exclusive: true } : undefined;
}

function compareBound(a: Bound, b: Bound): number {
  return compareDecimals(a.limit, b.limit);
}

function strings(items: readonly JsonNode[]): string[] {
  return items.filter((item) => item.type === "string").map(({ value }) => value);
}

function typeBits(name: string): number {
  if (name === "number") return NUMBER;
  return Object.hasOwn(TYPE, name) && name !== "fraction" ? TYPE[name as keyof typeof TYPE] : 0;
}

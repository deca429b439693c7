/** Reads the keywords of a schema location into its view, dialect by dialect. */
import type { JsonDialect } from "../../../format.ts";
import type { JsonNode, JsonNumber, JsonObject } from "../../../json-text.ts";
import {
  childLocation,
  type DynamicScope,
  followReference,
  isSchemaNode,
  type JsonSchemaModel,
  keywords,
  REFERENCE_KEYWORDS,
  type SchemaLocation,
} from "../../model.ts";
import { isAtLeast } from "../../parse/dialects.ts";
import { compareDecimals, type Decimal, readDecimal } from "../decimal.ts";
import {
  type Bound,
  type BoundKeyword,
  type LazyView,
  MAX_KEPT_PROPERTIES,
  NUMBER,
  TYPE,
  type View,
  type ViewMap,
} from "./view.ts";

/** Keywords whose effect the facts capture completely. */
const PLAIN_DEMANDS: ReadonlySet<string> = new Set(["type", "required", "not", "allOf", ...REFERENCE_KEYWORDS]);

/** Fills a new view. `viewOf` returns the views of its subschemas on demand. */
export function readKeywords(
  model: JsonSchemaModel,
  view: View,
  location: SchemaLocation,
  scope: DynamicScope,
  viewOf: (child: SchemaLocation, isKept?: boolean) => View,
): void {
  new KeywordReader(model, view, location, viewOf, scope).read();
}

class KeywordReader {
  readonly #dialect: JsonDialect;
  #exclusiveMinimum: JsonNode | undefined;
  #exclusiveMaximum: JsonNode | undefined;
  #itemsArray = false;
  #hasSchemas = false;
  #additionalItems: JsonNode | undefined;

  readonly model: JsonSchemaModel;
  readonly view: View;
  readonly location: SchemaLocation;
  readonly viewOf: (child: SchemaLocation, isKept?: boolean) => View;
  readonly scope: DynamicScope;

  constructor(
    model: JsonSchemaModel,
    view: View,
    location: SchemaLocation,
    viewOf: (child: SchemaLocation, isKept?: boolean) => View,
    scope: DynamicScope,
  ) {
    this.model = model;
    this.view = view;
    this.location = location;
    this.viewOf = viewOf;
    this.scope = scope;
    this.#dialect = location.resource.dialect;
  }

  read(): void {
    let meaningful = 0;
    let others = 0;
    for (const [name, value] of keywords(this.location)) {
      if (!this.#read(name, value)) continue;
      meaningful += 1;
      if (!PLAIN_DEMANDS.has(name)) others += 1;
    }
    this.view.isTrivial = meaningful === 0;
    this.view.isPlainDemand = others === 0 && this.view.unresolved.length === 0;
    this.view.isLeaf = !this.#hasSchemas && this.view.references.length + this.view.unresolved.length === 0;
    this.view.isTypeOnly = meaningful === 1 && this.view.types !== undefined;
    const { references, allOf } = this.view;
    if (meaningful === 1 && references.length + allOf.length === 1) this.view.alias = references[0] ?? allOf[0];
    this.#readExclusiveBounds();
    // `additionalItems` applies next to an array of items; next to a single schema it has no effect.
    if (this.#itemsArray && this.#additionalItems && isSchemaNode(this.#additionalItems)) {
      this.view.items = this.#child(this.#additionalItems, "additionalItems");
      this.#wrote("items", "additionalItems");
    }
    if (this.#itemsArray) this.#wrote("prefixItems", "items");
  }

  /** Reads one keyword; returns whether it constrains values. */
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
    this.#readNumbers(name, value);
    this.view.constantValue = value;
    return true;
  }

  /** Refuses listed numbers with too many digits at their location, before anything is computed. */
  #readNumbers(keyword: string, value: JsonNode): void {
    if (value.type === "number") this.#decimal(keyword, value);
    else if (value.type === "array") for (const item of value.items) this.#readNumbers(keyword, item);
    else if (value.type === "object") for (const item of value.members.values()) this.#readNumbers(keyword, item);
  }

  #readNumber(name: string, value: JsonNumber): boolean {
    const { view } = this;
    const count = Math.max(0, Math.ceil(value.value));
    switch (name) {
      case "minimum":
        view.minimum = { limit: this.#decimal(name, value), exclusive: false, keyword: name };
        return true;
      case "maximum":
        view.maximum = { limit: this.#decimal(name, value), exclusive: false, keyword: name };
        return true;
      case "exclusiveMinimum":
        this.#exclusiveMinimum = value;
        return this.#has("draft-06");
      case "exclusiveMaximum":
        this.#exclusiveMaximum = value;
        return this.#has("draft-06");
      case "multipleOf":
        view.multipleOf = this.#decimal(name, value);
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
      if (target) view.references = [...view.references, once(() => this.viewOf(target))];
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
        for (const item of items) this.#readNumbers(name, item);
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

  /** Up to draft-07 one keyword had both forms; later dialects still accept it. */
  #readDependencies(keyword: string, value: JsonObject): void {
    const names = new Map(this.view.dependentRequired);
    const schemas = new Map<string, LazyView>(this.view.dependentSchemas);
    for (const [name, dependency] of value.members) {
      if (dependency.type === "array") names.set(name, strings(dependency.items));
      else if (isSchemaNode(dependency)) schemas.set(name, this.#child(dependency, keyword, name));
    }
    this.view.dependentRequired = names;
    this.view.dependentSchemas = schemas;
    if (names.size > 0) this.#wrote("dependentRequired", keyword);
    if (schemas.size > 0 && keyword === "dependencies") this.#wrote("dependentSchemas", keyword);
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
    const minimum = this.#exclusiveBound(view.minimum, this.#exclusiveMinimum, "exclusiveMinimum");
    const maximum = this.#exclusiveBound(view.maximum, this.#exclusiveMaximum, "exclusiveMaximum");
    if (minimum && (!view.minimum || compareBound(minimum, view.minimum) >= 0)) view.minimum = minimum;
    if (maximum && (!view.maximum || compareBound(maximum, view.maximum) <= 0)) view.maximum = maximum;
  }

  /** Up to draft-04 a flag for the bound next to it, since then a separate bound. */
  #exclusiveBound(
    inclusive: Bound | undefined,
    exclusive: JsonNode | undefined,
    keyword: BoundKeyword,
  ): Bound | undefined {
    if (this.#has("draft-06")) {
      if (exclusive?.type !== "number") return undefined;
      return { limit: this.#decimal(keyword, exclusive), exclusive: true, keyword };
    }
    const isFlagged = exclusive?.type === "boolean" && exclusive.value;
    return isFlagged && inclusive ? { ...inclusive, exclusive: true } : undefined;
  }

  #decimal(keyword: string, value: JsonNumber): Decimal {
    return readDecimal(value, () => this.view.at(keyword));
  }

  #wrote(keyword: string, as: string): void {
    this.view.written ??= new Map();
    this.view.written.set(keyword, as);
  }

  #has(dialect: JsonDialect): boolean {
    return isAtLeast(this.#dialect, dialect);
  }

  #child(node: JsonNode, ...tokens: (string | number)[]): LazyView {
    this.#hasSchemas = true;
    return once(() => this.viewOf(childLocation(this.model, this.location, node, ...tokens)));
  }

  #children(value: JsonObject, keyword: string): ViewMap {
    if (value.members.size > 0) this.#hasSchemas = true;
    const isKept = value.members.size <= MAX_KEPT_PROPERTIES;
    const { model, location, viewOf } = this;
    return new Members(value.members, (name, node) =>
      viewOf(childLocation(model, location, node, keyword, name), isKept),
    );
  }
}

/** The views of an object's members, created on demand: a schema may have tens of thousands. */
class Members implements ViewMap {
  readonly nodes: ReadonlyMap<string, JsonNode>;
  readonly viewOf: (name: string, node: JsonNode) => View;

  constructor(nodes: ReadonlyMap<string, JsonNode>, viewOf: (name: string, node: JsonNode) => View) {
    this.nodes = nodes;
    this.viewOf = viewOf;
  }

  get size(): number {
    return this.nodes.size;
  }

  has(name: string): boolean {
    return this.nodes.has(name);
  }

  get(name: string): LazyView | undefined {
    const node = this.nodes.get(name);
    return node && (() => this.viewOf(name, node));
  }

  keys(): MapIterator<string> {
    return this.nodes.keys();
  }

  *values(): MapIterator<LazyView> {
    for (const [name, node] of this.nodes) yield () => this.viewOf(name, node);
  }

  *entries(): MapIterator<[string, LazyView]> {
    for (const [name, node] of this.nodes) yield [name, () => this.viewOf(name, node)];
  }

  [Symbol.iterator](): MapIterator<[string, LazyView]> {
    return this.entries();
  }
}

/** A view that is created on first use. */
function once(make: () => View): LazyView {
  let view: View | undefined;
  return () => {
    view ??= make();
    return view;
  };
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

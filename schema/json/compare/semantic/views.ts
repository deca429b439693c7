/** The views of both sides of one comparison, created on demand, and views for derived knowledge. */
import type { JsonNode } from "../../../json-text.ts";
import { type DynamicScope, enterScope, type JsonSchemaModel, type SchemaLocation } from "../../model.ts";
import { equalityKey } from "../../validate/equality.ts";
import type { ComparisonMeter } from "../bounds.ts";
import { type Decimal, decimalText } from "../decimal.ts";
import { type Side, TYPE, View } from "./view.ts";
import { readKeywords } from "./view-keywords.ts";

/** Bytes of a view with the functions that create its subviews. */
const VIEW_BYTES = 800;

/** The views of both sides of one comparison. */
export class Views {
  #nextId = 0;
  readonly #synthetics = new Map<string, View>();
  readonly #made = new Map<JsonNode, { scope: DynamicScope; view: View }[]>();
  readonly #models: Record<Side, JsonSchemaModel>;
  readonly #isDynamic: Record<Side, boolean>;
  readonly #scopes = new Map<string, DynamicScope>();

  readonly meter: ComparisonMeter;

  constructor(reader: JsonSchemaModel, writer: JsonSchemaModel, meter: ComparisonMeter) {
    this.meter = meter;
    this.#models = { reader, writer };
    this.#isDynamic = { reader: hasDynamicScope(reader), writer: hasDynamicScope(writer) };
  }

  root(side: Side): View {
    return this.#of(side, this.#models[side].root, NO_SCOPE);
  }

  /** The number of views created. */
  get count(): number {
    return this.#nextId;
  }

  /** A view that says: the value is an object with the property. */
  present(name: string): View {
    return this.#synthetic(`+${name}`, (view) => {
      view.types = TYPE.object;
      view.required = [name];
    });
  }

  /** A view that says: the property is absent. */
  absent(name: string): View {
    const nothing = this.#synthetic("false", (view) => {
      view.constant = false;
    });
    return this.#synthetic(`-${name}`, (view) => {
      view.properties = new Map([[name, () => nothing]]);
    });
  }

  /** A view that says: the value has one of these types. */
  ofTypes(types: number): View {
    return this.#synthetic(`types ${types}`, (view) => {
      view.types = types;
    });
  }

  /** A view that says: the number is strictly between two others. */
  between(low: Decimal | undefined, high: Decimal | undefined): View {
    const key = [low, high].map((limit) => (limit ? decimalText(limit) : "")).join();
    return this.#synthetic(`between ${key}`, (view) => {
      if (low) view.minimum = { limit: low, exclusive: true, keyword: "exclusiveMinimum" };
      if (high) view.maximum = { limit: high, exclusive: true, keyword: "exclusiveMaximum" };
    });
  }

  /** A view that says: the number has this value. */
  exactly(limit: Decimal): View {
    return this.#synthetic(`exactly ${decimalText(limit)}`, (view) => {
      view.minimum = { limit, exclusive: false, keyword: "minimum" };
      view.maximum = { limit, exclusive: false, keyword: "maximum" };
    });
  }

  /** A view that says: there are at least or at most this many characters, items or properties. */
  counting(
    keyword: "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties",
    count: number,
  ): View {
    return this.#synthetic(`${keyword} ${count}`, (view) => {
      view[keyword] = count;
    });
  }

  /** A view that says: the string matches a pattern. */
  matching(pattern: string): View {
    return this.#synthetic(`pattern ${pattern}`, (view) => {
      view.pattern = pattern;
    });
  }

  /** A view that says: the value is one of a few. */
  oneOf(values: readonly JsonNode[]): View {
    return this.#synthetic(`values ${values.map(equalityKey).join()}`, (view) => {
      view.enumeration = values;
    });
  }

  /** A view that says: the property has a value that satisfies another view. */
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

  /** `isKept`: whether the view of a schema without subschemas is cached instead of created on each use. */
  #of(side: Side, location: SchemaLocation, outer: DynamicScope, isKept = true): View {
    // Without dynamic references the scope has no effect, so one view per location suffices.
    const scope = this.#isDynamic[side] ? this.#interned(side, enterScope(outer, location)) : NO_SCOPE;
    const made = this.#made.get(location.node);
    const known = made?.find((entry) => entry.scope === scope && entry.view.side === side);
    if (known) return known.view;
    const { document } = location.resource;
    const pointer = document.name === null ? location.pointer : `${document.name}#${location.pointer}`;
    const view = new View(this.#nextId++, side, pointer, location);
    this.#fill(view, location, scope);
    if (!isKept && view.isLeaf) return view;
    this.meter.keep(VIEW_BYTES, pointer);
    if (made) made.push({ scope, view });
    else this.#made.set(location.node, [{ scope, view }]);
    return view;
  }

  /** Returns one array for equal scopes. */
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
      view.isLeaf = true;
      return;
    }
    readKeywords(this.#models[view.side], view, location, scope, (child, isKept) =>
      this.#of(view.side, child, scope, isKept),
    );
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

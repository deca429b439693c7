/**
 * One schema location with its keywords grouped by meaning, identical for all dialects: the model of the semantic
 * comparison. A view is created once per location (and dynamic scope), so views are compared by identity. Views are
 * immutable.
 */
import { type JsonNode, pointerToken } from "../../../json-text.ts";
import type { SchemaLocation } from "../../model.ts";
import type { Decimal } from "../decimal.ts";

/** JSON's types as bits; a number is an integer or a fraction. */
export const TYPE = { null: 1, boolean: 2, integer: 4, fraction: 8, string: 16, array: 32, object: 64 } as const;
export const NUMBER = TYPE.integer | TYPE.fraction;
export const ALL_TYPE_BITS = 127;

/**
 * If an object has more properties than this, those without subschemas are not cached, because they would fill the
 * memory.
 */
export const MAX_KEPT_PROPERTIES = 1_000;

export type BoundKeyword = "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum";
export type Bound = { readonly limit: Decimal; readonly exclusive: boolean; readonly keyword: BoundKeyword };
export type Side = "reader" | "writer";
/** Views are created on demand, because schemas may be recursive. */
export type LazyView = () => View;

/** Views by name, with the part of Map's interface that is needed. */
export type ViewMap = Pick<ReadonlyMap<string, LazyView>, "size" | "has" | "get" | "keys" | "values" | "entries"> &
  Iterable<[string, LazyView]>;

/** The view after following references and lone `allOf` members; itself if they are circular. */
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
  declare constant: boolean | undefined;
  declare types: number | undefined;
  declare enumeration: readonly JsonNode[] | undefined;
  declare constantValue: JsonNode | undefined;
  declare minimum: Bound | undefined;
  declare maximum: Bound | undefined;
  declare multipleOf: Decimal | undefined;
  declare minLength: number;
  declare maxLength: number | undefined;
  declare pattern: string | undefined;
  declare format: string | undefined;
  declare properties: ViewMap;
  declare patternProperties: ViewMap;
  declare additionalProperties: LazyView | undefined;
  declare unevaluatedProperties: LazyView | undefined;
  declare propertyNames: LazyView | undefined;
  declare required: readonly string[];
  declare minProperties: number;
  declare maxProperties: number | undefined;
  declare dependentRequired: ReadonlyMap<string, readonly string[]>;
  declare dependentSchemas: ViewMap;
  declare prefixItems: readonly LazyView[];
  /** The schema of items after the prefix. */
  declare items: LazyView | undefined;
  declare unevaluatedItems: LazyView | undefined;
  declare contains: LazyView | undefined;
  declare minContains: number;
  declare maxContains: number | undefined;
  declare minItems: number;
  declare maxItems: number | undefined;
  declare uniqueItems: boolean;
  declare allOf: readonly LazyView[];
  declare anyOf: readonly LazyView[];
  declare oneOf: readonly LazyView[];
  declare not: LazyView | undefined;
  /** `if`, `then` and `else`. */
  declare condition: LazyView | undefined;
  declare consequence: LazyView | undefined;
  declare alternative: LazyView | undefined;
  declare references: readonly LazyView[];
  /** Set if the view is equivalent to another one: a lone reference, or an allOf with one member. */
  declare alias: LazyView | undefined;
  /** Unresolved references, as written: nothing is known about what they accept. */
  declare unresolved: readonly string[];
  /** The location of each keyword, for pointers: the keyword as written (`dependencies` for `dependentRequired`). */
  declare written: Map<string, string> | undefined;
  /** Whether it does not constrain values. */
  declare isTrivial: boolean;
  /** Whether it constrains only types. */
  declare isTypeOnly: boolean;
  /** Whether it has no subschemas and no references. */
  declare isLeaf: boolean;
  /** Whether its only constraints are types, required names, references, `allOf` and `not`. */
  declare isPlainDemand: boolean;

  readonly id: number;
  readonly side: Side;
  /** For messages: a JSON pointer, prefixed with the document's name if it is not the schema's own. */
  readonly pointer: string;
  readonly location: SchemaLocation | undefined;

  constructor(id: number, side: Side, pointer: string, location: SchemaLocation | undefined) {
    this.id = id;
    this.side = side;
    this.pointer = pointer;
    this.location = location;
  }

  /** The pointer of one of its keywords, or of a location below it. */
  at(keyword: string, ...tokens: (string | number)[]): string {
    const written = this.written?.get(keyword) ?? keyword;
    return [this.pointer, written, ...tokens.map(pointerToken)].join("/");
  }
}

/** The schemas that a view applies to the same value, except in negations. */
export function inPlace(view: View): LazyView[] {
  const schemas = [...view.references, ...view.allOf, ...view.anyOf, ...view.oneOf, ...view.dependentSchemas.values()];
  for (const schema of [view.condition, view.consequence, view.alternative]) if (schema) schemas.push(schema);
  return schemas;
}

const NO_VIEWS: ViewMap = new Map();
const NO_NAMES: ReadonlyMap<string, readonly string[]> = new Map();

const NONE: readonly never[] = [];

/**
 * The values of a schema without constraints. On the prototype, because most schemas have three keywords, and there may
 * be many schemas.
 */
const DEFAULTS = {
  constant: undefined,
  types: undefined,
  enumeration: undefined,
  constantValue: undefined,
  minimum: undefined,
  maximum: undefined,
  multipleOf: undefined,
  minLength: 0,
  maxLength: undefined,
  pattern: undefined,
  format: undefined,
  properties: NO_VIEWS,
  patternProperties: NO_VIEWS,
  additionalProperties: undefined,
  unevaluatedProperties: undefined,
  propertyNames: undefined,
  required: NONE,
  minProperties: 0,
  maxProperties: undefined,
  dependentRequired: NO_NAMES,
  dependentSchemas: NO_VIEWS,
  prefixItems: NONE,
  items: undefined,
  unevaluatedItems: undefined,
  contains: undefined,
  minContains: 1,
  maxContains: undefined,
  minItems: 0,
  maxItems: undefined,
  uniqueItems: false,
  allOf: NONE,
  anyOf: NONE,
  oneOf: NONE,
  not: undefined,
  condition: undefined,
  consequence: undefined,
  alternative: undefined,
  references: NONE,
  alias: undefined,
  unresolved: NONE,
  written: undefined,
  isTrivial: true,
  isTypeOnly: false,
  isLeaf: false,
  isPlainDemand: false,
};

Object.assign(View.prototype, DEFAULTS);

/**
 * One schema location with its keywords sorted by meaning, the same for all dialects: what the semantic comparison works on.
 * A view is made once per location (and dynamic scope), so views are compared by identity. It never changes.
 */
import { type JsonNode, pointerToken } from "../../../json-text.ts";
import type { SchemaLocation } from "../../model.ts";
import type { Decimal } from "../decimal.ts";

/** JSON's types as bits; a number is an integer or a fraction. */
export const TYPE = { null: 1, boolean: 2, integer: 4, fraction: 8, string: 16, array: 32, object: 64 } as const;
export const NUMBER = TYPE.integer | TYPE.fraction;
export const ALL_TYPES = 127;

/** Properties of one object beyond which those without schemas inside are read anew each time: they would fill the memory. */
export const MAX_KEPT_PROPERTIES = 1_000;

export type BoundKeyword = "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum";
export type Bound = { readonly limit: Decimal; readonly exclusive: boolean; readonly keyword: BoundKeyword };
export type Side = "reader" | "writer";
/** Views are made when asked for: schemas may be recursive. */
export type LazyView = () => View;

/** Views by name, as much of a Map as is needed of one. */
export type ViewMap = Pick<ReadonlyMap<string, LazyView>, "size" | "has" | "get" | "keys" | "values" | "entries"> &
  Iterable<[string, LazyView]>;

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
  /** What items after the prefix are. */
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
  /** Set where the view says exactly what another one says: a lone reference, an allOf of one. */
  declare alias: LazyView | undefined;
  /** References that lead nowhere, as written: nothing is known of what they accept. */
  declare unresolved: readonly string[];
  /** Where each keyword stands, for pointers: the keyword it was written as (`dependencies` for `dependentRequired`). */
  declare written: Map<string, string> | undefined;
  /** Whether it says nothing about values. */
  declare isTrivial: boolean;
  /** Whether it says something about types and nothing else. */
  declare isTypeOnly: boolean;
  /** Whether no schemas are inside it, and none is referred to. */
  declare isLeaf: boolean;
  /** Whether nothing but types, required names, references, `allOf` and `not` says anything. */
  declare isPlainDemand: boolean;

  readonly id: number;
  readonly side: Side;
  /** For people: a JSON pointer, after the document's name where it is not the schema's own. */
  readonly pointer: string;
  readonly location: SchemaLocation | undefined;

  constructor(id: number, side: Side, pointer: string, location: SchemaLocation | undefined) {
    this.id = id;
    this.side = side;
    this.pointer = pointer;
    this.location = location;
  }

  /** The pointer of one of its keywords, or of what stands below it. */
  at(keyword: string, ...tokens: (string | number)[]): string {
    const written = this.written?.get(keyword) ?? keyword;
    return [this.pointer, written, ...tokens.map(pointerToken)].join("/");
  }
}

/** The schemas that a view applies to the same value, other than to refuse it. */
export function inPlace(view: View): LazyView[] {
  const schemas = [...view.references, ...view.allOf, ...view.anyOf, ...view.oneOf, ...view.dependentSchemas.values()];
  for (const schema of [view.condition, view.consequence, view.alternative]) if (schema) schemas.push(schema);
  return schemas;
}

const NO_VIEWS: ViewMap = new Map();
const NO_NAMES: ReadonlyMap<string, readonly string[]> = new Map();

const NONE: readonly never[] = [];

/** What a schema that says nothing says. On the prototype: most schemas have three keywords, and there may be many schemas. */
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

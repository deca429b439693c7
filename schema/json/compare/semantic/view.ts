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
  written: Map<string, string> | undefined;
  /** Whether it says nothing about values. */
  isTrivial = true;
  /** Whether it says something about types and nothing else. */
  isTypeOnly = false;

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

const NO_VIEWS: ReadonlyMap<string, LazyView> = new Map();
const NO_NAMES: ReadonlyMap<string, readonly string[]> = new Map();

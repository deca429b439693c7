/** The plain constraints of several schemas that hold together, each with the schema it comes from. */
import type { JsonNode } from "../../../json-text.ts";
import { equalityKey } from "../../validate/equality.ts";
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOfNumber,
  floorToMultiple,
  leastCommonMultiple,
  negated,
} from "../decimal.ts";
import { classifyValue } from "./evaluate.ts";
import type { Atom } from "./flatten.ts";
import { ALL_TYPE_BITS, type Bound, TYPE, type View } from "./view.ts";

type Sourced<T> = { readonly value: T; readonly view: View };

export class SchemaShape {
  types = ALL_TYPE_BITS;
  /** The schema that most recently narrowed the types. */
  typeSource: View | undefined;
  values: readonly JsonNode[] | undefined;
  valuesSource: View | undefined;
  minimum: Sourced<Bound> | undefined;
  maximum: Sourced<Bound> | undefined;
  readonly multiples: Sourced<Decimal>[] = [];
  minLength = 0;
  maxLength: number | undefined;
  readonly patterns = new Map<string, View>();
  readonly formats = new Map<string, View>();
  minProperties = 0;
  maxProperties: number | undefined;
  minItems = 0;
  maxItems: number | undefined;
  uniqueItems = false;
  /** All values are multiples of this: the least common multiple, as far as it can be computed. */
  multiple: Decimal | undefined;

  readonly required: ReadonlySet<string>;

  constructor(required: ReadonlySet<string>) {
    this.required = required;
  }

  get hasNoNumber(): boolean {
    if (!this.minimum || !this.maximum) return false;
    const order = compareDecimals(this.minimum.value.limit, this.maximum.value.limit);
    return order > 0 || (order === 0 && (this.minimum.value.exclusive || this.maximum.value.exclusive));
  }

  get hasNoInteger(): boolean {
    if (this.hasNoNumber) return true;
    if (!this.minimum || !this.maximum) return false;
    const step = (this.multiple && leastCommonMultiple(this.multiple, ONE)) ?? ONE;
    const { limit, exclusive } = this.maximum.value;
    let largest = floorToMultiple(limit, step);
    if (largest && exclusive && compareDecimals(largest, limit) === 0) largest = addDecimals(largest, negated(step));
    if (largest === undefined) return false;
    const order = compareDecimals(largest, this.minimum.value.limit);
    return order < 0 || (order === 0 && this.minimum.value.exclusive);
  }
}

const ONE = decimalOfNumber(1);

export function deriveShape(atoms: readonly Atom[], required: ReadonlySet<string>): SchemaShape {
  const shape = new SchemaShape(required);
  for (const { view } of atoms) {
    if (view.types !== undefined && (shape.types & view.types) !== shape.types) {
      shape.types &= view.types;
      shape.typeSource = view;
    }
    addValues(shape, view);
    addNumbers(shape, view);
    shape.minLength = Math.max(shape.minLength, view.minLength);
    shape.maxLength = least(shape.maxLength, view.maxLength);
    if (view.pattern !== undefined) shape.patterns.set(view.pattern, view);
    if (view.format !== undefined) shape.formats.set(view.format, view);
    shape.minProperties = Math.max(shape.minProperties, view.minProperties);
    shape.maxProperties = least(shape.maxProperties, view.maxProperties);
    shape.minItems = Math.max(shape.minItems, view.minItems, view.contains ? view.minContains : 0);
    shape.maxItems = least(shape.maxItems, view.maxItems);
    shape.uniqueItems ||= view.uniqueItems;
  }
  if (shape.multiples.some(({ value }) => isWhole(value))) shape.types &= ~TYPE.fraction;
  return shape;
}

function isWhole({ exponent }: Decimal): boolean {
  return exponent >= 0;
}

function addValues(shape: SchemaShape, view: View): void {
  for (const values of [view.enumeration, view.constantValue && [view.constantValue]]) {
    if (values === undefined) continue;
    if (shape.values === undefined) shape.values = values;
    else {
      const keys = new Set(values.map(equalityKey));
      shape.values = shape.values.filter((value) => keys.has(equalityKey(value)));
    }
    shape.valuesSource = view;
    shape.types &= values.reduce((bits, value) => bits | classifyValue(value), 0);
  }
}

function addNumbers(shape: SchemaShape, view: View): void {
  if (view.minimum && (!shape.minimum || isTighter(view.minimum, shape.minimum.value, 1))) {
    shape.minimum = { value: view.minimum, view };
  }
  if (view.maximum && (!shape.maximum || isTighter(view.maximum, shape.maximum.value, -1))) {
    shape.maximum = { value: view.maximum, view };
  }
  if (view.multipleOf && view.multipleOf.coefficient > 0n) {
    shape.multiples.push({ value: view.multipleOf, view });
    const common = shape.multiple && leastCommonMultiple(shape.multiple, view.multipleOf);
    // If it has too many digits, the known divisor is used, which is weaker but not wrong.
    shape.multiple = common ?? shape.multiple ?? view.multipleOf;
  }
}

function isTighter(a: Bound, b: Bound, direction: 1 | -1): boolean {
  const order = compareDecimals(a.limit, b.limit) * direction;
  return order > 0 || (order === 0 && a.exclusive && !b.exclusive);
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

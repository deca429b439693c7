/** Numbers near the bounds of a schema, computed once: bounds may have thousands of digits, and a search samples often. */
import type { Random } from "../../random.ts";
import {
  addDecimals,
  type Decimal,
  decimalOfNumber,
  decimalToNumber,
  floorToMultiple,
  negated,
} from "../compare/decimal.ts";
import type { SchemaShape } from "../compare/semantic/shape.ts";

const ONE = decimalOfNumber(1);
const HALF = decimalOfNumber(0.5);

type Limit = { readonly value: number; readonly exclusive: boolean };

export class NearbyNumbers {
  readonly #low: Limit | undefined;
  readonly #high: Limit | undefined;
  readonly #step: Decimal | undefined;
  readonly #isInteger: boolean;
  readonly #allowsBoth: boolean;
  /** Admitted numbers: those near the bounds, and the multiples below them. */
  readonly #near: readonly number[];
  readonly #multiples: readonly number[];

  /** `allowsBoth`: whether fractions are admitted as well as integers. */
  constructor(shape: SchemaShape, isInteger: boolean, allowsBoth: boolean, constants: readonly number[]) {
    this.#low = limitOf(shape.minimum?.value);
    this.#high = limitOf(shape.maximum?.value);
    this.#step = shape.multiple ?? (isInteger ? ONE : undefined);
    this.#isInteger = isInteger;
    this.#allowsBoth = allowsBoth;
    const near = [...this.#aroundBounds(shape), ...constants, 0, 1, -1, 2, isInteger ? 7 : 0.5];
    this.#near = near.filter((value) => this.#admits(value));
    this.#multiples = near.flatMap((value) => this.#multipleBelow(value));
  }

  /** An admitted number, possibly an arbitrary one; undefined if there is none. */
  pick(random: Random): number | undefined {
    const arbitrary = random.integer(-20, 120);
    const all = [
      ...this.#near,
      ...(this.#admits(arbitrary) ? [arbitrary] : []),
      ...this.#multiples,
      ...this.#multipleBelow(arbitrary),
    ];
    return all.length === 0 ? undefined : random.pick(all);
  }

  #aroundBounds(shape: SchemaShape): number[] {
    const unit = this.#step ?? HALF;
    const around = [shape.minimum?.value, shape.maximum?.value].flatMap((bound) => {
      // No double is near a bound beyond their range.
      if (bound === undefined || !Number.isFinite(decimalToNumber(bound.limit))) return [];
      const floor = this.#step ? floorToMultiple(bound.limit, this.#step) : bound.limit;
      return floor === undefined ? [] : [floor, addDecimals(floor, unit), addDecimals(floor, negated(unit))];
    });
    const numbers = around.flatMap((value) => (value === undefined ? [] : decimalToNumber(value)));
    return this.#low && this.#high ? [...numbers, (this.#low.value + this.#high.value) / 2] : numbers;
  }

  #multipleBelow(value: number): number[] {
    if (this.#step === undefined || !Number.isFinite(value)) return [];
    const floor = floorToMultiple(decimalOfNumber(value), this.#step);
    const multiple = floor && decimalToNumber(floor);
    return multiple !== undefined && this.#admits(multiple) ? [multiple] : [];
  }

  #admits(value: number): boolean {
    if (!Number.isFinite(value) || (this.#isInteger && !Number.isInteger(value))) return false;
    if (!this.#isInteger && Number.isInteger(value) && !this.#allowsBoth) return false;
    const [low, high] = [this.#low, this.#high];
    if (low && (value < low.value || (low.exclusive && value === low.value))) return false;
    return !(high && (value > high.value || (high.exclusive && value === high.value)));
  }
}

function limitOf(bound: { limit: Decimal; exclusive: boolean } | undefined): Limit | undefined {
  return bound && { value: decimalToNumber(bound.limit), exclusive: bound.exclusive };
}

/** Builds a sketch from rows, one after the other, in bounded memory. */
import { Random } from "../random.ts";
import { MAX_SKETCH_COLUMNS, MAX_SKETCH_VALUES } from "./shape.ts";
import type { Sketch } from "./sketch.ts";

/**
 * A column with more distinct values than these gets no top values: the subset kept would depend on the order of rows. As
 * many columns as a sketch may have, each with so many values, fit a heap of 512 MB.
 */
export const MAX_COUNTED_VALUES = 1_000;
/** Longer values are counted by type only. */
const MAX_VALUE_CHARACTERS = 256;
/** The size of a column's random sample, from which its quantiles are computed. */
const SAMPLED_NUMBERS = 10_000;
/** From the minimum to the maximum in steps of 5 %. */
const QUANTILES = 21;

type Column = {
  seen: number;
  types: Map<string, number>;
  /** By the JSON of the value; undefined once there are too many. */
  counts: Map<string, number> | undefined;
  numbers: number[];
  sampledFrom: number;
  min: number;
  max: number;
};

export class SketchBuilder {
  #rows = 0;
  readonly #columns = new Map<string, Column>();
  readonly #random = new Random(1);

  /** False if the row has more columns than a sketch may have. */
  add(row: Readonly<Record<string, unknown>>): boolean {
    this.#rows += 1;
    for (const [name, value] of Object.entries(row)) {
      let column = this.#columns.get(name);
      if (column === undefined) {
        if (this.#columns.size >= MAX_SKETCH_COLUMNS) return false;
        column = newColumn();
        this.#columns.set(name, column);
      }
      if (value !== null && value !== undefined) this.#count(column, value);
    }
    return true;
  }

  #count(column: Column, value: unknown): void {
    const type = typeOf(value);
    column.seen += 1;
    column.types.set(type, (column.types.get(type) ?? 0) + 1);
    countValue(column, value);
    if (typeof value === "number") this.#sample(column, value);
  }

  /** Algorithm R: after n numbers each is kept with the same chance. */
  #sample(column: Column, value: number): void {
    column.sampledFrom += 1;
    column.min = Math.min(column.min, value);
    column.max = Math.max(column.max, value);
    if (column.numbers.length < SAMPLED_NUMBERS) {
      column.numbers.push(value);
      return;
    }
    const place = this.#random.integer(0, column.sampledFrom - 1);
    if (place < SAMPLED_NUMBERS) column.numbers[place] = value;
  }

  finish(): Sketch {
    const columns = [...this.#columns].map(([name, column]) => [
      name,
      {
        nulls: this.#rows - column.seen,
        types: Object.fromEntries([...column.types].sort(([a], [b]) => (a < b ? -1 : 1))),
        ...quantilesOf(column),
        ...commonestOf(column),
      },
    ]);
    return { rows: this.#rows, columns: Object.fromEntries(columns) };
  }
}

function newColumn(): Column {
  return {
    seen: 0,
    types: new Map(),
    counts: new Map(),
    numbers: [],
    sampledFrom: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function countValue(column: Column, value: unknown): void {
  if (column.counts === undefined || typeof value === "object") return;
  const key = JSON.stringify(value);
  if (key.length > MAX_VALUE_CHARACTERS) return;
  const known = column.counts.get(key);
  if (known !== undefined || column.counts.size < MAX_COUNTED_VALUES) column.counts.set(key, (known ?? 0) + 1);
  else column.counts = undefined;
}

function quantilesOf({ numbers, min, max }: Column) {
  if (numbers.length < 2) return {};
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const inner = Array.from({ length: QUANTILES }, (_, step) => at(step / (QUANTILES - 1)));
  return { quantiles: [min, ...inner.slice(1, -1), max] };
}

function commonestOf({ counts }: Column) {
  if (counts === undefined || counts.size === 0) return {};
  const byCount = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const top = byCount.slice(0, MAX_SKETCH_VALUES);
  return { top: top.map(([key, count]) => ({ value: JSON.parse(key) as unknown, count })) };
}

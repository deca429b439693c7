/** Ranges of field, extension and enum numbers, both ends inclusive. */
import type { NumberRange } from "../model.ts";

type Ends = Pick<NumberRange, "from" | "to">;

/** A set of ranges as the numbers they cover together. */
export class CoveredNumbers {
  /** Sorted, without overlapping or adjacent ranges. */
  readonly #merged: { -readonly [End in keyof Ends]: Ends[End] }[] = [];

  constructor(ranges: readonly Ends[]) {
    for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
      const last = this.#merged.at(-1);
      if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
      else this.#merged.push({ from, to });
    }
  }

  has(number: number): boolean {
    return this.covers({ from: number, to: number });
  }

  /** Whether every number of a range is covered. */
  covers({ from, to }: Ends): boolean {
    let low = 0;
    let high = this.#merged.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#merged[middle]!.from <= from) low = middle + 1;
      else high = middle;
    }
    const range = this.#merged[low - 1];
    return range !== undefined && to <= range.to;
  }
}

/** A range in readable form. */
export function showRange({ from, to }: Ends): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}

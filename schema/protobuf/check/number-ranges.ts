/** Sets of number ranges: finds overlaps, and whether a number is in one, without pairwise comparison. */
import type { NumberRange } from "../model.ts";

export class NumberRanges {
  readonly #sorted: readonly NumberRange[];
  /** For each range, the one among it and its predecessors that extends furthest. */
  readonly #furthest: NumberRange[] = [];

  constructor(ranges: readonly NumberRange[]) {
    this.#sorted = ranges.toSorted((a, b) => a.from - b.from || a.to - b.to);
    for (const range of this.#sorted) {
      const before = this.#furthest.at(-1);
      this.#furthest.push(before === undefined || range.to > before.to ? range : before);
    }
  }

  /** Neighbouring pairs that overlap: every overlap appears in at least one. */
  overlaps(): [NumberRange, NumberRange][] {
    const pairs: [NumberRange, NumberRange][] = [];
    for (let index = 1; index < this.#sorted.length; index++) {
      const before = this.#furthest[index - 1]!;
      if (this.#sorted[index]!.from <= before.to) pairs.push([before, this.#sorted[index]!]);
    }
    return pairs;
  }

  has(number: number): boolean {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]!.from <= number) low = middle + 1;
      else high = middle;
    }
    return low > 0 && number <= this.#furthest[low - 1]!.to;
  }
}

/**
 * Caps the reported differences and counts all of them. Past the cap breaking ones take precedence, then warnings, because
 * the verdict depends on them.
 */
import type { Comparison, Difference, Severity } from "./compatibility.ts";

/** More than anyone reads; unrelated schemas differ in every field. */
export const MAX_DIFFERENCES = 500;
/** Total characters of messages and pointers, to keep responses below 1 MiB: long chains of types make long pointers. */
const MAX_DIFFERENCE_CHARACTERS = 400_000;

const SEVERITIES = ["breaking", "warning", "info"] as const satisfies Severity[];

type Kept<T> = { order: number; item: T; characters: number };

/** `T` is a difference with what else is known of it. */
export class DifferenceList<T> {
  total = 0;
  readonly #kept: Record<Severity, Kept<T>[]> = { breaking: [], warning: [], info: [] };
  readonly #characters: Record<Severity, number> = { breaking: 0, warning: 0, info: 0 };
  readonly #differenceOf: (item: T) => Difference;

  constructor(differenceOf: (item: T) => Difference) {
    this.#differenceOf = differenceOf;
  }

  /** Counts a difference and returns whether to add it. */
  count(severity: Severity): boolean {
    this.total += 1;
    const { length } = this.#kept[severity];
    return length === 0 || (length < MAX_DIFFERENCES && this.#characters[severity] <= MAX_DIFFERENCE_CHARACTERS);
  }

  add(item: T): void {
    const { severity, message, fix, reader_pointer, writer_pointer } = this.#differenceOf(item);
    const texts = [message, fix, reader_pointer, writer_pointer];
    const characters = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    this.#characters[severity] += characters;
    this.#kept[severity].push({ order: this.total, item, characters });
  }

  /** In the order in which they were added. */
  reported(): T[] {
    const chosen: Kept<T>[] = [];
    let characters = 0;
    for (const kept of SEVERITIES.flatMap((severity) => this.#kept[severity])) {
      if (chosen.length >= MAX_DIFFERENCES || (chosen.length > 0 && characters > MAX_DIFFERENCE_CHARACTERS)) break;
      characters += kept.characters;
      chosen.push(kept);
    }
    return chosen.sort((a, b) => a.order - b.order).map(({ item }) => item);
  }
}

/** A comparison that came to its end: the differences reported, and how many there are where that is more. */
export function comparisonOf(differences: Difference[], total: number): Extract<Comparison, { ok: true }> {
  return { ok: true, differences, ...(total > differences.length ? { differences_total: total } : {}) };
}

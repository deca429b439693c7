/**
 * The differences that are reported, within bounds, and how many there are. Past the bounds what breaks comes first, then
 * what deserves a warning: the verdict hangs on the first of them.
 */
import type { Severity } from "../../compatibility.ts";
import type { LocatedDifference } from "./locate-differences.ts";

/** More than anybody reads: a reader and a writer with nothing in common differ in every field. */
export const MAX_DIFFERENCES = 500;
/** Characters of messages and pointers together, so that an answer stays below a megabyte: long chains of types make long pointers. */
export const MAX_DIFFERENCE_CHARACTERS = 400_000;

const SEVERITIES = ["breaking", "warning", "info"] as const satisfies Severity[];

type Kept = { order: number; located: LocatedDifference; characters: number };

export class DifferenceList {
  total = 0;
  readonly #kept: Record<Severity, Kept[]> = { breaking: [], warning: [], info: [] };
  readonly #characters: Record<Severity, number> = { breaking: 0, warning: 0, info: 0 };

  /** Counts a difference, and says whether it is to be added. */
  count(severity: Severity): boolean {
    this.total += 1;
    const { length } = this.#kept[severity];
    return length === 0 || (length < MAX_DIFFERENCES && this.#characters[severity] <= MAX_DIFFERENCE_CHARACTERS);
  }

  add(located: LocatedDifference): void {
    const { severity, message, fix, reader_pointer, writer_pointer } = located.difference;
    const texts = [message, fix, reader_pointer, writer_pointer];
    const characters = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    this.#characters[severity] += characters;
    this.#kept[severity].push({ order: this.total, located, characters });
  }

  /** In the order of the reader's text. */
  reported(): LocatedDifference[] {
    const chosen: Kept[] = [];
    let characters = 0;
    for (const kept of SEVERITIES.flatMap((severity) => this.#kept[severity])) {
      if (chosen.length >= MAX_DIFFERENCES || (chosen.length > 0 && characters > MAX_DIFFERENCE_CHARACTERS)) break;
      characters += kept.characters;
      chosen.push(kept);
    }
    return chosen.sort((a, b) => a.order - b.order).map(({ located }) => located);
  }
}

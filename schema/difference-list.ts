/**
 * Caps the reported differences and counts all of them. Past the cap breaking ones take precedence, then warnings,
 * because the verdict depends on them. The difference that reports that `semantic` could not decide comes first.
 */

import { type Comparison, type Difference, rateImportance, type Severity, sortByImportance } from "./compatibility.ts";
import { ok } from "./result.ts";

/** Longer lists are not read; unrelated schemas differ in every field. */
export const MAX_DIFFERENCES = 500;
/** Total characters of messages and pointers, to keep responses below 1 MiB: long chains of types make long pointers. */
const MAX_DIFFERENCE_CHARACTERS = 400_000;

const ENCODER = new TextEncoder();
type Kept<T> = { order: number; item: T; characters: number };

/** `T` is a difference with additional data. */
export class DifferenceList<T> {
  total = 0;
  readonly #kept: Record<Severity | "undecided", Kept<T>[]> = {
    undecided: [],
    breaking: [],
    warning: [],
    behaviour: [],
    info: [],
  };
  readonly #characters = { undecided: 0, breaking: 0, warning: 0, behaviour: 0, info: 0 };
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
    const difference = this.#differenceOf(item);
    const { message, fix, reader_pointer, writer_pointer } = difference;
    const importance = rateImportance(difference);
    const texts = [message, fix, reader_pointer, writer_pointer];
    const characters = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    this.#characters[importance] += characters;
    this.#kept[importance].push({ order: this.total, item, characters });
  }

  /** In insertion order. */
  reported(): T[] {
    const chosen: Kept<T>[] = [];
    let characters = 0;
    const { undecided, breaking, warning, behaviour, info } = this.#kept;
    for (const kept of [...undecided, ...breaking, ...warning, ...behaviour, ...info]) {
      if (chosen.length >= MAX_DIFFERENCES || (chosen.length > 0 && characters > MAX_DIFFERENCE_CHARACTERS)) break;
      characters += kept.characters;
      chosen.push(kept);
    }
    return chosen.sort((a, b) => a.order - b.order).map(({ item }) => item);
  }
}

/** UTF-8 bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return ENCODER.encode(JSON.stringify(value)).length;
}

/** The differences that fit into `maxBytes` as JSON, in their order; breaking ones are chosen first. */
export function listWithin<T extends Difference>(differences: readonly T[], maxBytes: number): T[] {
  const chosen = new Set<T>();
  let bytes = 0;
  for (const difference of sortByImportance(differences)) {
    bytes += jsonBytes(difference) + 1;
    if (chosen.size >= MAX_DIFFERENCES || bytes > maxBytes) return differences.filter((one) => chosen.has(one));
    chosen.add(difference);
  }
  return [...differences];
}

/** Longer messages, which quote long names, are truncated; pointers always give the full place. */
export const MAX_MESSAGE_CHARACTERS = 4_096;

/**
 * The comparison within the limits for storing and sending. Breaking differences take precedence, so if any other is listed,
 * all breaking ones are.
 */
export function boundedComparison(comparison: Comparison): Comparison {
  if (!comparison.ok) return comparison;
  const { value: compared } = comparison;
  const all = compared.differences.map(withBoundedMessage);
  const total = compared.differences_total ?? all.length;
  const list = new DifferenceList<Difference>((difference) => difference);
  for (const difference of all) if (list.count(difference.severity)) list.add(difference);
  const differences = list.reported();
  if (total === differences.length) return ok({ ...compared, differences });
  const hidesBreaking = mayHideBreaking(differences);
  return ok({ ...compared, differences, differences_total: total, ...(hidesBreaking ? { hides_breaking: true } : {}) });
}

/** Breaking ones are listed first, so if any less important one is listed, all of them are. */
function mayHideBreaking(listed: readonly Difference[]): boolean {
  return listed.every((difference) => ["undecided", "breaking"].includes(rateImportance(difference)));
}

function withBoundedMessage(difference: Difference): Difference {
  const { message, fix } = difference;
  if (message.length <= MAX_MESSAGE_CHARACTERS && (fix?.length ?? 0) <= MAX_MESSAGE_CHARACTERS) return difference;
  const { fix: _, ...rest } = difference;
  return { ...rest, message: shortened(message), ...(fix === undefined ? {} : { fix: shortened(fix) }) };
}

function shortened(text: string): string {
  return text.length <= MAX_MESSAGE_CHARACTERS ? text : `${text.slice(0, MAX_MESSAGE_CHARACTERS)}…`;
}

/** The comparison with as many differences as fit, for a message shared by several comparisons. */
export function trimComparison(comparison: Comparison, maxBytes: number): Comparison {
  if (!comparison.ok) return comparison;
  const { value: compared } = comparison;
  const differences = listWithin(compared.differences, maxBytes);
  if (differences.length === compared.differences.length) return comparison;
  const hidesBreaking = mayHideBreaking(differences);
  const total = compared.differences_total ?? compared.differences.length;
  // Rules that made a list shorter keep hiding the rest that was already hidden.
  return ok({ ...compared, differences, differences_total: total, ...(hidesBreaking ? { hides_breaking: true } : {}) });
}

/** A completed comparison: the reported differences, and the full count if it is larger. */
export function toComparison(differences: Difference[], total: number): Comparison {
  return ok({ differences, ...(total > differences.length ? { differences_total: total } : {}) });
}

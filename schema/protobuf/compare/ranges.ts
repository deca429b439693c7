/** Ranges of field, extension and enum numbers, both ends inclusive. */
import type { NumberRange } from "../model";
import type { Work } from "./work";

/** Whether every number of a range lies in one of the others. */
export function isCovered(range: NumberRange, others: readonly NumberRange[], work: Work, place: string): boolean {
  work.spend(place, others.length + 1);
  const overlapping = others.filter(({ from, to }) => from <= range.to && to >= range.from);
  overlapping.sort((a, b) => a.from - b.from);
  let next = range.from;
  for (const { from, to } of overlapping) {
    if (from > next) return false;
    next = Math.max(next, to + 1);
  }
  return next > range.to;
}

/** A range for people. */
export function showRange({ from, to }: NumberRange): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}

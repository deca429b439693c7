/**
 * Splits numbers, lengths and counts into ranges at the bounds of a reader's alternatives, because several of them may
 * cover a range together.
 */
import { TooComplexComparison } from "../../../work-meter.ts";
import type { ComparisonMeter } from "../bounds.ts";
import { compareDecimals, type Decimal, decimalText } from "../decimal.ts";
import { isAbove, isBelow } from "./evaluate.ts";
import type { Proof } from "./proof.ts";
import type { State } from "./state.ts";
import { inPlace, NUMBER, TYPE, unaliased, type View } from "./view.ts";

/** Bounds per check at which values are divided; beyond that the comparison is too complex. */
const MAX_CUTS = 256;
/** The work of searching one schema for bounds. */
const VISIT_STEPS = 0.1;

const COUNTS = [
  [TYPE.string, "minLength", "maxLength"],
  [TYPE.array, "minItems", "maxItems"],
  [TYPE.object, "minProperties", "maxProperties"],
] as const;

/** The cases between the bounds of the reader's alternatives; undefined if no bound divides the state. */
export function casesByRange(proof: Proof, state: State, reader: View): State[] | undefined {
  const { types } = state;
  if (types === 0) return undefined;
  if ((types & ~NUMBER) === 0) return casesOfNumbers(proof, state, reader);
  for (const [type, least, most] of COUNTS) if (types === type) return casesOfCounts(proof, state, reader, least, most);
  return undefined;
}

function casesOfNumbers({ views, meter }: Proof, state: State, reader: View): State[] | undefined {
  const { minimum, maximum } = state.shape;
  const isSingle = minimum && maximum && compareDecimals(minimum.value.limit, maximum.value.limit) === 0;
  const cuts = new Map<string, Decimal>();
  for (const view of alternativesIn(reader, meter)) {
    for (const bound of [view.minimum, view.maximum]) {
      if (bound === undefined || isSingle) continue;
      if (isAbove(bound.limit, minimum?.value) && isBelow(bound.limit, maximum?.value)) {
        cuts.set(decimalText(bound.limit), bound.limit);
      }
    }
  }
  if (!areDividing(cuts, reader)) return undefined;
  const sorted = [...cuts.values()].sort(compareDecimals);
  const cases: State[] = [];
  let below: Decimal | undefined;
  for (const cut of sorted) {
    cases.push(state.with({ known: [views.between(below, cut)] }), state.with({ known: [views.exactly(cut)] }));
    below = cut;
  }
  return [...cases, state.with({ known: [views.between(below, undefined)] })];
}

type Least = (typeof COUNTS)[number][1];
type Most = (typeof COUNTS)[number][2];

function casesOfCounts(
  { views, meter }: Proof,
  state: State,
  reader: View,
  least: Least,
  most: Most,
): State[] | undefined {
  const { shape } = state;
  const [from, to] = [shape[least], shape[most] ?? Number.POSITIVE_INFINITY];
  const cuts = new Set<number>();
  for (const view of alternativesIn(reader, meter)) {
    // A cut is the first count of the upper part.
    for (const cut of [view[least], (view[most] ?? Number.POSITIVE_INFINITY) + 1]) {
      if (cut > from && cut <= to && Number.isSafeInteger(cut)) cuts.add(cut);
    }
  }
  if (!areDividing(cuts, reader)) return undefined;
  const sorted = [...cuts].sort((a, b) => a - b);
  const cases: State[] = [];
  for (const [index, cut] of sorted.entries()) {
    const lower = index === 0 ? [] : [views.counting(least, sorted[index - 1]!)];
    cases.push(state.with({ known: [...lower, views.counting(most, cut - 1)] }));
  }
  return [...cases, state.with({ known: [views.counting(least, sorted.at(-1)!)] })];
}

/** Whether there are cuts. Throws TooComplexComparison for too many, because without them nothing would be proven. */
function areDividing(cuts: { size: number }, reader: View): boolean {
  if (cuts.size <= MAX_CUTS) return cuts.size > 0;
  throw new TooComplexComparison(
    reader.pointer,
    `The alternatives at "${reader.pointer}" have more than ${MAX_CUTS} different bounds.`,
  );
}

/** The schemas that a reader applies to the same value, including its alternatives, conditions and negations. */
function alternativesIn(reader: View, meter: ComparisonMeter): ReadonlySet<View> {
  const visited = new Set<View>();
  const stack = [unaliased(reader)];
  for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
    if (visited.has(view)) continue;
    visited.add(view);
    meter.spend(VISIT_STEPS, view.pointer);
    for (const child of [...inPlace(view), ...(view.not ? [view.not] : [])]) stack.push(unaliased(child()));
  }
  return visited;
}

/** anyOf, oneOf, not and if: whether one of the reader's alternatives accepts the value, and no forbidden one does. */

import type { Sliced } from "../../../slices.ts";
import { equalityKey } from "../../validate/equality.ts";
import { hasCases } from "./cases.ts";
import type { Alternatives } from "./discriminators.ts";
import { type FoundDifference, NONE, writerPointer } from "./found.ts";
import type { Proof } from "./proof.ts";
import type { State } from "./state.ts";
import { type LazyView, TYPE, type View } from "./view.ts";

export function* checkAlternatives(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  if (reader.anyOf.length > 0) {
    const found = yield* checkAnyOf(proof, state, reader);
    if (found.length > 0) return found;
  }
  return reader.oneOf.length > 0 ? yield* checkOneOf(proof, state, reader) : NONE;
}

function* checkAnyOf(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const alternatives = proof.discriminators.alternatives(reader.anyOf);
  if (isTooEarly(state, alternatives)) return [noAlternative(state, reader, "anyOf")];
  const likely = likelyAlternatives(proof, state, alternatives);
  for (const index of likely) if (yield* proof.holds(state, alternatives.views[index]!)) return NONE;
  return yield* nearestAlternative(proof, state, reader, "anyOf", alternatives, likely);
}

function* checkOneOf(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  const alternatives = proof.discriminators.alternatives(reader.oneOf);
  if (isTooEarly(state, alternatives)) return [noAlternative(state, reader, "oneOf")];
  const { views } = alternatives;
  const likely = likelyAlternatives(proof, state, alternatives);
  for (const taken of likely) {
    if (!(yield* proof.holds(state, views[taken]!))) continue;
    for (const other of proof.discriminators.overlapping(alternatives, taken)) {
      if (yield* proof.excludes(state, views[other]!)) continue;
      return [overlapOf(state, reader, views[other]!, taken, other)];
    }
    return NONE;
  }
  return yield* nearestAlternative(proof, state, reader, "oneOf", alternatives, likely);
}

function overlapOf(state: State, reader: View, view: View, taken: number, other: number): FoundDifference {
  return {
    kind: "ONE_OF_OVERLAP",
    reader: reader.at("oneOf", other),
    writer: writerPointer(state),
    message: `The reader accepts exactly one of its alternatives; what matches alternative ${taken} may match alternative ${other} as well.`,
    fix: "Use anyOf in the reader, or distinguish the alternatives by a constant.",
    traces: [{ at: "end", state: state.with({ known: [view] }), reader, hints: [] }],
  };
}

/** Many alternatives are only tried case by case, because one alternative seldom covers all cases of the writer. */
function isTooEarly(state: State, { views }: Alternatives): boolean {
  return views.length > MAX_EARLY_ALTERNATIVES && hasCases(state);
}

const MAX_EARLY_ALTERNATIVES = 8;

/**
 * The alternatives that may accept all values of a state: tags exclude most of the others, and an alternative that
 * requires a property that the writer may omit does not accept the values without it.
 */
function likelyAlternatives(proof: Proof, state: State, alternatives: Alternatives): readonly number[] {
  const { views, facts, tag } = alternatives;
  const isMany = views.length > MAX_EARLY_ALTERNATIVES && state.types === TYPE.object && state.values === undefined;
  const near =
    (tag && taggedAlternatives(state, tag)) ?? (isMany ? neededAlternatives(state, alternatives) : views.keys());
  const likely: number[] = [];
  for (const index of near) {
    proof.meter.spend(0.1, views[index]!.pointer);
    if (state.isApartFrom(facts[index]!)) continue;
    if (!isMany || proof.discriminators.mayBeMet(views[index]!, state.required)) likely.push(index);
  }
  return likely;
}

/** The alternatives that need none of the properties that the writer may omit. */
function neededAlternatives(state: State, { byNeed, needless }: Alternatives): Iterable<number> {
  const near = new Set(needless);
  for (const name of state.required) for (const index of byNeed.get(name) ?? []) near.add(index);
  return near;
}

/** The alternatives for the values that the tag has in a state; undefined if it may have any. */
function taggedAlternatives(state: State, { name, byValue }: NonNullable<Alternatives["tag"]>): number[] | undefined {
  if (state.types !== TYPE.object || !state.required.has(name)) return undefined;
  const values = state.tagOf(name)?.values ?? state.property(name).values?.map(equalityKey);
  if (values === undefined) return undefined;
  const near = new Set<number>();
  for (const value of values) for (const index of byValue.get(value) ?? []) near.add(index);
  return [...near];
}

/**
 * The most likely intended alternative, if there is one, because its differences are more helpful than a report that
 * none fits.
 */
function* nearestAlternative(
  proof: Proof,
  state: State,
  reader: View,
  keyword: "anyOf" | "oneOf",
  { views, tag }: Alternatives,
  likely: readonly number[],
): Sliced<readonly FoundDifference[]> {
  if (proof.isQuiet) return [noAlternative(state, reader, keyword)];
  const tagged = tag && taggedAlternatives(state, tag);
  if (tagged?.length === 1) return yield* proof.prove(state, views[tagged[0]!]!);
  const candidates = views.length > MAX_EARLY_ALTERNATIVES ? likely : [...views.keys()];
  const possible: View[] = [];
  for (const index of candidates) {
    if (yield* proof.excludes(state, views[index]!)) continue;
    possible.push(views[index]!);
    if (possible.length > 1) return [noAlternative(state, reader, keyword)];
  }
  const [nearest] = possible;
  const found = nearest ? yield* proof.prove(state, nearest) : NONE;
  return found.length > 0 ? found : [noAlternative(state, reader, keyword)];
}

function noAlternative(state: State, reader: View, keyword: "anyOf" | "oneOf"): FoundDifference {
  return {
    kind: "SUM_TYPE_NARROWED",
    reader: reader.at(keyword),
    writer: writerPointer(state),
    message: "No alternative of the reader accepts everything that the writer may produce here.",
    fix: "Add what the writer produces as an alternative of the reader.",
    traces: [{ at: "end", state, reader, hints: [] }],
  };
}

export function* checkNegation(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  if (!reader.not || (yield* proof.excludes(state, reader.not()))) return NONE;
  return [
    {
      kind: "NOT_TYPE_EXTENDED",
      reader: reader.at("not"),
      writer: writerPointer(state),
      message: "The reader forbids values that the writer may produce.",
      traces: [{ at: "end", state: state.with({ known: [reader.not()] }), reader, hints: [] }],
    },
  ];
}

/** With and without the condition, separately. */
export function* checkConditional(proof: Proof, state: State, reader: View): Sliced<readonly FoundDifference[]> {
  if (!reader.condition) return NONE;
  const condition = reader.condition();
  const found = [...(yield* branch(proof, reader.consequence, () => state.with({ known: [condition] })))];
  if (found.length > 0 && proof.isQuiet) return found;
  found.push(...(yield* branch(proof, reader.alternative, () => state.with({ nots: [condition] }))));
  return found;
}

function* branch(proof: Proof, schema: LazyView | undefined, known: () => State): Sliced<readonly FoundDifference[]> {
  if (schema === undefined) return NONE;
  const state = known();
  return (yield* proof.isEmpty(state)) ? NONE : yield* proof.prove(state, schema());
}

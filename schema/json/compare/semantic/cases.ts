/** Splits a state into cases after a check of the whole state failed: alternatives, tags, types, listed values. */
import type { Choice } from "./flatten.ts";
import type { Proof } from "./proof.ts";
import { casesByRange } from "./ranges.ts";
import { type Aspect, mayConcern, TYPE_GROUPS } from "./relevance.ts";
import type { State } from "./state.ts";
import { TYPE, type View } from "./view.ts";

/** A case, created when its turn comes: with many alternatives, creating all of them takes long without a pause. */
export type LazyCase = () => State;

/** Maximum number of values of a property that are used as cases. */
const MAX_TAG_VALUES = 32;

/** The cases, or undefined if there is nothing to distinguish. The shortest relevant choice comes first. */
export function splitCases(proof: Proof, state: State, reader: View, aspect: Aspect): readonly LazyCase[] | undefined {
  const shortest = state.choices.reduce<Choice | undefined>((best, each) => {
    if (best !== undefined && each.options.length >= best.options.length) return best;
    return mayConcern(each, aspect) ? each : best;
  }, undefined);
  if (shortest) {
    proof.meter.spend(shortest.options.length / 4, "");
    return shortest.options.map((_, index) => () => state.option(shortest, index));
  }
  if (aspect !== "all") return undefined;
  const { types, values } = state;
  if (values !== undefined) {
    if (values.length < 2) return undefined;
    return values.map((value) => () => state.with({ known: [proof.views.oneOf([value])] }));
  }
  const groups = TYPE_GROUPS.filter((group) => (types & group) !== 0);
  if (groups.length > 1)
    return groups.map((group) => () => state.with({ known: [proof.views.ofTypes(types & group)] }));
  return (
    (types === TYPE.object ? casesByTag(proof, state) : undefined) ??
    casesByRange(proof, state, reader)?.map((each) => () => each)
  );
}

/** A required property with few values often distinguishes the alternatives. */
function casesByTag({ views }: Proof, state: State): LazyCase[] | undefined {
  for (const name of state.shape.required) {
    const { values } = state.property(name);
    if (values === undefined || values.length < 2 || values.length > MAX_TAG_VALUES) continue;
    return values.map((value) => () => state.with({ known: [views.withProperty(name, views.oneOf([value]))] }));
  }
  return undefined;
}

/** Whether to split into cases before checking the state as a whole. */
export function hasCases({ choices, types, values }: State): boolean {
  return (
    choices.length > 0 || (values === undefined && TYPE_GROUPS.filter((group) => (types & group) !== 0).length > 1)
  );
}

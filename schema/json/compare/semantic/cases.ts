/** The cases that a state is split into where a check of the whole fails: alternatives, tags, types, listed values. */
import type { Choice } from "./flatten.ts";
import type { Proof } from "./proof.ts";
import { casesByRange } from "./ranges.ts";
import { type Aspect, mayConcern, TYPE_GROUPS } from "./relevance.ts";
import type { State } from "./state.ts";
import { TYPE, type View } from "./view.ts";

/** Values of a property beyond which they are not taken as cases. */
const MAX_TAG_VALUES = 32;

/** The cases, or undefined where there are none to tell apart. The shortest of the choices that matter comes first. */
export function casesOf(proof: Proof, state: State, reader: View, aspect: Aspect): readonly State[] | undefined {
  const shortest = state.choices.reduce<Choice | undefined>((best, each) => {
    if (best !== undefined && each.options.length >= best.options.length) return best;
    return mayConcern(each, aspect) ? each : best;
  }, undefined);
  if (shortest) {
    proof.meter.spend(shortest.options.length / 4, "");
    return shortest.options.map((_, index) => state.option(shortest, index));
  }
  if (aspect !== "all") return undefined;
  const { types, values } = state;
  if (values !== undefined) {
    if (values.length < 2) return undefined;
    return values.map((value) => state.with({ known: [proof.views.oneOf([value])] }));
  }
  const groups = TYPE_GROUPS.filter((group) => (types & group) !== 0);
  if (groups.length > 1) return groups.map((group) => state.with({ known: [proof.views.ofTypes(types & group)] }));
  return (types === TYPE.object ? casesByTag(proof, state) : undefined) ?? casesByRange(proof, state, reader);
}

/** A required property with few values often says which alternative is meant. */
function casesByTag({ views }: Proof, state: State): State[] | undefined {
  for (const name of state.shape.required) {
    const { values } = state.property(name);
    if (values === undefined || values.length < 2 || values.length > MAX_TAG_VALUES) continue;
    return values.map((value) => state.with({ known: [views.withProperty(name, views.oneOf([value]))] }));
  }
  return undefined;
}

/** Whether there are cases to tell apart before the state is looked at as a whole. */
export function hasCases({ choices, types, values }: State): boolean {
  return (
    choices.length > 0 || (values === undefined && TYPE_GROUPS.filter((group) => (types & group) !== 0).length > 1)
  );
}

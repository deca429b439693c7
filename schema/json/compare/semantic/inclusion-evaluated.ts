/**
 * Which parts a reader's schemas evaluate other than by `unevaluatedProperties` and `unevaluatedItems`, for every value
 * of a state.
 */
import type { Sliced } from "../../../slices.ts";
import type { Proof } from "./proof.ts";
import type { State } from "./state.ts";
import { inPlace, type LazyView, unaliased, type View } from "./view.ts";

/** The query for schemas that may evaluate a part of a value. */
type Question = {
  readonly proof: Proof;
  readonly state: State;
  readonly root: View;
  /** Whether a schema evaluates the part by its own keywords. */
  readonly covers: (view: View) => boolean;
};

const NO_VIEWS: ReadonlySet<View> = new Set();

/**
 * Whether it is proven that a keyword other than `unevaluatedProperties` evaluates a name, for every value of the
 * state.
 */
export function* evaluates(question: Question, view: View, visited: ReadonlySet<View> = NO_VIEWS): Sliced<boolean> {
  const { proof, state, root, covers } = question;
  if (visited.has(view)) return false;
  proof.meter.spend(1, view.pointer);
  if (covers(view) || view.additionalProperties || (view !== root && view.unevaluatedProperties)) return true;
  const seen = new Set([...visited, view]);
  const inside = (schema: LazyView) => evaluates(question, unaliased(schema()), seen);
  for (const demand of [...view.references, ...view.allOf]) if (yield* inside(demand)) return true;
  for (const alternatives of [view.anyOf, view.oneOf]) {
    let isInAll = alternatives.length > 0;
    for (const schema of alternatives) {
      const isInside = yield* inside(schema);
      if (isInside && (yield* proof.holds(state, schema()))) return true;
      if (isInAll && !isInside) isInAll = yield* proof.excludes(state, schema());
    }
    if (isInAll) return true;
  }
  if (view.condition && (yield* evaluatesConditionally(question, view, inside))) return true;
  for (const [name, schema] of view.dependentSchemas) {
    if (state.required.has(name) && (yield* inside(schema))) return true;
  }
  return false;
}

function* evaluatesConditionally(
  { proof, state }: Question,
  view: View,
  inside: (schema: LazyView) => Sliced<boolean>,
): Sliced<boolean> {
  const whenTrue =
    (yield* inside(view.condition!)) || (view.consequence !== undefined && (yield* inside(view.consequence)));
  const whenFalse = view.alternative !== undefined && (yield* inside(view.alternative));
  if (whenTrue && whenFalse) return true;
  if (whenTrue) return yield* proof.holds(state, view.condition!());
  return whenFalse && (yield* proof.excludes(state, view.condition!()));
}

/** Whether items are evaluated by a keyword other than `unevaluatedItems`, in the same way. */
export function* evaluatesItems(
  question: Question,
  view: View,
  visited: ReadonlySet<View> = NO_VIEWS,
): Sliced<boolean> {
  const { proof, state, root, covers } = question;
  if (visited.has(view)) return false;
  proof.meter.spend(1, view.pointer);
  if (covers(view) || (view !== root && view.unevaluatedItems)) return true;
  const seen = new Set([...visited, view]);
  for (const demand of [...view.references, ...view.allOf]) {
    if (yield* evaluatesItems(question, unaliased(demand()), seen)) return true;
  }
  for (const schema of inPlace(view)) {
    if ((yield* evaluatesItems(question, unaliased(schema()), seen)) && (yield* proof.holds(state, schema()))) {
      return true;
    }
  }
  return false;
}

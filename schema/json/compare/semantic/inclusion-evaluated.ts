/** What a reader's schemas evaluate besides `unevaluatedProperties` and `unevaluatedItems`, for every value of a state. */
import type { Inclusion } from "./inclusion.ts";
import type { State } from "./state.ts";
import { inPlace, type LazyView, unaliased, type View } from "./view.ts";

/** Whether it is proven that something beside `unevaluatedProperties` evaluates a name, for every value of the state. */
export function evaluates(
  inclusion: Inclusion,
  state: State,
  root: View,
  view: View,
  names: (view: View) => boolean,
  visited: ReadonlySet<View> = new Set(),
): boolean {
  if (visited.has(view)) return false;
  inclusion.meter.spend(1, view.pointer);
  if (names(view) || view.additionalProperties || (view !== root && view.unevaluatedProperties)) return true;
  const seen = new Set([...visited, view]);
  const inside = (schema: LazyView) => evaluates(inclusion, state, root, unaliased(schema()), names, seen);
  if ([...view.references, ...view.allOf].some(inside)) return true;
  const held = (schema: LazyView) => inside(schema) && inclusion.holds(state, schema());
  const branches = [...view.anyOf, ...view.oneOf];
  if (branches.some(held)) return true;
  for (const alternatives of [view.anyOf, view.oneOf]) {
    if (
      alternatives.length > 0 &&
      alternatives.every((schema) => inside(schema) || inclusion.excludes(state, schema()))
    )
      return true;
  }
  if (view.condition && evaluatesConditionally(inclusion, state, view, inside)) return true;
  return [...view.dependentSchemas].some(([name, schema]) => state.shape.required.has(name) && inside(schema));
}

function evaluatesConditionally(
  inclusion: Inclusion,
  state: State,
  view: View,
  inside: (schema: LazyView) => boolean,
): boolean {
  const whenTrue = inside(view.condition!) || (view.consequence !== undefined && inside(view.consequence));
  const whenFalse = view.alternative !== undefined && inside(view.alternative);
  if (whenTrue && whenFalse) return true;
  if (whenTrue) return inclusion.holds(state, view.condition!());
  return whenFalse && inclusion.excludes(state, view.condition!());
}

/** Whether items are evaluated by something beside `unevaluatedItems`; used for arrays in the same way. */
export function evaluatesItems(
  inclusion: Inclusion,
  state: State,
  root: View,
  view: View,
  covers: (view: View) => boolean,
  visited: ReadonlySet<View> = new Set(),
): boolean {
  if (visited.has(view)) return false;
  inclusion.meter.spend(1, view.pointer);
  if (covers(view) || (view !== root && view.unevaluatedItems)) return true;
  const seen = new Set([...visited, view]);
  const inside = (schema: LazyView) => evaluatesItems(inclusion, state, root, unaliased(schema()), covers, seen);
  if ([...view.references, ...view.allOf].some(inside)) return true;
  return inPlace(view).some((schema) => inside(schema) && inclusion.holds(state, schema()));
}

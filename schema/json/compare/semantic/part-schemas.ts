/** Every schema of a view that may apply to a part of a value. */
import { inPlace, type LazyView, unaliased, type View } from "./view.ts";

/** The schema that a view applies to properties that it neither declares nor matches. */
export function listRestViews(view: View): LazyView[] {
  return [view.additionalProperties, view.unevaluatedProperties].filter((schema) => schema !== undefined);
}

/** Patterns may overlap on undeclared names. */
export function declaringOfOthers(view: View): LazyView[] {
  return [...view.patternProperties.values(), ...listRestViews(view)];
}

/** `contains` concerns some item, and declares names for it. */
export function declaringOfItem(view: View, index: number): LazyView[] {
  const schemas = [view.prefixItems[index] ?? view.items, view.contains, view.unevaluatedItems];
  return schemas.filter((schema) => schema !== undefined);
}

/** Whether any schema applied to the same value constrains its items. */
export function mentionsItems(root: View): boolean {
  const visited = new Set<View>();
  const stack: View[] = [root];
  for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
    if (visited.has(view)) continue;
    visited.add(view);
    const isMentioned =
      view.prefixItems.length > 0 ||
      view.items ||
      view.contains ||
      view.unresolved.length > 0 ||
      (view !== root && view.unevaluatedItems);
    if (isMentioned) return true;
    for (const child of inPlace(view)) stack.push(unaliased(child()));
  }
  return false;
}

/** Which property names a writer's schema declares at one place, over everything that applies there, in whatever branch. */
import type { PatternMatches } from "../pattern-matches.ts";
import { inPlace, type LazyView, unaliased, type View } from "./view.ts";

export class Declared {
  readonly names = new Set<string>();
  readonly patterns = new Set<string>();
  /** Whether unnamed properties have a schema of their own, which declares every name. */
  hasAdditional = false;

  readonly views: readonly View[];

  constructor(views: readonly View[]) {
    this.views = views;
    for (const view of views) {
      for (const name of [...view.properties.keys(), ...view.required]) this.names.add(name);
      for (const [name, others] of view.dependentRequired)
        for (const declared of [name, ...others]) this.names.add(declared);
      for (const pattern of view.patternProperties.keys()) this.patterns.add(pattern);
      for (const schema of [view.additionalProperties?.(), view.unevaluatedProperties?.()]) {
        if (schema && schema.constant !== false && !isFree(schema)) this.hasAdditional = true;
      }
    }
  }

  /** Where a pattern cannot be matched, it counts as declaring the name. */
  declares(name: string, patterns: PatternMatches): boolean {
    if (this.hasAdditional || this.names.has(name)) return true;
    for (const pattern of this.patterns) if (patterns.matches(pattern, name) !== false) return true;
    return false;
  }
}

/** What some schemas declare together; null where they let any name come. */
export function declaredBy(seeds: readonly View[]): Declared | null {
  const views = new Set<View>();
  const stack = seeds.map((view) => unaliased(view));
  if (stack.every(isFree)) return null;
  for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
    if (views.has(view)) continue;
    views.add(view);
    if (view.unresolved.length > 0 || hasStructuredValue(view)) return null;
    // An alternative that admits anything declares everything.
    if ([...view.anyOf, ...view.oneOf].some((schema) => isFree(schema()))) return null;
    for (const schema of inPlace(view)) stack.push(unaliased(schema()));
  }
  return new Declared([...views]);
}

/** Every schema that is reached from one, over any number of parts. */
export function reachableFrom(root: View): readonly View[] {
  const reached = new Set<View>();
  const stack = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const view = unaliased(next);
    if (reached.has(view)) continue;
    reached.add(view);
    for (const part of [...inPlace(view), ...partsOf(view)]) stack.push(part());
  }
  return [...reached];
}

/** The schemas that a view applies to parts of a value. */
function partsOf(view: View): LazyView[] {
  const parts = [...view.properties.values(), ...view.patternProperties.values(), ...view.prefixItems];
  for (const part of [
    view.additionalProperties,
    view.unevaluatedProperties,
    view.items,
    view.unevaluatedItems,
    view.contains,
  ]) {
    if (part) parts.push(part);
  }
  return parts;
}

/** Whether a schema alone lets anything come. */
export function isFree(view: View): boolean {
  const { isTrivial, constant } = unaliased(view);
  return isTrivial && constant !== false;
}

/** Listed objects and arrays are declared with all their names. */
function hasStructuredValue({ enumeration = [], constantValue }: View): boolean {
  return [...enumeration, ...(constantValue ? [constantValue] : [])].some(
    ({ type }) => type === "object" || type === "array",
  );
}

/**
 * The property names that a writer declares at one location, over everything that applies there, in any branch. A
 * writer whose object declares no property at all, or is explicitly open (`additionalProperties: true`), may send any.
 */
import type { PatternMatches } from "../pattern-matches.ts";
import type { Atom, Choice } from "./flatten.ts";
import { inPlace, type LazyView, TYPE, unaliased, type View } from "./view.ts";

export class Declared {
  readonly names = new Set<string>();
  readonly patterns = new Set<string>();
  /** Whether undeclared properties have their own schema, which declares every name. */
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

  /** A pattern that cannot be matched counts as declaring the name. */
  declares(name: string, patterns: PatternMatches): boolean {
    if (this.hasAdditional || this.names.has(name)) return true;
    for (const pattern of this.patterns) if (patterns.matches(pattern, name) !== false) return true;
    return false;
  }
}

/** The names that some schemas declare together; null if they cannot be determined. */
export function declaredBy(seeds: readonly View[]): Declared | null {
  const views = new Set<View>();
  const stack = seeds.map((view) => unaliased(view));
  for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
    if (views.has(view)) continue;
    views.add(view);
    if (view.unresolved.length > 0 || hasStructuredValue(view)) return null;
    for (const schema of inPlace(view)) stack.push(unaliased(schema()));
  }
  return new Declared([...views]);
}

/**
 * Whether the writer's schemas at one location admit any name: explicitly open in some branch that is still possible,
 * or without declared properties in such a branch. If an object declares some properties and is silent about others, it
 * sends only the declared ones; where bare objects are empty, an object that declares none sends none.
 */
export function isFreeForm(atoms: readonly Atom[], choices: readonly Choice[], isBareEmpty = false): boolean {
  const written = atoms.filter(({ isWritten }) => isWritten).map(({ view }) => view);
  if (written.some(saysOpenItself)) return true;
  let declares = (isBareEmpty && written.length > 0) || written.some(declaresProperties);
  let isSilentAlternative = true;
  for (const { options, isWritten, isCondition } of choices) {
    if (!isWritten) continue;
    let isSilent = false;
    for (const { views } of options) {
      if (views.some((view) => saysOpen(view))) return true;
      if (isCondition) declares ||= views.some((view) => reaches(view, declaresProperties));
      else if (views.some(isFree)) return true;
      else isSilent ||= views.every((view) => isSilentObject(view));
    }
    if (!isCondition && !isSilent) isSilentAlternative = false;
  }
  return !declares && isSilentAlternative;
}

/** Whether a schema admits objects and declares no property in some branch. */
function isSilentObject(schema: View, depth = 0): boolean {
  const view = unaliased(schema);
  if (view.constant === false || view.enumeration || view.constantValue) return false;
  if (view.types !== undefined && (view.types & TYPE.object) === 0) return false;
  if (depth > MAX_SILENT_DEPTH) return true;
  if (declaresProperties(view)) return false;
  for (const part of [view.condition, view.consequence, view.alternative, ...view.dependentSchemas.values()]) {
    if (part && reaches(part(), declaresProperties)) return false;
  }
  if (![...view.references, ...view.allOf].every((demand) => isSilentObject(demand(), depth + 1))) return false;
  return [view.anyOf, view.oneOf].every(
    (alternatives) => alternatives.length === 0 || alternatives.some((each) => isSilentObject(each(), depth + 1)),
  );
}

/** Deeper alternatives count as silent, which is the weaker assumption. */
const MAX_SILENT_DEPTH = 20;

function declaresProperties(view: View): boolean {
  return (
    view.properties.size > 0 ||
    view.patternProperties.size > 0 ||
    view.additionalProperties !== undefined ||
    view.unevaluatedProperties !== undefined
  );
}

function saysOpenItself(view: View): boolean {
  return [view.additionalProperties, view.unevaluatedProperties].some(
    (schema) => schema !== undefined && isFree(schema()),
  );
}

/** Whether a schema, or one applied to the same value with it, is explicitly open. */
function saysOpen(schema: View): boolean {
  return reaches(schema, saysOpenItself);
}

const reached = new WeakMap<View, Map<(view: View) => boolean, boolean>>();

/** Whether a predicate holds for a schema or for one that it applies to the same value. */
function reaches(schema: View, test: (view: View) => boolean): boolean {
  const root = unaliased(schema);
  const known = reached.get(root) ?? new Map<(view: View) => boolean, boolean>();
  let answer = known.get(test);
  if (answer === undefined) {
    answer = false;
    const visited = new Set<View>();
    const stack = [root];
    for (let view = stack.pop(); view !== undefined && !answer; view = stack.pop()) {
      if (visited.has(view)) continue;
      visited.add(view);
      answer = test(view);
      for (const child of inPlace(view)) stack.push(unaliased(child()));
    }
    reached.set(root, known.set(test, answer));
  }
  return answer;
}

/** Every schema reachable from one, through any number of parts. */
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

/** Whether a schema alone admits any value. */
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

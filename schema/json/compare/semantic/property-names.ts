/** The names that properties of a writer's objects may have. */
import { literalPattern, type PatternSearch, type StringAnswer, type StringQuery } from "./pattern-search.ts";
import type { State } from "./state.ts";

/** Classes of names: declared names, patterns, and all others. */
export type NameClasses = {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
  readonly hasOthers: boolean;
  /** The constraints of `propertyNames` on all of them. */
  readonly limits: StringQuery;
};

/** Names that a search excludes individually. */
const MAX_EXCLUDED_NAMES = 60;

const UNKNOWN: StringAnswer = { kind: "unknown" };

/** The possible names. */
export function classifyNames(state: State): NameClasses {
  const names = new Set<string>();
  const patterns = new Set<string>();
  for (const { view } of state.atoms) {
    for (const name of [...view.properties.keys(), ...view.required]) names.add(name);
    for (const pattern of view.patternProperties.keys()) patterns.add(pattern);
  }
  const { declared } = state;
  const named = state.nameState();
  const limits = limitsOf(named);
  if (named?.values) {
    // If the names themselves are listed, no others are possible.
    for (const value of named.values) if (value.type === "string") names.add(value.value);
    return { names: [...names], patterns: [], hasOthers: false, limits };
  }
  if (declared === null) {
    return { names: [...names], patterns: [...patterns], hasOthers: !state.otherProperty().isEmpty(), limits };
  }
  for (const name of declared.names) names.add(name);
  for (const pattern of declared.patterns) patterns.add(pattern);
  const hasOthers = declared.hasAdditional && !state.otherProperty().isEmpty();
  // A pattern that the writer does not declare still distinguishes names, but makes none possible.
  const mayCome = declared.hasAdditional ? patterns : declared.patterns;
  return { names: [...names], patterns: [...mayCome], hasOthers, limits };
}

function limitsOf(named: State | undefined): StringQuery {
  const { minLength = 0, maxLength, patterns } = named?.shape ?? {};
  return { matching: patterns ? [...patterns.keys()] : [], notMatching: [], minLength, maxLength };
}

/** A name that matches some patterns and not others, among those that `propertyNames` admits. */
export function findName(
  search: PatternSearch,
  { limits }: NameClasses,
  matching: readonly string[],
  notMatching: readonly string[],
): StringAnswer {
  return search.find({ ...limits, matching: [...new Set([...limits.matching, ...matching])], notMatching });
}

/** A name that the writer neither declares nor matches, and that the reader does not declare either. */
export function findOtherName(
  search: PatternSearch,
  classes: NameClasses,
  matching: readonly string[],
  readerPatterns: readonly string[],
  readerNames: readonly string[],
): StringAnswer {
  const { names, patterns, limits } = classes;
  if (!classes.hasOthers) return { kind: "none" };
  const excluded = [...new Set([...names, ...readerNames])];
  const isFree = limits.matching.length === 0 && limits.maxLength === undefined;
  if (isFree && matching.length + readerPatterns.length === 0) return UNKNOWN;
  if (excluded.length > MAX_EXCLUDED_NAMES) return UNKNOWN;
  return findName(search, classes, matching, [...patterns, ...readerPatterns, ...excluded.map(literalPattern)]);
}

/** The writer's location of a property; null if it does not declare it. */
export function writerPlace(state: State, name: string): string | null {
  const atom = state.atoms.find(({ view, isWritten }) => isWritten && view.location && view.properties.has(name));
  return atom ? atom.view.properties.get(name)!().pointer : null;
}

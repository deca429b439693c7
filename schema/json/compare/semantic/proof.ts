/**
 * The interface for the checks of single keywords: the sides of a comparison, and the ways to prove claims about their
 * parts.
 */

import type { Sliced } from "../../../slices.ts";
import type { ComparisonMeter } from "../bounds.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import type { Discriminators } from "./discriminators.ts";
import type { Evaluator } from "./evaluate.ts";
import type { FoundDifference, Step } from "./found.ts";
import type { PatternSearch } from "./pattern-search.ts";
import type { Aspect } from "./relevance.ts";
import type { State } from "./state.ts";
import type { States } from "./states.ts";
import type { View } from "./view.ts";
import type { Views } from "./views.ts";

/** A check of one keyword, immediate or in slices. */
export type Check = (state: State) => readonly FoundDifference[] | Sliced<readonly FoundDifference[]>;

export interface Proof {
  readonly meter: ComparisonMeter;
  readonly patterns: PatternMatches;
  readonly search: PatternSearch;
  readonly views: Views;
  readonly discriminators: Discriminators;
  readonly states: States;
  readonly evaluator: Evaluator;
  /** Whether only the verdict is requested, without a list of differences. */
  readonly isQuiet: boolean;

  /**
   * The differences that keep values of a state from satisfying a schema; empty if it is proven that there are none.
   */
  prove(state: State, schema: View): Sliced<readonly FoundDifference[]>;
  /** Whether it is proven, without a list of differences. */
  holds(state: State, reader: View): Sliced<boolean>;
  /** Whether it is proven that no value of the state satisfies the schema. */
  excludes(state: State, view: View): Sliced<boolean>;
  /** Whether it is proven that no value is possible. */
  isEmpty(state: State): Sliced<boolean>;
  /** Runs a check on the part of the value that a step leads to. */
  descend(state: State, step: Step, part: State, schema: View): Sliced<readonly FoundDifference[]>;
  /** Checks a state and, if that fails, its cases one by one, as far as they are relevant to the check. */
  split(state: State, reader: View, aspect: Aspect, check: Check): Sliced<readonly FoundDifference[]>;
  /** A difference for an undecidable part. */
  undecided(state: State, reader: View, why: string): FoundDifference;
}

/** What the checks of single keywords are given: the sides of a comparison, and the ways to prove something of their parts. */

import type { Sliced } from "../../../slices.ts";
import type { WorkMeter } from "../bounds.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import type { Discriminators } from "./discriminators.ts";
import type { Evaluator } from "./evaluate.ts";
import type { Found, Step } from "./found.ts";
import type { PatternSearch } from "./pattern-search.ts";
import type { Aspect } from "./relevance.ts";
import type { State } from "./state.ts";
import type { States } from "./states.ts";
import type { View } from "./view.ts";
import type { Views } from "./views.ts";

/** A check of one keyword: at once, or in slices. */
export type Check = (state: State) => readonly Found[] | Sliced<readonly Found[]>;

export interface Proof {
  readonly meter: WorkMeter;
  readonly patterns: PatternMatches;
  readonly search: PatternSearch;
  readonly views: Views;
  readonly discriminators: Discriminators;
  readonly states: States;
  readonly evaluator: Evaluator;
  /** Whether only the verdict is asked for, not every difference. */
  readonly isQuiet: boolean;

  /** What keeps values of a state from satisfying a schema; empty if it is proven that nothing does. */
  prove(state: State, schema: View): Sliced<readonly Found[]>;
  /** Whether it is proven, without a list of what is not. */
  holds(state: State, reader: View): Sliced<boolean>;
  /** Whether it is proven that no value of the state satisfies the schema. */
  excludes(state: State, view: View): Sliced<boolean>;
  /** Whether it is proven that no value can come. */
  isEmpty(state: State): Sliced<boolean>;
  /** Looks at the part of the value that a step leads to. */
  descend(state: State, step: Step, part: State, schema: View): Sliced<readonly Found[]>;
  /** Checks a state; where that fails, its cases one by one, as far as they may tell more about what is checked. */
  split(state: State, reader: View, aspect: Aspect, check: Check): Sliced<readonly Found[]>;
  /** A difference for what cannot be decided. */
  undecided(state: State, reader: View, why: string): Found;
}

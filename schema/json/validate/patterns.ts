/**
 * Regular expressions in guaranteed time: every pattern without back references runs in states × characters steps,
 * including look-around. All active states advance together, and each look-around is one pass over the text before the
 * pattern itself runs.
 */
import { ok, type Result, refuse } from "../../result.ts";
import {
  type CodePointSet,
  isInSet,
  isWordCharacter,
  type PatternNode,
  readPattern,
  UnreadablePattern,
} from "./pattern-syntax.ts";

/** States of one pattern with bounded repetitions expanded: `a{1000}` takes a thousand. */
export const MAX_PATTERN_STATES = 20_000;
/** Characters of one pattern. */
export const MAX_PATTERN_CHARACTERS = 65_536;

/** Characters decoded at the cost of advancing one state. */
const CHARACTERS_PER_STEP = 8;

/** The remaining budget in states advanced, shared by all patterns of one validation. */
export type PatternBudget = { remaining: number };

export type Pattern = {
  /** Whether the pattern matches anywhere in the text; undefined if the budget ran out. */
  matches(text: string, budget: PatternBudget): boolean | undefined;
};

export type CompiledPattern = Result<Pattern, { reason: "invalid" | "unsupported"; message: string }>;

/** Whether ECMA-262 accepts the pattern with the `u` flag. It is only parsed, never run. */
export function isValidPattern(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}

export function compilePattern(source: string): CompiledPattern {
  if (source.length > MAX_PATTERN_CHARACTERS) {
    return refuse({
      reason: "unsupported",
      message: `The pattern is longer than ${MAX_PATTERN_CHARACTERS} characters.`,
    });
  }
  try {
    return ok(new Program(readPattern(source)));
  } catch (error) {
    if (!(error instanceof UnreadablePattern)) throw error;
    return refuse({ reason: error.reason, message: error.message });
  }
}

/**
 * One instruction of a machine: consume a character of a set, continue in one or two places, or continue only if an
 * assertion holds.
 */
type State =
  | { op: "set"; set: FastSet; next: number }
  | { op: "fork"; next: number; other: number }
  | { op: "start" | "end" | "boundary" | "not_boundary"; next: number }
  | { op: "look"; look: number; next: number }
  | { op: "match" };

type Machine = { states: State[]; start: number };

type Look = { behind: boolean; negated: boolean; machine: Machine };

/** A set with precomputed results for ASCII. */
class FastSet {
  readonly #ascii = new Uint8Array(128);

  readonly set: CodePointSet;

  constructor(set: CodePointSet) {
    this.set = set;
    for (let codePoint = 0; codePoint < 128; codePoint += 1) this.#ascii[codePoint] = isInSet(set, codePoint) ? 1 : 0;
  }

  has(codePoint: number): boolean {
    return codePoint < 128 ? this.#ascii[codePoint] === 1 : isInSet(this.set, codePoint);
  }
}

class Program implements Pattern {
  /** Inner look-arounds come before the outer ones that need them. */
  readonly #looks: Look[] = [];
  readonly #sets = new Map<CodePointSet, FastSet>();
  readonly #machine: Machine;
  #states = 0;

  constructor(node: PatternNode) {
    this.#machine = this.#build(node, false);
  }

  matches(text: string, budget: PatternBudget): boolean | undefined {
    budget.remaining -= text.length / CHARACTERS_PER_STEP;
    const codePoints = codePointsOf(text);
    const holds: Uint8Array[] = [];
    for (const { machine, behind, negated } of this.#looks) {
      const places = new Uint8Array(codePoints.length + 1);
      if (run(machine, codePoints, !behind, holds, budget, places) === undefined) return undefined;
      if (negated) for (let at = 0; at < places.length; at += 1) places[at] = places[at] === 0 ? 1 : 0;
      holds.push(places);
    }
    return run(this.#machine, codePoints, false, holds, budget, undefined);
  }

  /**
   * A machine that reads the node forwards, or backwards for look-ahead: a backwards match ends where the forward one
   * starts.
   */
  #build(node: PatternNode, backwards: boolean): Machine {
    const states: State[] = [{ op: "match" }];
    const start = this.#add(states, node, 0, backwards);
    return { states, start };
  }

  /**
   * Adds states that match a node and continue at `next`; returns the entry. Recursion is bounded by the depth of
   * groups.
   */
  #add(states: State[], node: PatternNode, next: number, backwards: boolean): number {
    switch (node.kind) {
      case "set":
        return this.#push(states, { op: "set", set: this.#fastSet(node.set), next });
      case "sequence": {
        let entry = next;
        const items = backwards ? node.items : [...node.items].reverse();
        for (const item of items) entry = this.#add(states, item, entry, backwards);
        return entry;
      }
      case "choice": {
        let entry = this.#add(states, node.items.at(-1)!, next, backwards);
        for (const item of node.items.slice(0, -1).reverse()) {
          const branch = this.#add(states, item, next, backwards);
          entry = this.#push(states, { op: "fork", next: branch, other: entry });
        }
        return entry;
      }
      case "repeat":
        return this.#repeat(states, node.item, node.min, node.max, next, backwards);
      case "look": {
        const { behind, negated } = node;
        this.#looks.push({ behind, negated, machine: this.#build(node.item, !behind) });
        return this.#push(states, { op: "look", look: this.#looks.length - 1, next });
      }
      case "boundary":
        return this.#push(states, { op: node.negated ? "not_boundary" : "boundary", next });
      default:
        return this.#push(states, { op: node.kind, next });
    }
  }

  #repeat(states: State[], item: PatternNode, min: number, max: number, next: number, backwards: boolean): number {
    if (min > MAX_PATTERN_STATES || (max !== Number.POSITIVE_INFINITY && max > MAX_PATTERN_STATES)) tooManyStates();
    let entry = next;
    if (max === Number.POSITIVE_INFINITY) {
      entry = this.#push(states, { op: "fork", next, other: next });
      const body = this.#add(states, item, entry, backwards);
      states[entry] = { op: "fork", next: body, other: next };
    } else {
      for (let count = min; count < max; count += 1) {
        const body = this.#add(states, item, entry, backwards);
        entry = this.#push(states, { op: "fork", next: body, other: next });
      }
    }
    for (let count = 0; count < min; count += 1) entry = this.#add(states, item, entry, backwards);
    return entry;
  }

  #push(states: State[], state: State): number {
    this.#states += 1;
    if (this.#states > MAX_PATTERN_STATES) tooManyStates();
    return states.push(state) - 1;
  }

  #fastSet(set: CodePointSet): FastSet {
    const known = this.#sets.get(set) ?? new FastSet(set);
    this.#sets.set(set, known);
    return known;
  }
}

function tooManyStates(): never {
  throw new UnreadablePattern("unsupported", `The pattern takes more than ${MAX_PATTERN_STATES} states.`);
}

function codePointsOf(text: string): Int32Array {
  const codePoints = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; count += 1) {
    const codePoint = text.codePointAt(at)!;
    codePoints[count] = codePoint;
    at += codePoint > 0xffff ? 2 : 1;
  }
  return codePoints.subarray(0, count);
}

/**
 * Runs a machine over the text, restarting it at every position. Without `places` it returns at the first match; with
 * `places` it marks every position where a match ends and reads the whole text.
 */
function run(
  { states, start }: Machine,
  codePoints: Int32Array,
  backwards: boolean,
  holds: readonly Uint8Array[],
  budget: PatternBudget,
  places: Uint8Array | undefined,
): boolean | undefined {
  const { length } = codePoints;
  // A pattern that begins with ^ can start at the first position only.
  const isAnchored = places === undefined && states[start]!.op === "start";
  const seenAt = new Int32Array(states.length).fill(-1);
  const active: number[] = [];
  const entering: number[] = [];
  for (let step = 0; step <= length; step += 1) {
    const position = backwards ? length - step : step;
    if (!isAnchored || step === 0) entering.push(start);
    else if (entering.length === 0) return false;
    let matched = false;
    active.length = 0;
    while (entering.length > 0) {
      const index = entering.pop()!;
      if (seenAt[index] === step) continue;
      seenAt[index] = step;
      budget.remaining -= 1;
      const state = states[index]!;
      if (state.op === "set") active.push(index);
      else if (state.op === "fork") entering.push(state.other, state.next);
      else if (state.op === "match") matched = true;
      else if (standsAt(state, position, codePoints, holds)) entering.push(state.next);
    }
    if (budget.remaining < 0) return undefined;
    if (matched) {
      if (places === undefined) return true;
      places[position] = 1;
    }
    if (step === length) break;
    const codePoint = codePoints[backwards ? position - 1 : position]!;
    for (const index of active) {
      const state = states[index]!;
      if (state.op === "set" && state.set.has(codePoint)) entering.push(state.next);
    }
  }
  return false;
}

type AssertingState = Exclude<State, { op: "set" | "fork" | "match" }>;

function standsAt(
  state: AssertingState,
  position: number,
  codePoints: Int32Array,
  holds: readonly Uint8Array[],
): boolean {
  switch (state.op) {
    case "start":
      return position === 0;
    case "end":
      return position === codePoints.length;
    case "look":
      return holds[state.look]![position] === 1;
    default: {
      const isBoundary = isWordCharacter(codePoints[position - 1]) !== isWordCharacter(codePoints[position]);
      return isBoundary === (state.op === "boundary");
    }
  }
}

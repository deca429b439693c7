/**
 * Regular expressions that cannot hang: every pattern without back references runs in time states × characters, look-around included.
 * All active states advance together, and each look-around is one pass over the text before the pattern itself runs.
 */
import {
  type CodePointSet,
  isInSet,
  isWordCharacter,
  type PatternNode,
  readPattern,
  UnreadablePattern,
} from "./pattern-syntax";

/** States of one pattern, after bounded repetitions are written out: `a{1000}` takes a thousand. */
export const MAX_PATTERN_STATES = 20_000;
/** Characters of one pattern. */
export const MAX_PATTERN_CHARACTERS = 65_536;

/** Characters taken apart at the cost of advancing one state. */
const CHARACTERS_PER_STEP = 8;

/** What is left to spend, in states advanced; shared by all patterns of one validation. */
export type WorkBudget = { remaining: number };

export type Pattern = {
  /** Whether the pattern matches anywhere in the text; undefined where the budget ran out. */
  matches(text: string, budget: WorkBudget): boolean | undefined;
};

export type CompiledPattern =
  | { ok: true; pattern: Pattern }
  | { ok: false; reason: "invalid" | "unsupported"; message: string };

/** Whether ECMA-262 accepts the pattern with the `u` flag. It is only read, never run. */
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
    return {
      ok: false,
      reason: "unsupported",
      message: `The pattern is longer than ${MAX_PATTERN_CHARACTERS} characters.`,
    };
  }
  try {
    return { ok: true, pattern: new Program(readPattern(source)) };
  } catch (error) {
    if (!(error instanceof UnreadablePattern)) throw error;
    return { ok: false, reason: error.reason, message: error.message };
  }
}

/** One step of a machine: consume a character of a set, go on in one or two places, or stand only where an assertion holds. */
type State =
  | { op: "set"; set: FastSet; next: number }
  | { op: "fork"; next: number; other: number }
  | { op: "assert"; assertion: number; next: number }
  | { op: "match" };

type Machine = { states: State[]; start: number };

type Assertion =
  | { kind: "start" | "end" }
  | { kind: "boundary"; negated: boolean }
  | { kind: "look"; behind: boolean; negated: boolean; machine: Machine };

/** A set with the answers for ASCII worked out. */
class FastSet {
  readonly #ascii = new Uint8Array(128);

  constructor(readonly set: CodePointSet) {
    for (let codePoint = 0; codePoint < 128; codePoint += 1) this.#ascii[codePoint] = isInSet(set, codePoint) ? 1 : 0;
  }

  has(codePoint: number): boolean {
    return codePoint < 128 ? this.#ascii[codePoint] === 1 : isInSet(this.set, codePoint);
  }
}

class Program implements Pattern {
  /** Inner assertions stand before the outer ones that need them. */
  readonly #assertions: Assertion[] = [];
  readonly #sets = new Map<CodePointSet, FastSet>();
  readonly #machine: Machine;
  #states = 0;

  constructor(node: PatternNode) {
    this.#machine = this.#build(node, false);
  }

  matches(text: string, budget: WorkBudget): boolean | undefined {
    budget.remaining -= text.length / CHARACTERS_PER_STEP;
    const codePoints = Array.from(text, (character) => character.codePointAt(0)!);
    const holds: Uint8Array[] = [];
    for (const assertion of this.#assertions) {
      const places = this.#evaluate(assertion, codePoints, holds, budget);
      if (places === undefined) return undefined;
      holds.push(places);
    }
    return run(this.#machine, codePoints, false, holds, budget, undefined);
  }

  #evaluate(
    assertion: Assertion,
    codePoints: readonly number[],
    holds: readonly Uint8Array[],
    budget: WorkBudget,
  ): Uint8Array | undefined {
    const places = new Uint8Array(codePoints.length + 1);
    switch (assertion.kind) {
      case "start":
        places[0] = 1;
        return places;
      case "end":
        places[codePoints.length] = 1;
        return places;
      case "boundary":
        for (let at = 0; at <= codePoints.length; at += 1) {
          const isBoundary = isWordCharacter(codePoints[at - 1]) !== isWordCharacter(codePoints[at]);
          places[at] = isBoundary === assertion.negated ? 0 : 1;
        }
        return places;
      default: {
        if (run(assertion.machine, codePoints, !assertion.behind, holds, budget, places) === undefined)
          return undefined;
        if (assertion.negated) for (let at = 0; at < places.length; at += 1) places[at] = places[at] === 0 ? 1 : 0;
        return places;
      }
    }
  }

  /** A machine that reads the node forwards, or backwards for what lies ahead: where a match ends in one it starts in the other. */
  #build(node: PatternNode, backwards: boolean): Machine {
    const states: State[] = [{ op: "match" }];
    const start = this.#add(states, node, 0, backwards);
    return { states, start };
  }

  /** Adds states that match a node and go on at `next`; gives the entry. Recursion is bounded by the depth of groups. */
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
        const machine = this.#build(node.item, !node.behind);
        return this.#assert(states, { kind: "look", behind: node.behind, negated: node.negated, machine }, next);
      }
      default:
        return this.#assert(states, node, next);
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

  #assert(states: State[], assertion: Assertion, next: number): number {
    this.#assertions.push(assertion);
    return this.#push(states, { op: "assert", assertion: this.#assertions.length - 1, next });
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

/**
 * Runs a machine over the text, starting it anew at every position. Without `places` it answers at the first match;
 * with `places` it marks every position where a match ends and goes through the whole text.
 */
function run(
  { states, start }: Machine,
  codePoints: readonly number[],
  backwards: boolean,
  holds: readonly Uint8Array[],
  budget: WorkBudget,
  places: Uint8Array | undefined,
): boolean | undefined {
  const { length } = codePoints;
  const seenAt = new Int32Array(states.length).fill(-1);
  const active: number[] = [];
  const entering: number[] = [];
  for (let step = 0; step <= length; step += 1) {
    const position = backwards ? length - step : step;
    entering.push(start);
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
      else if (holds[state.assertion]![position] === 1) entering.push(state.next);
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

/**
 * Searches for strings that match some patterns and not others, or proves that there are none. Patterns run as automata
 * over classes of characters that no pattern distinguishes, breadth-first, so the result is a shortest string.
 * Look-around, word boundaries and Unicode properties are not supported: the result is then unknown.
 */

import { type CodePointSet, type PatternNode, readPattern, UnreadablePattern } from "../../validate/pattern-syntax.ts";
import type { ComparisonMeter } from "../bounds.ts";

/** Automaton states of one pattern with its repetitions expanded. */
const MAX_PATTERN_STATES = 2_000;
/** Combined states examined in one search. */
const MAX_SEARCH_STATES = 4_000;
/** Steps of all automata in one search, about 20 ms. */
const MAX_SEARCH_STEPS = 400_000;
/** Steps in all searches of one comparison. */
const MAX_ALL_STEPS = 4_000_000;
/** Character classes in one search. */
const MAX_CLASSES = 200;
/** Lengths are counted up to this number; longer ones are treated alike. */
const MAX_COUNTED_LENGTH = 300;

/** Search steps that count as one step of the comparison. */
const STEPS_PER_WORK = 25;

export type StringQuery = {
  readonly matching: readonly string[];
  readonly notMatching: readonly string[];
  readonly minLength: number;
  readonly maxLength: number | undefined;
};

export type StringAnswer = { readonly kind: "found"; readonly text: string } | { readonly kind: "none" | "unknown" };

/** The time to create a state. */
const STATE_MICROS = 0.5;

/** Answers queries and caches the results. */
export class PatternSearch {
  readonly #automata = new Map<string, Automaton | undefined>();
  readonly #answers = new Map<string, StringAnswer>();
  readonly #budget = { remaining: MAX_ALL_STEPS };

  readonly meter: ComparisonMeter;

  constructor(meter: ComparisonMeter) {
    this.meter = meter;
  }

  find(query: StringQuery): StringAnswer {
    const key = JSON.stringify([query.matching, query.notMatching, query.minLength, query.maxLength]);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      const before = this.#budget.remaining;
      answer = this.#search(query);
      this.meter.spend((before - this.#budget.remaining) / STEPS_PER_WORK + query.notMatching.length / 4, "");
      this.meter.keep(key.length + 100, "");
      this.#answers.set(key, answer);
    }
    return answer;
  }

  #search(query: StringQuery): StringAnswer {
    if (this.#budget.remaining <= 0) return { kind: "unknown" };
    const automata: { automaton: Automaton; wanted: boolean }[] = [];
    for (const [patterns, wanted] of [
      [query.matching, true],
      [query.notMatching, false],
    ] as const) {
      for (const pattern of patterns) {
        const automaton = this.#automaton(pattern);
        if (automaton === undefined) return { kind: "unknown" };
        automata.push({ automaton, wanted });
      }
    }
    if ((query.maxLength ?? 0) > MAX_COUNTED_LENGTH || query.minLength > MAX_COUNTED_LENGTH) return { kind: "unknown" };
    return search(automata, query, this.#budget);
  }

  #automaton(pattern: string): Automaton | undefined {
    if (!this.#automata.has(pattern)) {
      const automaton = automatonOf(pattern);
      this.meter.note((automaton?.states.length ?? 0) * STATE_MICROS);
      this.#automata.set(pattern, automaton);
    }
    return this.#automata.get(pattern);
  }
}

/** A pattern that matches only one text. */
export function literalPattern(text: string): string {
  return `^${text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`;
}

type AutomatonState =
  | { op: "set"; ranges: readonly [number, number][]; next: number }
  | { op: "fork"; next: number; other: number }
  | { op: "start" | "end"; next: number }
  | { op: "match" };

class Automaton {
  readonly states: AutomatonState[] = [{ op: "match" }];
  readonly start: number;
  /** The number of the closure that visited each state last. */
  readonly #visited: number[] = [];
  #visit = 0;

  constructor(node: PatternNode) {
    this.start = this.#add(node, 0);
  }

  #add(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "set":
        return this.#push({ op: "set", ranges: rangesOf(node.set), next });
      case "sequence":
        return node.items.reduceRight((entry, item) => this.#add(item, entry), next);
      case "choice": {
        const entries = node.items.map((item) => this.#add(item, next));
        return entries.reduce((other, entry) => this.#push({ op: "fork", next: entry, other }));
      }
      case "repeat":
        return this.#repeat(node, next);
      case "start":
      case "end":
        return this.#push({ op: node.kind, next });
      default:
        throw new UnreadablePattern("unsupported", "Look-around and word boundaries are not searched.");
    }
  }

  #repeat({ item, min, max }: PatternNode & { kind: "repeat" }, next: number): number {
    if (min > MAX_PATTERN_STATES) throw new UnreadablePattern("unsupported", TOO_MANY);
    let entry = next;
    if (max === Number.POSITIVE_INFINITY) {
      entry = this.#push({ op: "fork", next, other: next });
      const body = this.#add(item, entry);
      this.states[entry] = { op: "fork", next: body, other: next };
    } else {
      for (let count = min; count < max; count += 1) {
        const body = this.#add(item, entry);
        entry = this.#push({ op: "fork", next: body, other: next });
      }
    }
    for (let count = 0; count < min; count += 1) entry = this.#add(item, entry);
    return entry;
  }

  #push(state: AutomatonState): number {
    if (this.states.length >= MAX_PATTERN_STATES) throw new UnreadablePattern("unsupported", TOO_MANY);
    return this.states.push(state) - 1;
  }

  /** The states reachable without reading a character; null once the pattern has matched, which is final. */
  closure(entries: readonly number[], isStart: boolean, isEnd: boolean): number[] | null {
    this.#visit += 1;
    const kept: number[] = [];
    const stack = [...entries];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#visited[at] === this.#visit) continue;
      this.#visited[at] = this.#visit;
      const state = this.states[at]!;
      if (state.op === "match") return null;
      if (state.op === "fork") stack.push(state.next, state.other);
      else if ((state.op === "start" && isStart) || (state.op === "end" && isEnd)) stack.push(state.next);
      if (state.op === "set" || state.op === "end") kept.push(at);
    }
    return kept.sort((a, b) => a - b);
  }

  /** A match may start anywhere, so the start is added after every character. */
  after(current: readonly number[], codePoint: number): number[] | null {
    const entries = [this.start];
    for (const at of current) {
      const state = this.states[at]!;
      if (state.op === "set" && contains(state.ranges, codePoint)) entries.push(state.next);
    }
    return this.closure(entries, false, false);
  }
}

const TOO_MANY = `The pattern takes more than ${MAX_PATTERN_STATES} states.`;
const LAST_CODE_POINT = 0x10ffff;

function automatonOf(pattern: string): Automaton | undefined {
  try {
    return new Automaton(readPattern(pattern));
  } catch (error) {
    if (!(error instanceof UnreadablePattern)) throw error;
    return undefined;
  }
}

function rangesOf(set: CodePointSet): [number, number][] {
  if (set.tests.length > 0) throw new UnreadablePattern("unsupported", "Unicode properties are not searched.");
  if (!set.negated) return set.ranges;
  const complement: [number, number][] = [];
  let from = 0;
  for (const [low, high] of [...set.ranges].sort(([a], [b]) => a - b)) {
    if (low > from) complement.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= LAST_CODE_POINT) complement.push([from, LAST_CODE_POINT]);
  return complement;
}

function contains(ranges: readonly [number, number][], codePoint: number): boolean {
  return ranges.some(([low, high]) => codePoint >= low && codePoint <= high);
}

type Runner = { automaton: Automaton; wanted: boolean };
type Place = { sets: (number[] | null)[]; length: number; from: Place | undefined; codePoint: number };

function search(
  runners: readonly Runner[],
  { minLength, maxLength }: StringQuery,
  budget: { remaining: number },
): StringAnswer {
  const alphabet = representatives(runners);
  budget.remaining -= STEPS_PER_SEARCH;
  if (alphabet === undefined) return { kind: "unknown" };
  const countTo = Math.max(minLength, maxLength === undefined ? 0 : maxLength + 1);
  const first: Place = {
    sets: runners.map(({ automaton }) => automaton.closure([automaton.start], true, false)),
    length: 0,
    from: undefined,
    codePoint: 0,
  };
  const queue = [first];
  const seen = new Set([keyOf(first)]);
  let steps = 0;
  for (let at = 0; at < queue.length; at += 1) {
    const place = queue[at]!;
    if (place.length >= minLength && fits(runners, place, at === 0)) return { kind: "found", text: textOf(place) };
    if (place.length === maxLength) continue;
    for (const codePoint of alphabet) {
      const cost = place.sets.reduce((sum, set) => sum + (set?.length ?? 0) + 1, 0);
      steps += cost;
      budget.remaining -= cost;
      if (steps > MAX_SEARCH_STEPS || budget.remaining <= 0) return { kind: "unknown" };
      const sets = runners.map(({ automaton }, index) => {
        const current = place.sets[index]!;
        return current === null ? null : automaton.after(current, codePoint);
      });
      // Dead if a forbidden pattern has matched, or if a required one has no active states.
      if (sets.some((set, index) => (runners[index]!.wanted ? set?.length === 0 : set === null))) continue;
      const next: Place = { sets, length: Math.min(place.length + 1, countTo), from: place, codePoint };
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      if (queue.push(next) > MAX_SEARCH_STATES) return { kind: "unknown" };
    }
  }
  return { kind: "none" };
}

/** Whether the text may end here: all required patterns match, and no forbidden one does. */
function fits(runners: readonly Runner[], { sets }: Place, isStart: boolean): boolean {
  return runners.every(({ automaton, wanted }, index) => {
    const set = sets[index]!;
    // In an empty text the start and the end coincide.
    const matches =
      set === null || automaton.closure(isStart ? [automaton.start, ...set] : set, isStart, true) === null;
    return matches === wanted;
  });
}

function keyOf({ sets, length }: Place): string {
  return `${length}|${sets.map((set) => (set === null ? "!" : set.join())).join("|")}`;
}

function textOf(place: Place): string {
  const codePoints: number[] = [];
  for (let at = place; at.from !== undefined; at = at.from) codePoints.push(at.codePoint);
  return String.fromCodePoint(...codePoints.reverse());
}

/** One representative of each class that the automata distinguish, a readable one if possible. */
function representatives(runners: readonly Runner[]): number[] | undefined {
  const sets = new Set<readonly [number, number][]>();
  for (const { automaton } of runners) {
    for (const state of automaton.states) if (state.op === "set") sets.add(state.ranges);
  }
  const edges = new Set<number>(PREFERRED_EDGES);
  for (const ranges of sets) {
    for (const [low, high] of ranges) edges.add(low).add(high + 1);
    if (edges.size > MAX_EDGES) return undefined;
  }
  const starts = [...edges]
    .filter((edge) => edge <= LAST_CODE_POINT)
    .sort((a, b) => preference(a) - preference(b) || a - b);
  const classes = new Map<string, number>();
  const list = [...sets];
  for (const start of starts) {
    const signature = list.map((ranges) => (contains(ranges, start) ? "1" : "0")).join("");
    if (!classes.has(signature)) classes.set(signature, start);
    if (classes.size > MAX_CLASSES) return undefined;
  }
  return [...classes.values()];
}

/** The cost of a search before its first step: building the alphabet. */
const STEPS_PER_SEARCH = 500;

/** Cuts the other ranges as well, so that letters and digits are chosen first. */
const PREFERRED_EDGES = [0, 0x20, 0x30, 0x3a, 0x41, 0x5b, 0x61, 0x62, 0x7b, 0x7f, 0xa1, 0xd800, 0xe000];
const MAX_EDGES = 2_000;

function preference(codePoint: number): number {
  if (codePoint >= 0x61 && codePoint <= 0x7a) return 0;
  if ((codePoint >= 0x30 && codePoint <= 0x39) || (codePoint >= 0x41 && codePoint <= 0x5a)) return 1;
  if (codePoint > 0x20 && codePoint < 0x7f) return 2;
  if (codePoint === 0x20 || (codePoint > 0xa0 && codePoint < 0xd800)) return 3;
  return codePoint >= 0xd800 && codePoint < 0xe000 ? 5 : 4;
}

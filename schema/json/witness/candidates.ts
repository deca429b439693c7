/**
 * Candidate witnesses: values that the reader refuses at the location of a break, inside a value that the writer
 * produces.
 */
import type { JsonNode } from "../../json-text.ts";
import { Random } from "../../random.ts";
import type { FoundDifference, Step, Trace } from "../compare/semantic/found.ts";
import type { Inclusion } from "../compare/semantic/inclusion.ts";
import type { State } from "../compare/semantic/state.ts";
import type { View } from "../compare/semantic/view.ts";
import { NO_SAMPLE, type Pool, type SampleBudget, Sampler, toJsonNode } from "./sample.ts";
import { stringMatching } from "./strings.ts";

/** Values tried for the location itself before one is embedded in its surroundings. */
const LEAF_ATTEMPTS = 60;
/** The probability of adding optional parts per attempt: at the location itself and in its surroundings. */
const LEAF_RICHNESS = [0.1, 0.4, 0.05, 0.7];
const OUTER_RICHNESS = [0, 0, 0.1, 0, 0.5];

/** Candidates for several breaks, likely ones first, at most `limit`. */
export function* candidatesFor(
  inclusion: Inclusion,
  found: readonly FoundDifference[],
  pool: Pool,
  seed: number,
  limit: number,
  budget: SampleBudget,
): Generator<unknown> {
  const traces = found.flatMap((each) => each.traces);
  for (let attempt = 0; attempt < limit; attempt += 1) {
    if (budget.remaining < 0) return;
    const random = new Random(seed * 7_919 + attempt);
    const leaves = new Sampler(inclusion.views, random, pool, LEAF_RICHNESS[attempt % LEAF_RICHNESS.length]!, budget);
    const outer = new Sampler(inclusion.views, random, pool, OUTER_RICHNESS[attempt % OUTER_RICHNESS.length]!, budget);
    const trace = traces[attempt % traces.length]!;
    const round = Math.floor(attempt / traces.length);
    const value = new Builder(inclusion, leaves, outer, random, round).build(trace);
    if (value !== NO_SAMPLE) yield value;
  }
}

class Builder {
  readonly inclusion: Inclusion;
  readonly leaves: Sampler;
  readonly outer: Sampler;
  readonly random: Random;
  readonly round: number;

  constructor(inclusion: Inclusion, leaves: Sampler, outer: Sampler, random: Random, round: number) {
    this.inclusion = inclusion;
    this.leaves = leaves;
    this.outer = outer;
    this.random = random;
    this.round = round;
  }

  build(trace: Trace): unknown {
    if (trace.at === "end") return this.#leaf(trace.state, trace.reader, trace.hints);
    const { state, step, next } = trace;
    if ("item" in step) {
      const item = this.build(next);
      return item === NO_SAMPLE ? NO_SAMPLE : this.outer.arrayWith(state, step.item, item);
    }
    if ("name" in step) {
      const name = this.build(next);
      if (typeof name !== "string") return NO_SAMPLE;
      const member = this.outer.sample(state.property(name));
      return member === NO_SAMPLE ? NO_SAMPLE : this.outer.objectWith(state, name, member);
    }
    const name = this.#nameFor(state, step, next);
    if (name === undefined || !state.mayHave(name)) return NO_SAMPLE;
    const member = this.build("property" in step ? next : atProperty(next, state, name));
    return member === NO_SAMPLE ? NO_SAMPLE : this.outer.objectWith(state, name, member);
  }

  /** A value that the state admits and the reader's schema refuses, as far as that can be decided here. */
  #leaf(state: State, reader: View, hints: readonly unknown[]): unknown {
    const hint = hints[this.round];
    if (hint !== undefined && this.#isAdmitted(state, toJsonNode(hint))) return hint;
    const { evaluator } = this.inclusion;
    let last: unknown = NO_SAMPLE;
    for (let attempt = 0; attempt < LEAF_ATTEMPTS; attempt += 1) {
      const value = this.leaves.sample(state);
      if (value === NO_SAMPLE) continue;
      const node = toJsonNode(value);
      if (!this.#isAdmitted(state, node)) continue;
      if (evaluator.accepts(reader, node) !== true) return value;
      // Random items are seldom equal, so equal ones are made on purpose.
      if (reader.uniqueItems && Array.isArray(value) && value.length > 0) {
        const repeated = [...value, value[0]];
        if (this.#isAdmitted(state, toJsonNode(repeated))) return repeated;
      }
      last = value;
    }
    return last;
  }

  #isAdmitted(state: State, node: JsonNode): boolean {
    const { evaluator } = this.inclusion;
    return (
      state.atoms.every(({ view }) => evaluator.accepts(view, node) !== false) &&
      [...state.nots].every((not) => evaluator.accepts(not, node) !== true)
    );
  }

  #nameFor(state: State, step: Exclude<Step, { item: number } | { name: true }>, next: Trace): string | undefined {
    if ("property" in step) return step.property;
    if ("pattern" in step) return stringMatching(step.pattern, this.random);
    const refused = next.at === "end" ? next.reader : undefined;
    const names = ["extra", "other", "x", "extra2", "zzz", "0", "", "Extra", "x-extra", "a"];
    const free = names.filter(
      (name) => !state.atoms.some(({ view }) => view.properties.has(name)) && state.mayHave(name),
    );
    return free[(this.round + (refused ? 0 : 1)) % Math.max(1, free.length)];
  }
}

/** The end of a path about undeclared properties, restated for the chosen name. */
function atProperty(next: Trace, state: State, name: string): Trace {
  return next.at === "end" ? { ...next, state: state.property(name) } : next;
}

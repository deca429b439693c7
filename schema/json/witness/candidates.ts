/** Values that may be witnesses: something the reader refuses at the place of a break, inside something the writer writes. */
import { type JsonNode, parseJsonText } from "../../json-text";
import type { Found, Inclusion, Step, Trace } from "../compare/inclusion";
import type { State } from "../compare/state";
import type { View } from "../compare/view";
import { Random } from "./random";
import { NO_SAMPLE, type Pool, Sampler } from "./sample";
import { stringMatching } from "./strings";

/** Values made for the place itself before one is put into its surroundings. */
const LEAF_ATTEMPTS = 60;
const RICHNESS = [0.1, 0.4, 0.05, 0.7];

/** Candidates for any of some breaks, the likely ones first, at most `limit`. */
export function* candidatesFor(
  inclusion: Inclusion,
  found: readonly Found[],
  pool: Pool,
  seed: number,
  limit: number,
): Generator<unknown> {
  const traces = found.flatMap((each) => each.traces);
  for (let attempt = 0; attempt < limit; attempt += 1) {
    const random = new Random(seed * 7_919 + attempt);
    const sampler = new Sampler(inclusion.views, random, pool, RICHNESS[attempt % RICHNESS.length]!);
    const trace = traces[attempt % traces.length]!;
    const round = Math.floor(attempt / traces.length);
    const value = new Builder(inclusion, sampler, random, round).build(trace);
    if (value !== NO_SAMPLE) yield value;
  }
}

class Builder {
  constructor(
    readonly inclusion: Inclusion,
    readonly sampler: Sampler,
    readonly random: Random,
    readonly round: number,
  ) {}

  build(trace: Trace): unknown {
    if (trace.at === "end") return this.#leaf(trace.state, trace.reader, trace.hints);
    const { state, step, next } = trace;
    if ("item" in step) {
      const item = this.build(next);
      return item === NO_SAMPLE ? NO_SAMPLE : this.sampler.arrayWith(state, step.item, item);
    }
    if ("name" in step) {
      const name = this.build(next);
      if (typeof name !== "string") return NO_SAMPLE;
      const member = this.sampler.sample(state.property(name));
      return member === NO_SAMPLE ? NO_SAMPLE : this.sampler.objectWith(state, name, member);
    }
    const name = this.#nameFor(state, step, next);
    if (name === undefined || !state.mayHave(name)) return NO_SAMPLE;
    const member = this.build("property" in step ? next : atProperty(next, state, name));
    return member === NO_SAMPLE ? NO_SAMPLE : this.sampler.objectWith(state, name, member);
  }

  /** A value that the state admits and the reader's schema refuses, as far as that can be told here. */
  #leaf(state: State, reader: View, hints: readonly unknown[]): unknown {
    const hint = hints[this.round];
    if (hint !== undefined && this.#isAdmitted(state, hint)) return hint;
    const { evaluator } = this.inclusion;
    let last: unknown = NO_SAMPLE;
    for (let attempt = 0; attempt < LEAF_ATTEMPTS; attempt += 1) {
      const value = this.sampler.sample(state);
      if (value === NO_SAMPLE) continue;
      const node = nodeOf(value);
      if (node === undefined || !this.#isAdmitted(state, value)) continue;
      if (evaluator.accepts(reader, node) !== true) return value;
      last = value;
    }
    return last;
  }

  #isAdmitted(state: State, value: unknown): boolean {
    const node = nodeOf(value);
    if (node === undefined) return false;
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

/** The end of a trace about unnamed properties, told again for a name that was chosen. */
function atProperty(next: Trace, state: State, name: string): Trace {
  return next.at === "end" ? { ...next, state: state.property(name) } : next;
}

function nodeOf(value: unknown): JsonNode | undefined {
  const text = JSON.stringify(value);
  if (text === undefined) return undefined;
  const parsed = parseJsonText(text);
  return parsed.ok ? parsed.root : undefined;
}

/** Counterexamples at one location: a value that the state admits and a schema refuses ends a search for a proof. */
import type { JsonNode } from "../../../json-text.ts";
import { Random } from "../../../random.ts";
import { NO_SAMPLE, type Pool, Sampler, toJsonNode } from "../../witness/sample.ts";
import type { ComparisonMeter } from "../bounds.ts";
import type { Evaluator } from "./evaluate.ts";
import type { State } from "./state.ts";
import type { View } from "./view.ts";
import type { Views } from "./views.ts";

/** Values tried per state. */
const ATTEMPTS = 4;
/** Steps for each part of a value. */
const WORK_PER_PART = 0.5;
/** Maximum parts per value. */
const MAX_SAMPLED_PARTS = 200;
const RICHNESS = [0, 0.3, 0.1, 0.6];

/** Values that a state admits, found one at a time. */
type Found = { readonly values: JsonNode[]; attempts: number };

export class Refutation {
  readonly #refuted = new Map<State, Map<View, boolean>>();
  readonly #found = new Map<State, Found>();

  readonly views: Views;
  readonly evaluator: Evaluator;
  readonly meter: ComparisonMeter;

  constructor(views: Views, evaluator: Evaluator, meter: ComparisonMeter) {
    this.views = views;
    this.evaluator = evaluator;
    this.meter = meter;
  }

  /** Whether a value is found that the state admits and the schema refuses. */
  isRefuted(state: State, reader: View): boolean {
    const known = this.#refuted.get(state) ?? new Map<View, boolean>();
    let answer = known.get(reader);
    if (answer === undefined) {
      answer = this.#hasValue(state, reader, false);
      this.meter.keep(ANSWER_BYTES, reader.pointer);
      this.#refuted.set(state, known.set(reader, answer));
    }
    return answer;
  }

  /** Whether a value is found that the state admits and the schema accepts. */
  isShared(state: State, schema: View): boolean {
    return this.#hasValue(state, schema, true);
  }

  #hasValue(state: State, schema: View, isAccepted: boolean): boolean {
    for (let index = 0; ; index += 1) {
      const value = this.#valueOf(state, index);
      if (value === undefined) return false;
      if (this.evaluator.accepts(schema, value) === isAccepted) return true;
    }
  }

  /** Whether a value is found that the state admits. */
  isInhabited(state: State): boolean {
    return this.#valueOf(state, 0) !== undefined;
  }

  /** One of a few values that the state admits, searched on demand. */
  #valueOf(state: State, index: number): JsonNode | undefined {
    let found = this.#found.get(state);
    if (found === undefined) {
      found = { values: [], attempts: 0 };
      this.meter.keep(ANSWER_BYTES, "");
      this.#found.set(state, found);
    }
    while (found.values.length <= index && found.attempts < ATTEMPTS) {
      const value = this.#sample(state, found.attempts);
      found.attempts += 1;
      if (value) found.values.push(value);
    }
    return found.values[index];
  }

  #sample(state: State, attempt: number): JsonNode | undefined {
    const place = state.seeds.written[0]?.pointer ?? "";
    const budget = { remaining: MAX_SAMPLED_PARTS };
    const random = new Random(state.id * ATTEMPTS + attempt);
    const value = new Sampler(this.views, random, NO_CONSTANTS, RICHNESS[attempt]!, budget).sample(state);
    const parts = MAX_SAMPLED_PARTS - budget.remaining;
    this.meter.spend(parts * WORK_PER_PART, place);
    if (value === NO_SAMPLE) return undefined;
    const node = toJsonNode(value);
    if (!this.#isAdmitted(state, node)) return undefined;
    this.meter.keep(parts * ANSWER_BYTES, place);
    return node;
  }

  /** The schemas that a state is made from contain all that it knows. */
  #isAdmitted(state: State, node: JsonNode): boolean {
    const { written, known, nots } = state.seeds;
    return (
      state.isDeclared(node) &&
      [...written, ...known].every((view) => this.evaluator.accepts(view, node) === true) &&
      nots.every((not) => this.evaluator.accepts(not, node) === false)
    );
  }
}

/** Bytes of a cached result. */
const ANSWER_BYTES = 200;
const NO_CONSTANTS: Pool = { numbers: [], strings: [], names: ["extra"], nearby: new WeakMap() };

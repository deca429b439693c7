/** Matches names and strings against a schema's patterns, with one budget for a whole comparison. */
import { type CompiledPattern, compilePattern, type PatternBudget } from "../validate/patterns.ts";
import { type ComparisonMeter, MAX_PATTERN_WORK } from "./bounds.ts";

/** Cost of a query besides the states it advances. */
const STEPS_PER_QUESTION = 20;

/** Steps of the comparison for looking up an answer: a thousand patterns are asked about every property. */
const LOOKUP_WORK = 0.02;

/** Pattern states that count as one step of the comparison. */
const STEPS_PER_WORK = 150;

export class PatternMatches {
  readonly #known = new Map<string, { compiled: CompiledPattern; answers: Map<string, boolean | undefined> }>();
  readonly #budget: PatternBudget = { remaining: MAX_PATTERN_WORK };

  readonly meter: ComparisonMeter;

  constructor(meter: ComparisonMeter) {
    this.meter = meter;
  }

  /** Whether the pattern matches somewhere in the text; undefined if that cannot be determined or costs too much. */
  matches(pattern: string, text: string): boolean | undefined {
    this.meter.spend(LOOKUP_WORK, "");
    let known = this.#known.get(pattern);
    if (known === undefined) {
      known = { compiled: compilePattern(pattern), answers: new Map() };
      this.meter.spend(pattern.length / 10, "");
      this.#known.set(pattern, known);
    }
    if (known.answers.has(text)) return known.answers.get(text);
    if (!known.compiled.ok || this.#budget.remaining <= 0) return undefined;
    const before = this.#budget.remaining;
    this.#budget.remaining -= STEPS_PER_QUESTION;
    const answer = known.compiled.value.matches(text, this.#budget);
    this.meter.spend((before - this.#budget.remaining) / STEPS_PER_WORK, "");
    this.meter.keep(60, "");
    known.answers.set(text, answer);
    return answer;
  }
}

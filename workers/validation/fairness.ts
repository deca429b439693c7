/** Many validations in one request: after a certain amount of work, the isolate's other requests get a turn. */
import type { Refusal } from "../../contract/errors.ts";
import type { Result } from "../../schema/result.ts";
import { giveTurn } from "../registry/turns.ts";
import type { ValidationOutcome } from "./validate.ts";

/** Schemas evaluated without a pause: ten to thirty milliseconds. */
const STEPS_PER_TURN = 100_000;
/** Minimum work counted per validation, also for one that does not count its work. */
const STEPS_PER_VALIDATION = 100;

export class Fairness {
  #steps = 0;

  /** A promise only if other requests get a turn. */
  after(outcome: Result<ValidationOutcome, Refusal>): Promise<void> | undefined {
    // A missing verdict means that the whole budget of one validation was spent.
    this.#steps += outcome.ok ? (outcome.value.verdict.steps ?? 0) + STEPS_PER_VALIDATION : STEPS_PER_TURN;
    if (this.#steps < STEPS_PER_TURN) return undefined;
    this.#steps = 0;
    return giveTurn();
  }
}

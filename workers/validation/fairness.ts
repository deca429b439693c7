/** Many validations in one request: after so much work the other requests of the isolate get their turn. */
import type { Refusal } from "../../contract/errors.ts";
import type { Result } from "../../schema/result.ts";
import { giveTurn } from "../registry/turns.ts";
import type { Outcome } from "./validate.ts";

/** Schemas evaluated without a pause: ten to thirty milliseconds. */
const STEPS_PER_TURN = 100_000;
/** A validation at least, and one whose work is not counted. */
const STEPS_PER_VALIDATION = 100;

export class Fairness {
  #steps = 0;

  /** A promise only where it is somebody else's turn. */
  after(outcome: Result<Outcome, Refusal>): Promise<void> | undefined {
    // Without a verdict the whole budget of one validation was spent.
    this.#steps += outcome.ok ? (outcome.value.verdict.steps ?? 0) + STEPS_PER_VALIDATION : STEPS_PER_TURN;
    if (this.#steps < STEPS_PER_TURN) return undefined;
    this.#steps = 0;
    return giveTurn();
  }
}

/**
 * Lets other requests of the isolate run during long work, and bounds the work of one request: a comparison takes up to a
 * second, and a request may make many.
 */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { runWithPauses, type Sliced } from "../../schema/slices.ts";

/**
 * Work of one request, in microseconds of the slowest supported core: ten of the thirty seconds that the platform
 * allows. It is counted instead of timed, and a cached verdict costs its original work, so the same request gets the
 * same response.
 */
const MAX_REQUEST_MICROS = 10_000_000;
/** Work after which other requests get a turn; short computations do not yield individually. */
const TURN_MICROS = 20_000;

/**
 * Resolves in a new task, after events that have arrived in the meantime. A resolved promise would not suffice, because
 * its reactions run before any other request continues.
 */
export function giveTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The work of one request. */
export class RequestWork {
  #sinceTurn = 0;
  /** The work done so far. */
  micros = 0;

  get isSpent(): boolean {
    return this.micros >= MAX_REQUEST_MICROS;
  }

  /** Counts completed work, and yields after a large amount. */
  async spend(micros: number): Promise<void> {
    this.micros += micros;
    this.#sinceTurn += micros;
    if (this.#sinceTurn < TURN_MICROS) return;
    this.#sinceTurn = 0;
    await giveTurn();
  }

  /** Runs a computation to its end in slices. */
  run<T>(sliced: Sliced<T>): Promise<T> {
    return runWithPauses(sliced, (micros) => this.spend(micros));
  }
}

/** The refusal of a request that exhausted its work; `place` is the location that it would have examined next. */
export function workIsSpent(place: string): Refusal {
  const seconds = MAX_REQUEST_MICROS / 1_000_000;
  const detail = `Too complex to decide in one request, which may compute for ${seconds} seconds: it stopped at ${place}. Ask about fewer or smaller schemas at once.`;
  return makeRefusal("TOO_COMPLEX", [detail], detail);
}

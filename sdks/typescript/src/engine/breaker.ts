/**
 * Stops asking a registry that does not answer. Counted in attempts; any answer except a gateway's shows that the
 * registry is up.
 */
import { BREAKER_FAILURES, BREAKER_OPEN_MS } from "./constants.js";

export type BreakerState = "closed" | "open" | "half-open";

/** How one attempt ended. `none`: it was cancelled or cut off early, and does not count. */
export type AttemptOutcome = "alive" | "failed" | "none";

export interface BreakerOptions {
  /** Failed attempts in a row that open it. 5. */
  failures?: number;
  /** How long it stays open before one attempt is let through. 30,000. */
  openMs?: number;
}

export class Breaker {
  readonly #failures: number;
  readonly #openMs: number;
  #state: BreakerState = "closed";
  #failed = 0;
  #openedAtMs = 0;
  /** Attempts that began before a change of state do not affect it. */
  #generation = 0;
  #trialRuns = false;

  constructor(options: BreakerOptions = {}) {
    this.#failures = options.failures ?? BREAKER_FAILURES;
    this.#openMs = options.openMs ?? BREAKER_OPEN_MS;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Admits an attempt and returns how to report its outcome, or returns how long attempts stay refused. */
  admit(nowMs: number): { report(outcome: AttemptOutcome, atMs: number): void } | { retryAfterMs: number } {
    if (this.#state === "open") {
      const leftMs = this.#openedAtMs + this.#openMs - nowMs;
      if (leftMs > 0) return { retryAfterMs: Math.ceil(leftMs) };
      this.#enter("half-open");
    }
    if (this.#state === "half-open") {
      if (this.#trialRuns) return { retryAfterMs: this.#openMs };
      this.#trialRuns = true;
    }
    const generation = this.#generation;
    return { report: (outcome, atMs) => this.#report(outcome, atMs, generation) };
  }

  #report(outcome: AttemptOutcome, atMs: number, generation: number): void {
    if (generation !== this.#generation) return;
    if (this.#state === "half-open") {
      this.#trialRuns = false;
      if (outcome === "alive") this.#enter("closed");
      else if (outcome === "failed") this.#open(atMs);
      return;
    }
    if (outcome === "alive") this.#failed = 0;
    if (outcome !== "failed") return;
    this.#failed += 1;
    if (this.#failed >= this.#failures) this.#open(atMs);
  }

  #open(atMs: number): void {
    this.#openedAtMs = atMs;
    this.#enter("open");
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#failed = 0;
    this.#trialRuns = false;
    this.#generation += 1;
  }
}

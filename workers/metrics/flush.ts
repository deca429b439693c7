/**
 * Flushes an isolate's counts to the MetricsObject, at most every ten seconds and never delaying a response. A batch
 * whose arrival is uncertain is resent under its number, so nothing counts twice and nothing is lost before the isolate
 * ends.
 */

import {
  type Counted,
  MAX_FLUSHED_SERIES,
  METRICS_NAME,
  METRICS_VERSION,
  type Metrics,
} from "../../durable-objects/metrics/protocol.ts";
import { logLine } from "../../observe/log-line.ts";
import type { Series } from "../../observe/metrics.ts";
import type { Bindings } from "../edge.ts";
import type { Counters } from "./counters.ts";
import { answerWithin } from "./deadline.ts";

export const FLUSH_EVERY_MS = 10_000;
/** Timeout of a flush; its batch may have been added nevertheless. */
const FLUSH_DEADLINE_MS = 5_000;
/** Series waiting for an unreachable object. Later counts stay in the counters. */
const MAX_WAITING_SERIES = 2 * MAX_FLUSHED_SERIES;

export function openMetrics(env: Pick<Bindings, "METRICS">): Metrics {
  return env.METRICS.getByName(METRICS_NAME) as Metrics;
}

type Batch = { number: number; series: readonly Series[] };

export class Flusher {
  readonly #counters: Counters;
  readonly #newId: () => string;
  /** Created with the first batch: a Worker has no randomness during startup. */
  #isolate: string | undefined;
  #lastNumber = 0;
  /** The batch in flight until its arrival is confirmed. */
  #batch: Batch | undefined;
  #waiting: Series[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(counters: Counters, newId: () => string) {
    this.#counters = counters;
    this.#newId = newId;
  }

  /** Whether a flush is due; the caller then runs `flush` in the background. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#lastMs >= FLUSH_EVERY_MS || nowMs < this.#lastMs;
  }

  /**
   * True once everything counted before the call has arrived. Two flushes may run concurrently: both send the same
   * batch, which counts once, and neither waits for the other, whose request may have ended.
   */
  async flush(env: Pick<Bindings, "METRICS">, nowMs: number): Promise<boolean> {
    this.#lastMs = nowMs;
    if (this.#waiting.length < MAX_WAITING_SERIES) this.#waiting.push(...this.#counters.take());
    for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
      const answer = await answerWithin(FLUSH_DEADLINE_MS, openMetrics(env).add(this.#counted(batch)));
      // Unreachable, or an older build during a deployment: a later flush retries.
      if (answer === undefined || (!answer.ok && answer.refusal === "version")) {
        this.#counters.add("registry_metrics_flushes_total", ["failed"]);
        return false;
      }
      if (this.#batch === batch) this.#batch = undefined;
      this.#counters.add("registry_metrics_flushes_total", [answer.ok ? "added" : "refused"]);
      if (!answer.ok) logLine("error", "The metrics object refused a batch of counts, which are lost.");
    }
    return true;
  }

  #next(): Batch | undefined {
    if (this.#batch === undefined && this.#waiting.length > 0) {
      this.#lastNumber += 1;
      this.#batch = { number: this.#lastNumber, series: this.#waiting.splice(0, MAX_FLUSHED_SERIES) };
    }
    return this.#batch;
  }

  #counted({ number, series }: Batch): Counted {
    this.#isolate ??= this.#newId();
    return { v: METRICS_VERSION, isolate: this.#isolate, number, series };
  }
}

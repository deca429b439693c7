/** Outcomes by Idempotency-Key: a repeated request gets the first one's outcome, and nothing is sent again. */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { OnceKey } from "./rpc.ts";

/** The same time for which the primary keeps the outcomes of its commands. */
export const OUTCOME_KEPT_MS = 24 * 3_600_000;

type Row = { digest: string; outcome: string };

export class Outcomes {
  readonly #sql: SqlStorage;
  /** Requests in progress: a repeat that arrives before the first outcome waits for it. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Runs the action unless a request with this key already has. A refusal is not stored, so a refused request may be
   * retried.
   */
  async once<T extends object>(
    once: OnceKey | undefined,
    now: () => number,
    act: () => Promise<Result<T, Refusal>>,
  ): Promise<Result<T, Refusal>> {
    if (once === undefined) return act();
    for (let first = this.#underWay.get(once.key); first; first = this.#underWay.get(once.key)) {
      await first.catch(() => undefined);
    }
    const [known] = this.#sql
      .exec<Row>("SELECT digest, outcome FROM outcomes WHERE key = ? AND at > ?", once.key, now() - OUTCOME_KEPT_MS)
      .toArray();
    if (known !== undefined) {
      return known.digest === once.digest ? ok(JSON.parse(known.outcome) as T) : refuse(usedForAnother());
    }
    const acting = act();
    this.#underWay.set(once.key, acting);
    try {
      const outcome = await acting;
      if (outcome.ok) this.#keep(once, outcome.value, now());
      return outcome;
    } finally {
      if (this.#underWay.get(once.key) === acting) this.#underWay.delete(once.key);
    }
  }

  prune(nowMs: number): void {
    this.#sql.exec("DELETE FROM outcomes WHERE at <= ?", nowMs - OUTCOME_KEPT_MS);
  }

  #keep({ key, digest }: OnceKey, outcome: object, nowMs: number): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO outcomes (key, digest, outcome, at) VALUES (?, ?, ?, ?)",
      key,
      digest,
      JSON.stringify(outcome),
      nowMs,
    );
  }
}

function usedForAnother(): Refusal {
  const detail = "This Idempotency-Key was used for another request within the last 24 hours: use a new one.";
  return makeRefusal("UNPROCESSABLE", [detail], detail);
}

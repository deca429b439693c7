/** The validating isolates used today. The metrics object counts them for the whole deployment, since each is billed. */
import { METRICS_VERSION } from "../../durable-objects/metrics/protocol.ts";
import { NATIVE_HASHES } from "../../registry/native-hashes.ts";
import type { Edge } from "../edge.ts";
import { answerWithin } from "../metrics/deadline.ts";
import { openMetrics } from "../metrics/flush.ts";

/** After that the interpreter decides: it takes milliseconds for most values. */
const COUNTED_WITHIN_MS = 500;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What this isolate of the edge knows about today's budget. */
export class LoadedIsolates {
  #day = 0;
  #isSpent = false;
  readonly #admitted = new Set<string>();

  /** Whether an isolate may be used: because it was used today, or because the budget allows another. */
  async admit({ env, counters, now }: Edge, key: string): Promise<boolean> {
    const day = Math.floor(now() / DAY_MS);
    if (day !== this.#day) {
      this.#admitted.clear();
      this.#isSpent = false;
    }
    this.#day = day;
    if (this.#admitted.has(key)) return true;
    if (this.#isSpent) return false;
    const hash = NATIVE_HASHES.sha256([key]);
    const answer = await answerWithin(
      COUNTED_WITHIN_MS,
      openMetrics(env).admitIsolate({ v: METRICS_VERSION, hash, day }),
    );
    // Unreachable, or an older build during a deployment: the next request asks again.
    if (answer === undefined || !answer.ok) return false;
    counters.add("registry_validating_isolates_total", [answer.value.admitted ? "started" : "over_budget"]);
    if (answer.value.admitted) this.#admitted.add(key);
    else this.#isSpent = true;
    return answer.value.admitted;
  }
}

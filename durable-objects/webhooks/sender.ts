/** Sends deliveries concurrently: limited in total and per endpoint, round-robin, healthy endpoints first. */
import type { Deliveries, DeliveryRow, EndpointState } from "./deliveries.ts";
import { circuitState } from "./schedule.ts";

/**
 * Six connections may wait for a response simultaneously
 * (https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections); one is reserved for the
 * primary and for tests.
 */
export const MAX_CONCURRENT = 5;
export const MAX_CONCURRENT_PER_ENDPOINT = 2;
/** Connections for failing endpoints together, one each; the rest are for healthy ones. */
export const MAX_CONCURRENT_FAILING = 3;
/** When a running alarm stops starting deliveries; the platform allows it 15 minutes. */
const RUN_MS = 5 * 60 * 1_000;
/** How often due deliveries that found no free connection are checked again. */
const SHORTEST_WAIT_MS = 50;

type Sending = {
  now(): number;
  /** Converts a time of `now` to the runtime's clock. */
  alarmAt(atMs: number): number;
  /** Sends one delivery and records the result. */
  deliver(state: EndpointState, row: DeliveryRow): Promise<void>;
};

export class Sender {
  readonly #deliveries: Deliveries;
  readonly #sending: Sending;
  /** Keys of deliveries in flight, by endpoint. */
  readonly #underWay = new Map<string, Set<number>>();
  #wake = Promise.withResolvers<void>();
  /** The endpoint that was served last. */
  #turn = 0;

  constructor(deliveries: Deliveries, sending: Sending) {
    this.#deliveries = deliveries;
    this.#sending = sending;
  }

  /** Sends until nothing is due or in flight. */
  async sendDue(): Promise<void> {
    const startNothingAfterMs = Date.now() + RUN_MS;
    const running = new Set<Promise<void>>();
    for (;;) {
      this.#wake = Promise.withResolvers<void>();
      while (running.size < MAX_CONCURRENT && Date.now() < startNothingAfterMs) {
        const next = this.#takeNext();
        if (!next) break;
        const work: Promise<void> = this.#sending.deliver(next.state, next.row).finally(() => {
          this.#underWayTo(next.row.webhook_id).delete(next.row.delivery_key);
          running.delete(work);
        });
        running.add(work);
      }
      if (running.size === 0) return;
      await this.#untilNextDue([...running, this.#wake.promise]);
    }
  }

  /** Wakes the loop: a delivery has become due. */
  wake(): void {
    this.#wake.resolve();
  }

  /** When the next delivery that is not in flight becomes due. */
  nextDueMs(): number | null {
    const times: number[] = [];
    for (const { webhook, circuit, goneAtSeq } of this.#deliveries.endpoints()) {
      if (!webhook.enabled || goneAtSeq !== null || this.#underWayTo(webhook.id).size > 0) continue;
      const dueMs = this.#deliveries.firstDueMs(webhook.id);
      if (dueMs !== null) times.push(Math.max(dueMs, circuit.openUntilMs ?? 0));
    }
    return times.length === 0 ? null : Math.min(...times);
  }

  #takeNext(): { state: EndpointState; row: DeliveryRow } | undefined {
    const nowMs = this.#sending.now();
    const states = this.#deliveries.endpoints();
    const failing = states.filter(
      ({ webhook, circuit }) => circuit.failures > 0 && this.#underWayTo(webhook.id).size > 0,
    );
    for (let tried = 0; tried < states.length; tried += 1) {
      this.#turn = (this.#turn + 1) % states.length;
      const state = states[this.#turn]!;
      const { webhook, circuit } = state;
      if (!isTried(state, nowMs)) continue;
      const underWay = this.#underWayTo(webhook.id);
      const hasFailed = circuit.failures > 0 || circuit.openUntilMs !== null;
      if (underWay.size >= (hasFailed ? 1 : MAX_CONCURRENT_PER_ENDPOINT)) continue;
      if (hasFailed && failing.length >= MAX_CONCURRENT_FAILING) continue;
      const due = this.#deliveries.due(webhook.id, nowMs, underWay.size + 1);
      const row = due.find(({ delivery_key }) => !underWay.has(delivery_key));
      if (!row) continue;
      underWay.add(row.delivery_key);
      return { state, row };
    }
    return undefined;
  }

  /** Waits for the first to finish, or for another delivery to become due. */
  async #untilNextDue(promises: readonly Promise<void>[]): Promise<void> {
    const nextMs = this.nextDueMs();
    if (nextMs === null) return Promise.race(promises);
    const due = Promise.withResolvers<void>();
    const waitMs = Math.max(this.#sending.alarmAt(nextMs) - Date.now(), SHORTEST_WAIT_MS);
    const timer = setTimeout(due.resolve, Math.min(waitMs, RUN_MS));
    try {
      await Promise.race([...promises, due.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #underWayTo(webhookId: string): Set<number> {
    const known = this.#underWay.get(webhookId);
    if (known) return known;
    const fresh = new Set<number>();
    this.#underWay.set(webhookId, fresh);
    return fresh;
  }
}

/** Whether an endpoint accepts deliveries at all. */
export function isTried({ webhook, circuit, goneAtSeq }: EndpointState, nowMs: number): boolean {
  return webhook.enabled && goneAtSeq === null && circuitState(circuit, nowMs) !== "open";
}

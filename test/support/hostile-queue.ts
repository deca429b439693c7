/**
 * Cloudflare Queues as production behaves: messages of at most 128 KB, delivered at least once, in any order, in batches
 * (https://developers.cloudflare.com/queues/reference/delivery-guarantees/).
 */
import type { Random } from "./clock.ts";

/** https://developers.cloudflare.com/queues/platform/limits/ */
const MAX_MESSAGE_BYTES = 128_000;
const MAX_BATCH = 100;
const DUPLICATED = 0.2;

export class HostileQueue<T> {
  /** While true, sending fails as if the queue were unreachable. */
  away = false;
  readonly #random: Random;
  #waiting: T[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  binding(): Pick<Queue<T>, "send"> {
    const send = async (body: T) => {
      if (this.away) throw new Error("Queue send failed: Service Unavailable");
      const bytes = new TextEncoder().encode(JSON.stringify(body)).byteLength;
      if (bytes > MAX_MESSAGE_BYTES) {
        throw new Error(`Queue send failed: message length of ${bytes} bytes exceeds limit of ${MAX_MESSAGE_BYTES}`);
      }
      this.#waiting.push(structuredClone(body));
    };
    return { send } as unknown as Pick<Queue<T>, "send">;
  }

  /** The messages sent since the last call, some of them twice and in random order, in batches. */
  takeBatches(): T[][] {
    const delivered = this.#waiting.flatMap((body) => (this.#random() < DUPLICATED ? [body, body] : [body]));
    this.#waiting = [];
    for (let at = delivered.length - 1; at > 0; at -= 1) {
      const other = Math.floor(this.#random() * (at + 1));
      [delivered[at], delivered[other]] = [delivered[other]!, delivered[at]!];
    }
    const batches: T[][] = [];
    while (delivered.length > 0) batches.push(delivered.splice(0, 1 + Math.floor(this.#random() * MAX_BATCH)));
    return batches;
  }
}

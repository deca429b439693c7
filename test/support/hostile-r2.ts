/** R2 as production behaves and the simulator does not: one write a second for an object (https://developers.cloudflare.com/r2/platform/limits/). */
import type { Clock } from "./clock";

const WRITES_PER_KEY_EVERY_MS = 1_000;

export type EdgeR2 = Pick<R2Bucket, "get" | "put" | "delete" | "head">;

export class HostileR2 {
  /** While true, every call fails as it does when R2 cannot be reached. */
  away = false;
  readonly #bucket: EdgeR2;
  readonly #clock: Clock;
  readonly #lastWriteAtMs = new Map<string, number>();

  constructor(bucket: EdgeR2, clock: Clock) {
    this.#bucket = bucket;
    this.#clock = clock;
  }

  binding(): EdgeR2 {
    const reachable =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        if (this.away) throw new Error("get: We encountered an internal error. Please try again. (10001)");
        return call(...args);
      };
    return {
      get: reachable((key: string) => this.#bucket.get(key)),
      head: reachable((key: string) => this.#bucket.head(key)),
      delete: reachable((key: string | string[]) => this.#bucket.delete(key)),
      put: reachable((key: string, value: ArrayBufferView) => {
        this.#countWrite(key);
        return this.#bucket.put(key, value);
      }),
    } as unknown as EdgeR2;
  }

  #countWrite(key: string): void {
    const now = this.#clock.now();
    if (now - (this.#lastWriteAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < WRITES_PER_KEY_EVERY_MS) {
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    }
    this.#lastWriteAtMs.set(key, now);
  }
}

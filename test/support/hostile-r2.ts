/**
 * R2 with production's behaviour that the simulator lacks: one write per second and object
 * (https://developers.cloudflare.com/r2/platform/limits/), and calls that fail.
 */
import type { Clock } from "./clock.ts";

const WRITES_PER_KEY_EVERY_MS = 1_000;

export type EdgeR2 = Pick<R2Bucket, "get" | "put" | "delete" | "head" | "list">;
type Bucket = Pick<R2Bucket, "get" | "put" | "delete"> & Partial<Pick<R2Bucket, "head" | "list">>;

/**
 * `refused`: nothing was written. `reply lost`: it was written, but the caller gets an error. `dropped`: the reverse.
 */
export type WriteFault = "refused" | "reply lost" | "dropped";

export class HostileR2 {
  /** While true, every call fails as if R2 were unreachable. */
  away = false;
  /** The effect on the next write, by the object's key and the number of previous writes. */
  writeFault: (key: string, writes: number) => WriteFault | undefined = () => undefined;
  /** The duration of every call, on the test's clock. */
  delayMs = 0;
  /** Attempted writes. */
  writes = 0;
  readonly #bucket: Bucket;
  readonly #clock: Clock;
  readonly #lastWriteAtMs = new Map<string, number>();

  constructor(bucket: Bucket, clock: Clock) {
    this.#bucket = bucket;
    this.#clock = clock;
  }

  binding(): EdgeR2 {
    const reachable =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        this.#clock.advance(this.delayMs);
        if (this.away) throw internalError("get");
        return call(...args);
      };
    return {
      get: reachable((key: string) => this.#bucket.get(key)),
      head: reachable((key: string) => this.#bucket.head!(key)),
      list: reachable((options?: R2ListOptions) => this.#bucket.list!(options)),
      delete: reachable((key: string | string[]) => this.#bucket.delete(key)),
      put: reachable((key: string, value: ArrayBufferView | string, options?: R2PutOptions) =>
        this.#put(key, value, options),
      ),
    } as unknown as EdgeR2;
  }

  async #put(key: string, value: ArrayBufferView | string, options?: R2PutOptions): Promise<R2Object | null> {
    this.writes += 1;
    const fault = this.writeFault(key, this.writes - 1);
    if (fault === "refused") throw internalError("put");
    this.#countWrite(key);
    if (fault === "dropped") return { key, etag: "dropped" } as R2Object;
    const object = await this.#bucket.put(key, value, options);
    if (fault === "reply lost") throw internalError("put");
    return object;
  }

  #countWrite(key: string): void {
    const now = this.#clock.now();
    if (now - (this.#lastWriteAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < WRITES_PER_KEY_EVERY_MS) {
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    }
    this.#lastWriteAtMs.set(key, now);
  }
}

function internalError(call: string): Error {
  return new Error(`${call}: We encountered an internal error. Please try again. (10001)`);
}

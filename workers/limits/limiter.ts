/**
 * Requests per minute. Every isolate counts separately and leases tokens in blocks from a store shared by all, in the
 * background and at most once per second and name: no request waits for it, so a burst may exceed its limit by the
 * number that the isolates admit in a second. Without a reachable store, each isolate limits separately.
 */

export type Taken = {
  isAllowed: boolean;
  limit: number;
  remaining: number;
  /** Until the window ends. */
  resetSeconds: number;
};

/** Counts tokens of all isolates. */
export type LeaseStore = {
  /** Adds the tokens to those leased under the name in this minute, and returns the sum. */
  lease(name: string, minute: number, tokens: number): Promise<number>;
};

/** The parts of a request that the limiter needs. */
type LimitedBy = { store: LeaseStore | undefined; nowMs: number; waitUntil(promise: Promise<unknown>): void };

const WINDOW_MS = 60_000;
/** A twentieth of the limit is leased at a time: small enough to share, large enough for few calls. */
const BLOCKS_PER_LIMIT = 20;
export const LEASE_INTERVAL_MS = 1_000;
/** While the store is unreachable. */
export const STORE_RETRY_MS = 5_000;
/** Maximum number of names counted; about 200 bytes each. Beyond it, the least recently used starts again. */
export const MAX_LIMITED_NAMES = 10_000;

type Window = {
  minute: number;
  used: number;
  /** Tokens that this isolate has leased. */
  leased: number;
  /** All isolates together have used up the limit. */
  isSpent: boolean;
  askedAtMs: number;
  isAsking: boolean;
};

export class Limiter {
  readonly #windows = new Map<string, Window>();
  #storeAwayUntilMs = 0;

  /** Takes one of `limit` tokens a minute, or `tokens` of them. */
  take(name: string, limit: number, by: LimitedBy, tokens = 1): Taken {
    const minute = Math.floor(by.nowMs / WINDOW_MS);
    const window = this.#window(name, minute);
    const isAllowed = !window.isSpent && window.used < limit;
    if (isAllowed) {
      window.used += tokens;
      this.#leaseAhead(name, limit, window, by);
    }
    return {
      isAllowed,
      limit,
      remaining: window.isSpent ? 0 : Math.max(0, limit - window.used),
      resetSeconds: Math.ceil(((minute + 1) * WINDOW_MS - by.nowMs) / 1_000),
    };
  }

  /** Whether a token is left, without taking it. */
  hasLeft(name: string, limit: number, nowMs: number): boolean {
    const window = this.#window(name, Math.floor(nowMs / WINDOW_MS));
    return !window.isSpent && window.used < limit;
  }

  #window(name: string, minute: number): Window {
    const known = this.#windows.get(name);
    if (known !== undefined) {
      if (known.minute !== minute) Object.assign(known, freshWindow(minute));
      return known;
    }
    const window = freshWindow(minute);
    this.#windows.set(name, window);
    if (this.#windows.size > MAX_LIMITED_NAMES) this.#windows.delete(this.#windows.keys().next().value!);
    return window;
  }

  #leaseAhead(name: string, limit: number, window: Window, { store, nowMs, waitUntil }: LimitedBy): void {
    if (store === undefined || window.isAsking || nowMs < this.#storeAwayUntilMs) return;
    const block = Math.max(1, Math.ceil(limit / BLOCKS_PER_LIMIT));
    if (window.leased - window.used > block / 2 || nowMs - window.askedAtMs < LEASE_INTERVAL_MS) return;
    window.isAsking = true;
    window.askedAtMs = nowMs;
    waitUntil(this.#lease(store, { name, limit, window, tokens: window.used - window.leased + block, nowMs }));
  }

  async #lease(
    store: LeaseStore,
    {
      name,
      limit,
      window,
      tokens,
      nowMs,
    }: { name: string; limit: number; window: Window; tokens: number; nowMs: number },
  ): Promise<void> {
    const { minute } = window;
    try {
      const leasedByAll = await store.lease(name, minute, tokens);
      if (window.minute !== minute) return;
      window.leased += tokens;
      // Tokens leased but not used by this isolate are not spent.
      if (leasedByAll - (window.leased - window.used) >= limit) window.isSpent = true;
    } catch {
      this.#storeAwayUntilMs = nowMs + STORE_RETRY_MS;
    } finally {
      window.isAsking = false;
    }
  }
}

function freshWindow(minute: number): Omit<Window, "isAsking"> & { isAsking: boolean } {
  return { minute, used: 0, leased: 0, isSpent: false, askedAtMs: Number.NEGATIVE_INFINITY, isAsking: false };
}

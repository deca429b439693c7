/** Reads through the cache: fresh, revalidated, from the network, or stale while the registry is away. */
import { ApiError, CircuitOpen, ConnectionLost, DeadlineExceeded } from "../errors.js";
import type { CallOptions, Source } from "../options.js";
import type { Cache, CacheEntry } from "./cache.js";
import { type AttemptLimits, type CallAnswer, type CallSettings, type Operation, runCall } from "./call.js";
import { STALE_ATTEMPT_TIMEOUT_MS, STALE_RETRY_MS, STALE_WARNING_INTERVAL_MS } from "./constants.js";
import type { Flights } from "./flight.js";
import { newestToken, parseToken, reachesToken, type Token, type TokenScope } from "./token.js";

export interface CachedRead {
  /** Parts of the key; they are never joined, so that no two names collide. */
  key: readonly (string | number)[];
  operation: Operation;
  scope: TokenScope;
  lifetimeMs(headers: Headers): number;
  subject?: string;
  /** The subject, if the answer names it, as a record does. */
  subjectOf?(value: unknown): string | undefined;
}

export interface ReadAnswer {
  value: unknown;
  source: Source;
  stale: boolean;
}

export interface ReadSettings extends CallSettings {
  cache: Cache;
  flights: Flights;
  staleLifetimeMs: number;
  /**
   * Of the client whose reads its copies share. A shared read takes at most this long, and each caller waits at most
   * its own timeout.
   */
  sharedTimeoutMs: number;
  warn: (message: string) => void;
}

/** While a stale value is available, one short attempt is better than three long ones. */
const STAND_IN_LIMITS: AttemptLimits = { maxAttempts: 1, timeoutMs: STALE_ATTEMPT_TIMEOUT_MS };

export class Reader {
  readonly #settings: ReadSettings;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: ReadSettings) {
    this.#settings = settings;
  }

  async read(read: CachedRead, call: CallOptions): Promise<ReadAnswer> {
    const { cache, flights, tokens, clock } = this.#settings;
    const given = parseToken(call.minToken);
    const required = given === undefined ? tokens.wrote : newestToken(tokens.wrote, given);
    const key = JSON.stringify(read.key);
    const entry = cache.read(key);
    const nowMs = clock.monotonicMs();
    const usable = entry !== undefined && reachesToken(entry.token, required, read.scope) ? entry : undefined;
    if (usable !== undefined && nowMs - usable.storedAtMs < usable.lifetimeMs) {
      cache.stats.hits += 1;
      return { value: usable.value, source: "cache", stale: false };
    }
    const standIn = usable !== undefined && this.#mayStandIn(usable, nowMs) ? usable : undefined;
    if (standIn !== undefined && nowMs < standIn.staleUntilMs) return this.#giveStale(standIn);
    const longestMs = Math.max(this.#settings.sharedTimeoutMs, this.#settings.timeoutMs);
    const { timeoutMs = this.#settings.timeoutMs, ...shared } = call;
    const join = (leave: AbortSignal | undefined) =>
      flights.join(`${key} ${required?.text ?? ""} ${longestMs}`, leave, (signal) =>
        this.#ask(read, key, { ...shared, timeoutMs: longestMs, signal }, entry, standIn),
      );
    const ownMs = Math.min(timeoutMs, this.#settings.timeoutMs);
    return ownMs < longestMs ? this.#leaveAfter(ownMs, call.signal, join, standIn) : join(call.signal);
  }

  /** Ends for this caller at its own timeout, independent of the other callers' timeouts. */
  async #leaveAfter(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    join: (leave: AbortSignal) => Promise<ReadAnswer>,
    standIn: CacheEntry | undefined,
  ): Promise<ReadAnswer> {
    signal?.throwIfAborted();
    const leave = new AbortController();
    // At least one attempt was made; further ones belong to the callers that still wait.
    const expired = new DeadlineExceeded(timeoutMs, 1);
    const stopTimer = this.#settings.clock.startTimer(timeoutMs, () => leave.abort(expired));
    const cancel = () => leave.abort(signal?.reason);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await join(leave.signal);
    } catch (error) {
      if (error !== expired || standIn === undefined) throw error;
      return this.#standIn(standIn);
    } finally {
      stopTimer();
      signal?.removeEventListener("abort", cancel);
    }
  }

  async #ask(
    read: CachedRead,
    key: string,
    call: CallOptions,
    entry: CacheEntry | undefined,
    standIn: CacheEntry | undefined,
  ): Promise<ReadAnswer> {
    const { cache } = this.#settings;
    const { generation } = cache;
    const headers = { ...read.operation.headers, ...(entry?.etag ? { "If-None-Match": entry.etag } : {}) };
    let answer: CallAnswer;
    try {
      const settings = { ...this.#settings, timeoutMs: call.timeoutMs ?? this.#settings.timeoutMs };
      answer = await runCall(settings, { ...read.operation, headers }, call, standIn && STAND_IN_LIMITS);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 403)) cache.remove(key);
      if (standIn === undefined || !isRegistryAway(error)) throw error;
      return this.#standIn(standIn);
    }
    const served = { token: answer.token, stale: answer.headers.get("X-Registry-Stale") === "true" };
    if (answer.status === 304 && entry !== undefined) return this.#renew(read, entry, answer, served);
    cache.stats.misses += 1;
    const value: unknown = freeze(JSON.parse(answer.text));
    if (cache.generation === generation && !served.stale) {
      cache.store(key, {
        value,
        etag: answer.headers.get("ETag") ?? undefined,
        token: served.token,
        storedAtMs: this.#settings.clock.monotonicMs(),
        lifetimeMs: read.lifetimeMs(answer.headers),
        bytes: answer.text.length,
        subject: read.subject ?? read.subjectOf?.(value),
        staleUntilMs: 0,
      });
    }
    return { value, source: "network", stale: served.stale };
  }

  #renew(
    read: CachedRead,
    entry: CacheEntry,
    answer: CallAnswer,
    served: { token: Token | undefined; stale: boolean },
  ): ReadAnswer {
    this.#settings.cache.stats.revalidated += 1;
    if (served.token !== undefined)
      entry.token = entry.token === undefined ? served.token : newestToken(entry.token, served.token);
    if (!served.stale) {
      entry.storedAtMs = this.#settings.clock.monotonicMs();
      entry.lifetimeMs = read.lifetimeMs(answer.headers);
      entry.staleUntilMs = 0;
    }
    return { value: entry.value, source: "revalidated", stale: served.stale };
  }

  #mayStandIn(entry: CacheEntry, nowMs: number): boolean {
    return nowMs - entry.storedAtMs <= this.#settings.staleLifetimeMs;
  }

  #standIn(entry: CacheEntry): ReadAnswer {
    entry.staleUntilMs = this.#settings.clock.monotonicMs() + STALE_RETRY_MS;
    return this.#giveStale(entry);
  }

  #giveStale(entry: CacheEntry): ReadAnswer {
    const { cache, clock, warn } = this.#settings;
    cache.stats.stale += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#warnedAtMs >= STALE_WARNING_INTERVAL_MS) {
      this.#warnedAtMs = nowMs;
      warn("The registry cannot be reached; answers come from expired cache entries.");
    }
    return { value: entry.value, source: "stale", stale: true };
  }
}

function isRegistryAway(error: unknown): boolean {
  if (error instanceof ConnectionLost || error instanceof DeadlineExceeded || error instanceof CircuitOpen) return true;
  return error instanceof ApiError && error.status >= 502 && error.status <= 504;
}

/** Cached values are shared by all callers, so none may change them. */
function freeze(value: unknown): unknown {
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    Object.freeze(next);
    for (const member of Object.values(next)) if (typeof member === "object" && member !== null) open.push(member);
  }
  return value;
}

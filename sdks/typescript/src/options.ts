/** The options of a client and of one call. */

import type { BreakerOptions, BreakerState } from "./engine/breaker.js";
import type { Clock } from "./engine/clock.js";
import { CALL_TIMEOUT_MS, LONGEST_HEAD_LIFETIME_MS, MAX_APP_CHARACTERS, MAX_ATTEMPTS } from "./engine/constants.js";
import { ConfigurationError } from "./errors.js";

/** Where a value came from. */
export type Source = "network" | "cache" | "revalidated" | "stale";

/** What the metrics hook receives: once for each attempt and once for each call. */
export interface ClientEvent {
  kind: "attempt" | "call";
  /** The method's name, in snake_case as the API has it. */
  operation: string;
  /** Counted from 1; for a call, the number of attempts. */
  attempt: number;
  status: number | undefined;
  /** The error's code, if it failed. */
  code: string | undefined;
  ms: number;
  source: Source | undefined;
  /** The wait before the next attempt. */
  waitMs: number;
  breaker: BreakerState;
}

export interface CacheOptions {
  /** 1,000. 0 keeps nothing. */
  maxEntries?: number;
  /** 64 MiB of answers. */
  maxBytes?: number;
  /** How long `latest` and ranges may be kept: 60,000, at most 300,000. */
  headLifetimeMs?: number;
  /** The maximum age of an expired entry that is served while the registry is unreachable: 86,400,000. 0 serves none. */
  staleLifetimeMs?: number;
}

export interface ClientOptions {
  apiKey?: string;
  /** The context of bare subject names. The default context. */
  context?: string;
  /** For a whole call: 30,000. */
  timeoutMs?: number;
  /** For one attempt: 12,000. */
  attemptTimeoutMs?: number;
  /** 3. 1 asks once. */
  maxAttempts?: number;
  cache?: CacheOptions;
  breaker?: BreakerOptions;
  /** Your program's name and version, for the registry's logs: `billing/2.1`. */
  app?: string;
  fetch?: typeof fetch;
  clock?: Clock;
  /** Random numbers from [0, 1) for the jitter of waits. Math.random. */
  random?: () => number;
  /** The metrics hook. What it throws is logged once and ignored. */
  onEvent?: (event: ClientEvent) => void;
  /** Receives a line for each attempt, without bodies, keys or query values. */
  debug?: (line: string) => void;
}

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
  /** For writes; otherwise each call makes its own. */
  idempotencyKey?: string;
  /** A token of another process; answers are never older than that state. */
  minToken?: string;
  requestId?: string;
}

/** Refuses invalid options. */
export function checkOptions(url: string, options: ClientOptions): URL {
  const { timeoutMs = CALL_TIMEOUT_MS, maxAttempts = MAX_ATTEMPTS, attemptTimeoutMs = 1, app = "" } = options;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new ConfigurationError("The registry's address is not a URL; expected for example http://localhost:8080.");
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new ConfigurationError(`The registry's address starts with ${parsed.protocol}; expected http: or https:.`);
  }
  checkTimeout("timeoutMs", timeoutMs);
  checkTimeout("attemptTimeoutMs", attemptTimeoutMs);
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1)
    throw new ConfigurationError("maxAttempts is a whole number from 1.");
  const headLifetimeMs = options.cache?.headLifetimeMs ?? 0;
  if (!(headLifetimeMs >= 0 && headLifetimeMs <= LONGEST_HEAD_LIFETIME_MS)) {
    throw new ConfigurationError(`cache.headLifetimeMs is between 0 and ${LONGEST_HEAD_LIFETIME_MS}.`);
  }
  if (!/^[\x20-\x7e]*$/.test(app) || app.length > MAX_APP_CHARACTERS) {
    throw new ConfigurationError(`app is at most ${MAX_APP_CHARACTERS} printable ASCII characters.`);
  }
  return parsed;
}

export function checkTimeout(name: string, ms: number): void {
  if (!(ms > 0)) throw new ConfigurationError(`${name} is a number of milliseconds above 0.`);
}

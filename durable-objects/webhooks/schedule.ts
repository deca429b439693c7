/** Retry times and circuit breaker of endpoints. Pure: time and randomness are arguments. */

/** How long a delivery is retried before it becomes a dead letter. */
export const DELIVERY_LIFETIME_MS = 24 * 60 * 60 * 1_000;

/** Delays after failures: tripled each time up to four hours, then constant. 14 attempts in 24 hours. */
export const RETRY_DELAYS_SECONDS = [5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 14_400] as const;
/** Jitter, so that deliveries that failed together are not retried together. */
export const JITTER = 0.2;
/** Cap of `Retry-After`: an endpoint may delay a delivery, but not until it expires. */
export const MAX_RETRY_AFTER_MS = 60 * 60 * 1_000;

/** Time of the next attempt; null once expired. The last attempt is made at the expiry time. */
export function nextAttemptMs(
  failures: number,
  {
    nowMs,
    expiresAtMs,
    retryAfterMs,
    random,
  }: {
    nowMs: number;
    expiresAtMs: number;
    retryAfterMs: number;
    /** From 0 to 1. */
    random: number;
  },
): number | null {
  if (nowMs >= expiresAtMs) return null;
  const seconds = RETRY_DELAYS_SECONDS[Math.min(failures, RETRY_DELAYS_SECONDS.length) - 1] ?? RETRY_DELAYS_SECONDS[0];
  const pauseMs = seconds * 1_000 * (1 - JITTER + 2 * JITTER * random);
  return Math.min(nowMs + Math.round(Math.max(pauseMs, retryAfterMs)), expiresAtMs);
}

/** Milliseconds of a `Retry-After` header, capped; 0 if it cannot be parsed (RFC 9110 §10.2.3). */
export function parseRetryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : 0;
}

/** Consecutive failures that open the circuit. */
export const FAILURES_TO_OPEN = 5;
const FIRST_OPEN_MS = 30_000;
const MAX_OPEN_MS = 60 * 60 * 1_000;

/** Health of an endpoint. With `openUntilMs` in the past, one delivery probes it. */
export type Circuit = { failures: number; opens: number; openUntilMs: number | null };

export const CLOSED: Circuit = { failures: 0, opens: 0, openUntilMs: null };

export function circuitState({ openUntilMs }: Circuit, nowMs: number): "closed" | "open" | "half_open" {
  if (openUntilMs === null) return "closed";
  return nowMs < openUntilMs ? "open" : "half_open";
}

/** Opens after five consecutive failures; each failed probe doubles the time, up to an hour. */
export function afterFailure(circuit: Circuit, nowMs: number): Circuit {
  const failures = circuit.failures + 1;
  // Requests in flight when the circuit opened carry no new information.
  if (circuitState(circuit, nowMs) === "open" || failures < FAILURES_TO_OPEN) return { ...circuit, failures };
  const openMs = Math.min(FIRST_OPEN_MS * 2 ** Math.min(circuit.opens, 20), MAX_OPEN_MS);
  return { failures, opens: circuit.opens + 1, openUntilMs: nowMs + openMs };
}

/** Opens the circuit because the endpoint asked for it with `Retry-After`. */
export function heldOff(circuit: Circuit, untilMs: number): Circuit {
  return { ...circuit, openUntilMs: Math.max(circuit.openUntilMs ?? 0, untilMs) };
}

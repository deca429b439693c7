/** When a delivery is tried again, and when an endpoint is left alone. Pure: time and chance come in. */

/** An event is tried for this long, then it is a dead letter. */
export const DELIVERY_LIFETIME_MS = 24 * 60 * 60 * 1_000;

/** Pauses after each failure, three times the one before, up to four hours, which then repeat: 14 attempts in 24 hours. */
export const RETRY_DELAYS_SECONDS = [5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 14_400] as const;
/** A pause is this much shorter or longer, so that what failed together is not tried together. */
export const JITTER = 0.2;
/** A `Retry-After` beyond this is taken as this: an endpoint may ask for time, not for the delivery to die. */
export const MAX_RETRY_AFTER_MS = 60 * 60 * 1_000;

/** When to try again after a failure; null: never, its time is over. The last attempt is made when the time ends. */
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

/** Milliseconds that a `Retry-After` header asks for, bounded; 0 where it says nothing that can be read (RFC 9110 §10.2.3). */
export function parseRetryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : 0;
}

/** Failures in a row after which an endpoint is left alone. */
export const FAILURES_TO_OPEN = 5;
const FIRST_OPEN_MS = 30_000;
const MAX_OPEN_MS = 60 * 60 * 1_000;

/** How an endpoint has fared. `openUntilMs` in the past: one delivery may try whether it is back. */
export type Circuit = { failures: number; opens: number; openUntilMs: number | null };

export const CLOSED: Circuit = { failures: 0, opens: 0, openUntilMs: null };

export function circuitState({ openUntilMs }: Circuit, nowMs: number): "closed" | "open" | "half_open" {
  if (openUntilMs === null) return "closed";
  return nowMs < openUntilMs ? "open" : "half_open";
}

/** Opens after five failures in a row, and after every failed probe for twice as long, up to an hour. */
export function afterFailure(circuit: Circuit, nowMs: number): Circuit {
  const failures = circuit.failures + 1;
  // What was under way when the circuit opened says nothing new.
  if (circuitState(circuit, nowMs) === "open" || failures < FAILURES_TO_OPEN) return { ...circuit, failures };
  const openMs = Math.min(FIRST_OPEN_MS * 2 ** Math.min(circuit.opens, 20), MAX_OPEN_MS);
  return { failures, opens: circuit.opens + 1, openUntilMs: nowMs + openMs };
}

/** Leaves an endpoint alone that has asked for it, however well it fared. */
export function heldOff(circuit: Circuit, untilMs: number): Circuit {
  return { ...circuit, openUntilMs: Math.max(circuit.openUntilMs ?? 0, untilMs) };
}

/** Which answers are retried, and after what delay. */
import { FIRST_WAIT_MS, LONGEST_WAIT_MS } from "./constants.js";

/** 409 is a verdict, and 500 a fault that a retry would meet again; neither is retried. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Where the registry takes no Idempotency-Key, a change is retried only if the answer says that nothing was done. */
const RETRIED_WITHOUT_KEY: ReadonlySet<number> = new Set([429, 503]);

export function isRetriedStatus(status: number, mayRepeat: boolean): boolean {
  return (mayRepeat ? RETRIED_STATUSES : RETRIED_WITHOUT_KEY).has(status);
}

/** Full jitter: `random` is drawn from [0, 1). */
export function jitterMs(attempt: number, random: number, longestMs: number = LONGEST_WAIT_MS): number {
  return Math.floor(random * Math.min(longestMs, FIRST_WAIT_MS * 2 ** (attempt - 1)));
}

/** `Retry-After` as seconds or as a date; a time that has passed is 0. */
export function parseRetryAfterMs(header: string | null, wallMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^-?\d{1,9}$/.test(text)) return Math.max(0, Number(text) * 1000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - wallMs);
}

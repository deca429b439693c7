/** Which generations of an endpoint's keys sign. The keys themselves are derived from their numbers (signing.ts). */
import type { KeyGeneration } from "../../registry/webhook.ts";

/** After a rotation the key before goes on signing beside the new one. */
export const KEY_OVERLAP_MS = 24 * 60 * 60 * 1_000;
/** Each signs every delivery, and all signatures stand in one header. */
export const MAX_SIGNING_KEYS = 3;

/** The generations that sign at a time, newest first. */
export function signingKeys({ keys }: { keys: readonly KeyGeneration[] }, nowMs: number): KeyGeneration[] {
  return keys.filter((_key, index) => nowMs < (signsUntilMs(keys, index) ?? Number.POSITIVE_INFINITY)).toReversed();
}

/** Until when the key at an index signs; null: it is the current one. */
export function signsUntilMs(keys: readonly KeyGeneration[], index: number): number | null {
  const next = keys[index + 1];
  return next === undefined ? null : next.createdAtMs + KEY_OVERLAP_MS;
}

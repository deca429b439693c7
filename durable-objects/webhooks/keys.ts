/** Which key generations of an endpoint sign. Keys are derived from their generation number (signing.ts). */
import type { KeyGeneration } from "../../registry/webhook.ts";

/** How long the previous key keeps signing after a rotation. */
export const KEY_OVERLAP_MS = 24 * 60 * 60 * 1_000;
/** Every active key signs every delivery; all signatures share one header. */
export const MAX_SIGNING_KEYS = 3;

/** Generations that sign at `nowMs`, newest first. */
export function signingKeys({ keys }: { keys: readonly KeyGeneration[] }, nowMs: number): KeyGeneration[] {
  return keys.filter((_key, index) => nowMs < (signsUntilMs(keys, index) ?? Number.POSITIVE_INFINITY)).toReversed();
}

/** Until when the key at an index signs; null for the current key. */
export function signsUntilMs(keys: readonly KeyGeneration[], index: number): number | null {
  const next = keys[index + 1];
  return next === undefined ? null : next.createdAtMs + KEY_OVERLAP_MS;
}

/** A webhook endpoint in the log and the state: its filters and signatures, never its secrets. */

import { matchesGlob } from "../schema/glob.ts";
import type { RegistryEvent } from "./event.ts";

/** Every event writes a row per matching endpoint, in one transaction. */
export const MAX_WEBHOOKS = 50;
export const MAX_WEBHOOK_URL_CHARACTERS = 2_048;
/** Limit for subject globs and for type globs, enforced by the OpenAPI document. */
export const MAX_WEBHOOK_FILTERS = 100;
export const MAX_WEBHOOK_DESCRIPTION_CHARACTERS = 1_024;
/**
 * Total length of the subject globs. Matching takes at most this times the length of the name, per event and endpoint: 4,000
 * × 511 is a few milliseconds.
 */
export const MAX_WEBHOOK_SUBJECTS_CHARACTERS = 4_000;

/** Standard Webhooks signatures `v1` and `v1a`. */
export const SIGNATURE_ALGORITHMS = ["hmac-sha256", "ed25519"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** Keys are derived from the generation's number (keys.ts), so only the number is stored. */
export type KeyGeneration = { generation: number; createdAtMs: number };

export type WebhookSettings = {
  url: string;
  description: string | null;
  /** Globs over qualified subjects; empty: all. */
  subjects: readonly string[];
  /** Globs over entry types; empty: all. */
  types: readonly string[];
  enabled: boolean;
  /** At least one. */
  algorithms: readonly SignatureAlgorithm[];
};

/** An endpoint as log entries contain it. */
export type StoredEndpoint = WebhookSettings & {
  /** Who disabled it; null while enabled. `gone`: the endpoint answered 410. */
  disabledBy: "administrator" | "gone" | null;
  /** Oldest first: previous generations that may still sign, then the current one. */
  keys: readonly KeyGeneration[];
};

/** Null: deleted. */
export type WebhookChange = { id: string; endpoint: StoredEndpoint | null };

/** An endpoint as the webhooks object knows it, after the last entry about it. */
export type HeardEndpoint = StoredEndpoint & {
  /** UUIDv7. */
  id: string;
  seq: number;
};

export type WebhookEndpoint = HeardEndpoint & {
  /** The endpoint receives entries after this one. */
  createdSeq: number;
  createdAtMs: number;
  createdBy: string;
  updatedAtMs: number;
};

/**
 * Whether an endpoint receives an event. Events about several subjects match every subject filter, because delivering once
 * too often is better than missing one. Changes to an endpoint itself are never sent to it.
 */
export function isHeard(
  endpoint: HeardEndpoint,
  event: { type: string } & Pick<RegistryEvent, "subject" | "webhook">,
): boolean {
  const { id, enabled, subjects, types } = endpoint;
  if (!enabled || event.webhook?.id === id) return false;
  if (types.length > 0 && !types.some((type) => matchesGlob(type, event.type))) return false;
  const { subject } = event;
  return subjects.length === 0 || subject === null || subjects.some((glob) => matchesGlob(glob, subject));
}

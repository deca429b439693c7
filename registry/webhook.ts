/** A webhook endpoint as the log and the state hold it: who is told of what, and how it is signed. Never a secret. */

import { matchesGlob } from "../schema/glob.ts";
import type { RegistryEvent } from "./event.ts";

/** Every event costs a row for each endpoint that hears it, written in one transaction. */
export const MAX_WEBHOOKS = 50;
export const MAX_WEBHOOK_URL_CHARACTERS = 2_048;
/** Globs of subjects, and of types; the contract's document holds callers to these two. */
export const MAX_WEBHOOK_FILTERS = 100;
export const MAX_WEBHOOK_DESCRIPTION_CHARACTERS = 1_024;
/**
 * The subjects' globs together: matching takes at most their length times that of the name, for every event and endpoint.
 * 4,000 times 511 are some milliseconds at the worst.
 */
export const MAX_WEBHOOK_SUBJECTS_CHARACTERS = 4_000;

/** How deliveries are signed, as Standard Webhooks names it: `v1` and `v1a`. */
export const SIGNATURE_ALGORITHMS = ["hmac-sha256", "ed25519"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** Keys are derived from the generation's number (keys.ts), so naming it is all that is stored. */
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

/** What an entry says of an endpoint. */
export type StoredEndpoint = WebhookSettings & {
  /** Who switched it off; null while it is enabled. `gone`: it answered 410 itself. */
  disabledBy: "administrator" | "gone" | null;
  /** Oldest first: those before, while they may still sign, and the current one. */
  keys: readonly KeyGeneration[];
};

/** Null: it was deleted. */
export type WebhookChange = { id: string; endpoint: StoredEndpoint | null };

/** As those know it who send: as the entry left it that was the last about it. */
export type HeardEndpoint = StoredEndpoint & {
  /** UUIDv7. */
  id: string;
  seq: number;
};

export type WebhookEndpoint = HeardEndpoint & {
  /** It hears what is logged after this. */
  createdSeq: number;
  createdAtMs: number;
  createdBy: string;
  updatedAtMs: number;
};

/**
 * Whether an endpoint is told of an event. One that is about more than one subject is told whatever subjects are asked for:
 * better once too often. Nobody is told of a change of their own endpoint.
 */
export function isHeard(endpoint: HeardEndpoint, event: RegistryEvent): boolean {
  const { id, enabled, subjects, types } = endpoint;
  if (!enabled || event.webhook?.id === id) return false;
  if (types.length > 0 && !types.some((type) => matchesGlob(type, event.type))) return false;
  const { subject } = event;
  return subjects.length === 0 || subject === null || subjects.some((glob) => matchesGlob(glob, subject));
}

/** A webhook endpoint as the log and the state hold it: who is told of what, and how it is signed. Never a secret. */
import { matchesGlob } from "../../schema/glob";
import type { RegistryEvent } from "../protocol";

/** Every event costs a row for each endpoint that hears it, written in one transaction. */
export const MAX_WEBHOOKS = 50;
export const MAX_WEBHOOK_URL_CHARACTERS = 2_048;
export const MAX_WEBHOOK_FILTERS = 100;
export const MAX_WEBHOOK_DESCRIPTION_CHARACTERS = 1_024;

/** How deliveries are signed, as Standard Webhooks names it: `v1` and `v1a`. */
export const SIGNATURE_ALGORITHMS = ["hmac-sha256", "ed25519"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** Keys are derived from the generation's number (keys.ts), so naming it is all that is stored. */
export type KeyGeneration = { generation: number; createdAtMs: number };

export type WebhookSettings = {
  url: string;
  description: string | null;
  /** Globs over qualified subjects; empty: every event, those about no single subject too. */
  subjects: readonly string[];
  /** Globs over entry types; empty: every type. */
  types: readonly string[];
  enabled: boolean;
  /** At least one. */
  algorithms: readonly SignatureAlgorithm[];
};

export type WebhookEndpoint = WebhookSettings & {
  /** UUIDv7. */
  id: string;
  /** Who switched it off; null while it is enabled. `gone`: it answered 410 itself. */
  disabledBy: "administrator" | "gone" | null;
  /** Oldest first: the one before, while it may still sign, and the current one. */
  keys: readonly KeyGeneration[];
  /** It hears entries after this seq: that of its creation, or of being enabled again. */
  hearsAfterSeq: number;
  createdAtMs: number;
  createdBy: string;
  updatedAtMs: number;
  /** Seq of the last entry about it. */
  seq: number;
};

/** Whether an endpoint is to be told of an event. One that names subjects hears only what is about a single one of them. */
export function isHeard({ enabled, subjects, types, hearsAfterSeq }: WebhookEndpoint, event: RegistryEvent): boolean {
  if (!enabled || event.seq <= hearsAfterSeq) return false;
  if (types.length > 0 && !types.some((type) => matchesGlob(type, event.type))) return false;
  const { subject } = event;
  return subjects.length === 0 || (subject !== null && subjects.some((glob) => matchesGlob(glob, subject)));
}

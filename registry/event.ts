/** Log entries as followers of the registry receive them. */

import type { AsOf, EntryType } from "./log-entry.ts";
import type { SchemaRecord } from "./record.ts";
import type { WebhookChange } from "./webhook.ts";
/** A log entry as those who follow the registry hear of it: what was done, and the records it was about as they are now. */
export type RegistryEvent = {
  epoch: number;
  seq: number;
  atMs: number;
  type: EntryType;
  /** Qualified outside the default context; null where the entry is about more than one subject. */
  subject: string | null;
  actor: string;
  requestId: string;
  /** Those that still exist, oldest first, at most MAX_EVENT_RECORDS. */
  records: readonly SchemaRecord[];
  /** How many records the entry was about. */
  recordCount: number;
  /** Some records are told without references, contract, description, tags and metadata, which are too large for an event. */
  trimmed: boolean;
  reason: string | null;
  /** The endpoint that a `webhook.changed` is about, for those who send; never in the envelope. */
  webhook?: WebhookChange;
  /** The entry came with a backup that was restored here: it is no news to anybody, and no webhook is told of it. */
  restored?: true;
};

export type EventPage = { events: RegistryEvent[]; asOf: AsOf };

/** An event names no more records than this; whoever needs the others lists the subject. */
export const MAX_EVENT_RECORDS = 20;

export const MAX_EVENT_PAGE = 500;

/** Events: log entries as followers receive them. */

import type { Plan } from "../schema/plan.ts";
import type { GroupedPlans } from "../schema/plan-groups.ts";
import type { AsOf, EntryType } from "./log-entry.ts";
import type { SchemaRecord } from "./record.ts";
import type { WebhookChange } from "./webhook.ts";
/** A log entry as an event: the change, and its records in their current state. */
export type RegistryEvent = {
  epoch: number;
  seq: number;
  atMs: number;
  type: EntryType;
  /** Qualified outside the default context; null if the entry concerns several subjects. */
  subject: string | null;
  actor: string;
  requestId: string;
  /** The records that still exist, oldest first, at most MAX_EVENT_RECORDS. */
  records: readonly SchemaRecord[];
  /** Number of records the entry concerns. */
  recordCount: number;
  /** Some records lack references, contract, description, tags and metadata, which were too large for the event. */
  trimmed: boolean;
  reason: string | null;
  /** What users of the version before the new one must do; only artefacts have one. */
  plan?: Plan;
  /** The plans of a whole change set, in the event that ends it. */
  plans?: GroupedPlans;
  /** The move of an alias, by version numbers. */
  alias?: { name: string; from: number | null; to: number | null };
  /** The entry's change set. */
  changeSet?: string;
  /** The endpoint of a `webhook.changed` entry, for the webhooks object; never part of the envelope. */
  webhook?: WebhookChange;
  /** The entry came with a restored backup; webhooks are not sent for it. */
  restored?: true;
};

export type EventPage = { events: RegistryEvent[]; asOf: AsOf };

/** Records per event; a consumer that needs the rest lists the subject. */
export const MAX_EVENT_RECORDS = 20;

export const MAX_EVENT_PAGE = 500;

/** RPC between the edge and a tenant's WebhooksObject: plain data, refusals as values. */

import type { Refusal } from "../../contract/errors.ts";
import type { Follower } from "../../registry/rpc.ts";
import type { Portability, PortabilityChange } from "../../schema/projection/portability.ts";
import type { Result } from "../../schema/result.ts";

export const DELIVERY_STATUSES = ["pending", "delivered", "dead"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One attempt. `status` is null without a response; `error` is null for a success. */
export type DeliveryAttempt = { atMs: number; status: number | null; latencyMs: number; error: string | null };

/** One event for one endpoint. */
export type Delivery = {
  /** The `webhook-id` header: the same for every attempt and replay of one event to one endpoint. */
  id: string;
  webhookId: string;
  /** Id of the CloudEvent. */
  eventId: string;
  /** Null for a test delivery and a notice. */
  seq: number | null;
  type: string;
  subject: string | null;
  status: DeliveryStatus;
  /** When the event was logged. */
  eventAtMs: number;
  /** Null unless pending. */
  nextAttemptAtMs: number | null;
  /** When attempts end. */
  expiresAtMs: number;
  /** The newest KEPT_ATTEMPTS, oldest first. */
  attempts: readonly DeliveryAttempt[];
};

/** Circuit state: `open` until a time, then `half_open` for one delivery. */
export type EndpointHealth = {
  circuit: "closed" | "open" | "half_open";
  consecutiveFailures: number;
  /** Null unless open. */
  openUntilMs: number | null;
  pending: number;
  dead: number;
  lastDeliveredAtMs: number | null;
};

/** Counters only grow; the other figures are current values. */
export type WebhooksStatus = {
  /** Checkpoint: the last log entry turned into deliveries. */
  seq: number;
  endpoints: { enabled: number; disabled: number };
  circuitsOpen: number;
  pending: number;
  /** Age of the oldest pending event; null without pending events. */
  oldestPendingMs: number | null;
  /** Dead letters that can be replayed. */
  deadLetters: number;
  counters: {
    /** Successful deliveries. */
    delivered: number;
    /** Attempts that failed. */
    failed: number;
    /** Attempts after a delivery's first. */
    retried: number;
    /** Deliveries that became dead letters. */
    dead: number;
    /** Replayed deliveries. */
    replayed: number;
  };
};

/** Identifies a repeated request: its key, and a digest of the request. */
export type OnceKey = { key: string; digest: string };

/** How far versions have been linted: with which profiles, and up to which record. */
export type PortabilityCheckpoint = { profiles: string; afterRecordKey: number };

export type LintedVersion = { recordId: string; subject: string; portability: Portability };

/** A notice without its record, which is read when it is sent. */
export type StoredNotice = { recordId: string; changes: readonly PortabilityChange[] };

export type Webhooks = Follower & {
  /** Null if no endpoint receives `portability.changed`, so that nothing needs to be linted. */
  portabilityCheckpoint(args: { v: number }): Promise<PortabilityCheckpoint | null>;
  /**
   * Stores summaries and the checkpoint, and sends a notice for each version whose summary differs from the stored one.
   * False if the checkpoint is no longer `from`, because another run came first; then nothing is stored.
   */
  reportPortability(args: {
    v: number;
    from: PortabilityCheckpoint;
    to: PortabilityCheckpoint;
    linted: readonly LintedVersion[];
  }): Promise<boolean>;
  status(): Promise<WebhooksStatus>;
  health(args: { webhookId: string }): Promise<EndpointHealth>;
  /** Newest first. `before` is the `next` of the previous page. */
  deliveries(args: {
    webhookId: string;
    status: DeliveryStatus | null;
    before: number | null;
    limit: number;
  }): Promise<{ items: Delivery[]; next: number | null }>;
  /** Makes one delivery due now, regardless of its status. */
  replay(args: {
    webhookId: string;
    deliveryId: string;
    once?: OnceKey | undefined;
  }): Promise<Result<Delivery, Refusal>>;
  /** Makes dead letters from a seq or time on due now, oldest first. */
  replayDead(args: {
    webhookId: string;
    sinceSeq: number | null;
    sinceMs: number | null;
    once?: OnceKey | undefined;
  }): Promise<Result<{ replayed: number; remaining: number }, Refusal>>;
  /** Sends a test delivery immediately and returns its result. */
  sendTest(args: {
    webhookId: string;
    actor: string;
    requestId: string;
    once?: OnceKey | undefined;
  }): Promise<Result<Delivery, Refusal>>;
};

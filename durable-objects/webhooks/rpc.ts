/** What the edge and a tenant's WebhooksObject say to each other: plain data, and refusals as values. */
import type { Refusal } from "../../contract/errors.ts";
import type { Follower } from "../../registry/rpc.ts";

export const DELIVERY_STATUSES = ["pending", "delivered", "dead"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One try. `status` is null where no answer came; `error` says why it did not count, null where it did. */
export type DeliveryAttempt = { atMs: number; status: number | null; latencyMs: number; error: string | null };

/** One event on its way to one endpoint. */
export type Delivery = {
  /** The `webhook-id` header: the same for every attempt and replay of one event to one endpoint. */
  id: string;
  webhookId: string;
  /** The CloudEvent's id. */
  eventId: string;
  /** Null for a test. */
  seq: number | null;
  type: string;
  subject: string | null;
  status: DeliveryStatus;
  /** When the event was logged. */
  eventAtMs: number;
  /** Null unless pending. */
  nextAttemptAtMs: number | null;
  /** Until when it is tried. */
  expiresAtMs: number;
  /** The newest KEPT_ATTEMPTS, oldest first. */
  attempts: readonly DeliveryAttempt[];
};

/** Whether an endpoint is being tried: `open` until a time, then `half_open` for one delivery. */
export type EndpointHealth = {
  circuit: "closed" | "open" | "half_open";
  consecutiveFailures: number;
  /** Null unless open. */
  openUntilMs: number | null;
  pending: number;
  dead: number;
  lastDeliveredAtMs: number | null;
};

/** Counters grow for ever; the others are as things stand. */
export type WebhooksStatus = {
  /** Up to where the log has been turned into deliveries. */
  seq: number;
  endpoints: { enabled: number; disabled: number };
  circuitsOpen: number;
  pending: number;
  /** Age of the oldest event that still waits for an endpoint; null where none does. */
  oldestPendingMs: number | null;
  /** Dead letters that can be replayed. */
  deadLetters: number;
  counters: {
    /** Deliveries that an endpoint took. */
    delivered: number;
    /** Attempts that failed. */
    failed: number;
    /** Attempts that were not a delivery's first. */
    retried: number;
    /** Deliveries given up. */
    dead: number;
    /** Deliveries brought back by hand. */
    replayed: number;
  };
};

export type Webhooks = Follower & {
  status(): Promise<WebhooksStatus>;
  health(args: { webhookId: string }): Promise<EndpointHealth>;
  /** Newest first. `before` is the `next` of the page before. */
  deliveries(args: {
    webhookId: string;
    status: DeliveryStatus | null;
    before: number | null;
    limit: number;
  }): Promise<{ items: Delivery[]; next: number | null }>;
  /** Makes one delivery due now, whatever became of it. */
  replay(args: { webhookId: string; deliveryId: string }): Promise<Delivery | Refusal>;
  /** Makes dead letters due now, oldest first, of events from a seq or a time on. */
  replayDead(args: {
    webhookId: string;
    sinceSeq: number | null;
    sinceMs: number | null;
  }): Promise<{ replayed: number; remaining: number }>;
  /** Sends a test at once and once, and gives what came of it. */
  sendTest(args: { webhookId: string; actor: string; requestId: string }): Promise<Delivery | Refusal>;
};

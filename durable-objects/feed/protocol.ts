/** The feed's protocol: RPC, socket messages, close codes and limits. */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { type Follower, PROTOCOL_VERSION } from "../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { Filter } from "./filter.ts";

/** Sockets per tenant. With 8 KiB outstanding each they hold 64 MiB; the platform allows four times as many. */
export const MAX_SUBSCRIBERS = 8_192;
/** Unacknowledged bytes of all subscribers together: half of an object's memory. */
export const MAX_UNACKED_BYTES_TOGETHER = 64 * 1024 * 1024;
/** How long a subscriber may stall before it is closed. */
export const STALL_GRACE_MS = 30_000;
/** A subscriber whose filter matches nothing receives its position once per this many events. */
export const POSITION_EVERY_EVENTS = 500;
/** Longest client message: `{"ack": …}` needs 24 characters. */
export const MAX_CLIENT_MESSAGE_CHARACTERS = 128;

/** Close codes (RFC 6455 §7.4.2 reserves 4000–4999 for applications). */
export const CLOSE_CODES = { badMessage: 4400, slow: 4008, renew: 4001 } as const;

/**
 * After this time a subscriber gets no further event until it has connected again, which decides anew whether it may: a
 * revoked key, an expired token or a suspended tenant.
 */
export const SUBSCRIPTION_LIFETIME_MS = 5 * 60_000;

/** Answered by the platform without waking the feed. */
export const PING = "ping";
export const PONG = "pong";

/** Messages other than events; events have no member `control`. */
export type ControlMessage =
  /** First message: events after `after` follow; the log currently ends at `seq`. */
  | { control: "started"; epoch: number; after: number; seq: number }
  /** Everything up to `seq` has been sent: the position to resume from. */
  | { control: "position"; epoch: number; seq: number };

/** A subscription. Without `after` it starts at the end of the log. */
export type Subscription = { filter: Filter; after: number | null };

/** One tenant's feed, for operators. Counters survive hibernation and restarts. */
export type FeedStatus = {
  /** Open sockets, SSE streams included. */
  subscribers: number;
  /** Subscribers that must acknowledge before more is sent. */
  stalled: number;
  /** Seq up to which the feed has read the log; null without subscribers. */
  tip: number | null;
  /** Events kept for reconnecting subscribers. */
  kept: number;
  /** Events sent to all subscribers since the feed was created. */
  sent: number;
  /** Subscribers closed for not acknowledging, since the feed was created. */
  droppedSlow: number;
};

/** Whether the feed has subscribers; if not, callers may skip nudges. */
export type Nudged = { listening: boolean };

/** The feed as the edge and the queue consumer call it. `fetch` takes a `subscriptionRequest`. */
export type Feed = {
  nudge(args: Parameters<Follower["nudge"]>[0]): Promise<Nudged>;
  status(args: { v: number }): Promise<FeedStatus>;
  fetch(request: Request): Promise<Response>;
};

/** A request for a socket: the feed answers 101 with the socket, or a refusal as JSON. */
export function subscriptionRequest(subscription: Subscription): Request {
  const url = new URL("https://feed.internal/");
  url.searchParams.set("v", String(PROTOCOL_VERSION));
  url.searchParams.set("subscription", JSON.stringify(subscription));
  return new Request(url, { headers: { Upgrade: "websocket" } });
}

/** Parses a `subscriptionRequest` in the feed. */
export function readSubscriptionRequest(request: Request): Result<Subscription, Refusal> {
  const { searchParams } = new URL(request.url);
  if (searchParams.get("v") !== String(PROTOCOL_VERSION) || request.headers.get("Upgrade") !== "websocket") {
    const detail = "A deployment is in progress: edge and feed run different versions. Retry the request.";
    return refuse(makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: 1 }));
  }
  return ok(JSON.parse(searchParams.get("subscription") ?? "") as Subscription);
}

/** Parses a client message: the acknowledged seq, or the problem with it. */
export function readClientMessage(message: string | ArrayBuffer): number | { problem: string } {
  if (typeof message !== "string") return { problem: "Messages must be text frames." };
  if (message.length > MAX_CLIENT_MESSAGE_CHARACTERS) {
    return { problem: `A message has at most ${MAX_CLIENT_MESSAGE_CHARACTERS} characters.` };
  }
  let said: unknown;
  try {
    said = JSON.parse(message);
  } catch {
    return { problem: "A message must be JSON." };
  }
  const { ack } = (typeof said === "object" ? (said ?? {}) : {}) as { ack?: unknown };
  if (!Number.isSafeInteger(ack) || (ack as number) < 0) return { problem: 'The only message is {"ack": <seq>}.' };
  return ack as number;
}

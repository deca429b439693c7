/** What is said to and by a tenant's feed: RPC, the socket's messages, its close codes, and the bounds of it. */
import { type Refusal, refuse } from "../../contract/errors.ts";
import { type Follower, PROTOCOL_VERSION } from "../../registry/rpc.ts";
import type { Filter } from "./filter.ts";

/** Sockets of one tenant. With 8 KiB outstanding each they hold 64 MiB; the platform takes four times as many. */
export const MAX_SUBSCRIBERS = 8_192;
/** What all of them together may not have acknowledged: half of what an object may hold in memory. */
export const MAX_UNACKED_BYTES_TOGETHER = 64 * 1024 * 1024;
/** How long a subscriber may keep events waiting before it is closed. */
export const STALL_GRACE_MS = 30_000;
/** A subscriber whose filter leaves out all that happens is told this often, in events, how far it is. */
export const POSITION_EVERY_EVENTS = 500;
/** The longest message that a client may send: `{"ack": …}` has 24 characters. */
export const MAX_CLIENT_MESSAGE_CHARACTERS = 128;

/** Close codes of the feed's own (RFC 6455 §7.4.2 leaves 4000 to 4999 to applications). */
export const CLOSE_CODES = { badMessage: 4400, slow: 4008 } as const;

/** Sent and answered without the feed waking up. */
export const PING = "ping";
export const PONG = "pong";

/** Every message of the feed but the events themselves, which have no member `control`. */
export type ControlMessage =
  /** The first one: events follow from `after` on; `seq` is where the log ends at this moment. */
  | { control: "started"; epoch: number; after: number; seq: number }
  /** Nothing up to `seq` is left to send: the place to resume at. */
  | { control: "position"; epoch: number; seq: number };

/** What a subscriber asks for. Without `after`: what happens from now on. */
export type Subscription = { filter: Filter; after: number | null };

/** What the operator sees of one tenant's feed. Counters go on over hibernation and restarts. */
export type FeedStatus = {
  /** Sockets that are open now, those of SSE streams included. */
  subscribers: number;
  /** Of these, how many wait for an acknowledgement before they are sent more. */
  stalled: number;
  /** The seq up to which the feed has read the log; null while nobody listens. */
  tip: number | null;
  /** Events kept for those who reconnect. */
  kept: number;
  /** Events sent, to all subscribers together, ever. */
  sent: number;
  /** Subscribers that were closed because they did not acknowledge, ever. */
  droppedSlow: number;
};

/** Whether anybody would have heard of it: if not, whoever tells of many changes may leave some out. */
export type Nudged = { listening: boolean };

/** The verbs of a feed, as the edge and the queue's consumer see them. `fetch` takes a `subscriptionRequest`. */
export type Feed = {
  nudge(args: Parameters<Follower["nudge"]>[0]): Promise<Nudged>;
  status(args: { v: number }): Promise<FeedStatus>;
  fetch(request: Request): Promise<Response>;
};

/** Asks a feed for a socket: answered with status 101 and the socket, or with a refusal as JSON. */
export function subscriptionRequest(subscription: Subscription): Request {
  const url = new URL("https://feed.internal/");
  url.searchParams.set("v", String(PROTOCOL_VERSION));
  url.searchParams.set("subscription", JSON.stringify(subscription));
  return new Request(url, { headers: { Upgrade: "websocket" } });
}

/** The feed's half of `subscriptionRequest`. */
export function readSubscriptionRequest(request: Request): Subscription | Refusal {
  const { searchParams } = new URL(request.url);
  if (searchParams.get("v") !== String(PROTOCOL_VERSION) || request.headers.get("Upgrade") !== "websocket") {
    const detail = "A deployment is under way: edge and feed do not speak the same version yet.";
    return refuse("NOT_READY", [detail], detail, { retryAfterSeconds: 1 });
  }
  return JSON.parse(searchParams.get("subscription") ?? "") as Subscription;
}

/** A client's message: the seq it acknowledges, or what is wrong with the message. */
export function readClientMessage(message: string | ArrayBuffer): number | { problem: string } {
  if (typeof message !== "string") return { problem: "Messages are text." };
  if (message.length > MAX_CLIENT_MESSAGE_CHARACTERS) {
    return { problem: `A message has at most ${MAX_CLIENT_MESSAGE_CHARACTERS} characters.` };
  }
  let said: unknown;
  try {
    said = JSON.parse(message);
  } catch {
    return { problem: "A message is JSON." };
  }
  const { ack } = (typeof said === "object" ? (said ?? {}) : {}) as { ack?: unknown };
  if (!Number.isSafeInteger(ack) || (ack as number) < 0) return { problem: 'The only message is {"ack": <seq>}.' };
  return ack as number;
}

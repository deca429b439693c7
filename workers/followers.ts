/** The objects that follow a tenant's log, by name, and the shortest way to tell the feed that it has grown. */
import type { Feed } from "../durable-objects/feed/protocol";
import { EPOCH, PROTOCOL_VERSION } from "../durable-objects/protocol";
import type { Webhooks } from "../durable-objects/webhooks/rpc";
import type { Bindings, Edge } from "./edge";

export function feedOf(env: Pick<Bindings, "FEEDS">, tenant: string): Feed {
  return env.FEEDS.getByName(`${tenant}/${EPOCH}`) as Feed;
}

export function webhooksOf(env: Pick<Bindings, "WEBHOOKS">, tenant: string): Webhooks {
  return env.WEBHOOKS.getByName(`${tenant}/${EPOCH}`) as Webhooks;
}

/**
 * Straight after a commit, beside the answer: subscribers hear of it in milliseconds, where the queue takes a second. A lost
 * call costs nothing but that time, for the queue's nudge follows.
 */
export function tellFeed(edge: Edge, tenant: string, upToSeq: number): void {
  const told = feedOf(edge.env, tenant).nudge({ v: PROTOCOL_VERSION, upToSeq });
  edge.waitUntil(told.catch(() => undefined));
}

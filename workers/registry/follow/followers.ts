/** The objects that follow a tenant's log, and the direct nudge of the feed. */
import type { Feed } from "../../../durable-objects/feed/protocol.ts";
import { openObject } from "../../../durable-objects/placement.ts";
import type { Webhooks } from "../../../durable-objects/webhooks/rpc.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import type { Bindings, Edge, Nudge } from "../../edge.ts";

/** Producer bindings with this prefix are queues of other Workers, which also get every nudge (docs/feed.md). */
const FOLLOWER_QUEUE_PREFIX = "FOLLOWER_";

export function openFeed(env: Pick<Bindings, "FEEDS">, tenant: string): Feed {
  return openObject(env.FEEDS, tenant) as Feed;
}

export function openWebhooks(env: Pick<Bindings, "WEBHOOKS">, tenant: string): Webhooks {
  return openObject(env.WEBHOOKS, tenant) as Webhooks;
}

/** Followers of a tenant's log outside the edge, keyed by their name in log lines, with the call that nudges each. */
export function listFollowers(env: Bindings, nudge: Nudge): Readonly<Record<string, () => Promise<unknown>>> {
  const { tenant, upToSeq } = nudge;
  const args = { v: PROTOCOL_VERSION, upToSeq };
  const queues = Object.entries(env).filter(([name]) => name.startsWith(FOLLOWER_QUEUE_PREFIX));
  return {
    feed: () => openFeed(env, tenant).nudge(args),
    webhooks: () => openWebhooks(env, tenant).nudge(args),
    ...Object.fromEntries(queues.map(([name, queue]) => [name, () => (queue as Bindings["CHANGES"]).send(nudge)])),
  };
}

/**
 * How long an isolate assumes that a feed without subscribers still has none. A busy registry without subscribers then makes
 * at most four calls a second, and the first subscriber waits no longer than this for an event.
 */
export const NO_SUBSCRIBERS_MS = 250;
const NO_SUBSCRIBERS_AT = "feed/no-subscribers-at";
/** Approximate memory for a timestamp. */
const READING_BYTES = 8;

/**
 * Called right after a commit, in the background: subscribers get events within milliseconds, where the queue takes a
 * second. A failed call only costs that time, because the queue's nudge follows.
 */
export function nudgeFeed(edge: Edge, upToSeq: number): void {
  const noSubscribersAtMs = edge.cache.get(NO_SUBSCRIBERS_AT) as number | undefined;
  if (noSubscribersAtMs !== undefined && edge.now() - noSubscribersAtMs < NO_SUBSCRIBERS_MS) return;
  const nudged = openFeed(edge.env, edge.tenant)
    .nudge({ v: PROTOCOL_VERSION, upToSeq })
    .then(({ listening }) => {
      if (!listening) edge.cache.put(NO_SUBSCRIBERS_AT, edge.now(), READING_BYTES);
    });
  edge.waitUntil(nudged.catch(() => undefined));
}

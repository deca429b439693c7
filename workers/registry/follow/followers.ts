/** The objects that follow a tenant's log, by name, and the shortest way to tell the feed that it has grown. */
import type { Feed } from "../../../durable-objects/feed/protocol.ts";
import type { Webhooks } from "../../../durable-objects/webhooks/rpc.ts";
import { EPOCH } from "../../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import type { Bindings, Edge, Nudge } from "../../edge.ts";

/** A producer binding whose name begins so is another Worker's queue, which is sent every nudge (docs/feed.md). */
const FOLLOWER_QUEUE_PREFIX = "FOLLOWER_";

export function feedOf(env: Pick<Bindings, "FEEDS">, tenant: string): Feed {
  return env.FEEDS.getByName(`${tenant}/${EPOCH}`) as Feed;
}

export function webhooksOf(env: Pick<Bindings, "WEBHOOKS">, tenant: string): Webhooks {
  return env.WEBHOOKS.getByName(`${tenant}/${EPOCH}`) as Webhooks;
}

/** Everyone who follows a tenant's log from outside the edge, by the name that a log line gives them, and how each is told. */
export function tellersOf(env: Bindings, nudge: Nudge): Readonly<Record<string, () => Promise<unknown>>> {
  const { tenant, upToSeq } = nudge;
  const args = { v: PROTOCOL_VERSION, upToSeq };
  const queues = Object.entries(env).filter(([name]) => name.startsWith(FOLLOWER_QUEUE_PREFIX));
  return {
    feed: () => feedOf(env, tenant).nudge(args),
    webhooks: () => webhooksOf(env, tenant).nudge(args),
    ...Object.fromEntries(queues.map(([name, queue]) => [name, () => (queue as Bindings["CHANGES"]).send(nudge)])),
  };
}

/**
 * How long this isolate takes it that still nobody listens to a tenant's feed. Long enough that a busy registry without
 * subscribers pays for four calls a second, and no more than the first subscriber may miss until the queue tells its feed.
 */
export const NOBODY_LISTENS_MS = 250;
const NOBODY_LISTENED_AT = "feed/nobody-listened-at";
/** A clock's reading. */
const READING_BYTES = 8;

/**
 * Straight after a commit, beside the answer: subscribers hear of it in milliseconds, where the queue takes a second. A lost
 * call costs nothing but that time, for the queue's nudge follows.
 */
export function tellFeed(edge: Edge, upToSeq: number): void {
  const nobodyListenedAtMs = edge.cache.get(NOBODY_LISTENED_AT) as number | undefined;
  if (nobodyListenedAtMs !== undefined && edge.now() - nobodyListenedAtMs < NOBODY_LISTENS_MS) return;
  const told = feedOf(edge.env, edge.tenant)
    .nudge({ v: PROTOCOL_VERSION, upToSeq })
    .then(({ listening }) => {
      if (!listening) edge.cache.put(NOBODY_LISTENED_AT, edge.now(), READING_BYTES);
    });
  edge.waitUntil(told.catch(() => undefined));
}

/** A primary and the feed that follows it, for the feed's tests. */
import { env } from "cloudflare:workers";
import type { FeedObject, FeedStatus } from "../../../durable-objects/feed/object.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { type PrimaryStub, primaryWith } from "../primary/commands.ts";

export type Followed = { primary: PrimaryStub; feed: DurableObjectStub<FeedObject> };

const WITHIN_MS = 10_000;

export async function followed(): Promise<Followed> {
  const primary = await primaryWith();
  const { FEEDS } = env as unknown as { FEEDS: DurableObjectNamespace<FeedObject> };
  return { primary, feed: FEEDS.getByName(primary.name!) };
}

export async function tell(feed: Followed["feed"], upToSeq: number): Promise<void> {
  await feed.nudge({ v: PROTOCOL_VERSION, upToSeq });
}

/** Waits until the status is as expected. */
export async function statusOf(
  feed: Followed["feed"],
  isExpected: (status: FeedStatus) => boolean = () => true,
): Promise<FeedStatus> {
  const giveUpAtMs = Date.now() + WITHIN_MS;
  for (;;) {
    const status = await feed.status({ v: PROTOCOL_VERSION });
    if (isExpected(status) || Date.now() > giveUpAtMs) return status;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

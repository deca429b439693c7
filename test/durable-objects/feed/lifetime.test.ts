import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { FeedObject } from "../../../durable-objects/feed/object.ts";
import { CLOSE_CODES, SUBSCRIPTION_LIFETIME_MS } from "../../../durable-objects/feed/protocol.ts";
import { FeedClient } from "../../support/feed-client.ts";
import { appendEntries } from "../primary/commands.ts";
import { type Followed, followed, tell } from "./followed.ts";

/** How far the feed's clock is ahead of the machine's. */
async function passTime(feed: Followed["feed"], ms: number): Promise<void> {
  await runInDurableObject(feed, (object: FeedObject) => {
    object.now = () => Date.now() + ms;
  });
}

describe("a subscription", () => {
  it("receives events for its lifetime, and afterwards none until it is renewed, also after an eviction", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await evictDurableObject(feed);
    await passTime(feed, SUBSCRIPTION_LIFETIME_MS - 20_000);
    await appendEntries(primary, 1);
    await tell(feed, 1);
    await client.received(1);

    await passTime(feed, SUBSCRIPTION_LIFETIME_MS + 1);
    await appendEntries(primary, 1);
    await tell(feed, 2);
    await client.until(() => client.closed !== undefined);
    const renewed = await FeedClient.subscribe(feed, { after: 1 });
    await renewed.received(1);

    expect(client.seqs).toEqual([1]);
    expect(client.closed).toMatchObject({ code: CLOSE_CODES.renew });
    expect(renewed.seqs).toEqual([2]);
  });
});

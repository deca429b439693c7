import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { FeedObject } from "../../durable-objects/feed";
import { PROTOCOL_VERSION } from "../../durable-objects/protocol";
import { FeedClient, seqsBetween } from "../support/feed-client";
import { commit, type PrimaryStub, primaryWith, register, registerCommand } from "./commands";

describe("FeedObject.fetch", () => {
  it("sends a subscriber what happens from now on, in order", async () => {
    const { primary, feed } = await registry();
    await registerMany(primary, 2);
    const client = await FeedClient.subscribe(feed);

    await registerMany(primary, 3, 2);
    await tell(feed, 5);

    await client.received(3);
    expect(client.controls).toEqual([{ control: "started", epoch: 1, after: 2, seq: 2 }]);
    expect(client.seqs).toEqual([3, 4, 5]);
    expect(client.events[0]).toMatchObject({
      specversion: "1.0",
      id: "1.3",
      type: "dev.llm-schema-registry.schema.registered",
      subject: "subject-2",
      data: { seq: 3, actor: "tester", record: { subject: "subject-2", version_number: 1 } },
    });
  });

  it("begins at any seq, the whole log included", async () => {
    const { primary, feed } = await registry();
    await registerMany(primary, 4);

    const whole = await FeedClient.subscribe(feed, { after: 0 });
    const half = await FeedClient.subscribe(feed, { after: 2 });

    await whole.received(4);
    await half.received(2);
    expect(whole.seqs).toEqual([1, 2, 3, 4]);
    expect(half.seqs).toEqual([3, 4]);
  });
});

describe("FeedObject after eviction", () => {
  it("goes on with every subscriber where it was", async () => {
    const { primary, feed } = await registry();
    const client = await FeedClient.subscribe(feed);
    await registerMany(primary, 1);
    await tell(feed, 1);
    await client.received(1);

    await evictDurableObject(feed);
    await registerMany(primary, 1, 1);
    await tell(feed, 2);

    await client.received(2);
    expect(client.seqs).toEqual([1, 2]);
    expect(client.closed).toBeUndefined();
  });
});

async function registry(): Promise<{ primary: PrimaryStub; feed: DurableObjectStub<FeedObject> }> {
  const primary = await primaryWith();
  const { FEEDS } = env as unknown as { FEEDS: DurableObjectNamespace<FeedObject> };
  return { primary, feed: FEEDS.getByName(primary.name!) };
}

async function tell(feed: DurableObjectStub<FeedObject>, upToSeq: number): Promise<void> {
  await feed.nudge({ v: PROTOCOL_VERSION, upToSeq });
}

/** One entry each. */
async function registerMany(primary: PrimaryStub, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += 1) await register(primary, `subject-${n}`, "a");
}

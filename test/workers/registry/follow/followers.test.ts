import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { listFollowers, NO_SUBSCRIBERS_MS } from "../../../../workers/registry/follow/followers.ts";
import { FeedClient } from "../../../support/feed-client.ts";
import { type Platform, plainPlatform } from "../../../support/platform.ts";

describe("tellFeed", () => {
  it("calls a feed without subscribers only occasionally", async () => {
    const { platform, nudges } = countedPlatform();
    await register(platform, "a");
    await register(platform, "b");
    await register(platform, "c");
    const before = nudges();

    platform.clock.advance(NO_SUBSCRIBERS_MS);
    await register(platform, "d");

    expect(before).toBe(1);
    expect(nudges()).toBe(2);
  });

  it("nudges a feed about every commit once it has subscribers", async () => {
    const { platform, nudges } = countedPlatform();
    await register(platform, "a");
    const response = await platform.fetch("/api/v1/events", { headers: { Upgrade: "websocket" } });
    const client = new FeedClient(response.webSocket!);
    platform.clock.advance(NO_SUBSCRIBERS_MS);

    for (const subject of ["b", "c", "d"]) await register(platform, subject);

    await client.received(3);
    expect(nudges()).toBe(4);
    client.close();
  });

  it("sends no nudge for content that already existed", async () => {
    const { platform, nudges } = countedPlatform();
    await register(platform, "a");
    platform.clock.advance(NO_SUBSCRIBERS_MS);

    await register(platform, "a");

    expect(nudges()).toBe(1);
  });
});

describe("tellersOf", () => {
  it("sends the nudge to every follower's queue, and to no other", async () => {
    const sent: unknown[] = [];
    const queue = (name: string) => ({ send: async (body: unknown) => sent.push([name, body]) });
    const bound = { FOLLOWER_SEARCH: queue("search"), OTHER: queue("other"), CHANGES: queue("changes") };
    const nudge = { tenant: "t", epoch: 1, upToSeq: 3 };

    const { feed: _, webhooks: _webhooks, ...queues } = listFollowers(bound as unknown as Bindings, nudge);
    for (const tell of Object.values(queues)) await tell();

    expect(sent).toEqual([["search", nudge]]);
  });
});

function countedPlatform(): { platform: Platform; nudges(): number } {
  const bindings = env as unknown as Bindings;
  let nudges = 0;
  const FEEDS = {
    getByName: (name: string) => {
      const feed = bindings.FEEDS.getByName(name) as {
        nudge(args: unknown): unknown;
        fetch(request: Request): unknown;
      };
      return {
        nudge: (args: unknown) => {
          nudges += 1;
          return feed.nudge(args);
        },
        fetch: (request: Request) => feed.fetch(request),
      };
    },
  };
  return { platform: plainPlatform({ env: { ...bindings, FEEDS } }), nudges: () => nudges };
}

async function register(platform: Platform, subject: string): Promise<void> {
  const content = { type: "record", name: "R", fields: [] };
  const response = await platform.fetch("/api/v1/schemas", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subject, format: "avro", content }),
  });
  expect(response.status).toBeLessThan(300);
  await response.arrayBuffer();
  await platform.settled();
}

/** The feed of one tenant: subscribers, what each receives, and what survives eviction and lost nudges. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { FeedObject } from "../../../durable-objects/feed/object.ts";
import { MAX_CLIENT_MESSAGE_CHARACTERS, POSITION_EVERY_EVENTS } from "../../../durable-objects/feed/protocol.ts";
import { MAX_KEPT_EVENTS } from "../../../durable-objects/feed/ring.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { seededRandom } from "../../support/clock.ts";
import { FeedClient, seqsBetween } from "../../support/feed-client.ts";
import { HostileQueue } from "../../support/hostile-queue.ts";
import { appendEntries, commit, register } from "../primary/commands.ts";
import { type Followed, followed, statusOf, tell } from "./followed.ts";

describe("FeedObject.fetch", () => {
  it("sends a subscriber new events, in order", async () => {
    const { primary, feed } = await followed();
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

  it("begins after any seq, including the whole log", async () => {
    const { primary, feed } = await followed();
    await appendEntries(primary, 4);

    const whole = await FeedClient.subscribe(feed, { after: 0 });
    const half = await FeedClient.subscribe(feed, { after: 2 });

    await whole.received(4);
    await half.received(2);
    expect(whole.seqs).toEqual([1, 2, 3, 4]);
    expect(half.seqs).toEqual([3, 4]);
  });

  it("begins at the current end of the log, with or without a nudge", async () => {
    const { primary, feed } = await followed();
    const first = await FeedClient.subscribe(feed);
    await appendEntries(primary, 3);

    const second = await FeedClient.subscribe(feed);

    await second.until(() => second.controls.length === 1);
    expect(second.controls).toEqual([{ control: "started", epoch: 1, after: 3, seq: 3 }]);
    await first.received(3);
    expect(second.events).toEqual([]);
  });

  it("refuses to resume after a seq beyond the log", async () => {
    const { feed } = await followed();

    await expect(FeedClient.subscribe(feed, { after: 1 })).rejects.toThrow(/^400: .*"rule":"after"/);
  });

  it("accepts the maximum of subscribers and refuses the next until one leaves", async () => {
    const { feed } = await followed();
    await runInDurableObject(feed, (object: FeedObject) => {
      object.maxSubscribers = 2;
    });
    const clients = [await FeedClient.subscribe(feed), await FeedClient.subscribe(feed)];

    await expect(FeedClient.subscribe(feed)).rejects.toThrow(/^429: .*RATE_LIMITED/);

    clients[0]!.close();
    await statusOf(feed, ({ subscribers }) => subscribers === 1);
    clients.push(await FeedClient.subscribe(feed));
    expect(await statusOf(feed)).toMatchObject({ subscribers: 2 });
  });

  it("refuses another version of the protocol", async () => {
    const { feed } = await followed();
    const url = `https://feed.internal/?v=${PROTOCOL_VERSION + 1}&subscription={}`;
    const request = new Request(url, { headers: { Upgrade: "websocket" } });

    const response = await feed.fetch(request);

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: "NOT_READY", retryAfterSeconds: 1 });
  });
});

describe("FeedObject's subscribers", () => {
  it("receive only the subjects and types of their filter", async () => {
    const { primary, feed } = await followed();
    const subjects = await FeedClient.subscribe(feed, { filter: { subjects: ["orders-*", ":.eu:*"], types: null } });
    const types = await FeedClient.subscribe(feed, { filter: { subjects: null, types: ["config.changed"] } });
    for (const subject of ["orders-1", "stock", ":.eu:stock", "orders"]) await register(primary, subject, "a");
    await appendEntries(primary, 1);

    await tell(feed, 5);

    await subjects.received(2);
    await types.received(1);
    expect(subjects.events.map(({ subject }) => subject)).toEqual(["orders-1", ":.eu:stock"]);
    expect(types.events.map(({ type }) => type)).toEqual(["dev.llm-schema-registry.config.changed"]);
  });

  it("receive their position if nothing matches their filter", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed, { filter: { subjects: ["unheard-of"], types: null } });

    await appendEntries(primary, POSITION_EVERY_EVENTS - 1);
    await tell(feed, POSITION_EVERY_EVENTS - 1);
    const before = client.controls.length;
    await appendEntries(primary, 1);
    await tell(feed, POSITION_EVERY_EVENTS);

    await client.until(() => client.controls.length === 2);
    expect(before).toBe(1);
    expect(client.controls[1]).toEqual({ control: "position", epoch: 1, seq: POSITION_EVERY_EVENTS });
  });

  it.each([
    ["text that is no JSON", "hello"],
    ["JSON that is nothing known", '{"hello":1}'],
    ["no object", "null"],
    ["a negative seq", '{"ack":-1}'],
    ["a seq in quotes", '{"ack":"1"}'],
    ["a seq that was not sent", '{"ack":1}'],
    ["bytes", new TextEncoder().encode('{"ack":0}').buffer as ArrayBuffer],
    ["more than any message needs", `{"ack":0${" ".repeat(MAX_CLIENT_MESSAGE_CHARACTERS - 8)}}`],
  ])("are closed with 4400 when they send %s", async (_what, message) => {
    const { feed } = await followed();
    const client = await FeedClient.subscribe(feed);

    client.send(message);

    await client.until(() => client.closed !== undefined);
    expect(client.closed?.code).toBe(4400);
    expect(client.closed?.reason).not.toBe("");
    expect(await statusOf(feed)).toMatchObject({ subscribers: 0 });
  });

  it("may send a message of the maximum length", async () => {
    const { feed } = await followed();
    const client = await FeedClient.subscribe(feed);

    client.send(`{"ack":0${" ".repeat(MAX_CLIENT_MESSAGE_CHARACTERS - 9)}}`);
    client.send("ping");

    await client.until(() => client.others.length === 1);
    expect(client.others).toEqual(["pong"]);
    expect(client.closed).toBeUndefined();
  });
});

describe("FeedObject after eviction", () => {
  it("resumes every subscriber at its position with its filter", async () => {
    const { primary, feed } = await followed();
    const all = await FeedClient.subscribe(feed);
    const some = await FeedClient.subscribe(feed, { filter: { subjects: ["subject-1"], types: null } });
    await appendEntries(primary, 1);
    await tell(feed, 1);
    await all.received(1);

    await evictDurableObject(feed);
    await appendEntries(primary, 2);
    await tell(feed, 3);

    await all.received(3);
    expect(all.seqs).toEqual([1, 2, 3]);
    expect(some.events.map(({ subject }) => subject)).toEqual(["subject-1"]);
    expect(await statusOf(feed)).toMatchObject({ subscribers: 2, tip: 3, sent: 4 });
  });

  it("resumes subscribers that were behind, by its alarm", async () => {
    const { primary, feed } = await followed();
    await appendEntries(primary, 300);
    await statusOf(feed);
    await takePrimaryAway(feed, 300);
    const client = await FeedClient.subscribe(feed, { after: 0 });
    await client.until(() => client.controls.length === 1);

    await evictDurableObject(feed);
    const before = client.events.length;
    const woken = await runDurableObjectAlarm(feed);

    await client.received(300);
    expect([before, woken]).toEqual([0, true]);
    expect(client.seqs).toEqual(seqsBetween(1, 300));
  });

  it("remembers acknowledgements", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 900);
    await tell(feed, 900);
    await client.received(900);
    client.acknowledge(900);
    // A call to the object ensures that the previous acknowledgement has arrived.
    await statusOf(feed);

    await evictDurableObject(feed);
    await appendEntries(primary, 1_000);
    await tell(feed, 1_900);

    await client.received(1_900);
    expect(client.seqs).toEqual(seqsBetween(1, 1_900));
  });
});

describe("FeedObject.nudge", () => {
  it("stores and reads nothing without subscribers", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 3);
    await tell(feed, 3);
    await client.received(3);
    expect(await statusOf(feed)).toMatchObject({ kept: 3, tip: 3 });
    client.close();
    await statusOf(feed, ({ subscribers }) => subscribers === 0);

    await appendEntries(primary, 1);
    await tell(feed, 4);

    expect(await statusOf(feed)).toEqual({ subscribers: 0, stalled: 0, tip: null, kept: 0, sent: 3, droppedSlow: 0 });
  });

  it.each([
    ["another version", { v: PROTOCOL_VERSION + 1, upToSeq: 1 }, /version/],
    ["no seq", { v: PROTOCOL_VERSION, upToSeq: Number.NaN }, /seq/],
  ])("refuses %s", async (_what, nudge, reason) => {
    const { feed } = await followed();

    const refused = await feed.nudge(nudge).then(() => undefined, String);

    expect(refused).toMatch(reason);
  });

  it("relies on the log instead of the nudge", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 2);

    await tell(feed, 1_000_000);

    await client.received(2);
    expect(await statusOf(feed)).toMatchObject({ tip: 2 });
  });

  it("sends every event once, in order, for any order and repetition of nudges", async () => {
    const { primary, feed } = await followed();
    const random = seededRandom(11);
    const queue = new HostileQueue<{ upToSeq: number }>(random);
    const clients = await Promise.all([1, 2, 3].map(() => FeedClient.subscribe(feed)));
    let seq = 0;
    for (let round = 0; round < 20; round += 1) {
      const count = 1 + Math.floor(random() * 8);
      await appendEntries(primary, count);
      for (let n = 0; n < count; n += 1) {
        seq += 1;
        // One in three is lost.
        if (random() < 0.67) await queue.binding().send({ upToSeq: seq });
      }
      await Promise.all(
        queue
          .takeBatches()
          .flat()
          .map(({ upToSeq }) => tell(feed, upToSeq)),
      );
    }

    await tell(feed, seq);

    for (const client of clients) {
      await client.reached(seq);
      expect(client.seqs).toEqual(seqsBetween(1, seq));
    }
  });

  it("fails while the primary is unreachable, and the alarm retries", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 1);
    const back = await takePrimaryAway(feed);

    await expect(tell(feed, 1)).rejects.toThrow(/cannot be reached/);
    expect(client.events).toEqual([]);
    await back();
    const woken = await runDurableObjectAlarm(feed);

    await client.received(1);
    expect(woken).toBe(true);
    expect(client.seqs).toEqual([1]);
  });

  it("refuses new subscribers while the primary is unreachable", async () => {
    const { feed } = await followed();
    await takePrimaryAway(feed);

    await expect(FeedClient.subscribe(feed)).rejects.toThrow(/^503: .*NOT_READY/);
  });
});

describe("FeedObject's ring", () => {
  it("keeps the newest events, and reads older ones from the log without a gap", { timeout: 120_000 }, async () => {
    const { primary, feed } = await followed();
    const live = await FeedClient.subscribe(feed);
    live.acknowledges = true;
    const last = MAX_KEPT_EVENTS + 150;
    for (let seq = 0; seq < last; seq += 2_030) {
      await appendEntries(primary, 2_030);
      await tell(feed, seq + 2_030);
    }

    const late = await FeedClient.subscribe(feed, { after: 20 });
    late.acknowledges = true;

    await live.reached(last);
    await late.reached(last);
    expect(live.seqs).toEqual(seqsBetween(1, last));
    expect(late.seqs).toEqual(seqsBetween(21, last));
    expect(await statusOf(feed)).toMatchObject({ kept: MAX_KEPT_EVENTS, droppedSlow: 0 });
  });

  it("serves returning subscribers without querying the primary", async () => {
    const { primary, feed } = await followed();
    const stays = await FeedClient.subscribe(feed);
    await appendEntries(primary, 600);
    await tell(feed, 600);
    await stays.received(600);
    const pages = await watchPages(feed, 600);

    const returns = await FeedClient.subscribe(feed, { after: 10 });

    await returns.reached(600);
    expect(returns.seqs).toEqual(seqsBetween(11, 600));
    expect(await pages.read()).toBe(0);
  });

  it("shares one read of the primary among returning subscribers", async () => {
    const { primary, feed } = await followed();
    await appendEntries(primary, 1_000);
    const stays = await FeedClient.subscribe(feed);
    const pages = await watchPages(feed, 1_000);

    await pages.hold();
    const clients = await Promise.all(seqsBetween(0, 99).map((after) => FeedClient.subscribe(feed, { after })));
    await pages.go();

    for (const [after, client] of clients.entries()) {
      client.acknowledges = true;
      await client.reached(1_000);
      expect(client.seqs).toEqual(seqsBetween(after + 1, 1_000));
    }
    expect(stays.events).toEqual([]);
    // Separately, each would take four.
    expect(await pages.read()).toBeLessThan(20);
  });

  it("drops hard-deleted data, and does not show it to later subscribers", async () => {
    const { primary, feed } = await followed();
    const early = await FeedClient.subscribe(feed);
    const attributes = { description: "sensitive words", tags: [], owner: null, metadata: {}, role: null };
    const { record } = await register(primary, "people", "a", { attributes });
    await register(primary, "orders", "b");
    await tell(feed, 2);
    await early.received(2);
    expect(await keptText(feed)).toContain("sensitive words");

    await commit(primary, { type: "deleteRecord", id: record.id, permanent: false, ifMatchSeq: null });
    await commit(primary, { type: "deleteRecord", id: record.id, permanent: true, ifMatchSeq: null });
    await tell(feed, 4);

    const late = await FeedClient.subscribe(feed, { after: 0 });
    await late.received(4);
    await early.received(4);
    expect(await keptText(feed)).not.toContain("sensitive words");
    expect(JSON.stringify(late.events)).not.toContain("sensitive words");
    expect(late.events.map(({ data }) => data.record === null)).toEqual([true, false, true, true]);
  });
});

describe("FeedObject while it catches up", () => {
  it("joins history and new events without a gap, whenever subscribers arrive", async () => {
    const { primary, feed } = await followed();
    const random = seededRandom(7);
    await appendEntries(primary, 300);
    const clients: { client: FeedClient; after: number }[] = [];
    let seq = 300;
    for (let round = 0; round < 40; round += 1) {
      const after = Math.floor(random() * seq);
      const arriving = FeedClient.subscribe(feed, { after }).then((client) => {
        client.acknowledges = true;
        clients.push({ client, after });
      });
      const count = Math.floor(random() * 60);
      await appendEntries(primary, count);
      seq += count;
      await Promise.all([arriving, ...(random() < 0.6 ? [tell(feed, seq)] : [])]);
      if (random() < 0.15) await evictDurableObject(feed);
    }

    await tell(feed, seq);

    for (const { client, after } of clients) {
      await client.reached(seq);
      expect(client.seqs).toEqual(seqsBetween(after + 1, seq));
    }
    expect(clients).toHaveLength(40);
  });
});

/** One entry each. */
async function registerMany(primary: Followed["primary"], count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += 1) await register(primary, `subject-${n}`, "a");
}

async function keptText(feed: Followed["feed"]): Promise<string> {
  return await runInDurableObject(feed, (_object, { storage }) =>
    JSON.stringify(storage.sql.exec("SELECT text FROM events").toArray()),
  );
}

type WithEnv = { env: { PRIMARIES: { getByName(name: string): unknown } } };

/** Blocks this feed's reads of events before `seq` at the primary until the returned function is called. */
async function takePrimaryAway(feed: Followed["feed"], seq = Number.POSITIVE_INFINITY): Promise<() => Promise<void>> {
  type Away = WithEnv & { realEnv: WithEnv["env"] };
  type Reads = { readEvents(args: { after: number }): Promise<unknown> };
  await runInDurableObject(feed, (object) => {
    const away = object as unknown as Away;
    const { PRIMARIES } = away.env;
    away.realEnv = away.env;
    const readEvents = async (name: string, args: { after: number }) => {
      if (args.after < seq) throw Object.assign(new Error("Network connection lost."), { retryable: true });
      return await (PRIMARIES.getByName(name) as Reads).readEvents(args);
    };
    away.env = {
      PRIMARIES: { getByName: (name) => ({ readEvents: (args: { after: number }) => readEvents(name, args) }) },
    };
  });
  return () =>
    runInDurableObject(feed, (object) => {
      const away = object as unknown as Away;
      away.env = away.realEnv;
    });
}

/** Counts the feed's reads of pages before `tip` from the primary, and can delay them. */
async function watchPages(feed: Followed["feed"], tip: number) {
  type Reads = { readEvents(args: { after: number }): Promise<unknown> };
  type Watched = WithEnv & { pagesRead: number; held: Promise<void>; release: () => void };
  const within = <T>(act: (object: Watched) => T) =>
    runInDurableObject(feed, (object) => act(object as unknown as Watched));
  await within((object) => {
    const { PRIMARIES } = object.env;
    object.pagesRead = 0;
    object.held = Promise.resolve();
    const readEvents = async (name: string, args: { after: number }) => {
      if (args.after < tip) {
        object.pagesRead += 1;
        await object.held;
      }
      return await (PRIMARIES.getByName(name) as Reads).readEvents(args);
    };
    object.env = {
      PRIMARIES: { getByName: (name) => ({ readEvents: (args: { after: number }) => readEvents(name, args) }) },
    };
  });
  return {
    read: () => within(({ pagesRead }) => pagesRead),
    hold: () =>
      within((object) => {
        object.held = new Promise((resolve) => {
          object.release = resolve;
        });
      }),
    go: () => within(({ release }) => release()),
  };
}

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MAX_SUBJECTS_CHARACTERS } from "../../../durable-objects/feed/filter.ts";
import type { FeedObject } from "../../../durable-objects/feed/object.ts";
import { STALL_GRACE_MS } from "../../../durable-objects/feed/protocol.ts";
import {
  type Attachment,
  MAX_UNACKED_BYTES,
  MAX_UNACKED_EVENTS,
  Subscriber,
} from "../../../durable-objects/feed/subscriber.ts";
import { ENTRY_TYPES } from "../../../registry/log-entry.ts";
import { FeedClient, seqsBetween } from "../../support/feed-client.ts";
import { appendEntries, type PrimaryStub, register } from "../primary/commands.ts";
import { followed, statusOf, tell } from "./followed.ts";

const ALL = { subjects: null, types: null };
/**
 * The platform's limit of an attachment (https://developers.cloudflare.com/durable-objects/best-practices/websockets/).
 */
const MAX_ATTACHMENT_BYTES = 2_048;

describe("a subscriber that does not acknowledge", () => {
  it("is sent a window of events and no more", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, MAX_UNACKED_EVENTS);
    await tell(feed, MAX_UNACKED_EVENTS);
    expect(await statusOf(feed)).toMatchObject({ stalled: 0, sent: MAX_UNACKED_EVENTS });

    await appendEntries(primary, 5);
    await tell(feed, MAX_UNACKED_EVENTS + 5);

    expect(await statusOf(feed)).toMatchObject({ stalled: 1, sent: MAX_UNACKED_EVENTS });
    await client.received(MAX_UNACKED_EVENTS);
    expect(client.seqs).toEqual(seqsBetween(1, MAX_UNACKED_EVENTS));
  });

  it("is sent a window of bytes and no more", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await registerLarge(primary, 80);

    await tell(feed, 80);

    const { sent, stalled } = await statusOf(feed);
    await client.received(sent);
    const bytes = client.events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
    expect(stalled).toBe(1);
    expect(bytes).toBeLessThanOrEqual(MAX_UNACKED_BYTES);
    expect(bytes).toBeGreaterThan(MAX_UNACKED_BYTES - 16 * 1024);
    client.acknowledge(sent);
    await client.received(80);
    expect(client.seqs).toEqual(seqsBetween(1, 80));
  });

  it("does not hold back other subscribers", async () => {
    const { primary, feed } = await followed();
    await FeedClient.subscribe(feed);
    const prompt = await FeedClient.subscribe(feed);
    prompt.acknowledges = true;

    await appendEntries(primary, 2_000);
    await tell(feed, 2_000);

    await prompt.reached(2_000);
    expect(prompt.seqs).toEqual(seqsBetween(1, 2_000));
    expect(await statusOf(feed)).toMatchObject({ stalled: 1 });
  });

  it("resumes when it acknowledges, also after an eviction", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 1_500);
    await tell(feed, 1_500);
    await client.received(MAX_UNACKED_EVENTS);

    await evictDurableObject(feed);
    client.acknowledge(600);

    // Credit is counted in eighths of the window.
    await client.until(() => client.events.length >= 1_500);
    expect(client.seqs).toEqual(seqsBetween(1, 1_500));
    expect(await statusOf(feed)).toMatchObject({ stalled: 0 });
  });

  it("is closed with 4008 after the grace period, and misses nothing after reconnecting", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 1_200);
    await tell(feed, 1_200);
    await client.received(MAX_UNACKED_EVENTS);

    await passTime(feed, STALL_GRACE_MS - 1_000);
    await runDurableObjectAlarm(feed);
    const before = client.closed;
    await passTime(feed, STALL_GRACE_MS + 1_000);
    await runDurableObjectAlarm(feed);

    await client.until(() => client.closed !== undefined);
    expect(before).toBeUndefined();
    expect(client.closed).toMatchObject({ code: 4008, reason: expect.stringContaining("reconnect") });
    expect(await statusOf(feed)).toMatchObject({ subscribers: 0, droppedSlow: 1 });
    const again = await FeedClient.subscribe(feed, { after: client.seqs.at(-1)! });
    await again.received(200);
    expect([...client.seqs, ...again.seqs]).toEqual(seqsBetween(1, 1_200));
  });

  it("gets no extra grace period from other activity", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 1_200);
    await tell(feed, 1_200);
    await client.received(MAX_UNACKED_EVENTS);

    await passTime(feed, STALL_GRACE_MS - 1_000);
    await appendEntries(primary, 1);
    await tell(feed, 1_201);
    await runDurableObjectAlarm(feed);
    await passTime(feed, STALL_GRACE_MS + 1_000);
    await runDurableObjectAlarm(feed);

    await client.until(() => client.closed !== undefined);
    expect(client.closed).toMatchObject({ code: 4008 });
  });

  it("is closed by the alarm of a feed that has hibernated", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, 1_200);
    await tell(feed, 1_200);
    await client.received(MAX_UNACKED_EVENTS);

    await evictDurableObject(feed);
    await passTime(feed, STALL_GRACE_MS + 1_000);
    await runDurableObjectAlarm(feed);

    await client.until(() => client.closed !== undefined);
    expect(client.closed).toMatchObject({ code: 4008 });
  });

  it("is not closed while nothing is left to send", async () => {
    const { primary, feed } = await followed();
    const client = await FeedClient.subscribe(feed);
    await appendEntries(primary, MAX_UNACKED_EVENTS);
    await tell(feed, MAX_UNACKED_EVENTS);
    await client.received(MAX_UNACKED_EVENTS);

    await passTime(feed, 10 * STALL_GRACE_MS);
    await runDurableObjectAlarm(feed);

    expect(await statusOf(feed)).toMatchObject({ subscribers: 1, stalled: 0, droppedSlow: 0 });
    expect(client.closed).toBeUndefined();
  });
});

describe("Subscriber", () => {
  it("has credit for one message of any size while nothing is outstanding", () => {
    const subscriber = Subscriber.after(0, ALL, 0);

    expect(subscriber.hasCredit(MAX_UNACKED_BYTES * 2, MAX_UNACKED_BYTES)).toBe(true);
    subscriber.noteSent(1, MAX_UNACKED_BYTES * 2, MAX_UNACKED_BYTES);
    expect(subscriber.hasCredit(1, MAX_UNACKED_BYTES)).toBe(false);
  });

  it("counts bytes up to the last message", () => {
    const subscriber = Subscriber.after(0, ALL, 0);
    subscriber.noteSent(1, 60, 100);

    expect(subscriber.hasCredit(40, 100)).toBe(true);
    expect(subscriber.hasCredit(41, 100)).toBe(false);
  });

  it("regains at most the acknowledged credit, within an eighth of the window", () => {
    const subscriber = Subscriber.after(0, ALL, 0);
    for (const seq of seqsBetween(1, MAX_UNACKED_EVENTS)) subscriber.noteSent(seq, 1, MAX_UNACKED_BYTES);

    subscriber.acknowledge(499);
    let more = 0;
    while (subscriber.hasCredit(1, MAX_UNACKED_BYTES)) {
      more += 1;
      subscriber.noteSent(MAX_UNACKED_EVENTS + more, 1, MAX_UNACKED_BYTES);
    }

    expect(more).toBeLessThanOrEqual(499);
    expect(more).toBeGreaterThanOrEqual(499 - MAX_UNACKED_EVENTS / 8);
  });

  it("regains all credit with the last message, and none for a repeated acknowledgement", () => {
    const subscriber = Subscriber.after(0, ALL, 0);
    for (const seq of seqsBetween(1, MAX_UNACKED_EVENTS)) subscriber.noteSent(seq, 1, MAX_UNACKED_BYTES);

    expect(subscriber.acknowledge(MAX_UNACKED_EVENTS)).toBe(true);
    expect(subscriber.acknowledge(3)).toBe(true);

    expect(subscriber.attachment()).toMatchObject({ sent: [1_000, 1_000], released: [1_000, 1_000], marks: [] });
  });

  it("refuses to acknowledge unsent events", () => {
    const subscriber = Subscriber.after(5, ALL, 0);
    subscriber.noteSent(7, 1, MAX_UNACKED_BYTES);

    expect(subscriber.acknowledge(8)).toBe(false);
    expect(subscriber.acknowledge(6)).toBe(true);
    expect(subscriber.hasCredit(MAX_UNACKED_BYTES, MAX_UNACKED_BYTES)).toBe(false);
  });

  it("fits into a socket's attachment with any filter and any outstanding credit", async () => {
    const subjects = Array.from({ length: 16 }, (_, n) => `${n % 10}`);
    subjects[0] += "界".repeat(MAX_SUBJECTS_CHARACTERS - subjects.join(",").length);
    const far = Number.MAX_SAFE_INTEGER - MAX_UNACKED_EVENTS;
    const subscriber = Subscriber.after(far, { subjects, types: ENTRY_TYPES }, Date.now());
    subscriber.stalledAtMs = 1_800_000_000_000;
    for (const seq of seqsBetween(1, MAX_UNACKED_EVENTS)) subscriber.noteSent(far + seq, 1_047, MAX_UNACKED_BYTES);
    subscriber.cursor = far + MAX_UNACKED_EVENTS;

    const attachment = subscriber.attachment();

    expect(attachment.filter.subjects!.join(",")).toHaveLength(MAX_SUBJECTS_CHARACTERS);
    expect(attachment.marks).toHaveLength(3 * 8);
    expect(await clonedBytes(attachment)).toBeLessThanOrEqual(MAX_ATTACHMENT_BYTES);
    expect(new Subscriber(attachment).attachment()).toEqual(attachment);
  });
});

/** Each of nearly 16 KiB. */
async function registerLarge(primary: PrimaryStub, count: number): Promise<void> {
  const attributes = { description: "d".repeat(15_000), tags: [], owner: null, metadata: {}, role: null };
  for (let n = 0; n < count; n += 1) await register(primary, `subject-${n}`, "a", { attributes });
}

/** How far the feed's clock is ahead of the machine's. */
async function passTime(feed: Parameters<typeof statusOf>[0], ms: number): Promise<void> {
  await runInDurableObject(feed, (object: FeedObject) => {
    object.now = () => Date.now() + ms;
  });
}

/** The size as the platform counts it, from its error message. */
async function clonedBytes(attachment: Attachment): Promise<number> {
  const { feed } = await followed();
  return await runInDurableObject(feed, (_object, ctx) => {
    const { 1: server } = new WebSocketPair();
    ctx.acceptWebSocket(server);
    const size = (attached: Attachment | null): number => {
      try {
        server.serializeAttachment({ attached, padding: "x".repeat(64 * 1024) });
      } catch (error) {
        return Number(/was (\d+) bytes/.exec(String(error))?.[1]);
      }
      throw new Error("The platform keeps more than it says.");
    };
    return size(attachment) - size(null);
  });
}

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { FeedStatus } from "../../../../durable-objects/feed/object.ts";
import type { PrimaryObject } from "../../../../durable-objects/primary/object.ts";
import { PROTOCOL_VERSION } from "../../../../registry/rpc.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { HEARTBEAT_MS, STREAM_LIFETIME_MS } from "../../../../workers/http/native/event-stream.ts";
import { MAX_PAGE_SCAN } from "../../../../workers/registry/follow/events.ts";
import { openFeed } from "../../../../workers/registry/follow/followers.ts";
import { appendEntries } from "../../../durable-objects/primary/commands.ts";
import { EventReader } from "../../../support/event-source.ts";
import { FeedClient } from "../../../support/feed-client.ts";
import { avroRecord, type ProblemBody, plainRegistry, type Registry, WAYS } from "../native-calls.ts";

describe.each(WAYS)("GET /api/v1/events with Accept: text/event-stream on the $name platform", ({ open }) => {
  it("streams commits while it is being read", async () => {
    const registry = open();
    await registry.register("before", avroRecord("a"));
    const stream = await streamEvents(registry);
    await stream.until(() => stream.lastEventId === "1.1");

    await registry.register("orders", avroRecord("a"));
    await registry.register("users", avroRecord("b"));

    await stream.until(() => stream.events.length === 2);
    expect(stream.seqs).toEqual([2, 3]);
    expect(stream.events.map(({ subject }) => subject)).toEqual(["orders", "users"]);
    expect(stream.retryMs).toBeGreaterThanOrEqual(500);
    await stream.cancel();
  });

  it("resumes after Last-Event-ID, overriding the URL", async () => {
    const registry = open();
    for (const subject of ["a", "b", "c", "d"]) await registry.register(subject, avroRecord(subject));
    const first = await streamEvents(registry, "?after=0");
    await first.until(() => first.events.length >= 2);
    await first.cancel();

    const second = await streamEvents(registry, "?after=0", { "Last-Event-ID": first.events[1]!.id });

    await second.until(() => second.events.length === 2);
    expect(second.seqs).toEqual([3, 4]);
    await second.cancel();
  });
});

describe("GET /api/v1/events with Accept: text/event-stream", () => {
  it("sends an id to resume with before the first event", async () => {
    const registry = plainRegistry();
    await registry.register("orders", avroRecord("a"));

    const stream = await streamEvents(registry);

    await stream.until(() => stream.lastEventId !== "");
    expect(stream.lastEventId).toBe("1.1");
    await stream.cancel();
  });

  it("sends a comment every 15 seconds", async () => {
    const registry = plainRegistry();
    const stream = await streamEvents(registry);
    await stream.until(() => stream.lastEventId !== "");

    registry.platform.clock.advance(HEARTBEAT_MS);

    await stream.until(() => stream.comments.includes("heartbeat"));
    await stream.cancel();
  });

  it("ends after 5 minutes with a reconnect hint, and the reconnected stream misses nothing", async () => {
    const registry = plainRegistry();
    const stream = await streamEvents(registry, "?after=0");
    await registry.register("orders", avroRecord("a"));
    await stream.until(() => stream.events.length === 1);
    stream.retryMs = undefined;

    registry.platform.clock.advance(STREAM_LIFETIME_MS);
    await stream.until(() => stream.ended);
    await registry.register("users", avroRecord("b"));
    const again = await streamEvents(registry, "?after=0", { "Last-Event-ID": stream.lastEventId });

    expect(stream.retryMs).toBeGreaterThanOrEqual(500);
    await again.until(() => again.events.length === 1);
    expect(again.seqs).toEqual([2]);
    await again.cancel();
    await emptied(registry);
  });

  it("reads no more from the feed than its reader consumes", async () => {
    const registry = plainRegistry();
    await changeConfigs(registry, 3_000);
    const stream = await streamEvents(registry, "?after=0");

    const held = await statusWhen(registry, ({ stalled }) => stalled === 1);
    await stream.until(() => stream.events.length === 3_000);

    // An unacknowledged window, and what is buffered between the Worker and its reader.
    expect(held).toMatchObject({ stalled: 1 });
    expect(held.sent).toBeLessThan(1_500);
    expect(stream.seqs).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1));
    await stream.cancel();
  });

  it("leaves the feed when its reader disconnects", async () => {
    const registry = plainRegistry();
    const stream = await streamEvents(registry);
    await stream.until(() => stream.lastEventId !== "");

    await stream.cancel();

    await emptied(registry);
  });
});

describe("GET /api/v1/events with Upgrade: websocket", () => {
  it("returns the feed's socket, filtered as requested", async () => {
    const registry = plainRegistry();
    const client = await openSocket(registry, "?after=0&subjects=orders-*,u?ers&types=schema.*");

    for (const subject of ["orders-1", "stock", "users", "uusers"]) {
      await registry.register(subject, avroRecord("a"));
    }
    await registry.call("PUT", "/subjects/orders-1/compatibility", { body: { level: "NONE" } });
    await registry.register("orders-2", avroRecord("a"));

    await client.reached(6);
    expect(client.events.map(({ subject }) => subject)).toEqual(["orders-1", "users", "orders-2"]);
    client.close();
  });

  it("does not show one tenant events of another", async () => {
    const [mine, theirs] = [plainRegistry(), plainRegistry()];
    const client = await openSocket(mine, "?after=0");

    await theirs.register("theirs", avroRecord("a"));
    await mine.register("mine", avroRecord("a"));

    await client.received(1);
    expect(client.events).toMatchObject([{ subject: "mine", source: `/registries/${mine.platform.tenant}` }]);
    client.close();
  });

  it("refuses invalid requests before the socket opens", async () => {
    const registry = plainRegistry();

    const response = await registry.platform.fetch("/api/v1/events?after=5", { headers: { Upgrade: "websocket" } });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "bad_request", errors: [{ rule: "after" }] });
  });
});

describe.each(WAYS)("GET /api/v1/events as JSON on the $name platform", ({ open }) => {
  it("returns the log page by page, from any seq", async () => {
    const registry = open();
    for (const subject of ["a", "b", "c"]) await registry.register(subject, avroRecord(subject));

    const first = await readPage(registry, "?after=0&limit=2");
    const second = await readPage(registry, `?after=${first.next_after}&limit=2`);
    const third = await readPage(registry, `?after=${second.next_after}`);

    expect(first).toMatchObject({ items: [{ id: "1.1" }, { id: "1.2" }], next_after: 2, more: true });
    expect(second).toMatchObject({ items: [{ id: "1.3" }], next_after: 3, more: false });
    expect(third).toEqual({ items: [], next_after: 3, more: false });
  });

  it("returns the current position if no start is given", async () => {
    const registry = open();
    await registry.register("a", avroRecord("a"));

    expect(await readPage(registry, "")).toEqual({ items: [], next_after: 1, more: false });
  });

  it("filters, and reports how far it has scanned", async () => {
    const registry = open();
    for (const subject of ["a", "b", "a2"]) await registry.register(subject, avroRecord(subject));
    await registry.call("PUT", "/compatibility", { body: { level: "NONE" } });

    const page = await readPage(registry, "?after=0&subjects=a*&types=schema.registered");

    expect(page.items.map(({ subject }) => subject)).toEqual(["a", "a2"]);
    expect(page).toMatchObject({ next_after: 4, more: false });
  });
});

describe("GET /api/v1/events", () => {
  it.each([
    ["subjects=a,,b", "filter"],
    [`subjects=${Array.from({ length: 17 }, (_, n) => `s${n}`).join(",")}`, "filter"],
    ["types=schema.unheard", "filter"],
    ["types=unheard.*", "filter"],
    ["after=9", "after"],
    ["after=-1", "parameter"],
    [`subjects=${"a".repeat(521)}`, "parameter"],
  ])("refuses ?%s with the reason", async (search, rule) => {
    const { status, body } = await plainRegistry().get(`/events?${search}`);

    expect(status).toBe(400);
    expect((body as ProblemBody).errors).toMatchObject([{ rule }]);
  });

  it.each(["1", "x.y", "2.1", "1.", "1.-5", "1.2.3", "1.99999999999999999"])("refuses Last-Event-ID %s", async (id) => {
    const { status } = await plainRegistry().get("/events", { "Last-Event-ID": id });

    expect(status).toBe(400);
  });

  it("scans a bounded part of the log per page, and reports its position", async () => {
    const registry = plainRegistry();
    await changeConfigs(registry, MAX_PAGE_SCAN + 1);
    await registry.register("late", avroRecord("a"));

    const first = await readPage(registry, "?after=0&types=schema.*");
    const second = await readPage(registry, `?after=${first.next_after}&types=schema.*`);

    expect(first).toEqual({ items: [], next_after: MAX_PAGE_SCAN, more: true });
    expect(second).toMatchObject({ items: [{ subject: "late" }], next_after: MAX_PAGE_SCAN + 2, more: false });
  });
});

type Page = { items: { id: string; subject?: string }[]; next_after: number; more: boolean };

async function readPage(registry: Registry, search: string): Promise<Page> {
  const { status, body, text } = await registry.get(`/events${search}`);
  expect(status, text).toBe(200);
  return body as Page;
}

async function changeConfigs(registry: Registry, count: number): Promise<void> {
  const { PRIMARIES } = env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> };
  await appendEntries(PRIMARIES.getByName(`${registry.platform.tenant}/1`), count);
}

async function streamEvents(
  registry: Registry,
  search = "",
  headers: Record<string, string> = {},
): Promise<EventReader> {
  const response = await registry.platform.fetch(`/api/v1/events${search}`, {
    headers: { Accept: "text/event-stream", ...headers },
  });
  expect(response.status, response.status === 200 ? "" : await response.text()).toBe(200);
  return new EventReader(response);
}

async function openSocket(registry: Registry, search: string): Promise<FeedClient> {
  const response = await registry.platform.fetch(`/api/v1/events${search}`, { headers: { Upgrade: "websocket" } });
  expect(response.status).toBe(101);
  return new FeedClient(response.webSocket!);
}

/** Waits until the registry's feed has no subscribers. */
async function emptied(registry: Registry): Promise<void> {
  expect(await statusWhen(registry, ({ subscribers }) => subscribers === 0)).toMatchObject({ subscribers: 0 });
}

/** The feed's status once it is as expected, or after five seconds. */
async function statusWhen(registry: Registry, isExpected: (status: FeedStatus) => boolean): Promise<FeedStatus> {
  const feed = openFeed(env as unknown as Bindings, registry.platform.tenant);
  for (let look = 0; ; look += 1) {
    const status = await feed.status({ v: PROTOCOL_VERSION });
    if (isExpected(status) || look === 200) return status;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

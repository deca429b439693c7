import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { KEPT, KEPT_ATTEMPTS } from "../../../durable-objects/webhooks/deliveries.ts";
import type { WebhooksObject } from "../../../durable-objects/webhooks/object.ts";
import { OUTCOME_KEPT_MS } from "../../../durable-objects/webhooks/outcomes.ts";
import { DELIVERY_LIFETIME_MS, MAX_RETRY_AFTER_MS } from "../../../durable-objects/webhooks/schedule.ts";
import { Outside, URL_OF_ONE, WebhooksUnderTest } from "./webhooks-under-test.ts";

const HOUR_MS = 3_600_000;

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response(null, { status, headers });

/** An endpoint with one delivery waiting. */
async function withOneDelivery() {
  const hooks = await WebhooksUnderTest.open();
  const webhook = await hooks.create();
  const seq = await hooks.registerIn("orders");
  await hooks.nudge();
  return { hooks, webhook, seq };
}

/** Advances time in steps, firing the alarm at each. */
async function pass(hooks: WebhooksUnderTest, ms: number, stepMs = 60_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    hooks.clock.advance(stepMs);
    await hooks.ring();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a delivery", () => {
  it("conforms to Standard Webhooks and CloudEvents", async () => {
    const { hooks, webhook, seq } = await withOneDelivery();

    await hooks.ring();

    const [{ init, headers, event, body }] = hooks.outside.received as [(typeof hooks.outside.received)[0]];
    expect(init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(headers.get("content-type")).toBe("application/cloudevents+json");
    expect(headers.get("webhook-id")).toBe(`msg_1_${seq}_${webhook.id}`);
    expect(headers.get("webhook-timestamp")).toMatch(/^\d{10}$/);
    expect(headers.get("webhook-signature")).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
    expect(event).toMatchObject({ id: `1.${seq}`, type: "dev.llm-schema-registry.schema.registered" });
    expect(JSON.parse(body)).toMatchObject({ specversion: "1.0", subject: "orders", data: { seq } });
  });

  it.each([200, 201, 202, 204, 299])("is accepted with %i and never sent again", async (status) => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answering(status);

    await hooks.ring();
    await pass(hooks, HOUR_MS);

    expect(hooks.outside.received).toHaveLength(1);
    const [delivery] = await hooks.deliveries(webhook.id);
    expect(delivery).toMatchObject({ status: "delivered", nextAttemptAtMs: null, attempts: [{ status, error: null }] });
  });

  it.each([
    ["301", answering(301, { Location: "http://127.0.0.1/" }), 301, "redirects are not followed"],
    ["400", answering(400), 400, "Answered 400."],
    ["500", answering(500), 500, "Answered 500."],
    ["no answer", () => Promise.reject(new Error("Network connection lost.")), null, "Network connection lost."],
  ])("is retried after %s, with the same id and a new timestamp", async (_what, answer, status, error) => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answer as Outside["answer"];
    await hooks.ring();
    hooks.outside.answer = answering(204);
    hooks.clock.advance(6_000);

    await hooks.ring();

    const [first, second] = hooks.outside.received;
    expect(second!.id).toBe(first!.id);
    expect(second!.body).toBe(first!.body);
    expect(second!.headers.get("webhook-timestamp")).not.toBe(first!.headers.get("webhook-timestamp"));
    const [delivery] = await hooks.deliveries(webhook.id);
    expect(delivery).toMatchObject({ status: "delivered", attempts: [{ status }, { status: 204, error: null }] });
    expect(delivery!.attempts[0]!.error).toContain(error);
  });

  it("is aborted if the endpoint hangs", async () => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.attemptTimeoutMs = 50;
    await hooks.equip();
    hooks.outside.answer = (_request, signal) => Outside.hang(signal);

    await hooks.ring();

    const [delivery] = await hooks.deliveries(webhook.id);
    expect(delivery).toMatchObject({
      status: "pending",
      attempts: [{ status: null, error: "No response within 0.05 s." }],
    });
  });

  it("is accepted even if its response's body never ends or breaks off", async () => {
    const { hooks, webhook } = await withOneDelivery();
    const bodies = [
      // A body that never ends is read until the time limit; a kibibyte suffices.
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(600)) }),
      new ReadableStream({ pull: (controller) => controller.error(new Error("cut off")) }),
    ];
    await hooks.registerIn("payments");
    hooks.outside.answer = () => new Response(bodies.shift());

    await hooks.run();

    expect(await hooks.deliveries(webhook.id)).toMatchObject([{ status: "delivered" }, { status: "delivered" }]);
  });

  it("honours Retry-After for the whole endpoint, up to an hour", async () => {
    const { hooks } = await withOneDelivery();
    hooks.outside.answer = answering(429, { "Retry-After": "999999" });
    await hooks.ring();
    await hooks.registerIn("payments");
    hooks.outside.answer = answering(204);

    hooks.clock.advance(MAX_RETRY_AFTER_MS - 60_000);
    await hooks.run();
    const before = hooks.outside.received.length;
    hooks.clock.advance(61_000);
    await hooks.ring();

    expect(before).toBe(1);
    expect(hooks.outside.received).toHaveLength(3);
  });

  it("is a dead letter after 24 hours with a last attempt", async () => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answering(500);
    await hooks.ring();

    await pass(hooks, DELIVERY_LIFETIME_MS + 2 * HOUR_MS, 5 * 60_000);

    const [delivery] = await hooks.deliveries(webhook.id);
    expect(delivery!.status).toBe("dead");
    const times = delivery!.attempts.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(8);
    expect(times.length).toBeLessThanOrEqual(KEPT_ATTEMPTS);
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(DELIVERY_LIFETIME_MS - 4 * HOUR_MS);
    expect(await hooks.object.status()).toMatchObject({
      pending: 0,
      deadLetters: 1,
      counters: { dead: 1, delivered: 0 },
    });
  });

  it("is sent again if the object died before it recorded the result", async () => {
    const { hooks, webhook, seq } = await withOneDelivery();
    hooks.outside.answer = (_request, signal) => Outside.hang(signal);
    const ringing = hooks.ring().catch(() => undefined);
    await until(() => hooks.outside.received.length === 1);
    await runInDurableObject(hooks.object, (_object: WebhooksObject, ctx) => ctx.abort("killed")).catch(
      () => undefined,
    );
    await ringing;
    await hooks.equip();
    hooks.outside.answer = answering(204);

    await hooks.ring();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${seq}`, `1.${seq}`]);
    expect(await hooks.deliveries(webhook.id)).toMatchObject([{ status: "delivered" }]);
  });

  it("is sent again after a delay if the object's own code fails", async () => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answering(500);
    await runInDurableObject(hooks.object, (object: WebhooksObject) => {
      object.random = () => {
        throw new Error("broken");
      };
    });
    const rangAtMs = hooks.clock.now();

    await hooks.ring();

    const alarm = await runInDurableObject(hooks.object, (_object: WebhooksObject, ctx) => ctx.storage.getAlarm());
    const [unwritten] = await hooks.deliveries(webhook.id);
    await hooks.equip();
    hooks.outside.answer = answering(204);
    await hooks.ring();

    expect(unwritten).toMatchObject({ status: "pending", attempts: [] });
    // The test's alarms are an hour late.
    expect(alarm! - 3_600_000 - rangAtMs).toBeGreaterThan(10_000);
    expect(await hooks.deliveries(webhook.id)).toMatchObject([{ status: "delivered", attempts: [{ status: 204 }] }]);
  });

  it("waits, without blaming the endpoint, while the primary is unreachable", async () => {
    const { hooks, webhook } = await withOneDelivery();
    await evictDurableObject(hooks.object);
    await hooks.equip();
    await runInDurableObject(hooks.object, (object: WebhooksObject) => {
      const away = { getByName: () => ({ readEvents: () => Promise.reject(new Error("away")) }) };
      Object.defineProperty(object, "env", { value: { PRIMARIES: away } });
    });

    await hooks.ring();

    expect(hooks.outside.received).toEqual([]);
    expect(await hooks.deliveries(webhook.id)).toMatchObject([{ status: "pending", attempts: [] }]);
    expect(await hooks.object.health({ webhookId: webhook.id })).toMatchObject({ circuit: "closed" });
  });
});

describe("WebhooksObject.replay", () => {
  it("sends a dead letter again, with another 24 hours", async () => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answering(410);
    await hooks.ring();
    await hooks.update(webhook.id, { enabled: true });
    await hooks.nudge();
    hooks.outside.answer = answering(204);
    const [dead] = await hooks.deliveries(webhook.id);

    const replayed = await hooks.object.replay({ webhookId: webhook.id, deliveryId: dead!.id });
    await hooks.ring();

    expect(replayed).toMatchObject({ ok: true, value: { status: "pending" } });
    expect(hooks.outside.received.map(({ id }) => id)).toEqual([dead!.id, dead!.id]);
    expect(await hooks.deliveries(webhook.id)).toMatchObject([
      { status: "delivered", attempts: [{ status: 410 }, {}] },
    ]);
    expect(await hooks.object.status()).toMatchObject({ counters: { replayed: 1, dead: 1, delivered: 1 } });
  });

  it("acts once per idempotency key for a day, and refuses the key for another request", async () => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answering(204);
    await hooks.ring();
    const [sent] = await hooks.deliveries(webhook.id);
    const args = { webhookId: webhook.id, deliveryId: sent!.id, once: { key: "k", digest: "a" } };

    const [first, second] = await Promise.all([hooks.object.replay(args), hooks.object.replay(args)]);
    await hooks.ring();
    const later = await hooks.object.replay(args);
    const other = await hooks.object.replay({ ...args, once: { key: "k", digest: "b" } });
    await hooks.ring();

    expect([second, later]).toEqual([first, first]);
    expect(other).toMatchObject({ ok: false, refusal: { error: "UNPROCESSABLE" } });
    expect(hooks.outside.received).toHaveLength(2);
    hooks.clock.advance(OUTCOME_KEPT_MS);
    await hooks.object.replay(args);
    await hooks.ring();
    expect(hooks.outside.received).toHaveLength(3);
  });

  it("does not store a refusal as an outcome", async () => {
    const { hooks, webhook } = await withOneDelivery();
    const once = { key: "k", digest: "a" };

    const refused = await hooks.object.replay({ webhookId: webhook.id, deliveryId: "msg_none", once });
    await hooks.ring();
    const [sent] = await hooks.deliveries(webhook.id);
    const replayed = await hooks.object.replay({ webhookId: webhook.id, deliveryId: sent!.id, once });

    expect(refused).toMatchObject({ ok: false, refusal: { error: "DELIVERY_NOT_FOUND" } });
    expect(replayed).toMatchObject({ ok: true, value: { id: sent!.id } });
  });

  it("sends all dead letters since a seq or a time again and leaves the older ones", async () => {
    const hooks = await WebhooksUnderTest.open();
    const { id } = await hooks.create();
    await hooks.registerIn("old");
    hooks.clock.advance(1_000);
    const middle = await hooks.registerIn("middle");
    await hooks.registerIn("new");
    await hooks.update(id, { enabled: false });
    await hooks.nudge();
    await pass(hooks, DELIVERY_LIFETIME_MS + HOUR_MS, HOUR_MS);
    await hooks.update(id, { enabled: true });
    await hooks.nudge();

    const replayed = await hooks.object.replayDead({ webhookId: id, sinceSeq: middle, sinceMs: null });
    await hooks.ring();
    const none = await hooks.object.replayDead({ webhookId: id, sinceSeq: null, sinceMs: hooks.clock.now() });

    expect(replayed).toEqual({ ok: true, value: { replayed: 2, remaining: 0 } });
    expect(none).toEqual({ ok: true, value: { replayed: 0, remaining: 0 } });
    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${middle}`, `1.${middle + 1}`]);
    expect(await hooks.deliveries(id)).toMatchObject([
      { status: "delivered" },
      { status: "delivered" },
      { status: "dead" },
    ]);
  });

  it("refuses unknown deliveries", async () => {
    const { hooks, webhook } = await withOneDelivery();

    const refused = await hooks.object.replay({ webhookId: webhook.id, deliveryId: "msg_1_999_none" });

    expect(refused).toMatchObject({ ok: false, refusal: { error: "DELIVERY_NOT_FOUND" } });
  });
});

describe("stored deliveries", () => {
  it("are limited in number: the oldest pending ones become dead letters, and the oldest finished ones are deleted", async () => {
    const hooks = await WebhooksUnderTest.open();
    await runInDurableObject(hooks.object, (object: WebhooksObject) => {
      object.kept = {
        ...KEPT,
        pending: 3,
        delivered: { ...KEPT.delivered, count: 2 },
        dead: { ...KEPT.dead, count: 1 },
      };
    });
    const { id } = await hooks.create();
    const subjectsOf = async (status: "pending" | "delivered" | "dead") =>
      (await hooks.deliveries(id)).flatMap((delivery) => (delivery.status === status ? [delivery.subject] : []));
    hooks.outside.answer = answering(500);
    await hooks.registerIn("a", "b", "c");
    await hooks.run();
    const within = await subjectsOf("pending");

    await hooks.registerIn("d", "e");
    await hooks.nudge();
    await pass(hooks, 2 * HOUR_MS, HOUR_MS);
    const beyond = [await subjectsOf("pending"), await subjectsOf("dead")];
    hooks.outside.answer = answering(204);
    await pass(hooks, 12 * HOUR_MS, HOUR_MS);

    expect(within).toEqual(["c", "b", "a"]);
    expect(beyond).toEqual([["e", "d", "c"], ["b"]]);
    expect(await subjectsOf("delivered")).toEqual(["e", "d"]);
  });

  it("are replayed in limited batches, with the number that remains", async () => {
    const { hooks, webhook } = await withOneDelivery();
    await hooks.registerIn("payments", "users");
    await hooks.update(webhook.id, { enabled: false });
    await hooks.nudge();
    await pass(hooks, DELIVERY_LIFETIME_MS + 2 * HOUR_MS, HOUR_MS);
    await runInDurableObject(hooks.object, (object: WebhooksObject) => {
      object.maxReplayed = 2;
    });

    const args = { webhookId: webhook.id, sinceSeq: null, sinceMs: null };

    expect(await hooks.object.replayDead(args)).toEqual({ ok: true, value: { replayed: 2, remaining: 1 } });
    expect(await hooks.object.replayDead(args)).toEqual({ ok: true, value: { replayed: 1, remaining: 0 } });
  });

  it("are limited in age", async () => {
    const { hooks, webhook } = await withOneDelivery();
    await hooks.ring();
    const kept = await hooks.deliveries(webhook.id);

    hooks.clock.advance(KEPT.delivered.ms + 1_000);
    await hooks.ring();

    expect(kept).toHaveLength(1);
    expect(await hooks.deliveries(webhook.id)).toEqual([]);
  });
});

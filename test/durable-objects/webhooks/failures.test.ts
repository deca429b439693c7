import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { WebhooksObject } from "../../../durable-objects/webhooks/object.ts";
import { DELIVERY_LIFETIME_MS } from "../../../durable-objects/webhooks/schedule.ts";
import {
  MAX_CONCURRENT,
  MAX_CONCURRENT_FAILING,
  MAX_CONCURRENT_PER_ENDPOINT,
} from "../../../durable-objects/webhooks/sender.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { expectReplayEqualsState } from "../primary/commands.ts";
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

describe("an endpoint that fails", () => {
  it("is not tried for 30 s after five failures, then twice as long each time, up to an hour", async () => {
    const hooks = await WebhooksUnderTest.open();
    const { id } = await hooks.create();
    await hooks.registerIn(...Array.from({ length: 20 }, (_, index) => `s${index}`));
    hooks.outside.answer = answering(500);

    await hooks.run();
    const atOnce = hooks.outside.received.length;
    const waits: number[] = [];
    for (let probe = 0; probe < 9; probe += 1) {
      const { circuit, openUntilMs } = await hooks.object.health({ webhookId: id });
      expect(circuit).toBe("open");
      const waitMs = openUntilMs! - hooks.clock.now();
      waits.push(Math.round(waitMs / 10_000) * 10);
      hooks.clock.advance(waitMs + 1_000);
      const before = hooks.outside.received.length;
      await hooks.ring();
      // Half open: one probe is allowed.
      expect(hooks.outside.received.length - before).toBe(1);
    }

    expect(atOnce).toBe(5);
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
  });

  it("receives all waiting deliveries once it recovers", async () => {
    const hooks = await WebhooksUnderTest.open();
    const { id, seq } = await hooks.create();
    hooks.outside.answer = answering(500);
    await hooks.registerIn(...Array.from({ length: 12 }, (_, index) => `s${index}`));
    await hooks.run();
    await pass(hooks, HOUR_MS);
    hooks.outside.received.length = 0;
    hooks.outside.answer = answering(204);

    await pass(hooks, 4 * HOUR_MS, 10 * 60_000);

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual(Array.from({ length: 12 }, (_, index) => `1.${seq + 1 + index}`));
    expect(await hooks.object.health({ webhookId: id })).toMatchObject({ circuit: "closed", pending: 0, dead: 0 });
  });

  it("receives all waiting deliveries immediately after its URL changes", async () => {
    const hooks = await WebhooksUnderTest.open();
    const { id, seq } = await hooks.create();
    hooks.outside.answer = answering(500);
    await hooks.registerIn("a", "b", "c", "d", "e", "f");
    await hooks.run();
    const { circuit } = await hooks.object.health({ webhookId: id });
    hooks.outside.answer = answering(204);

    await hooks.update(id, { url: "https://hooks.example.com/moved" });
    await hooks.run();

    expect(circuit).toBe("open");
    expect(hooks.outside.idsTo("https://hooks.example.com/moved")).toEqual(
      Array.from({ length: 6 }, (_, index) => `1.${seq + 1 + index}`),
    );
    expect(await hooks.object.health({ webhookId: id })).toMatchObject({ circuit: "closed", pending: 0 });
  });

  it("does not delay others while it hangs", async () => {
    const hooks = await WebhooksUnderTest.open();
    // Only if the hanging endpoints hold up the other one, an attempt lasts as long as this.
    hooks.attemptTimeoutMs = 20_000;
    await hooks.equip();
    for (let index = 0; index < 2; index += 1) await hooks.create({ url: `https://hanging-${index}.example.com/` });
    await hooks.create();
    const delivered = Promise.withResolvers<void>();
    let timedOut = 0;
    hooks.outside.answer = ({ url }, signal) => {
      if (url !== URL_OF_ONE) {
        signal?.addEventListener("abort", () => (timedOut += 1));
        return Promise.race([Outside.hang(signal), delivered.promise.then(() => new Response(null, { status: 500 }))]);
      }
      if (hooks.outside.idsTo(URL_OF_ONE).length === 6) delivered.resolve();
      return new Response();
    };
    await hooks.registerIn("a", "b", "c", "d", "e", "f");
    await hooks.nudge();

    await hooks.ring();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toHaveLength(6);
    expect(timedOut).toBe(0);
    expect(hooks.outside.mostOpen).toBeLessThanOrEqual(MAX_CONCURRENT);
  });

  it("leaves connections to responsive endpoints, however many hang", async () => {
    const hooks = await WebhooksUnderTest.open();
    hooks.attemptTimeoutMs = 20;
    await hooks.equip();
    for (let index = 0; index < 2 * MAX_CONCURRENT; index += 1) {
      await hooks.create({ url: `https://hanging-${index}.example.com/`, types: ["schema.*"] });
    }
    hooks.outside.answer = (_request, signal) => Outside.hang(signal);
    await hooks.registerIn("a");
    await hooks.run();
    // Each of them has failed once, and is about to hang again.
    hooks.attemptTimeoutMs = 2_000;
    await hooks.equip();
    hooks.clock.advance(10_000);
    await hooks.create({ types: ["schema.*"] });
    await hooks.registerIn("b", "c", "d");
    let hanging = 0;
    const hangingBeforeGood: number[] = [];
    hooks.outside.answer = ({ url }, signal) => {
      if (url === URL_OF_ONE) {
        hangingBeforeGood.push(hanging);
        return new Response();
      }
      hanging += 1;
      return Outside.hang(signal);
    };
    await hooks.nudge();

    const ringing = hooks.ring();
    await until(() => hangingBeforeGood.length === 3);
    hooks.outside.answer = () => new Response();
    await ringing;

    expect(Math.max(...hangingBeforeGood)).toBeLessThanOrEqual(MAX_CONCURRENT_FAILING);
  });

  it("never has more than its share of connections", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.create();
    await hooks.registerIn("a", "b", "c", "d", "e", "f");
    hooks.outside.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return new Response();
    };

    await hooks.run();

    expect(hooks.outside.mostOpen).toBe(MAX_CONCURRENT_PER_ENDPOINT);
    expect(hooks.outside.received).toHaveLength(6);
  });

  it("is disabled through the log when it answers 410", async () => {
    const { hooks, webhook } = await withOneDelivery();
    hooks.outside.answer = answering(410);

    await hooks.ring();
    await hooks.registerIn("later");
    await hooks.run();

    expect(hooks.outside.received).toHaveLength(1);
    expect(await hooks.deliveries(webhook.id)).toMatchObject([{ status: "dead", attempts: [{ status: 410 }] }]);
    const answer = await hooks.primary.read({ v: PROTOCOL_VERSION, name: "webhook", args: { id: webhook.id } });
    expect(answer).toMatchObject({ value: { value: { enabled: false, disabledBy: "gone" } } });
    await expectReplayEqualsState(hooks.primary);
  });

  it("is not retried until its 410 can be recorded by the primary", async () => {
    const { hooks, webhook } = await withOneDelivery();
    await hooks.registerIn("payments");
    await hooks.nudge();
    hooks.outside.answer = answering(410);
    const primaries = await runInDurableObject(hooks.object, (object: WebhooksObject) => {
      const { env } = object as unknown as { env: { PRIMARIES: { getByName(name: string): unknown } } };
      const real = env.PRIMARIES;
      env.PRIMARIES = { getByName: () => ({ commit: () => Promise.reject(new Error("away")) }) };
      return { restore: () => Object.assign(env, { PRIMARIES: real }) };
    });
    const rangAtMs = hooks.clock.now();
    await hooks.ring();
    const sent = hooks.outside.received.length;
    const alarm = await runInDurableObject(hooks.object, (_object: WebhooksObject, ctx) => ctx.storage.getAlarm());
    primaries.restore();

    await hooks.ring();

    // Both were in flight when the first of them was answered.
    expect(sent).toBeLessThanOrEqual(MAX_CONCURRENT_PER_ENDPOINT);
    expect(alarm! - 3_600_000 - rangAtMs).toBeGreaterThan(4_000);
    expect(hooks.outside.received).toHaveLength(sent);
    const answer = await hooks.primary.read({ v: PROTOCOL_VERSION, name: "webhook", args: { id: webhook.id } });
    expect(answer).toMatchObject({ value: { value: { enabled: false, disabledBy: "gone" } } });
  });

  it("stays enabled if it was changed after the request that it answered with 410", async () => {
    const { hooks, webhook } = await withOneDelivery();
    let moved = false;
    hooks.outside.answer = async () => {
      await until(() => moved);
      return new Response(null, { status: 410 });
    };

    const ringing = hooks.ring();
    await until(() => hooks.outside.received.length === 1);
    await hooks.update(webhook.id, { url: "https://hooks.example.com/moved" });
    moved = true;
    await ringing;

    const answer = await hooks.primary.read({ v: PROTOCOL_VERSION, name: "webhook", args: { id: webhook.id } });
    expect(answer).toMatchObject({ value: { value: { enabled: true, url: "https://hooks.example.com/moved" } } });
  });

  it("keeps waiting deliveries while it is disabled, and gives them up when they expire", async () => {
    const { hooks, webhook } = await withOneDelivery();
    await hooks.update(webhook.id, { enabled: false });
    await hooks.run();
    await pass(hooks, DELIVERY_LIFETIME_MS - HOUR_MS, HOUR_MS);
    const before = await hooks.deliveries(webhook.id);

    await pass(hooks, 3 * HOUR_MS, HOUR_MS);

    expect(before).toMatchObject([{ status: "pending" }]);
    expect(await hooks.deliveries(webhook.id)).toMatchObject([{ status: "dead", attempts: [] }]);
    expect(hooks.outside.received).toEqual([]);
  });
});

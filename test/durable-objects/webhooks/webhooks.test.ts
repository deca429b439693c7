import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { WebhooksObject } from "../../../durable-objects/webhooks/object.ts";
import { parseHeader } from "../../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { commit, expectReplayEqualsState } from "../primary/commands.ts";
import { URL_OF_ONE, WebhooksUnderTest } from "./webhooks-under-test.ts";

const URL_OF_TWO = "https://hooks.example.com/two";

describe("WebhooksObject.nudge", () => {
  it("turns entries logged since an endpoint's creation into deliveries", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.registerIn("before");
    const { id, seq } = await hooks.create();
    await hooks.registerIn("orders", "payments");

    await hooks.run();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${seq + 1}`, `1.${seq + 2}`]);
    expect(await hooks.deliveries(id)).toMatchObject([
      { subject: "payments", status: "delivered", type: "schema.registered" },
      { subject: "orders", status: "delivered", type: "schema.registered" },
    ]);
  });

  it("sends an endpoint only events that match its filters", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.create({ subjects: ["orders-*", ":.shop:*"], types: ["schema.*"] });
    await hooks.create({ url: URL_OF_TWO, types: ["schema.deleted"] });
    await hooks.registerIn("orders-value", "payments", ":.shop:cart");

    await hooks.run();

    const subjects = hooks.outside.received.map(({ body }) => (JSON.parse(body) as { subject: string }).subject);
    expect(subjects.toSorted()).toEqual([":.shop:cart", "orders-value"]);
    expect(hooks.outside.idsTo(URL_OF_TWO)).toEqual([]);
  });

  it("writes nothing twice when nudges are repeated, reordered or late", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.create();
    const first = await hooks.registerIn("a");
    const last = await hooks.registerIn("b", "c");

    await Promise.all([hooks.nudge(last), hooks.nudge(first), hooks.nudge(last), hooks.nudge(first - 1)]);
    await hooks.ring();
    await hooks.nudge(first);
    await hooks.ring();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${first}`, `1.${last - 1}`, `1.${last}`]);
  });

  it("sends nothing twice when a part of the log is read again", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.create();
    const seq = await hooks.registerIn("a", "b");
    await hooks.run();
    await runInDurableObject(hooks.object, (_object: WebhooksObject, ctx) => {
      ctx.storage.sql.exec("UPDATE marks SET value = value - 2 WHERE name = 'tip'");
    });

    await hooks.run();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${seq - 1}`, `1.${seq}`]);
  });

  it("catches up after lost nudges, page by page", async () => {
    const hooks = await WebhooksUnderTest.open();
    hooks.eventsPerPage = 10;
    await hooks.equip();
    const { seq } = await hooks.create({ subjects: ["*7"] });
    const subjects = Array.from({ length: 35 }, (_, index) => `s${index}`);
    await hooks.registerIn(...subjects);

    await hooks.run();

    const expected = subjects.flatMap((subject, index) => (subject.endsWith("7") ? [`1.${seq + 1 + index}`] : []));
    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual(expected);
  });

  it("resumes at its checkpoint after an eviction", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.create();
    const first = await hooks.registerIn("a");
    await hooks.nudge();
    await evictDurableObject(hooks.object);
    await hooks.equip();
    const second = await hooks.registerIn("b");

    await hooks.run();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${first}`, `1.${second}`]);
  });

  it("handles a nudge beyond the log, and receives later entries", async () => {
    const hooks = await WebhooksUnderTest.open();
    await hooks.create();
    const seq = await hooks.registerIn("a");

    await hooks.nudge(seq + 1_000);
    const next = await hooks.registerIn("b");
    await hooks.run();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([`1.${seq}`, `1.${next}`]);
  });
});

describe("an endpoint's changes", () => {
  it("are log entries that replay into the same rows, and reference keys without containing any", async () => {
    const hooks = await WebhooksUnderTest.open();
    const { id, createdSeq } = await hooks.create();
    const { id: deleted } = await hooks.create({ url: URL_OF_TWO, algorithms: ["ed25519"] });
    await hooks.update(id, { description: "changed" });
    await commit(hooks.primary, { type: "rotateWebhook", id });
    await hooks.remove(deleted);

    const answer = await hooks.primary.read({ v: PROTOCOL_VERSION, name: "webhooks", args: {} });
    const { entries } = await hooks.primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 10 });

    expect(answer).toMatchObject({
      value: {
        value: [{ id, createdSeq, seq: 4, description: "changed", keys: [{ generation: 1 }, { generation: 2 }] }],
      },
    });
    expect(entries.map(({ header }) => parseHeader(header).type)).toEqual(new Array(5).fill("webhook.changed"));
    await expectReplayEqualsState(hooks.primary);
  });

  it("apply from their own entry on: disabled, enabled, moved, deleted", async () => {
    const hooks = await WebhooksUnderTest.open();
    const { id } = await hooks.create();
    await hooks.update(id, { enabled: false });
    await hooks.registerIn("while-off");
    await hooks.run();
    await hooks.update(id, { enabled: true, url: URL_OF_TWO });
    const on = await hooks.registerIn("while-on");
    await hooks.run();
    await hooks.remove(id);
    await hooks.registerIn("after");
    await hooks.run();

    expect(hooks.outside.idsTo(URL_OF_ONE)).toEqual([]);
    expect(hooks.outside.idsTo(URL_OF_TWO)).toEqual([`1.${on}`]);
    expect(await hooks.deliveries(id)).toEqual([]);
  });
});

/** Webhook endpoints over HTTP: settings, keys, deliveries and their replay. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import openapi from "../../../../contract/openapi.json";
import { MAX_SIGNING_KEYS } from "../../../../durable-objects/webhooks/keys.ts";
import type { WebhooksObject } from "../../../../durable-objects/webhooks/object.ts";
import { PROTOCOL_VERSION } from "../../../../registry/rpc.ts";
import {
  MAX_WEBHOOK_DESCRIPTION_CHARACTERS,
  MAX_WEBHOOK_FILTERS,
  MAX_WEBHOOK_SUBJECTS_CHARACTERS,
  MAX_WEBHOOKS,
} from "../../../../registry/webhook.ts";
import { localActor } from "../../../../workers/http/actor.ts";
import { createApp } from "../../../../workers/http/app.ts";
import { compileBodyCheck } from "../../../../workers/http/request-schema.ts";
import { avroRecord, type ProblemBody, plainRegistry, type Registry, WAYS } from "../native-calls.ts";

type WebhookBody = {
  id: string;
  url: string;
  enabled: boolean;
  disabled_by: string | null;
  subjects: string[];
  types: string[];
  algorithms: string[];
  secret?: string;
  keys: { generation: number; signs_until: string | null; public_key?: string; secret?: string }[];
  health?: { circuit: string; pending: number; dead: number };
  seq: number;
};
type DeliveryBody = { id: string; status: string; subject: string | null; seq: number | null; attempts: object[] };

const URL_OF_ONE = "https://hooks.example.com/one";
/** The OpenAPI document's schema of deliveries. */
const IS_EVENT = compileBodyCheck({ $ref: "#/components/schemas/Event" }, openapi.components.schemas);
/** Two seconds until a commit is nudged, and a few for a loaded machine. */
const TOLD_WITHIN_MS = 10_000;

let answers: (url: string) => number;
/** By tenant, because deliveries of other tests are sent meanwhile, too. */
const sentBy = new Map<string, { type: string; subject?: string }[]>();

beforeEach(() => {
  answers = () => 204;
});

function sentOf({ platform }: Registry): { type: string; subject?: string }[] {
  const sent = sentBy.get(platform.tenant) ?? [];
  sentBy.set(platform.tenant, sent);
  return sent;
}

/** The tenant's object, which sends to the test instead of the outside world. */
async function equip(registry: Registry): Promise<DurableObjectStub<WebhooksObject>> {
  const namespace = (env as unknown as { WEBHOOKS: DurableObjectNamespace<WebhooksObject> }).WEBHOOKS;
  const object = namespace.getByName(`${registry.platform.tenant}/1`);
  await runInDurableObject(object, (instance: WebhooksObject) => {
    instance.send = async (url, init) => {
      sentOf(registry).push(JSON.parse(init.body as string));
      return new Response(null, { status: answers(url) });
    };
  });
  return object;
}

/** Nudges the object and fires its alarm, without waiting for the queue. */
async function deliver(registry: Registry): Promise<void> {
  const object = await equip(registry);
  await object.nudge({ v: PROTOCOL_VERSION, upToSeq: await registry.lastSeq() });
  await runDurableObjectAlarm(object);
}

async function create(registry: Registry, more: object = {}): Promise<WebhookBody> {
  await equip(registry);
  const { status, body, text } = await registry.call("POST", "/webhooks", { body: { url: URL_OF_ONE, ...more } });
  expect(status, text).toBe(201);
  return body as WebhookBody;
}

async function deliveriesOf(registry: Registry, id: string, query = ""): Promise<DeliveryBody[]> {
  return ((await registry.get(`/webhooks/${id}/deliveries${query}`)).body as { items: DeliveryBody[] }).items;
}

async function refusal(
  registry: Registry,
  method: string,
  path: string,
  body?: object,
): Promise<[number, ProblemBody]> {
  const called = await registry.call(method, path, body === undefined ? {} : { body });
  return [called.status, called.body as ProblemBody];
}

describe.each(WAYS)("/webhooks on the $name platform", ({ open }) => {
  it("creates an endpoint with all defaults, shows its secret, and lists it without the secret", async () => {
    const registry = open();

    const made = await create(registry);
    const listed = (await registry.get("/webhooks")).body as { items: WebhookBody[] };

    expect(made).toMatchObject({
      url: URL_OF_ONE,
      subjects: [],
      types: [],
      enabled: true,
      disabled_by: null,
      algorithms: ["hmac-sha256"],
      keys: [{ generation: 1, signs_until: null }],
    });
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { secret: _, ...shown } = made;
    expect(listed.items).toEqual([shown]);
  });

  it("gives a repeated request the same endpoint and the same secret", async () => {
    const registry = open();
    const options = { body: { url: URL_OF_ONE }, headers: { "Idempotency-Key": "once" } };

    const first = await registry.call("POST", "/webhooks", options);
    const second = await registry.call("POST", "/webhooks", options);

    expect(second.body).toEqual(first.body);
    expect(((await registry.get("/webhooks")).body as { items: object[] }).items).toHaveLength(1);
  });

  it("refuses another endpoint with the same key", async () => {
    const registry = open();
    const headers = { "Idempotency-Key": "once" };

    await registry.call("POST", "/webhooks", { body: { url: URL_OF_ONE }, headers });
    const other = await registry.call("POST", "/webhooks", { body: { url: `${URL_OF_ONE}/other` }, headers });

    expect(other.status).toBe(422);
    expect(((await registry.get("/webhooks")).body as { items: object[] }).items).toHaveLength(1);
  });

  it("changes the given fields, under If-Match, and keeps the rest", async () => {
    const registry = open();
    const { id, seq } = await create(registry, { subjects: ["orders-*"], description: "for orders" });

    const changed = await registry.call("PATCH", `/webhooks/${id}`, {
      body: { enabled: false, types: ["dev.llm-schema-registry.schema.registered", "schema.*"] },
      headers: { "If-Match": `"${seq}"` },
    });
    const late = await registry.call("PATCH", `/webhooks/${id}`, {
      body: { enabled: true },
      headers: { "If-Match": `"${seq}"` },
    });

    expect(changed.body).toMatchObject({
      enabled: false,
      disabled_by: "administrator",
      subjects: ["orders-*"],
      description: "for orders",
      types: ["schema.registered", "schema.*"],
    });
    expect(changed.headers.get("ETag")).toBe(`"${(changed.body as WebhookBody).seq}"`);
    expect([late.status, (late.body as ProblemBody).code]).toEqual([412, "precondition_failed"]);
  });

  it("writes nothing if nothing changes", async () => {
    const registry = open();
    const { id } = await create(registry);
    const before = await registry.lastSeq();

    const { status } = await registry.call("PATCH", `/webhooks/${id}`, { body: { url: URL_OF_ONE, enabled: true } });

    expect(status).toBe(200);
    expect(await registry.lastSeq()).toBe(before);
  });

  it("deletes an endpoint, which is then not found", async () => {
    const registry = open();
    const { id } = await create(registry);

    const gone = await registry.call("DELETE", `/webhooks/${id}`);

    expect(gone.status).toBe(204);
    for (const [method, path, body] of [
      ["GET", `/webhooks/${id}`],
      ["PATCH", `/webhooks/${id}`, { enabled: false }],
      ["DELETE", `/webhooks/${id}`],
      ["POST", `/webhooks/${id}/rotate`],
      ["GET", `/webhooks/${id}/secret`],
      ["POST", `/webhooks/${id}/test`],
      ["GET", `/webhooks/${id}/deliveries`],
      ["POST", `/webhooks/${id}/deliveries/msg/replay`],
      ["POST", `/webhooks/${id}/replay`, {}],
    ] as const) {
      const [status, { code }] = await refusal(registry, method, path, body);
      expect([path, status, code]).toEqual([path, 404, "not_found"]);
    }
  });

  it("rotates keys: the new secret signs immediately, and the old one for a day", async () => {
    const registry = open();
    const made = await create(registry, { algorithms: ["hmac-sha256", "ed25519"] });

    const rotated = (await registry.call("POST", `/webhooks/${made.id}/rotate`)).body as WebhookBody;
    const { keys } = (await registry.get(`/webhooks/${made.id}/secret`)).body as { keys: WebhookBody["keys"] };

    expect(rotated.secret).not.toBe(made.secret);
    expect(keys.map(({ generation, secret }) => [generation, secret])).toEqual([
      [1, made.secret],
      [2, rotated.secret],
    ]);
    expect(keys[0]?.signs_until).toMatch(/Z$/);
    expect(keys[1]?.signs_until).toBeNull();
    expect(new Set(keys.map(({ public_key }) => public_key)).size).toBe(2);
    expect(keys[0]?.public_key).toMatch(/^whpk_/);
  });

  it(`allows ${MAX_SIGNING_KEYS} generations to sign and refuses another`, async () => {
    const registry = open();
    const { id } = await create(registry);

    const statuses: number[] = [];
    for (let index = 0; index < MAX_SIGNING_KEYS; index += 1) {
      statuses.push((await registry.call("POST", `/webhooks/${id}/rotate`)).status);
    }

    expect(statuses).toEqual([200, 200, 409]);
  });

  it.each([
    ["http://hooks.example.com/", "/url"],
    ["https://10.0.0.1/", "/url"],
    ["https://localhost/", "/url"],
    ["not a url", "/url"],
  ])("refuses the address %s with its location and writes nothing", async (url, pointer) => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));

    const [status, problem] = await refusal(registry, "POST", "/webhooks", { url });

    expect([status, problem.code]).toEqual([422, "bad_request"]);
    expect(problem.errors).toMatchObject([{ pointer, rule: "webhook_url" }]);
    expect(await registry.lastSeq()).toBe(1);
  });

  it.each([
    [{}, "/"],
    [{ url: URL_OF_ONE, secret: "mine" }, "/secret"],
    [{ url: URL_OF_ONE, algorithms: [] }, "/algorithms"],
    [{ url: URL_OF_ONE, algorithms: ["md5"] }, "/algorithms/0"],
    [{ url: URL_OF_ONE, subjects: [""] }, "/subjects/0"],
    [{ url: URL_OF_ONE, enabled: "yes" }, "/enabled"],
  ])("refuses the body %j", async (body, pointer) => {
    const [status, problem] = await refusal(open(), "POST", "/webhooks", body);

    expect(status).toBe(400);
    expect(problem.errors?.[0]?.pointer ?? "").toContain(pointer === "/" ? "" : pointer);
  });

  it.each([
    ["subjects", (count: number) => Array.from({ length: count }, (_, index) => `s${index}`), MAX_WEBHOOK_FILTERS],
    ["types", (count: number) => new Array<string>(count).fill("schema.*"), MAX_WEBHOOK_FILTERS],
    ["description", (count: number) => "d".repeat(count), MAX_WEBHOOK_DESCRIPTION_CHARACTERS],
  ])("accepts the maximum size of %s and refuses one more", async (field, ofSize, most) => {
    const registry = open();

    const made = await create(registry, { [field]: ofSize(most) });
    const [status, problem] = await refusal(registry, "POST", "/webhooks", {
      url: URL_OF_ONE,
      [field]: ofSize(most + 1),
    });

    expect(made).toMatchObject({ [field]: ofSize(most) });
    expect([status, problem.errors?.[0]?.pointer]).toEqual([400, `/${field}`]);
  });

  it("accepts globs up to the total length and refuses one more character", async () => {
    const registry = open();
    const globs = new Array<string>(10).fill("s".repeat(MAX_WEBHOOK_SUBJECTS_CHARACTERS / 10));

    await create(registry, { subjects: globs });
    const [status, problem] = await refusal(registry, "POST", "/webhooks", {
      url: URL_OF_ONE,
      subjects: [...globs, "s"],
    });

    expect([status, problem.errors?.[0]?.pointer]).toEqual([422, "/subjects"]);
  });

  it("refuses a type that matches no event, and lists the known ones", async () => {
    const [status, problem] = await refusal(open(), "POST", "/webhooks", {
      url: URL_OF_ONE,
      types: ["schema.*", "schema.exploded"],
    });

    expect(status).toBe(422);
    expect(problem.errors).toMatchObject([{ pointer: "/types/1", rule: "event_type" }]);
    expect(problem.errors?.[0]?.message).toContain("schema.registered");
  });

  it("delivers a registration to an endpoint, and shows the result", async () => {
    const registry = open();
    const { id } = await create(registry, { subjects: ["orders*"], types: ["schema.*"] });
    await registry.register("orders-value", avroRecord("id"));
    await registry.register("payments", avroRecord("id"));

    await deliver(registry);

    const [delivery, ...rest] = await deliveriesOf(registry, id);
    expect(rest).toEqual([]);
    expect(delivery).toMatchObject({
      type: "schema.registered",
      subject: "orders-value",
      status: "delivered",
      next_attempt_at: null,
      attempts: [{ status: 204, error: null }],
    });
    expect(IS_EVENT(sentOf(registry)[0])).toEqual([]);
    expect(sentOf(registry).map(({ type, subject }) => [type, subject])).toEqual([
      ["dev.llm-schema-registry.schema.registered", "orders-value"],
    ]);
  });

  it("shows the health of a failing endpoint", async () => {
    const registry = open();
    const { id } = await create(registry);
    answers = () => 500;
    for (const name of ["a", "b", "c", "d", "e", "f"]) await registry.register(name, avroRecord("id"));

    await deliver(registry);

    const { health } = (await registry.get(`/webhooks/${id}`)).body as WebhookBody;
    expect(health).toMatchObject({ circuit: "open", consecutive_failures: 5, pending: 6, dead: 0 });
  });

  it("lists deliveries in pages, newest first, and by status", async () => {
    const registry = open();
    const { id } = await create(registry);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await registry.register(name, avroRecord("id"));
    await deliver(registry);
    answers = () => 500;
    await registry.register("f", avroRecord("id"));
    await deliver(registry);

    const seen: (string | null)[] = [];
    let query = "?limit=2";
    for (;;) {
      const page = (await registry.get(`/webhooks/${id}/deliveries${query}`)).body as {
        items: DeliveryBody[];
        next_cursor?: string;
      };
      seen.push(...page.items.map(({ subject }) => subject));
      if (page.next_cursor === undefined) break;
      query = `?limit=2&cursor=${page.next_cursor}`;
    }

    expect(seen).toEqual(["f", "e", "d", "c", "b", "a"]);
    expect((await deliveriesOf(registry, id, "?status=pending")).map(({ subject }) => subject)).toEqual(["f"]);
    expect(await deliveriesOf(registry, id, "?status=delivered")).toHaveLength(5);
    expect(await deliveriesOf(registry, id, "?status=dead")).toEqual([]);
  });

  it("replays one delivery by its id and refuses an unknown one", async () => {
    const registry = open();
    const { id } = await create(registry);
    await registry.register("orders", avroRecord("id"));
    await deliver(registry);
    const [delivery] = await deliveriesOf(registry, id);

    const replayed = await registry.call("POST", `/webhooks/${id}/deliveries/${delivery!.id}/replay`);
    await deliver(registry);
    const [status, problem] = await refusal(registry, "POST", `/webhooks/${id}/deliveries/msg_1_99_x/replay`);

    expect(replayed.body).toMatchObject({ id: delivery!.id, status: "pending" });
    expect(sentOf(registry)).toHaveLength(2);
    expect([status, problem.code]).toEqual([404, "not_found"]);
  });

  it("replays dead letters since a time or a seq", async () => {
    const registry = open();
    const { id } = await create(registry);
    answers = () => 410;
    const { seq } = await registry.register("orders", avroRecord("id"));
    await deliver(registry);
    await registry.call("PATCH", `/webhooks/${id}`, { body: { enabled: true } });
    answers = () => 204;

    const replay = async (body: object) => (await registry.call("POST", `/webhooks/${id}/replay`, { body })).body;

    expect(await replay({ since: "2999-01-01T00:00:00Z" })).toEqual({ replayed: 0, remaining: 0 });
    expect(await replay({ since_seq: seq + 1 })).toEqual({ replayed: 0, remaining: 0 });
    expect(await replay({ since_seq: seq, since: "2020-01-01T00:00:00Z" })).toEqual({ replayed: 1, remaining: 0 });
    await deliver(registry);
    expect(await deliveriesOf(registry, id)).toMatchObject([{ status: "delivered" }]);
  });

  it("disables an endpoint that answers 410, and records that in the log", async () => {
    const registry = open();
    const { id } = await create(registry);
    answers = () => 410;
    await registry.register("orders", avroRecord("id"));

    await deliver(registry);

    expect((await registry.get(`/webhooks/${id}`)).body).toMatchObject({ enabled: false, disabled_by: "gone" });
    const { items } = (await registry.get("/log")).body as { items: { header: string; payload: { text: string } }[] };
    expect(JSON.parse(items.at(-1)!.header)).toMatchObject({ type: "webhook.changed", actor: "webhooks" });
    expect(items.at(-1)!.payload.text).toContain("410");
  });

  it("writes no secret into the log", async () => {
    const registry = open();
    const { id, secret } = await create(registry, { algorithms: ["hmac-sha256", "ed25519"] });
    await registry.call("POST", `/webhooks/${id}/rotate`);

    const { text } = await registry.get("/log");

    expect(text).toContain("webhook.changed");
    expect(text).not.toContain(secret!.slice("whsec_".length));
    expect(text).not.toMatch(/whsec_|whpk_|whsk_/);
  });

  it("sends a test and answers with its result", async () => {
    const registry = open();
    const { id } = await create(registry, { enabled: false });
    answers = () => 503;
    const failed = (await registry.call("POST", `/webhooks/${id}/test`)).body;
    answers = () => 200;

    const taken = (await registry.call("POST", `/webhooks/${id}/test`)).body;

    expect(failed).toMatchObject({ status: "dead", seq: null, type: "webhook.tested", attempts: [{ status: 503 }] });
    expect(taken).toMatchObject({ status: "delivered", attempts: [{ status: 200, error: null }] });
    expect(sentOf(registry)[1]).toMatchObject({ type: "dev.llm-schema-registry.webhook.tested" });
  });
});

describe("/webhooks", () => {
  it(`accepts ${MAX_WEBHOOKS} endpoints and refuses another`, async () => {
    const registry = plainRegistry();
    for (let index = 0; index < MAX_WEBHOOKS; index += 1) await create(registry);

    const [status, { code, detail }] = await refusal(registry, "POST", "/webhooks", { url: URL_OF_ONE });

    expect([status, code]).toEqual([409, "conflict"]);
    expect(detail).toContain(String(MAX_WEBHOOKS));
  });

  it("reports that the operator has set no key, and still lists and deletes", async () => {
    const registry = plainRegistry();
    const { id } = await create(registry);
    const { tenant } = registry.platform;
    const app = createApp({ actorOf: () => ({ ...localActor(), tenant }) });
    const keyless = { ...(env as object), WEBHOOK_SIGNING_KEY: undefined };
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    const ask = (method: string, path: string, body?: object) =>
      app.fetch(
        new Request(`https://registry.test/api/v1${path}`, {
          method,
          headers: { "Content-Type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
        keyless,
        context as unknown as ExecutionContext,
      );

    const made = await ask("POST", "/webhooks", { url: URL_OF_ONE });
    const secret = await ask("GET", `/webhooks/${id}/secret`);
    const listed = await ask("GET", "/webhooks");
    const deleted = await ask("DELETE", `/webhooks/${id}`);

    for (const answer of [made, secret]) {
      expect(answer.status).toBe(503);
      expect(((await answer.json()) as ProblemBody).detail).toContain("WEBHOOK_SIGNING_KEY");
    }
    expect(listed.status).toBe(200);
    expect(deleted.status).toBe(204);
  });

  it("answers 503 while deliveries are unreachable, and still creates endpoints", async () => {
    const registry = plainRegistry();
    const { id } = await create(registry);
    const { tenant } = registry.platform;
    const app = createApp({ actorOf: () => ({ ...localActor(), tenant }) });
    const away = {
      getByName: () => new Proxy({}, { get: () => () => Promise.reject(new Error("Network connection lost.")) }),
    };
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    const ask = (method: string, path: string, body?: object) =>
      app.fetch(
        new Request(`https://registry.test/api/v1${path}`, {
          method,
          headers: { "Content-Type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
        { ...(env as object), WEBHOOKS: away },
        context as unknown as ExecutionContext,
      );

    const statuses = [
      await ask("GET", `/webhooks/${id}`),
      await ask("GET", `/webhooks/${id}/deliveries`),
      await ask("POST", `/webhooks/${id}/test`),
      await ask("POST", `/webhooks/${id}/replay`, {}),
      await ask("POST", `/webhooks/${id}/deliveries/x/replay`),
      await ask("POST", "/webhooks", { url: URL_OF_ONE }),
      await ask("GET", "/webhooks"),
    ].map(({ status }) => status);

    expect(statuses).toEqual([503, 503, 503, 503, 503, 201, 200]);
  });

  it("delivers a commit after a nudge from the queue alone", async () => {
    const registry = plainRegistry();
    await create(registry, { types: ["schema.*"] });
    await registry.register("orders", avroRecord("id"));

    await expect.poll(() => sentOf(registry).length, { timeout: TOLD_WITHIN_MS, interval: 100 }).toBe(1);
  });

  it("requires the permission to change webhooks before it shows a secret", async () => {
    const { permissions } = localActor();
    const readers = new Set([...permissions].filter((permission) => permission !== "admin:config"));
    const app = createApp({ actorOf: () => ({ tenant: "default", actor: "reader", permissions: readers }) });
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    const statusOf = async (method: string, path: string) =>
      (
        await app.fetch(
          new Request(`https://registry.test/api/v1${path}`, { method }),
          env,
          context as unknown as ExecutionContext,
        )
      ).status;

    expect(await statusOf("GET", "/webhooks")).toBe(200);
    expect(await statusOf("GET", "/webhooks/x/secret")).toBe(403);
    expect(await statusOf("POST", "/webhooks/x/test")).toBe(403);
    expect(await statusOf("POST", "/webhooks/x/rotate")).toBe(403);
  });
});

import { createPublicKey, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sendUntilAnswered } from "../support/native-client.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";
import { BEHAVIOURS, type Behaviour, WebhookServer } from "../support/webhook-endpoint.ts";

const AVRO = (name: string) => ({ type: "record", name: "Order", fields: [{ name, type: "string" }] });
const DELIVERED_WITHIN_MS = 15_000;

type WebhookView = { id: string; secret: string; keys: { public_key?: string }[] };
type DeliveryView = {
  id: string;
  seq: number | null;
  status: string;
  attempts: { status: number | null; latency_ms: number; error: string | null }[];
};

describe("webhooks of a whole registry", () => {
  const state = temporaryState();
  const servers: WebhookServer[] = [];
  let registry: RegistryProcess;
  let subjects = 0;

  beforeAll(async () => {
    for (let index = 0; index < 4; index += 1) servers.push(await WebhookServer.listen());
    // The last one is also on this machine, and not allowed.
    process.env.WEBHOOK_ALLOWED_ORIGINS = servers
      .slice(0, 3)
      .map(({ origin }) => origin)
      .join(",");
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir, args: ["--no-database"] });
    await registry.ready();
  });

  afterAll(async () => {
    delete process.env.WEBHOOK_ALLOWED_ORIGINS;
    await registry.kill();
    for (const server of servers) server.close();
    state.remove();
  });

  afterEach(async () => {
    for (const { id } of await list()) await call("DELETE", `/webhooks/${id}`);
    for (const server of servers) {
      server.arrived.length = 0;
      server.behaviour = BEHAVIOURS.takes;
    }
  });

  async function call<T>(method: string, path: string, body?: unknown, expected = 200): Promise<T> {
    const answer = await sendUntilAnswered(registry.url, method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(method === "DELETE" ? 204 : expected);
    return answer.body as T;
  }

  async function list(): Promise<{ id: string }[]> {
    return (await call<{ items: { id: string }[] }>("GET", "/webhooks")).items;
  }

  function create(server: WebhookServer, more: object = {}): Promise<WebhookView> {
    const webhook = { url: `${server.origin}/hook`, types: ["schema.*"], ...more };
    return call<WebhookView>("POST", "/webhooks", webhook, 201);
  }

  async function registerOne(): Promise<number> {
    subjects += 1;
    const body = { subject: `s${subjects}`, format: "avro", content: AVRO(`f${subjects}`) };
    return (await call<{ seq: number }>("POST", "/schemas", body, 201)).seq;
  }

  async function deliveries(id: string): Promise<DeliveryView[]> {
    return (await call<{ items: DeliveryView[] }>("GET", `/webhooks/${id}/deliveries`)).items;
  }

  it("deliver every registration, with signatures that other implementations verify", async () => {
    const [server] = servers as [WebhookServer];
    const { id, secret, keys } = await create(server, { algorithms: ["hmac-sha256", "ed25519"] });
    const seq = await registerOne();

    expect(await eventually(() => server.arrived.length > 0, DELIVERED_WITHIN_MS)).toBe(true);

    const [{ headers, body }] = server.arrived as [(typeof server.arrived)[0]];
    const event = new Webhook(secret).verify(body, headers) as { data: { seq: number } };
    expect(event.data.seq).toBe(seq);
    expect(isSigned(keys[0]!.public_key!, headers, body)).toBe(true);
    expect(isSigned(keys[0]!.public_key!, headers, `${body} `)).toBe(false);
    expect(await eventually(async () => (await deliveries(id))[0]?.status === "delivered")).toBe(true);
  });

  it("deliver the plan of an artefact's change: which callers must change, and how", async () => {
    const [server] = servers as [WebhookServer];
    const prompt = (...required: string[]) => ({
      text: required.map((name) => `{{${name}}}`).join(" "),
      syntax: "mustache",
      variables: {
        type: "object",
        properties: Object.fromEntries(required.map((name) => [name, { type: "string" }])),
        required,
      },
    });
    const register = (...required: string[]) =>
      call("POST", "/schemas", { subject: "greeting", format: "prompt", content: prompt(...required) }, 201);
    await register("name");
    await call("PUT", "/subjects/greeting/compatibility", { level: "NONE" });
    await create(server);

    await register("name", "city");

    expect(await eventually(() => server.arrived.length > 0, DELIVERED_WITHIN_MS)).toBe(true);
    const { data } = JSON.parse(server.arrived[0]!.body) as { data: unknown };
    const action = { action: "change_caller", reason: expect.stringContaining('requires "city"') };
    expect(data).toMatchObject({
      record: { version_number: 2 },
      plan: { actions: expect.arrayContaining([expect.objectContaining(action)]) },
    });
  });

  it("are signed with the old and the new key for a day after a rotation", async () => {
    const [server] = servers as [WebhookServer];
    const { id, secret: before } = await create(server);
    const { secret: after } = await call<WebhookView>("POST", `/webhooks/${id}/rotate`);
    await registerOne();

    expect(await eventually(() => server.arrived.length > 0, DELIVERED_WITHIN_MS)).toBe(true);

    const [{ headers, body }] = server.arrived as [(typeof server.arrived)[0]];
    expect(after).not.toBe(before);
    for (const secret of [before, after]) expect(new Webhook(secret).verify(body, headers)).toBeTruthy();
  });

  it.each([
    ["answers with garbage", BEHAVIOURS.answersGarbage],
    ["closes in the middle of its answer", BEHAVIOURS.closesMidBody],
    ["drips its answer", BEHAVIOURS.drips],
    ["floods its answer", BEHAVIOURS.floods],
  ] as [string, Behaviour][])("are accepted once by an endpoint that answers 200 and %s", async (_what, behaviour) => {
    const [server, other] = servers as [WebhookServer, WebhookServer];
    server.behaviour = behaviour;
    const { id } = await create(server);
    await create(other);
    await registerOne();

    expect(await eventually(() => other.arrived.length === 1, DELIVERED_WITHIN_MS)).toBe(true);
    const taken = await eventually(async () => (await deliveries(id))[0]?.status === "delivered", DELIVERED_WITHIN_MS);

    expect(taken).toBe(true);
    expect(server.arrived).toHaveLength(1);
  });

  it("follow no redirect, to a private address or anywhere", async () => {
    const [server, , , forbidden] = servers as [WebhookServer, WebhookServer, WebhookServer, WebhookServer];
    server.behaviour = (response) => response.writeHead(307, { Location: `${forbidden.origin}/inside` }).end();
    const { id } = await create(server);
    await registerOne();

    const failed = await eventually(async () => (await deliveries(id))[0]?.attempts.length === 1, DELIVERED_WITHIN_MS);

    expect(failed).toBe(true);
    expect((await deliveries(id))[0]).toMatchObject({ status: "pending", attempts: [{ status: 307 }] });
    expect(forbidden.arrived).toEqual([]);
  });

  it("refuse an address that the operator has not allowed", async () => {
    const forbidden = servers[3]!;

    const refused = await sendUntilAnswered(registry.url, "POST", "/webhooks", { url: `${forbidden.origin}/hook` });

    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: "/url", rule: "webhook_url" }] } });
  });

  it("reach a good endpoint while two others hang", async () => {
    const [good, ...hanging] = servers.slice(0, 3) as [WebhookServer, WebhookServer, WebhookServer];
    for (const server of hanging) {
      server.behaviour = BEHAVIOURS.hangs;
      await create(server);
    }
    await create(good);
    const seqs: number[] = [];
    for (let index = 0; index < 10; index += 1) seqs.push(await registerOne());

    const all = await eventually(() => good.eventIds().length === seqs.length, DELIVERED_WITHIN_MS);

    expect(all).toBe(true);
  });

  it("are signed with the same secret after a restart", async () => {
    const [server] = servers as [WebhookServer];
    const { secret } = await create(server);
    await registry.kill();
    registry = spawnRegistry({
      port: Number(new URL(registry.url).port),
      stateDir: state.stateDir,
      args: ["--no-database"],
    });
    await registry.ready();
    await registerOne();

    expect(await eventually(() => server.arrived.length > 0, DELIVERED_WITHIN_MS)).toBe(true);

    const [{ headers, body }] = server.arrived as [(typeof server.arrived)[0]];
    expect(new Webhook(secret).verify(body, headers)).toBeTruthy();
  });

  it("return a test's result immediately", async () => {
    const [server] = servers as [WebhookServer];
    const { id, secret } = await create(server);

    const taken = await call<DeliveryView>("POST", `/webhooks/${id}/test`);
    server.behaviour = BEHAVIOURS.closesAtOnce;
    const lost = await call<DeliveryView>("POST", `/webhooks/${id}/test`);

    expect(taken).toMatchObject({ status: "delivered", seq: null, attempts: [{ status: 204, error: null }] });
    expect(lost).toMatchObject({ status: "dead", attempts: [{ status: null }] });
    const [{ headers, body }] = server.arrived as [(typeof server.arrived)[0]];
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({
      type: "dev.llm-schema-registry.webhook.tested",
    });
  });
});

/** Ed25519 by Node, from the published key alone. */
function isSigned(publicKey: string, headers: Record<string, string>, body: string): boolean {
  const raw = Buffer.from(publicKey.slice("whpk_".length), "base64");
  const key = createPublicKey({
    format: "jwk",
    key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
  });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  return headers["webhook-signature"]!.split(" ")
    .filter((signature) => signature.startsWith("v1a,"))
    .some((signature) => verify(null, signed, key, Buffer.from(signature.slice("v1a,".length), "base64")));
}

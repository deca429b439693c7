import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { BUILT_IN_ROLES } from "../../../../registry/permission.ts";
import type { Actor, Bindings } from "../../../../workers/edge.ts";
import { createApp } from "../../../../workers/http/app.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";

const BINDINGS = env as unknown as Bindings;
const record = (name: string) => ({ type: "record", name, fields: [{ name: "id", type: "string" }] });
const OVERRIDE = { "X-Registry-Override": "The night shift needs it." };

let registry: GuardedRegistry;
let admin: string;
let tenant: string;

beforeEach(async () => {
  registry = new GuardedRegistry(BINDINGS);
  ({ admin, name: tenant } = await registry.makeTenant());
});

const post = (path: string, body: object, key: string, headers: Record<string, string> = {}) =>
  registry.call("POST", `/api/v1/${path}`, { key, body, headers });

const registration = (subject: string) => ({ subject, format: "avro", content: record("Order") });

/** A request from a user who signed in as an administrator, with or without a second factor. */
async function asAdministrator(path: string, body: object, headers: object, problem?: string): Promise<Response> {
  const grant = { role: "admin", context: null, subject: null, states: null, condition: null };
  const permissions = BUILT_IN_ROLES.admin;
  const actor: Actor = {
    tenant,
    actor: "user:somebody",
    permissions: new Set(permissions),
    identity: { type: "token", name: null, grants: [{ ...grant, permissions }], expiresAtMs: null },
    ...(problem === undefined ? {} : { needsSecondFactor: problem }),
  };
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
  const init = {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  };
  const request = new Request(`https://registry.test/api/v1/${path}`, init);
  return createApp({ actorOf: () => actor }).fetch(request, registry.env, context as unknown as ExecutionContext);
}

const protect = (role: string) =>
  registry.call("PUT", "/api/v1/governance", {
    key: admin,
    body: { protections: [{ name: "orders", subjects: ["orders*"], approvals: [{ role, count: 1 }] }] },
  });

async function proposed(subject = "orders"): Promise<string> {
  const developer = await registry.makeKey([{ role: "developer" }], { by: admin });
  const refused = await post("schemas", registration(subject), developer);
  expect(refused.status, refused.text).toBe(409);
  return (refused.body.proposal as { id: string }).id;
}

describe("X-Registry-Override", () => {
  it("needs the second factor that administration needs", async () => {
    const without = await asAdministrator("schemas", registration("a"), OVERRIDE, "A second factor is missing.");

    expect(without.status).toBe(403);
    expect(await without.text()).toContain("second factor");
    expect((await asAdministrator("schemas", registration("a"), OVERRIDE)).status).toBe(201);
  });

  it("needs the condition of the grant to hold", async () => {
    const condition = "request.ip.inRange('192.0.2.0/24')";
    const key = await registry.makeKey([{ role: "admin", condition }, { role: "service" }], { by: admin });

    expect((await post("schemas", registration("a"), key, OVERRIDE)).status).toBe(403);
    expect((await post("schemas", registration("a"), key)).status).toBe(201);
  });
});

describe("POST /subjects/{subject}/versions?force=true", () => {
  const schema = (type: string) => ({
    schema: JSON.stringify({ type: "record", name: "Forced", fields: [{ name: "id", type }] }),
  });
  const register = (key: string, type: string, query = "") =>
    registry.call("POST", `/subjects/forced/versions${query}`, { key, body: schema(type) });

  it("skips the check only for those who may set the level", async () => {
    const service = await registry.makeKey([{ role: "service" }], { by: admin });
    const elsewhere = await registry.makeKey([{ role: "service" }, { role: "developer", subject_prefix: "other" }], {
      by: admin,
    });
    const developer = await registry.makeKey([{ role: "developer", subject: "forced" }], { by: admin });
    await register(service, "string");

    for (const key of [service, elsewhere]) expect((await register(key, "int", "?force=true")).status).toBe(403);
    expect((await register(service, "int")).status).toBe(409);
    expect((await register(developer, "int", "?force=true")).status).toBe(200);
  });
});

describe("POST /proposals/{proposal}/approve", () => {
  it("counts the administrator's role only with the second factor that it needs", async () => {
    await protect("admin");
    const id = await proposed();

    const without = await asAdministrator(`proposals/${id}/approve`, {}, {}, "A second factor is missing.");

    expect(await without.json()).toMatchObject({ change_set: null, proposal: { status: "open" } });
    const other = await proposed("orders-two");
    const approved = await asAdministrator(`proposals/${other}/approve`, {}, {});
    expect(await approved.json()).toMatchObject({ proposal: { status: "applied" } });
  });

  it("counts no role that the scopes of a key cut", async () => {
    await protect("admin");
    const id = await proposed();
    const cut = await registry.makeKey([{ role: "admin" }], { by: admin, scopes: ["schema:read", "schema:write"] });

    expect((await post(`proposals/${id}/approve`, {}, cut)).body).toMatchObject({ proposal: { status: "open" } });
    expect((await post(`proposals/${id}/approve`, {}, admin)).body).toMatchObject({ proposal: { status: "applied" } });
  });
});

describe("GET /proposals/{proposal}", () => {
  it("reviews no referring subject that the reader may not know", async () => {
    await post("schemas", registration("orders"), admin);
    const content = { type: "record", name: "Hidden", fields: [{ name: "order", type: "Order" }] };
    const references = [{ name: "Order", subject: "orders", version: 1 }];
    await post("schemas", { subject: "hidden", format: "avro", content, references }, admin);
    const wider = { ...record("Order"), doc: "wider" };
    const changes = [{ operation: "register", subject: "orders", format: "avro", content: wider }];
    const { id } = (await post("proposals", { changes }, admin)).body;
    const reader = await registry.makeKey([{ role: "reader", subject: "orders" }], { by: admin });

    const shown = await registry.call("GET", `/api/v1/proposals/${id}`, { key: reader });

    expect(shown.status).toBe(200);
    expect(shown.text).not.toMatch(/hidden/i);
    expect((await registry.call("GET", `/api/v1/proposals/${id}`, { key: admin })).text).toContain('"hidden"');
  });
});

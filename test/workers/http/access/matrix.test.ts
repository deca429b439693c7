import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_IN_ROLES, type BuiltInRole, permissionsOfRole } from "../../../../registry/permission.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import type { Route } from "../../../../workers/http/call.ts";
import { confluentRoutes } from "../../../../workers/http/confluent/routes.ts";
import { nativeRoutes } from "../../../../workers/http/native/routes.ts";
import { rootRoutes } from "../../../../workers/http/service.ts";
import { type Answered, GuardedRegistry } from "../../../support/guarded-registry.ts";

/**
 * Calls every route of the tables with every role, from the tenant that owns the data and from another one. The paths
 * name the first tenant's data, so the other tenant's administrator requests it by its real names.
 */
const registry = new GuardedRegistry(env as unknown as Bindings);
const ROLES = Object.keys(BUILT_IN_ROLES) as BuiltInRole[];
const ROUTES = [...rootRoutes, ...nativeRoutes, ...confluentRoutes];
/** Guessed by the other tenant. */
const SUBJECT = "matrix-orders";
const SECRET = `secret-${crypto.randomUUID()}`;

type Caller = { key: string; role: BuiltInRole; isOwn: boolean; tenant: string };
let callers: Caller[];
let names: Record<string, string>;

async function registered(key: string) {
  const content = { type: "record", name: "Orders", doc: SECRET, fields: [{ name: "id", type: "string" }] };
  const body = { subject: SUBJECT, format: "avro", content };
  const { status, body: record, text } = await registry.call("POST", "/api/v1/schemas", { key, body });
  expect(status, text).toBe(201);
  return record as { id: string; guid: string; confluent_id: number };
}

beforeAll(async () => {
  const [own, other] = [await registry.makeTenant(), await registry.makeTenant()];
  const keyOf = (role: BuiltInRole, by: string) => registry.makeKey([{ role }], { by, requests_per_minute: 1_000_000 });
  callers = await Promise.all(
    ROLES.flatMap((role) =>
      [own, other].map(async (tenant) => ({
        role,
        isOwn: tenant === own,
        tenant: tenant.name,
        key: await keyOf(role, tenant.admin),
      })),
    ),
  );
  const { id, guid, confluent_id: confluentId } = await registered(own.admin);
  const webhook = await registry.call("POST", "/api/v1/webhooks", {
    key: own.admin,
    body: { url: "https://hooks.example.com/matrix", description: SECRET, enabled: false },
  });
  expect(webhook.status, webhook.text).toBe(201);
  names = {
    id,
    guid,
    confluentId: String(confluentId),
    subject: SUBJECT,
    version: "1",
    webhook: webhook.body.id as string,
    key: callers[0]!.key.split("_")[2]!,
    tenant: own.name,
    role: "matrix",
    principal: "group:matrix",
    profile: "mcp",
    context: "matrix",
  };
});

function pathOf({ path }: Route, known = names): string {
  const isConfluent = !path.startsWith("/api/v1");
  const named = path.replaceAll(/\/:(\w+)/g, (_, name: string) => {
    const value = isConfluent && name === "id" ? known.confluentId : known[name];
    return `/${encodeURIComponent(value ?? "matrix")}`;
  });
  return named.replace("/*", "/matrix");
}

/** So that a caller who may use a route changes nothing that others need. */
const ABSENT = { confluentId: "999999", version: "1" };

function ask(route: Route, caller: Caller, path = pathOf(route)): Promise<Answered> {
  const { method } = route;
  const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
  return registry.call(method, path, { key: caller.key, ...body });
}

describe.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))("%s", (_key, route) => {
  const { permission } = route;

  it("is refused to every role that lacks its permission, and to no other role", async () => {
    for (const caller of callers) {
      const isHeld =
        permission === "public" ||
        permission === "authenticated" ||
        permissionsOfRole(caller.tenant, caller.role, {}).includes(permission);
      const isHarmless = !isHeld || route.method === "GET";
      const { status, text } = await ask(route, caller, isHarmless ? pathOf(route) : pathOf(route, ABSENT));
      const who = `${caller.role} of ${caller.isOwn ? "its own" : "another"} tenant: ${text.slice(0, 200)}`;
      if (isHeld) expect([401, 403], who).not.toContain(status);
      else expect(status, who).toBe(403);
    }
  });

  it("reveals nothing of the first tenant to another", async () => {
    for (const caller of callers.filter(({ isOwn }) => !isOwn)) {
      const { status, text, headers } = await ask(route, caller);
      expect(text, `${status}`).not.toContain(SECRET);
      expect(JSON.stringify([...headers]), `${status}`).not.toContain(SECRET);
      expect(status, text.slice(0, 200)).not.toBe(500);
    }
  });

  it("asks for a credential, unless it is public", async () => {
    const { status } = await registry.call(route.method, pathOf(route), route.method === "GET" ? {} : { body: {} });
    if (permission === "public") expect(status).not.toBe(401);
    else expect(status).toBe(401);
  });
});

describe("a body that names the first tenant's data", () => {
  it("finds none of its data from another tenant, and changes nothing", async () => {
    const { key } = callers.find(({ role, isOwn }) => role === "admin" && !isOwn)!;
    const { id, webhook, key: keyId } = names;
    const schema = { id };
    const tries: [string, string, object?][] = [
      ["PATCH", `/schemas/${id}`, { owner: "thief" }],
      ["DELETE", `/schemas/${id}`],
      ["POST", `/schemas/${id}/undelete`],
      ["POST", `/schemas/${id}/erase`, {}],
      ["POST", `/schemas/${id}/validate`, { data: {} }],
      ["POST", `/schemas/${id}/encode`, { data: { id: "1" } }],
      ["POST", "/validate", { subject: SUBJECT, data: {} }],
      ["POST", "/compatibility/check", { reader: schema, writer: schema }],
      ["POST", "/lint", schema],
      ["POST", "/project", { id, profile: "mcp" }],
      ["POST", "/change-sets", { changes: [{ operation: "delete", id }] }],
      ["POST", "/change-sets", { changes: [{ operation: "delete", subject: SUBJECT }] }],
      ["POST", "/proposals", { changes: [{ operation: "delete", id }] }],
      ["POST", "/promotions", { subject: SUBJECT, version: "latest", to_context: ".stolen" }],
      ["POST", "/rules/dry-run", { subject: SUBJECT }],
      ["PATCH", `/webhooks/${webhook}`, { enabled: true }],
      ["POST", `/webhooks/${webhook}/rotate`, {}],
      ["POST", `/webhooks/${webhook}/test`, {}],
      ["DELETE", `/webhooks/${webhook}`],
      ["PATCH", `/keys/${keyId}`, { name: "stolen" }],
      ["POST", `/keys/${keyId}/rotate`, {}],
      ["DELETE", `/keys/${keyId}`],
    ];

    for (const [method, path, body] of tries) {
      const { status, text } = await registry.call(method, `/api/v1${path}`, { key, body });
      expect([404, 422], `${method} ${path} ${text}`).toContain(status);
      expect(text, path).not.toContain(SECRET);
    }
    const owner = callers.find(({ role, isOwn }) => role === "admin" && isOwn)!;
    for (const path of [`/schemas/${id}`, `/webhooks/${webhook}`, `/keys/${keyId}`]) {
      const { status, text } = await registry.call("GET", `/api/v1${path}`, { key: owner.key });
      expect(status, path).toBe(200);
      expect(text, path).not.toMatch(/thief|stolen/);
    }
  });
});

describe("GET /metrics of a tenant", () => {
  it("shows its own gauges, and no counts over all tenants", async () => {
    const other = callers.find(({ role, isOwn }) => role === "admin" && !isOwn)!;

    const { text } = await registry.call("GET", "/metrics", { key: other.key });
    const all = await registry.call("GET", "/metrics", { key: registry.admin });

    expect(text).toContain(`tenant="${other.tenant}"`);
    expect(text).not.toContain("registry_requests_total");
    expect(all.text).toContain("registry_requests_total");
  });
});

describe("what the first tenant holds", () => {
  it("is unchanged after all these requests", async () => {
    const admin = callers.find(({ role, isOwn }) => role === "admin" && isOwn)!;

    const { status, text } = await registry.call("GET", `/schemas/ids/${names.confluentId}`, { key: admin.key });

    expect(status).toBe(200);
    expect(text).toContain(SECRET);
  });
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { purgeDeletedTenants } from "../../../workers/cron/deleted-tenants.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { GuardedRegistry } from "../../support/guarded-registry.ts";

const bindings = env as unknown as Bindings;
const registry = new GuardedRegistry(bindings);
const DAY_MS = 24 * 60 * 60 * 1_000;
const LARGE = "x".repeat(20_000).replaceAll(/x/g, () => crypto.randomUUID().slice(0, 1));

beforeAll(async () => {
  await registry.call("GET", "/api/v1/me", { key: registry.admin });
});

/** A tenant with a text in R2, a webhook, and objects of every bucket. */
async function madeTenant() {
  const { name, admin: key } = await registry.makeTenant();
  const content = { type: "record", name: "Orders", doc: LARGE, fields: [] };
  const registered = await registry.call("POST", "/api/v1/schemas", {
    key,
    body: { subject: "o", format: "avro", content },
  });
  expect(registered.status, registered.text).toBe(201);
  const webhook = { url: "https://hooks.example.com/x", enabled: false };
  expect((await registry.call("POST", "/api/v1/webhooks", { key, body: webhook })).status).toBe(201);
  for (const bucket of [bindings.BACKUPS, bindings.ACCESS_RECORD]) {
    for (let n = 0; n < 3; n += 1) await bucket.put(`${name}/1/object-${n}`, "x");
  }
  return { name, key };
}

async function deletedTenant() {
  const tenant = await madeTenant();
  const suspend = { key: registry.admin, body: { state: "suspended" } };
  await registry.call("PATCH", `/api/v1/tenants/${tenant.name}`, suspend);
  const { status } = await registry.call("DELETE", `/api/v1/tenants/${tenant.name}`, { key: registry.admin });
  expect(status).toBe(200);
  return tenant;
}

async function keysIn(tenant: string): Promise<string[]> {
  const listed = await Promise.all(
    [bindings.TEXTS, bindings.BACKUPS, bindings.ACCESS_RECORD].map((bucket) => bucket.list({ prefix: `${tenant}/` })),
  );
  return listed.flatMap(({ objects }) => objects.map(({ key }) => key));
}

/** The tables of a tenant's object, before it is constructed again. */
async function tablesOf(namespace: "PRIMARIES" | "FEEDS" | "WEBHOOKS", tenant: string): Promise<string[]> {
  const objects = bindings[namespace] as unknown as DurableObjectNamespace;
  return runInDurableObject(objects.getByName(`${tenant}/1`), (_object, { storage }) =>
    storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) => name),
  );
}

describe("purgeDeletedTenants", () => {
  it("deletes everything of a deleted tenant after the grace period, and nothing of another", async () => {
    const { name } = await deletedTenant();
    const other = await madeTenant();
    expect((await keysIn(name)).length).toBe(7);
    const shown = async () => (await registry.call("GET", `/api/v1/tenants/${name}`, { key: registry.admin })).body;

    await purgeDeletedTenants(registry.env, Date.now() + 29 * DAY_MS);
    expect((await keysIn(name)).length).toBe(7);

    await purgeDeletedTenants(registry.env, Date.now() + 31 * DAY_MS);
    expect(await keysIn(name)).toEqual([]);
    for (const namespace of ["PRIMARIES", "FEEDS", "WEBHOOKS"] as const) {
      expect(await tablesOf(namespace, name), namespace).toEqual([]);
    }
    expect(await shown()).toMatchObject({ state: "deleted", purged_at: null });

    await purgeDeletedTenants(registry.env, Date.now() + 31 * DAY_MS);
    expect(await shown()).toMatchObject({ state: "deleted", purged_at: expect.stringMatching(/^20/) });
    const { body } = await registry.call("GET", "/api/v1/access/changes?limit=1000", { key: registry.admin });
    expect(
      (body.items as { type: string; about: string }[]).filter(({ about }) => about === name).at(-1),
    ).toMatchObject({
      type: "tenant.purged",
    });
    expect((await keysIn(other.name)).length).toBe(7);
    const { status } = await registry.call("GET", "/api/v1/subjects/o/versions/1", { key: other.key });
    expect(status).toBe(200);
  });

  it("completes only once a run has found nothing left", async () => {
    const { name } = await deletedTenant();
    const vars = { ...registry.env, TENANT_PURGE_AFTER_DAYS: "0" };
    const nowMs = Date.now() + 1_000;
    const purgedAt = async () =>
      (await registry.call("GET", `/api/v1/tenants/${name}`, { key: registry.admin })).body.purged_at;

    await purgeDeletedTenants(vars, nowMs);
    await bindings.TEXTS.put(`${name}/texts/late`, "x");
    await purgeDeletedTenants(vars, nowMs);
    expect(await purgedAt()).toBeNull();
    await purgeDeletedTenants(vars, nowMs);

    expect(await purgedAt()).not.toBeNull();
    expect(await keysIn(name)).toEqual([]);
  });

  it("leaves suspended tenants alone", async () => {
    const { name } = await madeTenant();
    const suspend = { key: registry.admin, body: { state: "suspended" } };
    await registry.call("PATCH", `/api/v1/tenants/${name}`, suspend);

    await purgeDeletedTenants({ ...registry.env, TENANT_PURGE_AFTER_DAYS: "0" }, Date.now() + 365 * DAY_MS);

    expect((await keysIn(name)).length).toBe(7);
  });
});

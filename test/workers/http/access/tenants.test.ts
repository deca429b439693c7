import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { ObjectNamespace } from "../../../../durable-objects/placement.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";

const bindings = env as unknown as Bindings;
/** Every object addressed, with where it may be and where it was asked to be created. */
let addressed: { name: string; jurisdiction: string | null; hint: string | undefined }[] = [];

/** Passes on to the simulator's objects, which are all in one place. */
function watched(namespace: ObjectNamespace, jurisdiction: string | null = null): ObjectNamespace {
  return {
    getByName(name, options) {
      addressed.push({ name, jurisdiction, hint: options?.locationHint });
      return namespace.getByName(name);
    },
    jurisdiction: (place) => watched(namespace, place),
  };
}

const registry = new GuardedRegistry({
  ...bindings,
  PRIMARIES: watched(bindings.PRIMARIES),
  FEEDS: watched(bindings.FEEDS),
  WEBHOOKS: watched(bindings.WEBHOOKS),
});

beforeAll(async () => {
  await registry.call("GET", "/api/v1/me", { key: registry.admin });
});

function create(fields: Record<string, unknown>) {
  addressed = [];
  return registry.call("POST", "/api/v1/tenants", { key: registry.admin, body: fields });
}

const freshName = () => `t${crypto.randomUUID().slice(0, 12)}`;

describe("POST /tenants", () => {
  it("keeps every object of a tenant with a jurisdiction there, in each request", async () => {
    const name = freshName();

    const { status, body } = await create({ name, jurisdiction: "eu", location_hint: "weur" });

    expect(status).toBe(201);
    expect(body).toMatchObject({ name: `${name}.eu`, jurisdiction: "eu", location_hint: "weur", state: "active" });
    const key = body.key as string;
    const content = { type: "record", name: "A", fields: [] };
    await registry.call("POST", "/api/v1/schemas", { key, body: { subject: "a", format: "avro", content } });
    await registry.call("POST", "/api/v1/webhooks", { key, body: { url: "https://hooks.example.com/x" } });
    await registry.call("GET", "/subjects/a/versions/1", { key });
    await registry.settled();
    const own = addressed.filter((object) => object.name.startsWith(`${name}.eu/`));
    expect(own.length).toBeGreaterThan(3);
    expect(own.every(({ jurisdiction }) => jurisdiction === "eu")).toBe(true);
    expect(addressed.filter((object) => object.name.startsWith(`${name}/`))).toEqual([]);
  });

  it("creates the primary near the location hint", async () => {
    const name = freshName();

    expect((await create({ name, location_hint: "apac" })).status).toBe(201);

    expect(addressed).toContainEqual({ name: `${name}/1`, jurisdiction: null, hint: "apac" });
  });

  it.each([
    { jurisdiction: "mars" },
    { location_hint: "mars" },
    { name: "Upper" },
    { name: "with.dot" },
    { name: "x".repeat(41) },
  ])("refuses %j, and creates nothing", async (fields) => {
    const { status } = await create({ name: freshName(), ...fields });

    expect(status).toBe(400);
    expect(addressed).toEqual([]);
  });

  it("never gives a name twice, also after a deletion", async () => {
    const { name } = await registry.makeTenant();
    const path = `/api/v1/tenants/${name}`;
    await registry.call("PATCH", path, { key: registry.admin, body: { state: "suspended" } });
    await registry.call("DELETE", path, { key: registry.admin });

    expect((await create({ name })).status).toBe(409);
  });
});

describe("a suspended tenant", () => {
  it("refuses its keys, until it is active again", async () => {
    const { name, admin } = await registry.makeTenant();
    const set = (state: string) =>
      registry.call("PATCH", `/api/v1/tenants/${name}`, { key: registry.admin, body: { state } });
    const ask = async () => {
      registry.restart();
      return (await registry.call("GET", "/subjects", { key: admin })).status;
    };

    const before = await ask();
    await set("suspended");
    const during = await ask();
    await set("active");

    expect([before, during, await ask()]).toEqual([200, 403, 200]);
  });

  it("must be suspended before it can be deleted, and the default one can be neither", async () => {
    const { name } = await registry.makeTenant();
    const call = (method: string, tenant: string, body?: object) =>
      registry.call(method, `/api/v1/tenants/${tenant}`, { key: registry.admin, ...(body && { body }) });

    expect((await call("DELETE", name)).status).toBe(409);
    expect((await call("DELETE", "default")).status).toBe(409);
    expect((await call("PATCH", "default", { state: "suspended" })).status).toBe(409);
  });
});

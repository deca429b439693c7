import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { DirectoryObject } from "../../../../durable-objects/directory/object.ts";
import { DIRECTORY_NAME } from "../../../../durable-objects/directory/protocol.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { FRESH_MS, STALE_MS } from "../../../../workers/http/access/admission.ts";
import { GuardedRegistry, keyIdOf } from "../../../support/guarded-registry.ts";

const BINDINGS = env as unknown as Bindings;
const READER = [{ role: "reader" }];

function open(vars: Partial<Bindings> = {}): GuardedRegistry {
  return new GuardedRegistry(BINDINGS, vars);
}

/** Sets the directory's clock to another time, instead of waiting. */
async function directoryAt(nowMs: number): Promise<void> {
  const namespace = (env as unknown as { DIRECTORY: DurableObjectNamespace<DirectoryObject> }).DIRECTORY;
  await runInDurableObject(namespace.getByName(DIRECTORY_NAME), (directory: DirectoryObject) => {
    directory.now = () => nowMs;
  });
}

describe("a registry that requires credentials", () => {
  it("answers 401 with both schemes to a caller without one, in each API's form", async () => {
    const registry = open();

    const native = await registry.call("GET", "/api/v1/subjects");
    const confluent = await registry.call("GET", "/subjects");

    expect(native.status).toBe(401);
    expect(native.body).toMatchObject({ code: "unauthorized", status: 401 });
    expect(native.headers.get("WWW-Authenticate")).toMatch(/Bearer .*Basic /);
    expect(confluent.status).toBe(401);
    expect(confluent.body).toEqual({ error_code: 401, message: "Unauthorized" });
  });

  it("accepts a key as Bearer, as X-API-Key and as HTTP Basic in every form that clients send", async () => {
    const registry = open();
    const key = await registry.makeKey(READER);
    const [, , id, secret] = key.split("_");
    const basic = (user: string, password: string) => ({ Authorization: `Basic ${btoa(`${user}:${password}`)}` });

    for (const headers of [
      { Authorization: `Bearer ${key}` },
      { authorization: `bearer ${key}` },
      { "X-API-Key": key },
      basic(id!, secret!),
      basic(id!, key),
      basic(key, ""),
      basic(key, secret!),
      basic("", key),
    ]) {
      expect((await registry.call("GET", "/subjects", { headers })).status, JSON.stringify(headers)).toBe(200);
    }
  });

  it.each([
    ["another secret", (key: string) => key.replace(/.$/, (last) => (last === "0" ? "1" : "0"))],
    ["another tenant", (key: string) => key.replace("_default_", "_other_")],
    ["another id", (key: string) => key.replace(/_[0-9a-f]{16}_/, "_0123456789abcdef_")],
    ["a missing end", (key: string) => key.slice(0, -1)],
    ["nothing but the prefix", () => "llmsr_"],
  ])("refuses a key with %s", async (_what, change) => {
    const registry = open();
    const key = await registry.makeKey(READER);

    expect((await registry.call("GET", "/subjects", { key: change(key) })).status).toBe(401);
  });

  it("refuses two credentials in one request", async () => {
    const registry = open();

    const answer = await registry.call("GET", "/api/v1/me", {
      key: registry.admin,
      headers: { "X-API-Key": registry.admin },
    });

    expect(answer.status).toBe(401);
    expect(answer.body.detail).toContain("Two credentials");
  });

  it("serves health, the OpenAPI document and the documentation to everyone", async () => {
    const registry = open();

    for (const path of ["/health", "/health/ready", "/openapi.json", "/docs", "/"]) {
      expect((await registry.call("GET", path)).status, path).toBe(200);
    }
    expect((await registry.call("GET", "/metrics")).status).toBe(401);
  });
});

describe("a registry that is not configured", () => {
  it.each<[string, Partial<Bindings>]>([
    ["AUTH is none outside of local", { ENVIRONMENT: "production", AUTH: "none" }],
    ["there is no hash key", { ENVIRONMENT: "production", AUTH: "", ACCESS_HASH_KEY: "" }],
    ["there is no hash key locally either", { AUTH: "required", ACCESS_HASH_KEY: "" }],
  ])("refuses all requests while %s", async (_why, vars) => {
    const registry = open(vars);

    for (const path of ["/api/v1/subjects", "/subjects", "/docs", "/health/ready", "/nothing"]) {
      const answer = await registry.call("GET", path, { key: registry.admin });
      expect(answer.status, path).toBe(503);
      expect(answer.text, path).toMatch(/docs\/deploy.md/);
      expect(answer.headers.get("Retry-After"), path).not.toBeNull();
    }
    expect((await registry.call("GET", "/health")).status).toBe(200);
  });

  it("admits the first administrator once configured", async () => {
    const registry = open({ ENVIRONMENT: "production" });

    const me = await registry.call("GET", "/api/v1/me", { key: registry.admin });

    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({ tenant: "default", actor: `key:${keyIdOf(registry.admin)}`, type: "key" });
    expect(me.body.permissions).toContain("admin:tenants");
  });
});

describe("POST /keys", () => {
  it("shows the key only once", async () => {
    const registry = open();
    const key = await registry.makeKey(READER, { name: "shown once" });
    const id = keyIdOf(key);
    const secret = key.split("_")[3]!;

    const answers = [
      await registry.call("GET", "/api/v1/keys", { key: registry.admin }),
      await registry.call("GET", `/api/v1/keys/${id}`, { key: registry.admin }),
      await registry.call("PATCH", `/api/v1/keys/${id}`, { key: registry.admin, body: { name: "renamed" } }),
      await registry.call("DELETE", `/api/v1/keys/${id}`, { key: registry.admin }),
    ];

    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.text).toContain(id);
      expect(answer.text).not.toContain(secret);
    }
    expect(answers[2]!.body).toMatchObject({ id, name: "renamed", grants: READER, revoked_at: null });
  });

  it("creates one key for two requests with the same Idempotency-Key", async () => {
    const registry = open();
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const body = { name: "once", grants: READER };

    const first = await registry.call("POST", "/api/v1/keys", { key: registry.admin, headers, body });
    const again = await registry.call("POST", "/api/v1/keys", { key: registry.admin, headers, body });
    const other = { ...body, name: "other" };
    const another = await registry.call("POST", "/api/v1/keys", { key: registry.admin, headers, body: other });

    expect([first.status, again.status, another.status]).toEqual([201, 200, 409]);
    expect(again.body.id).toBe(first.body.id);
    expect(again.body.key).toBeUndefined();
  });

  it("cannot grant more than the caller holds", async () => {
    const registry = open();
    const role = `keys-${crypto.randomUUID().slice(0, 8)}`;
    const permissions = ["admin:users", "schema:read", "subject:read"];
    await registry.call("PUT", `/api/v1/roles/${role}`, { key: registry.admin, body: { permissions } });
    const clerk = await registry.makeKey([{ role }]);

    const more = await registry.call("POST", "/api/v1/keys", {
      key: clerk,
      body: { name: "more", grants: [{ role: "admin" }] },
    });
    const same = await registry.call("POST", "/api/v1/keys", {
      key: clerk,
      body: { name: "same", grants: [{ role }] },
    });

    expect(more.status).toBe(403);
    expect(more.body.detail).toContain("A grant cannot exceed the caller's permissions");
    expect(same.status).toBe(201);
  });

  it("cannot rotate a key that has more permissions than the caller", async () => {
    const registry = open();
    const role = `keys-${crypto.randomUUID().slice(0, 8)}`;
    await registry.call("PUT", `/api/v1/roles/${role}`, {
      key: registry.admin,
      body: { permissions: ["admin:users"] },
    });
    const clerk = await registry.makeKey([{ role }]);
    const strong = await registry.makeKey([{ role: "admin" }]);

    const answer = await registry.call("POST", `/api/v1/keys/${keyIdOf(strong)}/rotate`, { key: clerk, body: {} });

    expect(answer.status).toBe(403);
  });

  it.each([
    ["a role that is not there", [{ role: "wizard" }], "/grants/0/role"],
    ["a condition that is no CEL", [{ role: "reader", condition: "request.ip ==" }], "/grants/0/condition"],
    [
      "a condition over names that are not there",
      [{ role: "reader", condition: "user == 'a'" }],
      "/grants/0/condition",
    ],
    ["a condition that is not a boolean", [{ role: "reader", condition: "request.ip" }], "/grants/0/condition"],
    [
      "a range that is none",
      [{ role: "reader", condition: "request.ip.inRange('10.0.0.0/33')" }],
      "/grants/0/condition",
    ],
    ["a subject and a prefix", [{ role: "reader", subject: "a", subject_prefix: "a" }], "/grants/0/subject_prefix"],
    ["a context without its dot", [{ role: "reader", context: "orders" }], "/grants/0/context"],
  ])("refuses %s, with the location", async (_what, grants, pointer) => {
    const registry = open();

    const answer = await registry.call("POST", "/api/v1/keys", { key: registry.admin, body: { name: "bad", grants } });

    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ pointer }]);
  });
});

describe("the life cycle of a key", () => {
  it("ends when it is revoked: immediately where that was done, within a minute elsewhere", async () => {
    const registry = open();
    const elsewhere = open({ ...registry.env });
    const key = await registry.makeKey(READER);
    expect((await elsewhere.call("GET", "/subjects", { key })).status).toBe(200);

    await registry.call("DELETE", `/api/v1/keys/${keyIdOf(key)}`, { key: registry.admin });

    expect((await registry.call("GET", "/subjects", { key })).status).toBe(401);
    elsewhere.clock.advance(FRESH_MS - 5_000);
    expect((await elsewhere.call("GET", "/subjects", { key })).status).toBe(200);
    elsewhere.clock.advance(5_000);
    expect((await elsewhere.call("GET", "/subjects", { key })).status).toBe(401);
  });

  it("ends when it expires, even if it is cached", async () => {
    const registry = open();
    const expires = registry.clock.now() + 30_000;
    await directoryAt(registry.clock.now());
    const key = await registry.makeKey(READER, { expires_at: new Date(expires).toISOString() });
    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);

    await directoryAt(expires);
    registry.clock.advance(25_000);
    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
    registry.clock.advance(5_000);
    expect((await registry.call("GET", "/subjects", { key })).status).toBe(401);
  });

  it("accepts both secrets during the overlap of a rotation, and then only the new one", async () => {
    const registry = open();
    await directoryAt(registry.clock.now());
    const old = await registry.makeKey(READER);
    const rotated = await registry.call("POST", `/api/v1/keys/${keyIdOf(old)}/rotate`, {
      key: registry.admin,
      body: { overlap_seconds: 3_600 },
    });
    const fresh = rotated.body.key as string;

    expect(keyIdOf(fresh)).toBe(keyIdOf(old));
    for (const key of [old, fresh]) expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
    await directoryAt(registry.clock.now() + 3_600_000);
    registry.clock.advance(3_600_000);
    expect((await registry.call("GET", "/subjects", { key: old })).status).toBe(401);
    expect((await registry.call("GET", "/subjects", { key: fresh })).status).toBe(200);
  });

  it("records its last use", async () => {
    const registry = open();
    const key = await registry.makeKey(READER);
    const read = async () =>
      (await registry.call("GET", `/api/v1/keys/${keyIdOf(key)}`, { key: registry.admin })).body.last_used_at;

    expect(await read()).toBeNull();
    await registry.call("GET", "/subjects", { key });
    expect(await read()).toMatch(/^\d{4}-/);
  });

  it("keeps working for a while if the directory is unreachable, while a new key is refused", async () => {
    const registry = open();
    const key = await registry.makeKey(READER);
    const other = await registry.makeKey(READER);
    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
    const lost = { getByName: () => ({ resolveKey: () => Promise.reject(new Error("lost")) }) };
    (registry.env as { DIRECTORY: unknown }).DIRECTORY = lost;

    registry.clock.advance(FRESH_MS);
    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
    const unknown = await registry.call("GET", "/api/v1/subjects", { key: other });
    registry.clock.advance(STALE_MS - FRESH_MS);
    const late = await registry.call("GET", "/api/v1/subjects", { key });

    for (const answer of [unknown, late]) {
      expect(answer.status).toBe(503);
      expect(answer.body.code).toBe("not_ready");
    }
  });

  it("is in the list of changes, with its actor", async () => {
    const registry = open();
    const { name, admin } = await registry.makeTenant();
    const key = await registry.makeKey(READER, { by: admin });
    await registry.call("DELETE", `/api/v1/keys/${keyIdOf(key)}`, { key: admin });

    const { body } = await registry.call("GET", "/api/v1/access/changes", { key: admin });

    expect(body.items).toMatchObject([
      { type: "key.created", actor: `key:${keyIdOf(registry.admin)}`, about: keyIdOf(admin) },
      { type: "tenant.created", about: name },
      { type: "key.created", actor: `key:${keyIdOf(admin)}`, about: keyIdOf(key) },
      { type: "key.revoked", about: keyIdOf(key) },
    ]);
  });
});

describe("the roles", () => {
  it("let a reader read but not write, a service register, and a developer delete", async () => {
    const registry = open();
    const subject = `roles-${crypto.randomUUID()}`;
    const body = { subject, format: "avro", content: '"string"' };
    const register = async (role: string) =>
      (await registry.call("POST", "/api/v1/schemas", { key: await registry.makeKey([{ role }]), body })).status;
    const remove = async (role: string) =>
      (await registry.call("DELETE", `/api/v1/subjects/${subject}`, { key: await registry.makeKey([{ role }]) }))
        .status;

    expect(await register("reader")).toBe(403);
    expect(await register("service")).toBe(201);
    expect(await remove("service")).toBe(403);
    expect(await remove("developer")).toBe(200);
  });

  it("are capped by the scopes of a key", async () => {
    const registry = open();
    const key = await registry.makeKey([{ role: "developer" }], { scopes: ["subject:read"] });

    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
    expect((await registry.call("GET", "/config", { key })).status).toBe(403);
  });

  it("of a tenant cannot be deleted while they are granted", async () => {
    const registry = open();
    const role = `own-${crypto.randomUUID().slice(0, 8)}`;
    const path = `/api/v1/roles/${role}`;
    await registry.call("PUT", path, { key: registry.admin, body: { permissions: ["subject:read"] } });
    const key = await registry.makeKey([{ role }]);

    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
    expect((await registry.call("DELETE", path, { key: registry.admin })).status).toBe(409);
    await registry.call("DELETE", `/api/v1/keys/${keyIdOf(key)}`, { key: registry.admin });
    expect((await registry.call("DELETE", path, { key: registry.admin })).status).toBe(200);
    expect((await registry.call("DELETE", path, { key: registry.admin })).status).toBe(404);
  });

  it("that are built in cannot be replaced", async () => {
    const registry = open();

    const answer = await registry.call("PUT", "/api/v1/roles/reader", {
      key: registry.admin,
      body: { permissions: ["admin:config"] },
    });

    expect(answer.status).toBe(409);
  });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { FRESH_MS } from "../../../../workers/http/access/admission.ts";
import {
  ADMIN_REQUESTS_PER_MINUTE,
  FAILURES_PER_MINUTE,
  READER_REQUESTS_PER_MINUTE,
  SERVICE_REQUESTS_PER_MINUTE,
  VISITOR_REQUESTS_PER_MINUTE,
} from "../../../../workers/limits/limits.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";

const BINDINGS = env as unknown as Bindings;
const AVRO = (name: string) => ({ type: "record", name, fields: [{ name: "id", type: "string" }] });

describe("the limit of a key", () => {
  it.each([
    ["reader", READER_REQUESTS_PER_MINUTE],
    ["developer", READER_REQUESTS_PER_MINUTE],
    ["service", SERVICE_REQUESTS_PER_MINUTE],
    ["admin", ADMIN_REQUESTS_PER_MINUTE],
  ])("is that of the role %s: %i per minute", async (role, limit) => {
    const registry = new GuardedRegistry(BINDINGS);
    const key = await registry.makeKey([{ role }]);

    const { headers } = await registry.call("GET", "/subjects", { key });

    expect(headers.get("X-RateLimit-Limit")).toBe(String(limit));
    expect(headers.get("X-RateLimit-Remaining")).toBe(String(limit - 1));
    expect(Number(headers.get("X-RateLimit-Reset"))).toBeLessThanOrEqual(60);
  });

  it("may be set for the key, and refuses further requests with 429 in the form of each API", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const key = await registry.makeKey([{ role: "reader" }], { requests_per_minute: 2 });
    const other = await registry.makeKey([{ role: "reader" }]);
    for (let turn = 0; turn < 2; turn += 1) await registry.call("GET", "/subjects", { key });

    const confluent = await registry.call("GET", "/subjects", { key });
    const native = await registry.call("GET", "/api/v1/subjects", { key });

    expect([confluent.status, native.status]).toEqual([429, 429]);
    expect(confluent.body.error_code).toBe(429);
    expect(native.body.code).toBe("rate_limited");
    expect(Number(native.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(native.headers.get("X-RateLimit-Remaining")).toBe("0");
    expect((await registry.call("GET", "/subjects", { key: other })).status).toBe(200);
    registry.clock.advance(60_000);
    expect((await registry.call("GET", "/subjects", { key })).status).toBe(200);
  });
});

describe("the limit of an address", () => {
  it("stops an address that tries credentials, and no other address", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const key = await registry.makeKey([{ role: "reader" }]);
    const fresh = await registry.makeKey([{ role: "reader" }]);
    const [bad, good] = ["203.0.113.1", "203.0.113.2"];
    await registry.call("GET", "/subjects", { key, ip: bad });
    const wrong = key.replace(/[0-9a-f]{64}$/, "0".repeat(64));

    for (let turn = 0; turn < FAILURES_PER_MINUTE; turn += 1) {
      expect((await registry.call("GET", "/subjects", { key: wrong, ip: bad })).status).toBe(401);
    }

    expect((await registry.call("GET", "/subjects", { key: wrong, ip: bad })).status).toBe(429);
    expect((await registry.call("GET", "/subjects", { key: fresh, ip: bad })).status).toBe(429);
    expect((await registry.call("GET", "/subjects", { key, ip: bad })).status).toBe(200);
    expect((await registry.call("GET", "/subjects", { key: wrong, ip: good })).status).toBe(401);
    registry.clock.advance(FRESH_MS);
    expect((await registry.call("GET", "/subjects", { key: fresh, ip: bad })).status).toBe(200);
  });

  it("holds for all IPv6 addresses that one caller can choose from, and for no other network", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const wrong = registry.admin.replace(/[0-9a-f]{64}$/, "0".repeat(64));
    const from = (ip: string) => registry.call("GET", "/subjects", { key: wrong, ip });

    for (let turn = 0; turn < FAILURES_PER_MINUTE; turn += 1) {
      expect((await from(`2001:db8:1:2::${turn.toString(16)}`)).status).toBe(401);
    }

    expect((await from("2001:db8:1:2:ffff:ffff:ffff:ffff")).status).toBe(429);
    expect((await from("2001:db8:1:3::1")).status).toBe(401);
  });

  it("applies to requests that need no credential", async () => {
    const registry = new GuardedRegistry(BINDINGS);

    const { headers } = await registry.call("GET", "/", { ip: "203.0.113.3" });

    expect(headers.get("X-RateLimit-Limit")).toBe(String(VISITOR_REQUESTS_PER_MINUTE));
  });
});

describe("the quotas of a tenant", () => {
  it("refuse registrations beyond the number of versions, until versions are deleted", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const { admin: key } = await registry.makeTenant({ quotas: { versions: 1 } });
    const register = (subject: string) =>
      registry.call("POST", "/api/v1/schemas", { key, body: { subject, format: "avro", content: AVRO(subject) } });

    expect((await register("one")).status).toBe(201);
    const refused = await register("two");
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("quota of 1 versions");
    await registry.call("DELETE", "/subjects/one", { key });
    await registry.call("DELETE", "/subjects/one?permanent=true", { key });
    expect((await register("two")).status).toBe(201);
  });

  it("refuse registrations beyond the bytes", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const { admin: key } = await registry.makeTenant({ quotas: { bytes: 1 } });

    const refused = await registry.call("POST", "/api/v1/schemas", {
      key,
      body: { subject: "one", format: "avro", content: AVRO("One") },
    });

    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("bytes");
  });

  it("hold for change sets and approved proposals too", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const { admin: key } = await registry.makeTenant({ quotas: { versions: 1 } });
    const approver = await registry.makeKey([{ role: "developer" }], { by: key });
    const post = (path: string, body: object, by = key) => registry.call("POST", `/api/v1/${path}`, { key: by, body });
    const change = (subject: string) => ({ operation: "register", subject, format: "avro", content: AVRO(subject) });
    const opened = await post("proposals", { changes: [change("a"), change("b")] });
    expect(opened.status, opened.text).toBe(201);

    const set = await post("change-sets", { changes: [change("a"), change("b")] });
    const approved = await post(`proposals/${opened.body.id}/approve`, {}, approver);

    for (const { status, body } of [set, approved]) {
      expect(status).toBe(403);
      expect(body.detail).toContain("quota of 1 versions");
    }
    expect((await registry.call("GET", "/subjects", { key })).text).toBe("[]");
  });

  it("refuse proposals beyond the bytes", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const { admin: key } = await registry.makeTenant({ quotas: { bytes: 1 } });
    const changes = [{ operation: "register", subject: "one", format: "avro", content: AVRO("One") }];

    const refused = await registry.call("POST", "/api/v1/proposals", { key, body: { changes } });

    expect(refused.status, refused.text).toBe(403);
    expect(refused.body.detail).toContain("bytes");
  });

  it("hold for all of its keys together", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const { admin } = await registry.makeTenant({ quotas: { requests_per_minute: 3 } });
    const key = await registry.makeKey([{ role: "reader" }], { by: admin });

    const statuses = [];
    for (const by of [key, admin, key]) statuses.push((await registry.call("GET", "/subjects", { key: by })).status);

    expect(statuses).toEqual([200, 200, 429]);
  });

  it("limit the comparisons per minute, by the size of the schemas", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const { admin: key } = await registry.makeTenant({ quotas: { compared_kib_per_minute: 1 } });
    const check = (name: string) =>
      registry.call("POST", "/compatibility/subjects/s/versions/latest", {
        key,
        body: { schema: JSON.stringify({ ...AVRO("S"), doc: name }) },
      });
    await registry.call("POST", "/subjects/s/versions", { key, body: { schema: JSON.stringify(AVRO("S")) } });

    expect((await check("one")).status).toBe(200);
    expect((await check("two")).status).toBe(429);
    expect((await registry.call("GET", "/subjects/s/versions", { key })).status).toBe(200);
  });

  it("limit the comparisons of every operation that compares", async () => {
    const registry = new GuardedRegistry(BINDINGS);
    const candidate = { format: "avro", content: AVRO("S") };
    const wider = { ...AVRO("S"), doc: "w", fields: [{ name: "id", type: "string", doc: "x" }] };
    const operations: [string, object][] = [
      ["compatibility/check", { reader: candidate, writer: { format: "avro", content: wider } }],
      ["compatibility/bundle", { schemas: [{ subject: "s", format: "avro", content: wider }] }],
      ["rules/dry-run", { subject: "s", level: "FULL" }],
    ];
    const { admin: key } = await registry.makeTenant({ quotas: { compared_kib_per_minute: 2 } });
    const register = (content: object) =>
      registry.call("POST", "/api/v1/schemas", { key, body: { subject: "s", format: "avro", content } });
    await register(AVRO("S"));
    expect((await register(wider)).status).toBe(201);
    const report = () => registry.call("GET", "/api/v1/compatibility/report", { key });

    for (const [path, body] of operations) {
      registry.clock.advance(60_000);
      const call = () => registry.call("POST", `/api/v1/${path}`, { key, body });
      const statuses = [];
      for (let turn = 0; turn < 4; turn += 1) statuses.push((await call()).status);
      expect([statuses.at(0), statuses.at(-1)], path).toEqual([200, 429]);
    }
    registry.clock.advance(60_000);
    expect((await report()).text).toContain('"complete":true');
    const cut = (await report()).text;
    expect(cut).toContain('"rate_limited"');
    expect(cut).toContain('"complete":false');
  });
});

describe("pages of other origins", () => {
  const ORIGIN = "https://console.example.com";
  const open = () => new GuardedRegistry(BINDINGS, { CORS_ORIGINS: `${ORIGIN},https://other.example.com` });

  it("may send requests and their key if the setting lists their origin", async () => {
    const registry = open();
    const preflight = await registry.call("OPTIONS", "/api/v1/schemas", {
      headers: { Origin: ORIGIN, "Access-Control-Request-Method": "POST" },
    });
    const answer = await registry.call("GET", "/api/v1/subjects", { key: registry.admin, headers: { Origin: ORIGIN } });

    expect(preflight.status).toBe(200);
    expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe(ORIGIN);
    expect(preflight.headers.get("Access-Control-Allow-Methods")).toContain("POST");
    expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe(ORIGIN);
    expect(answer.headers.get("Access-Control-Expose-Headers")).toContain("X-Registry-Seq");
    expect(answer.headers.get("Vary")).toContain("Origin");
    expect(answer.headers.has("Access-Control-Allow-Credentials")).toBe(false);
  });

  it("may not if it is not listed, even if it contains a listed one", async () => {
    const registry = open();

    for (const origin of ["https://evil.example.com", `${ORIGIN}.evil.example`, "http://console.example.com", "null"]) {
      const { headers } = await registry.call("GET", "/", { headers: { Origin: origin } });
      expect(headers.has("Access-Control-Allow-Origin"), origin).toBe(false);
    }
    const unset = await new GuardedRegistry(BINDINGS).call("GET", "/", { headers: { Origin: ORIGIN } });
    expect(unset.headers.has("Access-Control-Allow-Origin")).toBe(false);
  });

  it("can read the reason for a refusal", async () => {
    const answer = await open().call("GET", "/api/v1/subjects", { headers: { Origin: ORIGIN } });

    expect(answer.status).toBe(401);
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe(ORIGIN);
  });
});

import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { localActor } from "../../../workers/http/actor.ts";
import { createApp } from "../../../workers/http/app.ts";
import { plainRegistry } from "./native-calls.ts";

const WORKER = (exports as unknown as { default: Pick<Fetcher, "fetch"> }).default;

const fetchWorker = (path: string, init?: RequestInit) =>
  WORKER.fetch(new Request(`https://registry.test${path}`, init));

describe("the Worker's entry", () => {
  it.each(["/health", "/health/ready", "/openapi.json", "/docs"])(
    "answers %s with and without the API's prefix",
    async (path) => {
      const bare = await fetchWorker(path);
      const prefixed = await fetchWorker(`/api/v1${path}`);

      expect([bare.status, prefixed.status]).toEqual([200, 200]);
      expect(await bare.text()).toBe(await prefixed.text());
    },
  );

  it("tolerates a trailing slash", async () => {
    expect((await fetchWorker("/api/v1/subjects/")).status).toBe(200);
  });
});

describe("request ids", () => {
  it("returns the caller's id, or a generated one", async () => {
    const given = await fetchWorker("/health", { headers: { "X-Request-ID": "abc-1" } });
    const fresh = await fetchWorker("/health");
    const unusable = await fetchWorker("/health", { headers: { "X-Request-ID": "a b".repeat(100) } });

    expect(given.headers.get("X-Request-ID")).toBe("abc-1");
    expect(fresh.headers.get("X-Request-ID")).toMatch(/^[0-9a-f-]{36}$/);
    expect(unusable.headers.get("X-Request-ID")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is the instance of every refusal", async () => {
    const response = await fetchWorker("/api/v1/nowhere", { headers: { "X-Request-ID": "abc-2" } });

    expect(await response.json()).toMatchObject({ instance: "abc-2", status: 404 });
  });
});

describe("routes", () => {
  it("answers an unknown path with a problem under the native prefix, and in the other API's form elsewhere", async () => {
    const native = await fetchWorker("/api/v1/nowhere");
    const other = await fetchWorker("/nowhere");

    expect(native.status).toBe(404);
    expect(native.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await native.json()).toMatchObject({ code: "not_found", type: "/docs#problem-not_found" });
    expect(other.status).toBe(404);
    expect(await other.json()).toEqual({ error_code: 404, message: "HTTP 404 Not Found" });
  });

  it("answers a wrong method with 405 and the allowed methods", async () => {
    const response = await fetchWorker("/api/v1/schemas", { method: "DELETE" });

    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET, POST, HEAD");
    expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
  });

  it("answers HEAD as GET, without a body", async () => {
    const response = await fetchWorker("/health", { method: "HEAD" });

    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it("refuses a caller without the route's permission, and writes nothing", async () => {
    const tenant = `tenant-${crypto.randomUUID()}`;
    const reader = { ...localActor(), tenant, permissions: new Set(["schema:read" as const, "subject:read" as const]) };
    const app = createApp({ actorOf: () => reader });
    const ctx = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    const ask = (path: string, init?: RequestInit) =>
      app.fetch(new Request(`https://r${path}`, init), env as never, ctx as never);

    const write = await ask("/api/v1/schemas", { method: "POST", body: "{}" });
    const log = await ask("/api/v1/log");
    const read = await ask("/api/v1/subjects");
    const health = await ask("/health");

    expect([write.status, log.status, read.status, health.status]).toEqual([403, 403, 200, 200]);
    expect(await write.json()).toMatchObject({ code: "forbidden" });
  });
});

describe("negotiation", () => {
  it.each([
    ["*/*", 200],
    ["application/json", 200],
    ["application/*;q=0.5, text/html", 200],
    ["text/html", 406],
    ["application/json;q=0", 406],
  ])("answers Accept: %s with %i", async (accept, status) => {
    const response = await fetchWorker("/api/v1/subjects", { headers: { Accept: accept } });

    expect(response.status).toBe(status);
  });

  it.each([
    ["application/json", 400],
    ["application/json; charset=utf-8", 400],
    ["application/merge-patch+json", 400],
    ["application/json; charset=latin1", 415],
    ["application/x-www-form-urlencoded", 415],
    ["text/plain", 415],
  ])("answers a body of type %s with %i", async (type, status) => {
    const response = await fetchWorker("/api/v1/schemas", {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": type },
    });

    expect(response.status).toBe(status);
  });

  it("refuses a compressed body", async () => {
    const response = await fetchWorker("/api/v1/schemas", {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" },
    });

    expect(response.status).toBe(415);
  });
});

describe("headers", () => {
  it("forbid sniffing, and caching unless a response allows it", async () => {
    for (const path of ["/api/v1/subjects", "/api/v1/nowhere", "/nowhere"]) {
      const { headers } = await fetchWorker(path);

      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("Cache-Control")).toMatch(/\bno-store\b/);
    }
  });

  it("restrict the documentation page to its own style, without framing or referrer", async () => {
    const { headers } = await fetchWorker("/docs");

    expect(headers.get("Content-Security-Policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; frame-ancestors 'none'$/,
    );
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  });
});

describe("an unexpected error", () => {
  it("answers 500 without revealing what happened", async () => {
    const broken = createApp({
      actorOf: () => {
        throw new Error("secret detail");
      },
    });

    const response = await broken.fetch(new Request("https://r/api/v1/subjects"), env as never, {} as never);
    const text = await response.text();

    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: "internal", instance: expect.any(String) });
    expect(text).not.toContain("secret");
  });
});

describe("GET /health/ready", () => {
  it("answers 503 with Retry-After while the primary is unreachable", async () => {
    const app = createApp();
    const unreachable = {
      ...(env as object),
      PRIMARIES: {
        getByName: () => ({ read: () => Promise.reject(Object.assign(new Error("lost"), { remote: false })) }),
      },
    };

    const response = await app.fetch(new Request("https://r/health/ready"), unreachable as never, {} as never);

    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("1");
    expect(await response.json()).toMatchObject({ code: "not_ready" });
  });
});

describe("GET /", () => {
  it.each([
    ["Firefox", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["Chrome", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8,v=b3;q=0.7"],
    ["a text browser", "text/html"],
  ])("redirects %s to the documentation", async (_who, accept) => {
    const answer = await fetchWorker("/", { headers: { Accept: accept }, redirect: "manual" });

    expect(answer.status).toBe(302);
    expect(answer.headers.get("Location")).toBe("/docs");
  });

  it.each([undefined, "*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0, */*"])(
    "answers a client that accepts %s with the empty object of the Confluent API",
    async (accept) => {
      const answer = await fetchWorker("/", {
        headers: accept === undefined ? {} : { Accept: accept },
        redirect: "manual",
      });

      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({});
    },
  );
});

describe("GET /docs", () => {
  it("shows every operation and every error code, and loads no external resource", async () => {
    const registry = plainRegistry();
    const document = JSON.parse((await registry.get("//openapi.json")).text) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };

    const page = (await registry.get("//docs", { Accept: "text/html" })).text;

    for (const item of Object.values(document.paths)) {
      for (const { operationId } of Object.values(item)) if (operationId) expect(page).toContain(`id="${operationId}"`);
    }
    for (const code of ["not_found", "storage_full", "incompatible_schema"])
      expect(page).toContain(`id="problem-${code}"`);
    expect(page).not.toMatch(/<script|src=|@import|url\(/);
    expect([...page.matchAll(/href="([^"#]*)"/g)].map(([, target]) => target)).toEqual(
      expect.arrayContaining(["", "/openapi.json"].slice(1)),
    );
  });

  it("links only to existing anchors of the page", async () => {
    const page = await (await fetchWorker("/docs")).text();
    const ids = new Set([...page.matchAll(/id="([^"]+)"/g)].map(([, id]) => id));

    const lost = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id).filter((id) => !ids.has(id));

    expect(lost).toEqual([]);
  });
});

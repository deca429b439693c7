import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import openapi from "../../../../contract/openapi.json";
import type { Bindings } from "../../../../workers/edge.ts";
import { confluentRoutes } from "../../../../workers/http/confluent/routes.ts";
import { nativeRoutes } from "../../../../workers/http/native/routes.ts";
import { rootRoutes } from "../../../../workers/http/service.ts";
import { type Answered, GuardedRegistry } from "../../../support/guarded-registry.ts";

const BINDINGS = env as unknown as Bindings;
const ROUTES = [...rootRoutes, ...nativeRoutes, ...confluentRoutes];
const PUBLIC_DOCUMENTS = /\/(?:openapi\.json|openapi\/confluent\.json|docs)$/;
const ORIGIN = "https://console.example.com";

/** The paths under a context that have routes of their own are those whose context is invalid. */
const pathOf = (path: string) => path.replace("/:context/*", "/a:b/none").replaceAll(/\/:\w+(?:\{[^}]*\})?/g, "/none");

function expectSafeHeaders({ headers }: Answered, what: string): void {
  expect(headers.get("X-Content-Type-Options"), what).toBe("nosniff");
  expect(headers.get("Content-Security-Policy"), what).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/);
  expect(headers.get("Referrer-Policy"), what).toBe("no-referrer");
  expect(headers.get("Cross-Origin-Resource-Policy"), what).toBe("same-origin");
  expect(headers.get("Server"), what).toBeNull();
}

/** Answers to callers are never kept by shared caches, and only immutable content by their own. */
function expectPrivate({ headers, status }: Answered, what: string): void {
  expect(headers.get("Cache-Control"), what).toMatch(status < 400 ? /no-store|^private\b/ : /no-store/);
}

describe("every route of the tables", () => {
  const registry = new GuardedRegistry(BINDINGS, { ENVIRONMENT: "production" });

  it.each(ROUTES.map(({ method, path }) => [method, path] as const))(
    "%s %s answers with the security headers, to whomever",
    async (method, path) => {
      const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
      for (const key of [registry.admin, undefined, "llmsr_default_0000000000000000_wrong"]) {
        const ip = `198.18.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`;
        const answer = await registry.call(method, pathOf(path), { key, ip, ...body });
        const what = `${key === undefined ? "without" : "with"} a key: ${answer.status}`;
        expectSafeHeaders(answer, what);
        expect(answer.headers.get("Strict-Transport-Security"), what).toBe("max-age=31536000");
        if (!PUBLIC_DOCUMENTS.test(path)) expectPrivate(answer, what);
      }
    },
  );

  it.each([
    ["GET", "/nothing/here", 404],
    ["PATCH", "/subjects", 405],
    ["OPTIONS", "/subjects", 200],
    ["GET", "/subjects/%ff/versions", 400],
    ["GET", "/contexts/a:b/subjects", 400],
    ["GET", "/api/v1/subjects?limit=0", 400],
  ])("%s %s, which no handler answers, has them too", async (method, path, status) => {
    const answer = await registry.call(method, path, { key: registry.admin });

    expect(answer.status).toBe(status);
    expectSafeHeaders(answer, path);
    expectPrivate(answer, path);
  });

  it("has them on reads from memory, on failures, and while nothing is configured", async () => {
    const body = { subject: "headers", format: "avro", content: "string" };
    const { id } = (await registry.call("POST", "/api/v1/schemas", { key: registry.admin, body })).body;
    const read = () => registry.call("GET", `/api/v1/schemas/${id}/content`, { key: registry.admin });
    await read();
    const remembered = await read();
    const closed = new GuardedRegistry(BINDINGS, { ENVIRONMENT: "production", ACCESS_HASH_KEY: "" });
    const unreachable = new GuardedRegistry(BINDINGS, { ENVIRONMENT: "production" });
    (unreachable.env as { PRIMARIES: unknown }).PRIMARIES = {
      getByName: () => ({ read: () => Promise.reject(new Error("lost")) }),
    };

    const answers = [
      remembered,
      await closed.call("GET", "/subjects"),
      await unreachable.call("GET", "/subjects", { key: unreachable.admin }),
    ];

    expect(remembered.headers.get("X-Registry-Source")).toBe("memory");
    expect(answers.map(({ status }) => status)).toEqual([200, 503, 500]);
    for (const answer of answers) {
      expectSafeHeaders(answer, answer.text);
      expectPrivate(answer, answer.text);
      expect(answer.headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
    }
  });
});

describe("a registry on the caller's machine", () => {
  it("sends no Strict-Transport-Security, which would lock other services of the host out of http", async () => {
    const registry = new GuardedRegistry(BINDINGS, { ENVIRONMENT: "local" });

    for (const path of ["/health", "/subjects", "/docs", "/nothing"]) {
      const answer = await registry.call("GET", path, { key: registry.admin });
      expect(answer.headers.get("Strict-Transport-Security"), path).toBeNull();
    }
  });
});

describe("GET /docs", () => {
  it("allows only its own style", async () => {
    const { headers, text } = await new GuardedRegistry(BINDINGS).call("GET", "/docs");

    expect(headers.get("Content-Security-Policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; frame-ancestors 'none'$/,
    );
    expect(text).not.toMatch(/<script|\son\w+=|javascript:/i);
  });
});

describe("a preflight", () => {
  const registry = new GuardedRegistry(BINDINGS, { CORS_ORIGINS: ORIGIN });
  const preflight = (path: string, method: string, origin = ORIGIN) =>
    registry.call("OPTIONS", path, {
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization",
      },
    });

  it.each(ROUTES.map(({ method, path }) => [method, path] as const))(
    "allows %s %s to pages of the listed origin, without a credential",
    async (method, path) => {
      const { status, headers, text } = await preflight(pathOf(path), method);

      expect(status).toBe(200);
      expect(text).toBe("");
      expect(headers.get("Access-Control-Allow-Origin")).toBe(ORIGIN);
      expect(headers.get("Access-Control-Allow-Methods")!.split(", ")).toContain(method);
      expect(headers.get("Access-Control-Max-Age")).toBe("600");
      expect(headers.get("Access-Control-Allow-Credentials")).toBeNull();
    },
  );

  it("allows every header that an operation reads", async () => {
    const { headers } = await preflight("/api/v1/schemas", "POST");
    const allowed = headers.get("Access-Control-Allow-Headers")!.toLowerCase().split(", ");
    const read = Object.values(openapi.components.parameters)
      .filter((parameter) => parameter.in === "header")
      .map(({ name }) => name.toLowerCase());

    expect(read.length).toBeGreaterThan(5);
    expect(allowed).toEqual(expect.arrayContaining([...read, "authorization", "x-api-key", "content-type"]));
  });

  it("allows the headers that the Model Context Protocol's clients send", async () => {
    const { headers } = await preflight("/mcp", "POST");
    const allowed = headers.get("Access-Control-Allow-Headers")!.split(", ");

    expect(allowed).toEqual(expect.arrayContaining(["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"]));
  });

  it("allows nothing to other origins", async () => {
    const { headers } = await preflight("/api/v1/schemas", "POST", "https://evil.example.com");

    expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it("names no method of a path that does not exist", async () => {
    const { status, headers } = await preflight("/api/v1/nothing", "POST");

    expect(status).toBe(404);
    expect(headers.get("Access-Control-Allow-Methods")).toBeNull();
  });
});

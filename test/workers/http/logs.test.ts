import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import type { RequestLog } from "../../../workers/settings.ts";
import { avroRecord, plainRegistry, type Registry } from "./native-calls.ts";

type Line = Record<string, unknown> & { level: string; message: string };

let written: { stream: string; line: Line; text: string }[] = [];

beforeEach(() => {
  written = [];
  for (const stream of ["log", "warn", "error"] as const) {
    vi.spyOn(console, stream).mockImplementation((text: string) => {
      written.push({ stream, line: JSON.parse(text) as Line, text });
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

const requestLines = () => written.map(({ line }) => line).filter(({ message }) => message === "Request");
const logging = (requestLog: RequestLog, more: Partial<Bindings> = {}): Registry =>
  plainRegistry({ vars: { REQUEST_LOG: requestLog, ...more } });

describe("a request's line", () => {
  it("contains the actor, the request, the outcome, the source and the seq", async () => {
    const registry = logging("all");
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    const { headers } = await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id") },
      headers: { "X-Request-ID": "request-1", traceparent },
    });

    const [, traceId, spanId] = headers.get("traceparent")!.split("-");
    expect(requestLines()).toEqual([
      {
        level: "info",
        message: "Request",
        request_id: "request-1",
        trace_id: traceId,
        span_id: spanId,
        tenant: registry.platform.tenant,
        actor: "local",
        api: "native",
        route: "/api/v1/schemas",
        method: "POST",
        status: 201,
        duration_ms: expect.any(Number),
        source: "primary",
        seq: 1,
      },
    ]);
    expect(traceId).toBe("4bf92f3577b34da6a3ce929d0e0e4736");
  });

  it("has the same fields for a read from memory", async () => {
    const registry = logging("all");
    const { id } = await registry.register("orders", avroRecord("id"));
    await registry.get(`/schemas/${id}/content`);
    await registry.get(`/schemas/${id}/content`);

    expect(requestLines().at(-1)).toMatchObject({
      source: "memory",
      seq: 1,
      status: 200,
      trace_id: expect.any(String),
    });
  });

  it("contains nothing of the path, the query, the body or the response", async () => {
    const registry = logging("all");
    await registry.register("secret-subject", avroRecord("secretField"), { description: "secret words" });
    await registry.get("/subjects/secret-subject/versions/1?content=secret");
    await registry.platform.fetch("/subjects/secret-subject/versions/7?secret=1");
    await registry.get("/secret/path?secret=1");

    expect(requestLines()).toHaveLength(4);
    expect(written.map(({ text }) => text).join("\n")).not.toMatch(/secret/i);
  });

  it("has the level of its status", async () => {
    const broken = {
      getByName: () => ({ read: () => Promise.reject(Object.assign(new Error("gone"), { remote: true })) }),
    };
    const registry = logging("all");
    await registry.get("/subjects");
    await registry.get("/nowhere");
    await logging("all", { PRIMARIES: broken }).get("/subjects");

    expect(requestLines().map(({ level, status }) => [level, status])).toEqual([
      ["info", 200],
      ["warn", 404],
      ["error", 500],
    ]);
    expect(written.filter(({ line }) => line.message === "Request").map(({ stream }) => stream)).toEqual([
      "log",
      "warn",
      "error",
    ]);
  });
});

describe("REQUEST_LOG", () => {
  const away = {
    getByName: () => ({ read: () => Promise.reject(Object.assign(new Error("lost"), { remote: false })) }),
  };

  it.each<[RequestLog, string[]]>([
    ["none", []],
    ["failures", ["GET 503"]],
    ["writes", ["POST 201", "POST 409", "GET 503"]],
    ["all", ["POST 201", "POST 409", "POST 200", "GET 200", "GET 404", "GET 503"]],
  ])("%s logs %j", async (requestLog, expected) => {
    const registry = logging(requestLog);
    await registry.register("orders", avroRecord("id"));
    const incompatible = { subject: "orders", format: "avro", content: avroRecord("id", "more") };
    await registry.call("POST", "/schemas", { body: incompatible });
    await registry.call("POST", "/schemas/check", { body: { format: "avro", content: avroRecord("id") } });
    await registry.get("/subjects");
    await registry.get("/nowhere");
    await logging(requestLog, { PRIMARIES: away }).get("/subjects");

    expect(requestLines().map(({ method, status }) => `${method === "any" ? "GET" : method} ${status}`)).toEqual(
      expected,
    );
  });
});

describe("a call of the Model Context Protocol", () => {
  const call = (registry: Registry, method: string, params: object) =>
    registry.platform.fetch("/mcp", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });

  it("is logged as a write if its tool writes", async () => {
    const registry = logging("writes");
    await call(registry, "tools/call", { name: "list_versions", arguments: { subject: "orders" } });
    const schema = { subject: "orders", format: "avro", content: avroRecord("id") };
    await call(registry, "tools/call", { name: "register_schema", arguments: schema });

    expect(requestLines()).toMatchObject([{ route: "/mcp", method: "POST", status: 200 }]);
  });

  it.each([
    ["tools/call", { name: "get_schema", arguments: { subject: "orders" } }],
    ["resources/read", { uri: "schema://orders/1" }],
    ["prompts/list", {}],
    ["prompts/get", { name: "orders" }],
  ])("keeps an unexpected error of %s to the log", async (method, params) => {
    const failing = () => Promise.reject(Object.assign(new Error("SELECT secret"), { remote: true }));
    const registry = logging("none", { PRIMARIES: { getByName: () => ({ read: failing, lookup: failing }) } as never });

    const text = await (await call(registry, method, params)).text();

    expect(text).toContain("internal: Something went wrong on the server.");
    expect(text).not.toContain("secret");
    expect(written.map(({ line }) => line.error)).toEqual(["Error: SELECT secret"]);
  });
});

describe("an unexpected error's line", () => {
  it("names the request and its trace, even if no request is logged, and has the stack", async () => {
    const broken = {
      getByName: () => ({ read: () => Promise.reject(Object.assign(new Error("secret detail"), { remote: true })) }),
    };
    const registry = logging("none", { PRIMARIES: broken });

    const { headers, text } = await registry.get("/subjects", { "X-Request-ID": "request-2" });

    expect(written).toHaveLength(1);
    expect(written[0]!.line).toMatchObject({
      level: "error",
      message: "Unexpected error",
      request_id: "request-2",
      tenant: registry.platform.tenant,
      trace_id: headers.get("traceparent")!.split("-")[1],
      error: "Error: secret detail",
      stack: expect.stringContaining("at "),
    });
    expect(text).not.toContain("secret detail");
  });

  it("is written even if a var is invalid", async () => {
    const app = plainRegistry({ vars: { REQUEST_LOG: "sometimes" } as Partial<Bindings> });

    const { status } = await app.get("/subjects");

    expect(status).toBe(500);
    expect(written.map(({ line }) => line.message)).toEqual(["Unexpected error", "Request"]);
  });
});

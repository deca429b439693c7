import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { hostilePlatform, plainPlatform } from "../../../support/platform.ts";

const bindings = env as unknown as Bindings;
const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
/** No server listens there. */
const AWAY = { DATABASE_URL: "postgres://u:p@127.0.0.1/none", DATABASE_PROXY: "127.0.0.1:9" };

describe("GET /read-model", () => {
  it("reports that no copy is configured", async () => {
    const { fetch } = plainPlatform({ env: bindings });
    await fetch("/api/v1/schemas", post({ subject: "s", format: "avro", content: "string" }));

    const answer = await fetch("/api/v1/read-model");

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      configured: false,
      seq: 0,
      primary_seq: 1,
      lag_entries: 1,
      parked: [],
    });
  });

  it("answers 503 while Postgres is unreachable, and everything else works", async () => {
    const { fetch } = plainPlatform({ env: { ...bindings, ...AWAY } });

    const answer = await fetch("/api/v1/read-model");
    const registered = await fetch("/api/v1/schemas", post({ subject: "s", format: "avro", content: "string" }));

    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "not_ready" });
    expect(answer.headers.get("Retry-After")).not.toBeNull();
    expect(registered.status).toBe(201);
  });
});

describe("POST /read-model/reconcile and /read-model/rebuild", () => {
  it.each(["reconcile", "rebuild"])("%s answers 501 without a read model, and invalidates nothing", async (name) => {
    const { fetch, kv } = hostilePlatform({ env: bindings });

    const answer = await fetch(`/api/v1/read-model/${name}`, post(name === "rebuild" ? { restart: true } : {}));

    expect(answer.status).toBe(501);
    expect(await answer.json()).toMatchObject({ code: "not_configured" });
    expect(await kv.in("FRA").get("generation", "text")).toBeNull();
  });

  it("refuses a cursor that it did not issue", async () => {
    const { fetch } = plainPlatform({ env: { ...bindings, ...AWAY } });
    const cursor = (position: unknown[]) => btoa(JSON.stringify(position)).replaceAll("=", "");
    const wrong = [
      "nonsense",
      cursor(["reconciliation", "tenants", "1", ""]),
      cursor(["reconciliation", "versions", "x", ""]),
    ];

    const statuses = await Promise.all(
      wrong.map(async (after) => (await fetch("/api/v1/read-model/reconcile", post({ after }))).status),
    );

    expect(statuses).toEqual([400, 400, 400]);
  });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Actor, Bindings } from "../../../workers/edge.ts";
import { localActor } from "../../../workers/http/actor.ts";
import { createApp } from "../../../workers/http/app.ts";
import { avroRecord, plainRegistry, type Registry } from "./native-calls.ts";

/** Metrics of one deployment: a separate object, so that other tests of this file count elsewhere. */
function measuredRegistry(more: Partial<Bindings> = {}): Registry {
  const metrics = (env as unknown as Bindings).METRICS.getByName(`metrics/${crypto.randomUUID()}`);
  return plainRegistry({ vars: { METRICS: { getByName: () => metrics }, ...more } });
}

/** Every line of the page about one of these metrics. */
async function linesOf(registry: Registry, ...metrics: string[]): Promise<string[]> {
  const { text } = await registry.get("/metrics");
  return text.split("\n").filter((line) => metrics.some((metric) => line.startsWith(`${metric}{`)));
}

describe("GET /metrics", () => {
  it("counts requests by route and status, never by path", async () => {
    const registry = measuredRegistry();
    const { id } = await registry.register("orders", avroRecord("id"));
    await registry.get(`/schemas/${id}`);
    await registry.get(`/schemas/${crypto.randomUUID()}`);
    await registry.platform.fetch("/subjects/orders/versions");
    await registry.platform.fetch("/nowhere/at/all");
    await registry.call("GET", "/nowhere");

    expect(await linesOf(registry, "registry_requests_total")).toEqual([
      'registry_requests_total{api="confluent",method="GET",route="/subjects/:subject/versions",status="200"} 1',
      'registry_requests_total{api="confluent",method="any",route="none",status="404"} 1',
      'registry_requests_total{api="native",method="GET",route="/api/v1/schemas/:id",status="200"} 1',
      'registry_requests_total{api="native",method="GET",route="/api/v1/schemas/:id",status="404"} 1',
      'registry_requests_total{api="native",method="POST",route="/api/v1/schemas",status="201"} 1',
      'registry_requests_total{api="native",method="any",route="none",status="404"} 1',
    ]);
  });

  it("times as many requests as it counts", async () => {
    const registry = measuredRegistry();
    await registry.register("orders", avroRecord("id"));
    await registry.get("/subjects");

    const { text } = await registry.get("/metrics");

    expect(text).toContain(
      'registry_request_duration_seconds_count{api="native",method="POST",route="/api/v1/schemas"} 1',
    );
    expect(text).toContain(
      'registry_request_duration_seconds_bucket{api="native",method="GET",route="/api/v1/subjects",le="+Inf"} 1',
    );
  });

  it("counts reads by source and class", async () => {
    const registry = measuredRegistry();
    const { id } = await registry.register("orders", avroRecord("id"));
    for (let read = 0; read < 3; read += 1) await registry.get(`/schemas/${id}/content`);
    await registry.get(`/schemas/${id}`);
    await registry.get("/subjects/orders/versions/1");
    await registry.get("/subjects/orders/versions/latest");
    await registry.get("/subjects");
    await registry.get(`/schemas/${crypto.randomUUID()}/content`);

    const lines = await linesOf(registry, "registry_reads_total");

    // The first content read finds what the registration left in memory.
    expect(lines).toEqual([
      'registry_reads_total{class="content",source="memory",stale="false"} 3',
      'registry_reads_total{class="head",source="primary",stale="false"} 3',
      'registry_reads_total{class="record",source="primary",stale="false"} 2',
    ]);
  });

  it("counts the outcomes of commits and their rounds", async () => {
    const registry = measuredRegistry();
    await registry.register("orders", avroRecord("id"));
    await registry.register("orders", avroRecord("id", "note?"));
    await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id", "more") },
    });

    const { text } = await registry.get("/metrics");

    expect(text).toContain('registry_commits_total{command="register",outcome="done"} 2');
    expect(text).toContain('registry_commits_total{command="register",outcome="incompatible"} 1');
    // The first needs no verdict. The second is asked for one; after it the edge foresees which one the third needs.
    expect(text).toContain('registry_commit_needs_rounds_bucket{command="register",le="0"} 2');
    expect(text).toContain('registry_commit_needs_rounds_bucket{command="register",le="1"} 3');
    expect(text).not.toContain("registry_commit_conflicts_total{");
    expect(text).toContain('registry_errors_total{code="incompatible_schema"} 1');
  });

  it("reads the primary's log and storage, and shows outcomes from 0", async () => {
    const registry = measuredRegistry();
    const { tenant } = registry.platform;
    await registry.register("orders", avroRecord("id"));

    const { text } = await registry.get("/metrics");

    expect(text).toContain(`registry_log_seq{tenant="${tenant}"} 1`);
    expect(text).toMatch(new RegExp(`registry_storage_used_bytes{tenant="${tenant}"} [1-9]\\d+`));
    expect(text).toContain('registry_source_up{source="primary"} 1');
    expect(text).toContain('registry_cron_runs_total{outcome="failed"} 0');
  });

  it("is the same at the root, where scrapers look, and as OpenMetrics on request", async () => {
    const registry = measuredRegistry();

    const root = await registry.call("GET", "//metrics");
    const open = await registry.get("/metrics", {
      Accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
    });

    expect(root.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(open.headers.get("Content-Type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open.text.endsWith("# EOF\n")).toBe(true);
  });

  it("counts once a batch that an isolate sent twice after a lost reply", async () => {
    const metrics = (env as unknown as Bindings).METRICS.getByName(`metrics/${crypto.randomUUID()}`) as {
      add(counted: unknown): Promise<unknown>;
      totals(args: unknown): Promise<unknown>;
      countIsolates(args: unknown): Promise<unknown>;
    };
    let lost = 0;
    const lossy = {
      add: async (counted: unknown) => {
        const answer = await metrics.add(counted);
        lost += 1;
        if (lost <= 2) throw new Error("the reply was lost");
        return answer;
      },
      totals: (args: unknown) => metrics.totals(args),
      countIsolates: (args: unknown) => metrics.countIsolates(args),
    };
    const registry = measuredRegistry({ METRICS: { getByName: () => lossy } });
    await registry.get("/subjects");
    await registry.platform.settled();
    await registry.get("/metrics");

    expect(await linesOf(registry, "registry_requests_total")).toContain(
      'registry_requests_total{api="native",method="GET",route="/api/v1/subjects",status="200"} 1',
    );
  });
});

describe("GET /metrics while a source is away", () => {
  const failing = { getByName: () => new Proxy({}, { get: () => () => Promise.reject(new Error("away")) }) };
  const hanging = { getByName: () => new Proxy({}, { get: () => () => new Promise(() => undefined) }) };

  it.each([
    ["fails", failing],
    ["hangs", hanging],
  ])("answers with everything else if the feed %s", async (_how, away) => {
    const registry = measuredRegistry({ FEEDS: away });

    const { status, text } = await registry.get("/metrics");

    expect(status).toBe(200);
    expect(text).toContain('registry_source_up{source="feed"} 0');
    expect(text).toContain('registry_source_up{source="webhooks"} 1');
    expect(text).not.toContain("registry_feed_subscribers{");
    expect(text).toContain("registry_webhook_dead_letters{");
  });

  it("answers without any lag if the primary is unreachable", async () => {
    const registry = measuredRegistry({ PRIMARIES: failing });

    const { status, text } = await registry.get("/metrics");

    expect(status).toBe(200);
    expect(text).toContain('registry_source_up{source="primary"} 0');
    expect(text).toContain('registry_source_up{source="metrics"} 1');
    expect(text).not.toMatch(/lag_entries/);
  });

  it("answers with the available metrics if the counts are unreachable, and still serves requests", async () => {
    const registry = measuredRegistry({ METRICS: failing });

    expect((await registry.get("/subjects")).status).toBe(200);
    const { status, text } = await registry.get("/metrics");

    expect(status).toBe(200);
    expect(text).toContain('registry_source_up{source="metrics"} 0');
    expect(text).toContain("registry_log_seq{");
    expect(text).not.toContain("registry_requests_total");
  });
});

describe("the permission metrics:read", () => {
  it("is required at both paths", async () => {
    const reader: Actor = { ...localActor(), permissions: new Set(["schema:read"]) };
    const app = createApp({ actorOf: () => reader });
    const ctx = { waitUntil: () => undefined, passThroughOnException: () => undefined } as unknown as ExecutionContext;

    for (const path of ["/metrics", "/api/v1/metrics"]) {
      const response = await app.fetch(new Request(`https://registry.test${path}`), env as unknown as Bindings, ctx);
      expect(response.status).toBe(403);
    }
  });
});

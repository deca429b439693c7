/** The three read classes through HTTP, on two edges in two regions over the hostile platform. */
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import { CONTENT_FRESH_MS, CONTENT_STALE_MS } from "../../../workers/read-path/content.ts";
import { RECORD_MAX_AGE_MS } from "../../../workers/read-path/records.ts";
import { plainPlatform, type TestEdge } from "../../support/platform.ts";
import { avroRecord, callThrough, hostileRegistry } from "../http/native-calls.ts";

const source = ({ headers }: { headers: Headers }) => headers.get("X-Registry-Source");
const token = ({ headers }: { headers: Headers }) => headers.get("X-Registry-Seq")!;

describe("GET /schemas/{id}/content", () => {
  it("answers from memory, with the rest of its hour as max-age, from any layer", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here] = platform.edges;
    await callThrough(here, "GET", `/schemas/${id}/content`);
    platform.clock.advance(1_000_000);

    const answer = await callThrough(here, "GET", `/schemas/${id}/content`);

    expect(source(answer)).toBe("memory");
    const [, rest] = /^private, max-age=(\d+)$/.exec(answer.headers.get("Cache-Control")!)!;
    expect(Number(rest)).toBeGreaterThan(2_590);
    expect(Number(rest)).toBeLessThanOrEqual(2_600);
  });

  it("lets another edge of the region read from KV, and counts the age through it", async () => {
    const { platform } = open();
    const id = await registerAt(platform.edges[0]);
    const [here, there] = [platform.startEdge("FRA"), platform.startEdge("SIN")];
    await callThrough(here, "GET", `/schemas/${id}/content`);
    await platform.settled();
    platform.clock.advance(120_000);

    const answer = await callThrough(there, "GET", `/schemas/${id}/content`);

    expect(source(answer)).toBe("kv");
    expect(answer.headers.get("Cache-Control")).toMatch(/max-age=34[78]\d/);
  });

  it("writes nothing to KV during a registration", async () => {
    const { platform } = open();

    await registerAt(platform.edges[0]);
    await platform.settled();

    expect(platform.kv.writes).toBe(0);
  });

  it("is available on both edges without the primary once it was registered through one and read through the other", async () => {
    const { platform } = open();
    const [here, there] = platform.edges;
    const id = await registerAt(here);
    await callThrough(platform.startEdge("FRA"), "GET", `/schemas/${id}/content`);
    await platform.settled();
    platform.primaries.unreachable = true;
    platform.clock.advance(120_000);

    const atHome = await callThrough(here, "GET", `/schemas/${id}/content`);
    const elsewhere = await callThrough(there, "GET", `/schemas/${id}/content`);

    expect([source(atHome), source(elsewhere)]).toEqual(["memory", "kv"]);
    expect(elsewhere.text).toBe(atHome.text);
    expect(atHome.headers.get("Cache-Control")).toMatch(/max-age=34[78]\d/);
  });

  it("queries the primary again after an hour", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here] = platform.edges;
    await callThrough(here, "GET", `/schemas/${id}/content`);
    platform.clock.advance(CONTENT_FRESH_MS + 1_000);

    expect(source(await callThrough(here, "GET", `/schemas/${id}/content`))).toBe("primary");
  });

  it("serves a copy of up to a day marked stale while the primary is unreachable, and then 503", async () => {
    const { platform } = open();
    const id = await registerAt(platform.edges[1]);
    const [here, there] = [platform.edges[0], platform.startEdge("SIN")];
    await callThrough(here, "GET", `/schemas/${id}/content`);
    await platform.settled();
    platform.primaries.unreachable = true;

    platform.clock.advance(CONTENT_FRESH_MS + 120_000);
    const stale = await callThrough(here, "GET", `/schemas/${id}/content`);
    const fromKv = await callThrough(there, "GET", `/schemas/${id}/content`);
    platform.clock.advance(CONTENT_STALE_MS);
    const late = await callThrough(here, "GET", `/schemas/${id}/content`);

    expect(stale.status).toBe(200);
    expect(stale.headers.get("X-Registry-Stale")).toBe("true");
    expect(stale.headers.get("Cache-Control")).toBe("private, max-age=0");
    expect([fromKv.status, source(fromKv), fromKv.headers.get("X-Registry-Stale")]).toEqual([200, "kv", "true"]);
    expect(late.status).toBe(503);
    expect(late.headers.get("Retry-After")).toBe("1");
  });

  it("is served unmarked while fresh although the primary does not respond", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here] = platform.edges;
    await callThrough(here, "GET", `/schemas/${id}/content`);
    platform.primaries.silent = true;

    const answer = await callThrough(here, "GET", `/schemas/${id}/content`);

    expect(answer.status).toBe(200);
    expect(answer.headers.get("X-Registry-Stale")).toBeNull();
  });

  it("is never older than the token of a caller that has hard-deleted, on any edge", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here, there] = platform.edges;
    for (const edge of platform.edges) await callThrough(edge, "GET", `/schemas/${id}/content`);
    await platform.settled();
    await callThrough(here, "DELETE", `/schemas/${id}`);
    const gone = await callThrough(here, "DELETE", `/schemas/${id}?permanent=true`);

    const elsewhere = await callThrough(there, "GET", `/schemas/${id}/content`);
    const withToken = await callThrough(there, "GET", `/schemas/${id}/content`, {
      headers: { "X-Registry-Min-Seq": token(gone) },
    });
    const atHome = await callThrough(here, "GET", `/schemas/${id}/content`);

    // Without the token another region may keep answering until the hour is over.
    expect(elsewhere.status).toBe(200);
    expect([withToken.status, atHome.status]).toEqual([404, 404]);
    // The edge remembers what it has learned from the token.
    expect((await callThrough(there, "GET", `/schemas/${id}/content`)).status).toBe(404);
  });

  it("stays deleted on an edge that repeats its registration under the same Idempotency-Key", async () => {
    const { platform } = open();
    const [here, there] = platform.edges;
    const registerAgain = (edge: TestEdge) =>
      callThrough(edge, "POST", "/schemas", {
        body: { subject: "orders", format: "avro", content: avroRecord("id") },
        headers: { "Idempotency-Key": "k-1" },
      });
    const { id } = (await registerAgain(here)).body as { id: string };
    await callThrough(here, "DELETE", `/schemas/${id}`);
    await callThrough(here, "DELETE", `/schemas/${id}?permanent=true`);

    await registerAgain(there);
    const read = await callThrough(there, "GET", `/schemas/${id}/content`);

    expect(read.status).toBe(404);
  });

  it("stays in the caches when other records change, because content depends only on hard deletes", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here] = platform.edges;
    await callThrough(here, "GET", `/schemas/${id}/content`);
    const later = await callThrough(here, "POST", "/schemas", {
      body: { subject: "other", format: "avro", content: avroRecord("x") },
    });

    const answer = await callThrough(here, "GET", `/schemas/${id}/content`, {
      headers: { "X-Registry-Min-Seq": token(later) },
    });

    expect(source(answer)).toBe("memory");
  });

  it("answers 304 to its ETag from any layer, and distinguishes the two forms", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here, there] = platform.edges;
    const first = await callThrough(here, "GET", `/schemas/${id}/content`);
    const etag = first.headers.get("ETag")!;

    const same = await callThrough(there, "GET", `/schemas/${id}/content`, {
      headers: { "If-None-Match": `"x", W/${etag}` },
    });
    const text = await callThrough(there, "GET", `/schemas/${id}/content?content=text`, {
      headers: { "If-None-Match": etag },
    });

    expect(same.status).toBe(304);
    expect(same.headers.get("ETag")).toBe(etag);
    expect(same.headers.get("Content-Type")).toBeNull();
    expect(text.status).toBe(200);
    expect((text.body as { content: string }).content).toBe(JSON.stringify(avroRecord("id")));
  });

  it("shows a new schema immediately to an edge that has just found it missing", async () => {
    const { platform, ...registry } = open();
    const [here, there] = platform.edges;
    await registry.register("seen", avroRecord("x"));
    const unknown = "01890000-0000-7000-8000-000000000000";
    await callThrough(there, "GET", `/schemas/${unknown}/content`);

    const { id } = await registry.register("orders", avroRecord("id"));

    expect((await callThrough(there, "GET", `/schemas/${id}/content`)).status).toBe(200);
    expect((await callThrough(here, "GET", `/schemas/${id}/content`)).status).toBe(200);
  });

  it("works without KV", async () => {
    const { platform, ...registry } = open();
    platform.kv.away = true;
    const { id } = await registry.register("orders", avroRecord("id"));

    for (const edge of platform.edges) {
      expect((await callThrough(edge, "GET", `/schemas/${id}/content`)).status).toBe(200);
      expect(source(await callThrough(edge, "GET", `/schemas/${id}/content`))).toBe("memory");
    }
  });

  it("serves a soft-deleted version's content", async () => {
    const { platform: _, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    await registry.call("DELETE", `/schemas/${id}`);

    expect((await registry.get(`/schemas/${id}/content`)).status).toBe(200);
  });
});

describe("many concurrent requests for one content", () => {
  it("are answered, each request in its own context, with a single query", async () => {
    const tenant = "default";
    const elsewhere = plainPlatform({ env: env as unknown as Bindings, tenant });
    const id = await registerAt(elsewhere.edges[0]);
    const worker = (exports as unknown as { default: Pick<Fetcher, "fetch"> }).default;

    const answers = await Promise.all(
      Array.from({ length: 50 }, () => worker.fetch(`https://registry.test/api/v1/schemas/${id}/content`)),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
  });
});

describe("the record class", () => {
  const EVENTUAL = { "X-Registry-Consistency": "eventual" };

  it("comes from the primary unless the caller allows sixty seconds", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here, there] = platform.edges;

    const first = await callThrough(here, "GET", `/schemas/${id}`, { headers: EVENTUAL });
    await callThrough(there, "PATCH", `/schemas/${id}`, { body: { owner: "new" } });
    const eventual = await callThrough(here, "GET", `/schemas/${id}`, { headers: EVENTUAL });
    const strong = await callThrough(here, "GET", `/schemas/${id}`);
    platform.clock.advance(RECORD_MAX_AGE_MS + 1_000);
    const later = await callThrough(here, "GET", `/schemas/${id}`, { headers: EVENTUAL });

    expect([source(first), source(eventual), source(strong), source(later)]).toEqual([
      "primary",
      "memory",
      "primary",
      "primary",
    ]);
    expect(eventual.body).toMatchObject({ owner: null });
    expect([strong.body, later.body]).toMatchObject([{ owner: "new" }, { owner: "new" }]);
  });

  it("is never older than the token, even if the caller allows sixty seconds", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here, there] = platform.edges;
    await callThrough(here, "GET", `/schemas/${id}`, { headers: EVENTUAL });
    const changed = await callThrough(there, "PATCH", `/schemas/${id}`, { body: { owner: "new" } });

    const answer = await callThrough(here, "GET", `/schemas/${id}`, {
      headers: { ...EVENTUAL, "X-Registry-Min-Seq": token(changed) },
    });

    expect(answer.body).toMatchObject({ owner: "new" });
  });

  it("shows writers their own write on the same edge", async () => {
    const { platform, ...registry } = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const [here] = platform.edges;
    await callThrough(here, "GET", `/schemas/${id}`, { headers: EVENTUAL });
    await callThrough(here, "PATCH", `/schemas/${id}`, { body: { owner: "new" } });

    const answer = await callThrough(here, "GET", `/schemas/${id}`, { headers: EVENTUAL });

    expect(answer.body).toMatchObject({ owner: "new" });
  });

  it("covers a version by its number, and never latest", async () => {
    const { platform, ...registry } = open();
    await registry.register("orders", avroRecord("id"));
    const [here, there] = platform.edges;
    const read = (version: string) =>
      callThrough(here, "GET", `/subjects/orders/versions/${version}`, { headers: EVENTUAL });
    await read("1");
    await read("latest");
    await callThrough(there, "POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id", "note?") },
    });

    expect(source(await read("1"))).toBe("memory");
    expect((await read("latest")).body).toMatchObject({ version_number: 2 });
  });
});

describe("the head class", () => {
  it("is read from the primary on every edge, immediately after any write", async () => {
    const { platform, ...registry } = open();
    const [here, there] = platform.edges;
    await registry.register("orders", avroRecord("id"));
    for (const edge of platform.edges) {
      await callThrough(edge, "GET", "/subjects/orders/versions/latest");
      await callThrough(edge, "GET", "/subjects/orders/versions/2");
      await callThrough(edge, "GET", "/subjects/orders/compatibility");
    }

    await callThrough(here, "POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id", "note?") },
    });
    await callThrough(here, "PUT", "/subjects/orders/compatibility", { body: { level: "FULL" } });

    expect((await callThrough(there, "GET", "/subjects/orders/versions/latest")).body).toMatchObject({
      version_number: 2,
    });
    expect((await callThrough(there, "GET", "/subjects/orders/versions/2")).status).toBe(200);
    expect((await callThrough(there, "GET", "/subjects/orders/compatibility")).body).toMatchObject({ level: "FULL" });
  });
});

/** Registers through one edge, so that a test knows whose memory has it. */
async function registerAt(edge: TestEdge): Promise<string> {
  const { body } = await callThrough(edge, "POST", "/schemas", {
    body: { subject: "orders", format: "avro", content: avroRecord("id") },
  });
  return (body as { id: string }).id;
}

/** Its methods bound, so that a test can destructure the platform. */
function open() {
  const registry = hostileRegistry();
  return {
    platform: registry.platform,
    register: registry.register.bind(registry),
    call: registry.call.bind(registry),
    get: registry.get.bind(registry),
  };
}

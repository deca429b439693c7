import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Denial, DenialMessage } from "../../../../registry/denial.ts";
import { openNote, parseVerifier } from "../../../../tlog/note.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { FAILURES_PER_MINUTE } from "../../../../workers/limits/limits.ts";
import { consumeDenials } from "../../../../workers/queue/denials.ts";
import { GuardedRegistry, keyIdOf } from "../../../support/guarded-registry.ts";

const bindings = env as unknown as Bindings;
let messages: DenialMessage[];
let registry: GuardedRegistry;

beforeEach(() => {
  messages = [];
  const DENIALS = {
    send: async (message: DenialMessage) => void messages.push(message),
  } as unknown as Bindings["DENIALS"];
  registry = new GuardedRegistry(bindings, { DENIALS }, 0);
});

async function denials(): Promise<Denial[]> {
  await registry.settled();
  return messages.flatMap((message) => [...message.denials]);
}

const wrongKey = (id: string) => `llmsr_default_${id}_${"0".repeat(64)}`;

describe("a refused attempt", () => {
  it("is recorded without its address, secret, query or body, and never reaches the log", async () => {
    const before = (await registry.call("GET", "/api/v1/log?after=0", { key: registry.admin })).headers.get(
      "X-Registry-Seq",
    );

    const { status } = await registry.call("GET", "/api/v1/subjects/orders?context=.a", {
      key: wrongKey("0123456789abcdef"),
      ip: "203.0.113.77",
    });

    expect(status).toBe(401);
    const [denial] = await denials();
    expect(denial).toMatchObject({
      tenant: "default",
      status: 401,
      code: "unauthorized",
      method: "GET",
      route: "/api/v1/subjects/:subject",
      subject: null,
      actor: null,
      credential: "key:0123456789abcdef",
      network: "203.0.113.0/24",
      count: 1,
    });
    expect(denial!.address).toMatch(/^address:[0-9a-f]{32}$/);
    expect(JSON.stringify(messages)).not.toMatch(/203\.0\.113\.77|0{64}/);
    const after = (await registry.call("GET", "/api/v1/log?after=0", { key: registry.admin })).headers.get(
      "X-Registry-Seq",
    );
    expect(after).toBe(before);
  });

  it("is recorded for a missing permission and for what the caller may not know of", async () => {
    const { name: tenant, admin } = await registry.makeTenant();
    const key = await registry.makeKey([{ role: "reader", subject_prefix: "mine" }], { by: admin });
    const content = { type: "record", name: "A", fields: [] };
    await registry.call("POST", "/api/v1/schemas", {
      key: admin,
      body: { subject: "theirs", format: "avro", content },
    });

    const answered = [
      await registry.call("DELETE", "/api/v1/subjects/mine", { key }),
      await registry.call("GET", "/api/v1/subjects/theirs", { key }),
      await registry.call("GET", "/subjects/theirs/versions/1", { key }),
    ];

    expect(answered.map(({ status }) => status)).toEqual([403, 404, 404]);
    const actor = `key:${keyIdOf(key)}`;
    expect(await denials()).toMatchObject([
      { tenant, actor, credential: null, status: 403, method: "DELETE", subject: "mine" },
      { tenant, actor, status: 404, route: "/api/v1/subjects/:subject", subject: "theirs" },
      { tenant, actor, status: 404, route: "/subjects/:subject/versions/:version", subject: "theirs" },
    ]);
  });

  it("is recorded for a call of the Model Context Protocol too, which answers 200", async () => {
    const { name: tenant, admin } = await registry.makeTenant();
    const key = await registry.makeKey([{ role: "reader", subject_prefix: "mine" }], { by: admin });
    const schema = { subject: "theirs", format: "avro", content: { type: "record", name: "A", fields: [] } };
    await registry.call("POST", "/api/v1/schemas", { key: admin, body: schema });
    const callTool = (name: string, args: object) =>
      registry.call("POST", "/mcp", {
        key,
        headers: { Accept: "application/json, text/event-stream" },
        body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } },
      });

    const answered = [
      await callTool("get_schema", { subject: "absent" }),
      await callTool("get_schema", { subject: "theirs" }),
      await callTool("register_schema", schema),
    ];

    expect(answered.map(({ status }) => status)).toEqual([200, 200, 200]);
    const actor = `key:${keyIdOf(key)}`;
    expect(await denials()).toMatchObject([
      { tenant, actor, status: 404, route: "/api/v1/subjects/:subject/versions/:version", subject: "theirs" },
      { tenant, actor, status: 403, code: "forbidden", method: "POST", route: "/mcp", subject: null },
    ]);
  });

  it("does not include absent subjects, or refusals for another reason", async () => {
    await registry.call("GET", "/api/v1/subjects/absent", { key: registry.admin });
    await registry.call("POST", "/api/v1/schemas", { key: registry.admin, body: {} });
    await registry.call("GET", "/api/v1/no-such-route");

    expect(await denials()).toEqual([]);
  });

  it("is recorded once its address has used too many wrong credentials", async () => {
    for (let attempt = 0; attempt <= FAILURES_PER_MINUTE; attempt += 1) {
      await registry.call("GET", "/subjects", { key: wrongKey("0123456789abcdef"), ip: "2001:db8:1:2::7" });
    }

    const last = (await denials()).at(-1);
    expect(last).toMatchObject({ status: 429, code: "rate_limited", network: "2001:db8:1::/48" });
  });

  it("is merged with all others of its minute and address once the address is locked out", async () => {
    const ip = "2001:db8:1:2::7";
    for (let attempt = 0; attempt < FAILURES_PER_MINUTE; attempt += 1) {
      await registry.call("GET", "/subjects", { key: wrongKey("0123456789abcdef"), ip });
    }
    await denials();
    messages = [];
    const paths = ["/subjects/a/versions", "/subjects/b/versions", "/api/v1/subjects/c", "/config", "/api/v1/keys"];

    for (const [index, path] of paths.entries()) {
      const { status } = await registry.call("GET", path, { key: wrongKey(`${index}`.padStart(16, "0")), ip });
      expect(status).toBe(429);
    }

    const same = { method: "*", route: "*", subject: null, credential: null, actor: null };
    const recorded = await denials();
    for (const denial of recorded) expect(denial).toMatchObject(same);
    expect(recorded.reduce((sum, { count }) => sum + count, 0)).toBe(paths.length);
  });

  it("names a subject only for an actor", async () => {
    for (const subject of ["a", "b", "c"]) {
      await registry.call("GET", `/api/v1/subjects/${subject}`, { key: wrongKey("0123456789abcdef"), ip: "192.0.2.9" });
    }

    for (const { subject } of await denials()) expect(subject).toBeNull();
  });

  it("names no subject that could not exist", async () => {
    const { admin } = await registry.makeTenant();
    const key = await registry.makeKey([{ role: "reader" }], { by: admin });
    for (const name of ["%00", "x".repeat(256), "orders"]) {
      expect((await registry.call("DELETE", `/api/v1/subjects/${name}`, { key })).status).toBe(403);
    }

    const named = (await denials()).map(({ subject }) => subject);
    expect(new Set(named)).toEqual(new Set([null, "orders"]));
  });
});

describe("GET /audit/denied-batches", () => {
  it("lists signed batches, in which identical attempts of several isolates are one", async () => {
    const { admin, name: tenant } = await registry.makeTenant();
    const key = await registry.makeKey([{ role: "reader" }], { by: admin });
    for (let isolate = 0; isolate < 3; isolate += 1) {
      registry.restart();
      await registry.call("DELETE", "/subjects/orders", { key, ip: "192.0.2.1" });
    }
    await registry.settled();
    const ack = vi.fn();
    const batch = { messages: messages.map((body) => ({ id: body.id, body, attempts: 1, ack, retry: vi.fn() })) };

    await consumeDenials(batch, registry.env, registry.clock.now());
    // Redelivered: the same object again.
    await consumeDenials(batch, registry.env, registry.clock.now());

    expect(ack).toHaveBeenCalledTimes(6);
    const { body } = await registry.call("GET", "/api/v1/audit/denied-batches", { key: admin });
    const { items, keys } = body as { items: { id: string; day: string }[]; keys: string[] };
    expect(items).toHaveLength(1);
    const path = `/api/v1/audit/denied-batches/${items[0]!.day}/${items[0]!.id}`;
    const { text } = await registry.call("GET", path, { key: admin });
    const [head, ...lines] = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ type: "access.denied", count: 3, status: 403 }]);
    const { note, messages: ids } = JSON.parse(head!) as { note: string; messages: string[] };
    expect(ids).toHaveLength(3);
    const opened = await openNote(
      note,
      keys.map((verifier) => parseVerifier(verifier)!),
    );
    const rest = new TextEncoder().encode(`${lines.join("\n")}\n`);
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", rest)).toString("hex");
    expect(opened).toMatchObject({
      ok: true,
      text: `llm-schema-registry/${tenant}/access\n${items[0]!.id}\n${digest}\n`,
    });
    const foreign = await registry.call("GET", path, { key: registry.admin });
    expect(foreign.status).toBe(404);
  });
});

describe("consumeDenials", () => {
  const denial = (tenant: string): Denial => {
    const nowMs = Date.now();
    const caller = { actor: "key:a", credential: null, address: null, network: null };
    const attempt = { status: 403, code: "forbidden", method: "GET", route: "/subjects", subject: null };
    return { tenant, minuteMs: 0, ...attempt, ...caller, count: 1, firstAtMs: nowMs, lastAtMs: nowMs, requestId: "r" };
  };
  const messageOf = (body: object) => ({ id: "m", body, attempts: 1, ack: vi.fn(), retry: vi.fn() });

  it("stores the batch while Postgres is away, and again in its place when the messages come back", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const tenant = `t${crypto.randomUUID().slice(0, 8)}`;
    const message = messageOf({ v: 1, id: "one", denials: [denial(tenant)], dropped: 0 });
    const away = { ...bindings, DATABASE_URL: "postgres://u:p@localhost/d", DATABASE_PROXY: "127.0.0.1:1" };
    const stored = async () => (await bindings.ACCESS_RECORD.list({ prefix: `${tenant}/access/` })).objects;

    await consumeDenials({ messages: [message] }, away, Date.now());

    expect(message.retry).toHaveBeenCalledTimes(1);
    expect(message.ack).not.toHaveBeenCalled();
    expect(await stored()).toHaveLength(1);
    await consumeDenials({ messages: [message] }, bindings, Date.now());
    expect(message.ack).toHaveBeenCalledTimes(1);
    expect(await stored()).toHaveLength(1);
    vi.restoreAllMocks();
  });

  it("returns a message of a later version to the queue, and records the others", async () => {
    const tenant = `t${crypto.randomUUID().slice(0, 8)}`;
    const newer = messageOf({ v: 2, id: "two", attempts: [] });
    const known = messageOf({ v: 1, id: "one", denials: [denial(tenant)], dropped: 0 });

    await consumeDenials({ messages: [newer, known] }, bindings, Date.now());

    expect([newer.ack, newer.retry].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    expect([known.ack, known.retry].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
    expect((await bindings.ACCESS_RECORD.list({ prefix: `${tenant}/access/` })).objects).toHaveLength(1);
  });
});

describe("GET /audit/entries?include=denied", () => {
  it("names the batches' location in a deployment without Postgres", async () => {
    const { status, body } = await registry.call("GET", "/api/v1/audit/entries?include=denied", {
      key: registry.admin,
    });

    expect(status).toBe(501);
    expect(body.detail).toContain("/api/v1/audit/denied-batches");
  });

  it.each([
    ["x", 400],
    [`253402300800000-${"0".repeat(32)}`, 400],
    // The last place that exists; without Postgres it is not looked up.
    [`253402300799999-${"0".repeat(32)}`, 501],
  ])("answers the place %s with %i", async (place, status) => {
    const path = `/api/v1/audit/entries?include=denied&denied_after=${place}`;
    expect((await registry.call("GET", path, { key: registry.admin })).status).toBe(status);
  });
});

import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { type Answered, GuardedRegistry, keyIdOf } from "../../../support/guarded-registry.ts";

const bindings = env as unknown as Bindings;
const TARGET = "https://target.test";
const ADDRESS = { type: "record", name: "Address", fields: [{ name: "street", type: "string" }] };
const ORDER = { type: "record", name: "Order", fields: [{ name: "to", type: "Address" }] };

/** Two deployments: the source reaches the other only over the network. */
let target: GuardedRegistry;
let source: GuardedRegistry;
let admin: string;
let key: string;
let sent: string[];

beforeAll(async () => {
  target = new GuardedRegistry(bindings);
  await target.call("GET", "/api/v1/me", { key: target.admin });
});

beforeEach(async () => {
  sent = [];
  admin = (await target.makeTenant()).admin;
  key = await target.makeKey([{ role: "service" }], { by: admin });
  const targets = { next: { url: TARGET, key }, theirs: { url: TARGET, key, tenant: "other" } };
  source = new GuardedRegistry(bindings, { PROMOTION_TARGETS: JSON.stringify(targets) });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = new URL(String(input));
    sent.push(url.href);
    if (url.origin !== TARGET) throw new Error("no such host");
    const headers = init!.headers as Record<string, string>;
    const made = await target.call(init!.method!, url.pathname, { headers, body: String(init!.body) });
    return new Response(made.text, { status: made.status, headers: made.headers });
  });
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function withOrder(prefix = crypto.randomUUID().slice(0, 8)) {
  const names = { orders: `${prefix}-orders`, addresses: `${prefix}-addresses` };
  const register = (body: object) => source.call("POST", "/api/v1/schemas", { key: source.admin, body });
  await register({ subject: names.addresses, format: "avro", content: ADDRESS });
  const references = [{ name: "Address", subject: names.addresses, version: 1 }];
  const made = await register({ subject: names.orders, format: "avro", content: ORDER, references, owner: "team" });
  expect(made.status, made.text).toBe(201);
  return names;
}

function promote(subject: string, more: object = {}, by = source.admin, headers: Record<string, string> = {}) {
  const body = { subject, version: "latest", to_registry: "next", ...more };
  return source.call("POST", "/api/v1/promotions", { key: by, body, headers });
}

function atTarget(path: string): Promise<Answered> {
  return target.call("GET", `/api/v1${path}`, { key: admin });
}

describe("POST /promotions with to_registry", () => {
  it("registers a version and what it references in the other registry, as one change set of its key", async () => {
    const { orders, addresses } = await withOrder();

    const { status, body, text } = await promote(orders);

    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      registry: "next",
      changes: [
        { result: "registered", subject: addresses },
        { result: "registered", subject: orders },
      ],
    });
    expect((await atTarget(`/subjects/${orders}/versions/1`)).body).toMatchObject({
      content: ORDER,
      owner: "team",
      created_by: `key:${keyIdOf(key)}`,
      references: [{ name: "Address", subject: addresses, version: 1 }],
    });
    expect((await atTarget(`/change-sets/${body.change_set}`)).body).toMatchObject({ first_seq: 1, last_seq: 3 });
  });

  it("makes a repeat once", async () => {
    const { orders } = await withOrder();
    const headers = { "Idempotency-Key": crypto.randomUUID() };

    const first = await promote(orders, {}, source.admin, headers);
    const again = await promote(orders, {}, source.admin, headers);

    expect(again.body).toEqual(first.body);
  });

  it("returns the verdict of the target, where nothing is changed", async () => {
    const { orders } = await withOrder();
    const content = { type: "record", name: "Order", fields: [{ name: "n", type: "int" }] };
    await target.call("POST", "/api/v1/schemas", { key: admin, body: { subject: orders, format: "avro", content } });

    const { status, body } = await promote(orders);

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "incompatible_schema", registry: "next", change: 1 });
    expect((await atTarget("/subjects")).body.items).toHaveLength(1);
  });

  it("becomes a proposal where the target is protected", async () => {
    const { orders } = await withOrder();
    const protections = [{ name: "all", subjects: ["*"], approvals: [{ count: 1 }] }];
    await target.call("PUT", "/api/v1/governance", { key: admin, body: { protections } });

    const { status, body } = await promote(orders);

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "protected", registry: "next" });
    expect((await atTarget("/proposals?status=open")).body.items).toHaveLength(1);
  });

  it("chooses a context at the target", async () => {
    const { orders } = await withOrder();

    expect((await promote(orders, { to_context: ".prod" })).body).toMatchObject({
      changes: [{ context: ".prod" }, { context: ".prod" }],
    });
  });

  it("knows only the registries that the operator has listed for the tenant, and sends nothing elsewhere", async () => {
    const { orders } = await withOrder();

    for (const name of ["absent", "theirs", "https://evil.test"]) {
      const { status, text } = await promote(orders, { to_registry: name });
      expect(status, text).toBe(422);
    }
    expect(sent).toEqual([]);
  });

  it("needs schema:write on the subject, and schema:read on what it references", async () => {
    const { orders, addresses } = await withOrder();
    const reads = [{ role: "reader" }, { role: "service", subject: "something-else" }];
    const writesOne = [{ role: "service", subject: orders }];

    const refused = await promote(orders, {}, await source.makeKey(reads));
    const blind = await promote(orders, {}, await source.makeKey(writesOne));

    expect([refused.status, blind.status], blind.text).toEqual([403, 422]);
    expect(blind.text).not.toContain("street");
    expect(addresses).toBeTruthy();
    expect(sent).toEqual([]);
  });

  it("sends no version that a condition of the caller's grant excludes", async () => {
    const [{ addresses }, others] = [await withOrder(), await withOrder()];
    const { body } = await source.call("GET", `/api/v1/subjects/${addresses}/versions/1`, { key: source.admin });
    await source.call("PATCH", `/api/v1/schemas/${body.id}`, { key: source.admin, body: { tags: ["secret"] } });
    const condition = "!schema.tags.exists(tag, tag == 'secret')";
    const caller = await source.makeKey([{ role: "service", condition }, { role: "reader" }]);

    expect((await promote(addresses, {}, caller)).status).toBe(403);
    expect(sent).toEqual([]);
    expect((await promote(others.addresses, {}, caller)).status).toBe(200);
  });

  it("says that the target refused its key, without repeating it", async () => {
    const { orders } = await withOrder();
    await target.call("DELETE", `/api/v1/keys/${keyIdOf(key)}`, { key: admin });

    const { status, text } = await promote(orders);

    expect(status).toBe(422);
    expect(text).toContain('\\"next\\" refused the key');
    expect(text).not.toContain(key);
  });

  it.each<[string, () => Response]>([
    ["answers 500", () => new Response("{}", { status: 500 })],
    ["redirects", () => new Response(null, { status: 302, headers: { Location: "https://evil.test" } })],
    ["answers no JSON", () => new Response("<html>", { status: 200 })],
  ])("is 503 where the target %s", async (_what, answer) => {
    const { orders } = await withOrder();
    vi.mocked(globalThis.fetch).mockImplementation(async () => answer());

    const { status, headers } = await promote(orders);

    expect(status).toBe(503);
    expect(headers.get("Retry-After")).toBeTruthy();
  });

  it("refuses a promotion without any target", async () => {
    const body = { subject: "orders", version: 1 };
    expect((await source.call("POST", "/api/v1/promotions", { key: source.admin, body })).status).toBe(400);
  });
});

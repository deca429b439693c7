/** Change management over HTTP: protected subjects, proposals and their approval, freezes, and overrides. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../../durable-objects/primary/object.ts";
import { MAX_COMMENTS, MAX_OPEN_PROPOSALS_PER_SUBJECT } from "../../../../registry/governance.ts";
import { BUILT_IN_ROLES } from "../../../../registry/permission.ts";
import type { Actor, Bindings } from "../../../../workers/edge.ts";
import { localActor } from "../../../../workers/http/actor.ts";
import { createApp } from "../../../../workers/http/app.ts";
import { expectReplayEqualsState } from "../../../durable-objects/primary/commands.ts";
import { avroRecord, type Called, callThrough } from "../native-calls.ts";

type Proposal = { id: string; status: string; approvals: unknown[]; subjects: string[]; expires_at: string };
type Problem = {
  code: string;
  detail: string;
  proposal?: { id: string; address: string };
  error_code?: number;
  message?: string;
};

let registries = 0;

/** One registry with several users. */
class People {
  readonly tenant = `people-${++registries}-${crypto.randomUUID().slice(0, 8)}`;
  readonly primary = (env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> }).PRIMARIES.getByName(
    `${this.tenant}/1`,
  );

  /** A path that begins with `//` belongs to the Confluent API. */
  async call(
    who: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Called> {
    const grant = { role: roleOf(who), context: null, subject: null, states: null, condition: null, permissions: [] };
    const actor: Actor = {
      ...localActor(),
      tenant: this.tenant,
      actor: who,
      permissions: new Set(BUILT_IN_ROLES[roleOf(who)]),
      identity: { type: "key", name: who, grants: [grant], expiresAtMs: null },
    };
    const app = createApp({ actorOf: () => actor });
    const waitUntil = (promise: Promise<unknown>) => void promise.catch(() => undefined);
    const context = { waitUntil, passThroughOnException: () => undefined, props: {} } as unknown as ExecutionContext;
    const edge = {
      fetch: async (url: string, init?: RequestInit) =>
        app.fetch(new Request(`https://registry.test${url}`, init), env as unknown as Bindings, context),
    };
    if (!path.startsWith("//"))
      return callThrough(edge, method, path, { ...(body === undefined ? {} : { body }), headers });
    const init = { method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) };
    const response = await edge.fetch(path.slice(1), init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text), text };
  }

  async protect(approvals: object[] = [{ role: "admin", count: 1 }], subjects = ["orders"]): Promise<void> {
    const protections = [{ name: "contracts", subjects, approvals, expires_after_hours: 24 }];
    const { status, text } = await this.call("root", "PUT", "/governance", { protections });
    expect(status, text).toBe(200);
  }

  register(who: string, subject: string, content: unknown, headers = {}): Promise<Called> {
    return this.call(who, "POST", "/schemas", { subject, format: "avro", content }, headers);
  }

  /** Opens a proposal by a registration that is refused. */
  async propose(who: string, content: unknown = avroRecord("id"), subject = "orders"): Promise<string> {
    const { status, body, text } = await this.register(who, subject, content);
    expect(status, text).toBe(409);
    return (body as Problem).proposal!.id;
  }

  approve(who: string, id: string): Promise<Called> {
    return this.call(who, "POST", `/proposals/${id}/approve`);
  }

  async proposal(id: string): Promise<Proposal & { review: { compatible: boolean }; comments: unknown[] }> {
    const { proposal, review, comments } = (await this.call("root", "GET", `/proposals/${id}`)).body as never;
    return { ...(proposal as Proposal), review, comments };
  }

  async versions(subject: string): Promise<number> {
    const { status, body } = await this.call("root", "GET", `/subjects/${subject}/versions`);
    return status === 404 ? 0 : (body as { items: unknown[] }).items.length;
  }

  async setNow(nowMs: number): Promise<void> {
    await runInDurableObject(this.primary, (object) => {
      object.now = () => nowMs;
    });
  }

  async types(): Promise<string[]> {
    const { body } = await this.call("root", "GET", "/audit/entries?limit=500");
    return (body as { items: { type: string }[] }).items.map(({ type }) => type);
  }
}

/** Ana and Ben are developers; the others are administrators. */
function roleOf(who: string): "developer" | "admin" {
  return who === "ana" || who === "ben" ? "developer" : "admin";
}

describe("a registration under a protected subject", () => {
  it("opens a proposal with its review, and is applied once approved", async () => {
    const people = new People();
    await people.protect();

    const id = await people.propose("ana");
    const before = await people.proposal(id);
    const { status, body } = await people.approve("root", id);

    expect(before).toMatchObject({ status: "open", author: "ana", subjects: ["orders"], review: { compatible: true } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      proposal: { status: "applied" },
      changes: [{ result: "registered", version_number: 1 }],
    });
    expect(await people.versions("orders")).toBe(1);
    expect(await people.types()).toEqual([
      "governance.changed",
      "proposal.opened",
      "proposal.approved",
      "schema.registered",
      "proposal.applied",
      "change_set.committed",
    ]);
    await expectReplayEqualsState(people.primary);
  });

  it("opens one proposal, however often it is repeated", async () => {
    const people = new People();
    await people.protect();

    expect(await people.propose("ana")).toBe(await people.propose("ana"));
  });

  it("is answered by the Confluent API with the proposal's address", async () => {
    const people = new People();
    await people.protect();

    const schema = JSON.stringify(avroRecord("id"));
    const { status, body } = await people.call("ana", "POST", "//subjects/orders/versions", { schema });

    expect(status).toBe(422);
    expect(body).toMatchObject({ error_code: 42205 });
    expect((body as Problem).message).toMatch(/\/api\/v1\/proposals\/[0-9a-f-]{36}/);
  });

  it("succeeds if the content is already registered, as a draft, and under other subjects", async () => {
    const people = new People();
    await people.register("ana", "orders", avroRecord("id"));
    await people.protect();

    expect((await people.register("ana", "orders", avroRecord("id"))).status).toBe(200);
    const draft = { subject: "orders", format: "avro", content: avroRecord("id", "a?"), state: "draft" };
    expect((await people.call("ana", "POST", "/schemas", draft)).status).toBe(201);
    expect((await people.register("ana", "other", avroRecord("id"))).status).toBe(201);
  });

  it("is refused as usual if it is incompatible, and opens no proposal", async () => {
    const people = new People();
    await people.register("ana", "orders", avroRecord("id"));
    await people.protect();

    const { body } = await people.register("ana", "orders", avroRecord("id", "added"));

    expect(body).toMatchObject({ code: "incompatible_schema" });
    expect((await people.call("root", "GET", "/proposals")).body).toMatchObject({ items: [] });
  });

  it("cannot be circumvented by an alias, a change set, an activation, or a delete", async () => {
    const people = new People();
    const record = (await people.register("ana", "orders", avroRecord("id"))).body as { id: string };
    const draft = (
      await people.call("ana", "POST", "/schemas", {
        subject: "orders",
        format: "avro",
        content: avroRecord("id", "b?"),
        state: "draft",
      })
    ).body as { id: string };
    await people.call("root", "PUT", "//config/alias", { alias: "orders" });
    await people.protect();
    const change = { operation: "register", subject: "orders", format: "avro", content: avroRecord("id", "a?") };

    const schema = JSON.stringify(avroRecord("id", "a?"));
    const codes = [
      (await people.call("ana", "POST", "//subjects/alias/versions", { schema })).status,
      (await people.call("ana", "POST", "/change-sets", { changes: [change] })).status,
      (await people.call("ana", "PATCH", `/schemas/${draft.id}`, { state: "active" })).status,
      (await people.call("ana", "DELETE", `/schemas/${record.id}`)).status,
      (await people.call("ana", "DELETE", "/subjects/orders")).status,
      (await people.call("ana", "PATCH", `/schemas/${record.id}`, { state: "archived" })).status,
      (await people.call("root", "PUT", "/subjects/orders/compatibility", { level: "NONE" })).status,
    ];

    expect(codes).toEqual([422, 409, 409, 409, 409, 409, 409]);
    expect(await people.versions("orders")).toBe(1);
  });
});

describe("POST /proposals/{proposal}/approve", () => {
  it("accepts no approval of the caller's own proposal, and one approval per user", async () => {
    const people = new People();
    await people.protect([{ role: "admin", count: 2 }]);
    const id = await people.propose("root");

    expect((await people.approve("root", id)).status).toBe(409);
    expect((await people.approve("mia", id)).body).toMatchObject({ change_set: null, proposal: { status: "open" } });
    expect((await people.approve("mia", id)).status).toBe(409);
    expect((await people.approve("noa", id)).body).toMatchObject({ proposal: { status: "applied" } });
  });

  it("counts an approval for the roles of the approver", async () => {
    const people = new People();
    await people.protect([{ role: "admin", count: 1 }]);
    const id = await people.propose("ana");

    const byBen = await people.approve("ben", id);
    const byRoot = await people.approve("root", id);

    expect(byBen.body).toMatchObject({ change_set: null });
    expect(byRoot.body).toMatchObject({ proposal: { status: "applied" } });
  });

  it("refuses a change that is no longer possible, and leaves the proposal open", async () => {
    const people = new People();
    await people.protect();
    const id = await people.propose("ana");
    const override = { "X-Registry-Override": "The night shift needs it." };
    const other = { type: "record", name: "Order", fields: [{ name: "id", type: "int" }] };
    expect((await people.register("root", "orders", other, override)).status).toBe(201);

    const { status, body } = await people.approve("root", id);

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "incompatible_schema" });
    expect(await people.proposal(id)).toMatchObject({ status: "open", approvals: [] });
  });

  it("refuses a change whose reference was hard-deleted meanwhile", async () => {
    const people = new People();
    const address = { type: "record", name: "Address", fields: [] };
    const { id: addressId } = (await people.register("ana", "addresses", address)).body as { id: string };
    await people.protect();
    const order = { type: "record", name: "Order", fields: [{ name: "to", type: "Address" }] };
    const references = [{ name: "Address", subject: "addresses", version: 1 }];
    const proposed = await people.call("ana", "POST", "/schemas", {
      subject: "orders",
      format: "avro",
      content: order,
      references,
    });
    const { id } = (proposed.body as Problem).proposal!;
    await people.call("root", "DELETE", `/schemas/${addressId}`);
    await people.call("root", "DELETE", `/schemas/${addressId}?permanent=true`);

    const { status } = await people.approve("root", id);

    expect(status).toBe(422);
    expect(await people.proposal(id)).toMatchObject({ status: "open" });
  });

  it("requires the approvals of the current protections and of those at its opening", async () => {
    const people = new People();
    await people.protect([{ role: "admin", count: 1 }]);
    const id = await people.propose("ana");
    await people.protect([{ role: "admin", count: 2 }]);
    const stricter = await people.approve("root", id);
    await people.call("root", "PUT", "/governance", { protections: [] });
    const laxer = await people.approve("ben", id);

    expect(stricter.body).toMatchObject({ change_set: null });
    expect(laxer.body).toMatchObject({ proposal: { status: "applied" } });
  });

  it("refuses an expired proposal, which the alarm then closes", async () => {
    const people = new People();
    await people.protect();
    const id = await people.propose("ana");
    await people.setNow(Date.parse((await people.proposal(id)).expires_at));

    const { status, body } = await people.approve("root", id);
    await runDurableObjectAlarm(people.primary);

    expect(status).toBe(409);
    expect((body as Problem).detail).toContain("expired");
    expect(await people.proposal(id)).toMatchObject({ status: "expired" });
    await expectReplayEqualsState(people.primary);
  });

  it("answers 404 for an unknown proposal", async () => {
    expect((await new People().approve("root", "0")).status).toBe(404);
  });
});

describe("POST /proposals", () => {
  it("accepts deletes and many schemas, and applies them together", async () => {
    const people = new People();
    await people.register("ana", "orders", avroRecord("id"));
    await people.protect(undefined, ["*"]);
    const changes = [
      { operation: "delete", subject: "orders" },
      { operation: "register", subject: "invoices", format: "avro", content: avroRecord("id") },
    ];

    const opened = await people.call("ana", "POST", "/proposals", { message: "Orders become invoices.", changes });
    const { body } = await people.approve("root", (opened.body as Proposal).id);

    expect(opened.body).toMatchObject({ subjects: ["invoices", "orders"], message: "Orders become invoices." });
    expect(body).toMatchObject({ changes: [{ result: "deleted" }, { result: "registered" }] });
  });

  it("answers a repeated request as the first, whatever was registered in between", async () => {
    const people = new People();
    const changes = [{ operation: "register", subject: "orders", format: "avro", content: avroRecord("id") }];
    const open = () => people.call("ana", "POST", "/proposals", { changes }, { "Idempotency-Key": "key-1" });

    const opened = await open();
    expect((await people.register("ana", "orders", avroRecord("id", "note"))).status).toBe(201);
    const repeated = await open();

    expect(opened.status, opened.text).toBe(201);
    expect([repeated.status, repeated.body]).toEqual([201, opened.body]);
  });

  it("refuses changes that are impossible or have no effect", async () => {
    const people = new People();
    await people.register("ana", "orders", avroRecord("id"));
    const propose = (changes: object[]) => people.call("ana", "POST", "/proposals", { changes });
    const register = (content: unknown) => ({ operation: "register", subject: "orders", format: "avro", content });

    expect((await propose([{ operation: "delete", subject: "absent" }])).status).toBe(404);
    expect((await propose([register(avroRecord("id", "added"))])).status).toBe(409);
    expect((await propose([register(avroRecord("id"))])).status).toBe(422);
  });

  it("opens proposals for one subject up to the limit", async () => {
    const people = new People();
    await people.protect();
    for (let index = 0; index < MAX_OPEN_PROPOSALS_PER_SUBJECT; index += 1)
      await people.propose("ana", avroRecord(`f${index}`));

    const { status, body } = await people.register("ana", "orders", avroRecord("more"));

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "conflict" });
  });
});

describe("POST /proposals/{proposal}/comments and /reject", () => {
  it("keeps comments up to the limit, and refuses a closed proposal's approval", async () => {
    const people = new People();
    await people.protect();
    const id = await people.propose("ana");
    for (let index = 0; index < MAX_COMMENTS; index += 1) {
      await people.call("ben", "POST", `/proposals/${id}/comments`, { text: `Comment ${index}` });
    }

    expect((await people.call("ben", "POST", `/proposals/${id}/comments`, { text: "One more" })).status).toBe(409);
    expect((await people.proposal(id)).comments).toHaveLength(MAX_COMMENTS);
    const rejected = await people.call("root", "POST", `/proposals/${id}/reject`, { reason: "Wait." });
    expect(rejected.body).toMatchObject({ status: "rejected", reason: "Wait.", closed_by: "root" });
    expect((await people.approve("root", id)).status).toBe(409);
  });

  it("lets the author withdraw the proposal", async () => {
    const people = new People();
    await people.protect();
    const id = await people.propose("ana");

    expect((await people.call("ana", "POST", `/proposals/${id}/reject`, {})).body).toMatchObject({
      status: "withdrawn",
    });
  });
});

describe("X-Registry-Override", () => {
  it("is reserved for administrators, and is recorded in the log", async () => {
    const people = new People();
    await people.protect();
    const override = { "X-Registry-Override": "The night shift needs it." };

    expect((await people.register("ana", "orders", avroRecord("id"), override)).status).toBe(403);
    expect((await people.register("root", "orders", avroRecord("id"), { "X-Registry-Override": " " })).status).toBe(
      400,
    );
    expect((await people.register("root", "orders", avroRecord("id"), override)).status).toBe(201);
    expect((await people.register("root", "other", avroRecord("id"), override)).status).toBe(201);

    expect(await people.types()).toEqual([
      "governance.changed",
      "schema.registered",
      "change.overridden",
      "schema.registered",
    ]);
    await expectReplayEqualsState(people.primary);
  });
});

describe("a freeze", () => {
  const HOUR_MS = 3_600_000;
  const asTime = (ms: number) => new Date(ms).toISOString();
  const freeze = (from: string, until: string) => ({
    freezes: [{ name: "year end", subjects: ["*"], from, until, reason: "Nobody is there to help." }],
  });

  it("refuses every change of the covered subjects until it ends, including approved ones", async () => {
    const people = new People();
    await people.protect();
    const id = await people.propose("ana");
    // The whole freeze lies before the proposal's expiry, after 24 hours: an alarm may run at any time and would close it.
    const [fromMs, untilMs] = [Date.now() + HOUR_MS, Date.now() + 2 * HOUR_MS];
    await people.setNow(fromMs - 1);
    await people.call("root", "PUT", "/governance", freeze(asTime(fromMs), asTime(untilMs)));
    expect((await people.register("ana", "before", avroRecord("id"))).status).toBe(201);

    await people.setNow(fromMs);
    const within = await people.register("ana", "within", avroRecord("id"));
    const confluent = await people.call("ana", "POST", "//subjects/w/versions", { schema: '"string"' });
    const approved = await people.approve("root", id);
    await people.setNow(untilMs);

    expect(within.body).toMatchObject({ code: "frozen", freeze: "year end" });
    expect(confluent.status).toBe(422);
    expect(approved.body).toMatchObject({ code: "frozen" });
    expect((await people.proposal(id)).status).toBe("open");
    expect((await people.register("ana", "within", avroRecord("id"))).status).toBe(201);
  });

  it("must end after it begins", async () => {
    const body = freeze("2027-01-02T00:00:00Z", "2026-12-20T00:00:00Z");

    expect((await new People().call("root", "PUT", "/governance", body)).status).toBe(422);
  });
});

describe("a hard delete of what a proposal registered", () => {
  it("also erases the proposal and its payload, and the log remains verifiable", async () => {
    const people = new People();
    await people.protect();
    const id = await people.propose("ana");
    await people.call("ben", "POST", `/proposals/${id}/comments`, { text: "Looks good." });
    await people.approve("root", id);
    await people.call("root", "PUT", "/governance", { protections: [] });
    const { items } = (await people.call("root", "GET", "/subjects/orders/versions")).body as {
      items: { id: string }[];
    };

    await people.call("root", "DELETE", `/schemas/${items[0]!.id}`);
    await people.call("root", "DELETE", `/schemas/${items[0]!.id}?permanent=true`);

    expect((await people.call("root", "GET", `/proposals/${id}`)).status).toBe(404);
    const { body } = await people.call("root", "GET", "/log?after=1&limit=1");
    expect(body).toMatchObject({ items: [{ payload: null }] });
    await expectReplayEqualsState(people.primary);
  });
});

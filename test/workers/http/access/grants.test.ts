import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_HIDDEN_PAGES } from "../../../../workers/access/filtered-pages.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { USES_FRESH_MS } from "../../../../workers/read-path/uses.ts";
import { type Answered, GuardedRegistry } from "../../../support/guarded-registry.ts";

/** One tenant with what two teams registered; each test looks at it with its own key. */
const registry = new GuardedRegistry(env as unknown as Bindings);
let admin: string;

const SHARED = { type: "record", name: "Shared", fields: [{ name: "id", type: "string" }] };
const record = (name: string) => ({ type: "record", name, fields: [{ name: "id", type: "string" }] });

type Registered = { id: string; guid: string; confluent_id: number };
const made: Record<string, Registered> = {};

async function register(subject: string, content: object, more: object = {}): Promise<Answered> {
  const body = { subject, format: "avro", content, ...more };
  return registry.call("POST", "/api/v1/schemas", { key: admin, body });
}

beforeAll(async () => {
  ({ admin } = await registry.makeTenant());
  for (const [subject, content, more] of [
    ["red-orders", record("RedOrder"), { tags: ["pii"] }],
    ["red-shared", SHARED, {}],
    ["blue-users", record("BlueUser"), {}],
    ["blue-shared", SHARED, {}],
    ["blue-draft", record("BlueDraft"), { state: "draft" }],
    [":.blue:stock", record("Stock"), {}],
  ] as const) {
    const { status, body, text } = await register(subject, content, more);
    expect(status, text).toBe(201);
    made[subject] = body as unknown as Registered;
  }
});

const redKey = (role = "developer") => registry.makeKey([{ role, subject_prefix: "red-" }], { by: admin });

describe("a key for subjects with one prefix", () => {
  it("reads its own subjects and finds nothing else, under any name and in either API", async () => {
    const key = await redKey();
    const { "red-orders": red, "blue-users": blue, ":.blue:stock": stock } = made;

    for (const path of [
      `/api/v1/schemas/${red!.id}`,
      `/api/v1/schemas/${red!.id}/content`,
      `/api/v1/schemas/${red!.id}/dependents`,
      "/api/v1/subjects/red-orders",
      "/api/v1/subjects/red-orders/versions",
      "/api/v1/subjects/red-orders/versions/latest",
      "/api/v1/subjects/red-orders/compatibility",
      `/schemas/ids/${red!.confluent_id}`,
      `/schemas/ids/${red!.confluent_id}/schema`,
      `/schemas/ids/${red!.confluent_id}/subjects`,
      `/schemas/guids/${red!.guid}`,
      "/subjects/red-orders/versions",
      "/subjects/red-orders/versions/1",
      "/subjects/red-orders/versions/1/referencedby",
      "/config/red-orders?defaultToGlobal=true",
      "/mode/red-orders?defaultToGlobal=true",
    ]) {
      expect((await registry.call("GET", path, { key })).status, path).toBe(200);
    }
    for (const path of [
      `/api/v1/schemas/${blue!.id}`,
      `/api/v1/schemas/${blue!.id}/content`,
      `/api/v1/schemas/${blue!.id}/dependencies`,
      "/api/v1/subjects/blue-users",
      "/api/v1/subjects/blue-users/versions",
      "/api/v1/subjects/blue-users/versions/latest",
      "/api/v1/subjects/blue-users/compatibility",
      "/api/v1/subjects/blue-users/diff?from=1&to=1",
      `/schemas/ids/${blue!.confluent_id}`,
      `/schemas/ids/${blue!.confluent_id}/schema`,
      `/schemas/ids/${blue!.confluent_id}/subjects`,
      `/schemas/ids/${blue!.confluent_id}/versions`,
      `/schemas/ids/${blue!.confluent_id}?subject=blue-users`,
      `/schemas/ids/${stock!.confluent_id}?subject=:.blue:`,
      `/schemas/guids/${blue!.guid}`,
      "/subjects/blue-users/versions",
      "/subjects/blue-users/versions/latest",
      "/subjects/blue-users/versions/1/schema",
      "/config/blue-users?defaultToGlobal=true",
      "/mode/blue-users?defaultToGlobal=true",
    ]) {
      const answer = await registry.call("GET", path, { key });
      expect(answer.status, path).toBe(404);
      expect(answer.text, path).not.toMatch(/BlueUser|Stock/);
    }
  });

  it("gets the same answer for unreadable subjects as for missing ones", async () => {
    const key = await redKey();
    const generic = (answer: Answered, name: string) =>
      JSON.stringify({ ...answer.body, instance: "" }).replaceAll(name, "<name>");

    for (const path of [
      "/api/v1/subjects/<name>",
      "/api/v1/subjects/<name>/versions/1",
      "/subjects/<name>/versions/1",
    ]) {
      const [hidden, absent] = await Promise.all(
        ["blue-users", "blue-nobody"].map(async (name) =>
          generic(await registry.call("GET", path.replace("<name>", name), { key }), name),
        ),
      );
      expect(hidden, path).toBe(absent);
    }
  });

  it("names the missing permission only to a caller who may know that the subject exists", async () => {
    const key = await redKey("reader");
    const both = await registry.makeKey(
      [
        { role: "developer", subject_prefix: "red-" },
        { role: "reader", subject_prefix: "blue-" },
      ],
      { by: admin },
    );
    const write = (subject: string, by: string) =>
      registry.call("POST", "/api/v1/schemas", { key: by, body: { subject, format: "avro", content: record("New") } });

    const without = await write("red-orders", key);
    const known = await write("blue-users", both);
    const hidden = await write(":.blue:stock", both);

    expect(without.status).toBe(403);
    expect(known.status).toBe(403);
    expect(known.body.detail).toContain('"schema:write" on the subject "blue-users"');
    expect(hidden.status).toBe(404);
  });

  it("sees lists, contexts, events and their pages without hidden subjects", async () => {
    const key = await redKey();
    const read = async (path: string) => (await registry.call("GET", path, { key })).text;

    expect(JSON.parse(await read("/subjects"))).toEqual(["red-orders", "red-shared"]);
    expect(JSON.parse(await read("/contexts"))).toEqual(["."]);
    for (const path of [
      "/schemas?subjectPrefix=:*:",
      "/api/v1/schemas",
      "/api/v1/subjects",
      "/api/v1/events?after=0",
      "/api/v1/exceptions",
      "/api/v1/change-sets",
      "/api/v1/compatibility/report",
    ]) {
      const text = await read(path);
      expect(text, path).not.toMatch(/blue|Stock/i);
    }
    expect(await read("/api/v1/schemas")).toContain("red-orders");
    expect(await read("/api/v1/events?after=0")).toContain("red-orders");
    const [first, second] = [await read("/schemas?limit=1"), await read("/schemas?limit=1&offset=1")];
    expect([JSON.parse(first)[0].subject, JSON.parse(second)[0].subject]).toEqual(["red-orders", "red-shared"]);
  });

  it("gets an empty page with a cursor after twenty pages of hidden versions", async () => {
    const { admin: owner } = await registry.makeTenant();
    const own = (subject: string, index: number) => {
      const body = { subject, format: "avro", content: record(`Own${index}`) };
      return registry.call("POST", "/api/v1/schemas", { key: owner, body });
    };
    for (let index = 0; index < MAX_HIDDEN_PAGES; index += 1) await own(`blue-${index}`, index);
    await own("red-late", MAX_HIDDEN_PAGES);
    const key = await registry.makeKey([{ role: "reader", subject_prefix: "red-" }], { by: owner });
    const page = async (query: string) =>
      (await registry.call("GET", `/api/v1/schemas?${query}`, { key })).body as {
        items: { subject: string }[];
        next_cursor?: string;
      };

    const skipped = await page("limit=1");
    const found = await page(`limit=1&cursor=${encodeURIComponent(skipped.next_cursor ?? "")}`);
    const atOnce = await page("limit=2");

    expect(skipped).toMatchObject({ items: [], next_cursor: expect.any(String) });
    expect(found.items.map(({ subject }) => subject)).toEqual(["red-late"]);
    expect(atOnce.items.map(({ subject }) => subject)).toEqual(["red-late"]);
  });

  it("is refused a subscription, which would include everything", async () => {
    const key = await redKey();

    const answer = await registry.call("GET", "/api/v1/events", { key, headers: { Accept: "text/event-stream" } });

    expect(answer.status).toBe(403);
  });

  it("changes its own subjects and no others, through any route", async () => {
    const key = await redKey();
    const { "blue-users": blue } = made;
    const content = record("Attempt");
    const tries: [string, string, unknown?][] = [
      ["POST", "/api/v1/schemas", { subject: "blue-users", format: "avro", content }],
      ["POST", "/api/v1/schemas", { subject: "new-subject", format: "avro", content }],
      ["PATCH", `/api/v1/schemas/${blue!.id}`, { owner: "red" }],
      ["DELETE", `/api/v1/schemas/${blue!.id}`],
      ["POST", `/api/v1/schemas/${blue!.id}/undelete`],
      ["DELETE", "/api/v1/subjects/blue-users"],
      ["PUT", "/api/v1/subjects/blue-users/compatibility", { level: "NONE" }],
      ["PUT", "/api/v1/subjects/blue-users/rules", { rules: [] }],
      ["POST", "/subjects/blue-users/versions", { schema: JSON.stringify(content) }],
      ["POST", "/subjects/blue-users", { schema: JSON.stringify(record("BlueUser")) }],
      ["DELETE", "/subjects/blue-users"],
      ["DELETE", "/subjects/blue-users/versions/1"],
      ["POST", "/subjects/blue-users/versions/1/tags", { tagsToAdd: [] }],
      ["PUT", "/config/blue-users", { compatibility: "NONE" }],
      ["DELETE", "/config/blue-users"],
      ["POST", "/compatibility/subjects/blue-users/versions/latest", { schema: JSON.stringify(content) }],
    ];
    const seqOf = async () => (await registry.call("GET", "/subjects", { key: admin })).headers.get("X-Registry-Seq");
    const before = await seqOf();

    for (const [method, path, body] of tries) {
      const answer = await registry.call(method, path, { key, body });
      expect(answer.status, `${method} ${path} ${answer.text}`).toBe(404);
    }
    const wide = await registry.call("PUT", "/config", { key, body: { compatibility: "NONE" } });
    expect(wide.status).toBe(403);
    expect(await seqOf()).toBe(before);
    const own = { subject: "red-new", format: "avro", content: record("RedNew") };
    expect((await registry.call("POST", "/api/v1/schemas", { key, body: own })).status).toBe(201);
  });

  it("reads no hidden text through a reference, an alias or a change set", async () => {
    const key = await redKey();
    const references = [{ name: "BlueUser", subject: "blue-users", version: 1 }];
    const content = { type: "record", name: "Thief", fields: [{ name: "loot", type: "BlueUser" }] };
    const body = { subject: "red-thief", format: "avro", content, references };

    const registered = await registry.call("POST", "/api/v1/schemas", { key, body });
    const checked = await registry.call("POST", "/api/v1/schemas/check", {
      key,
      body: { format: "avro", content, references },
    });
    const aliased = await registry.call("PUT", "/config/red-alias", { key, body: { alias: "blue-users" } });
    const set = await registry.call("POST", "/api/v1/change-sets", {
      key,
      body: { changes: [{ register: { subject: "blue-users", format: "avro", content: record("Sneak") } }] },
    });

    expect(registered.status, registered.text).toBe(422);
    expect(checked.text).not.toContain('"BlueUser","fields"');
    expect(aliased.status).toBe(404);
    expect(set.status).toBeGreaterThanOrEqual(400);
    expect((await registry.call("GET", "/subjects/blue-users/versions", { key: admin })).text).toBe("[1]");
  });

  it("learns that a schema is referenced, and not by which hidden one", async () => {
    const key = await redKey();
    await register("red-base", record("RedBase"));
    const content = { type: "record", name: "BlueReferrer", fields: [{ name: "base", type: "RedBase" }] };
    const references = [{ name: "RedBase", subject: "red-base", version: 1 }];
    expect((await register("blue-referrer", content, { references })).status).toBe(201);
    const set = { changes: [{ operation: "delete", subject: "red-base" }] };

    for (const [method, path, body] of [
      ["DELETE", "/api/v1/subjects/red-base"],
      ["DELETE", "/subjects/red-base/versions/1"],
      ["POST", "/api/v1/change-sets", set],
    ] as const) {
      const hidden = await registry.call(method, path, { key, body });
      expect(hidden.text).toMatch(/referenced by another schema|One or more references exist/);
      expect(hidden.text).not.toContain("blue-referrer");
    }
    const shown = await registry.call("DELETE", "/api/v1/subjects/red-base", { key: admin });
    expect(shown.body.detail).toContain("blue-referrer version 1");
  });

  it("reads a content shared with hidden subjects, and for at most a minute after that ends", async () => {
    const key = await redKey();
    const path = `/schemas/ids/${made["red-shared"]!.confluent_id}`;
    const blue = await registry.makeKey([{ role: "reader", subject_prefix: "blue-" }], { by: admin });
    expect(made["red-shared"]!.confluent_id).toBe(made["blue-shared"]!.confluent_id);
    for (const reader of [key, blue, key]) expect((await registry.call("GET", path, { key: reader })).status).toBe(200);

    await registry.call("DELETE", "/subjects/red-shared", { key: admin });
    await registry.call("DELETE", "/subjects/red-shared?permanent=true", { key: admin });
    registry.clock.advance(USES_FRESH_MS + 1_000);

    expect((await registry.call("GET", path, { key })).status).toBe(404);
    expect((await registry.call("GET", path, { key: blue })).status).toBe(200);
    await register("red-shared", SHARED);
  });
});

describe("a key for one context", () => {
  it("reads its context and nothing in the default one", async () => {
    const key = await registry.makeKey([{ role: "reader", context: ".blue" }], { by: admin });

    expect((await registry.call("GET", "/subjects/:.blue:stock/versions/1", { key })).status).toBe(200);
    expect(
      (await registry.call("GET", `/contexts/blue/schemas/ids/${made[":.blue:stock"]!.confluent_id}`, { key })).status,
    ).toBe(200);
    expect((await registry.call("GET", "/subjects/blue-users/versions/1", { key })).status).toBe(404);
    expect(JSON.parse((await registry.call("GET", "/subjects", { key })).text)).toEqual([":.blue:stock"]);
  });
});

describe("a key for one subject", () => {
  it("does not match subjects whose names start with that name", async () => {
    const key = await registry.makeKey([{ role: "reader", subject: "blue-user" }], { by: admin });

    expect((await registry.call("GET", "/subjects/blue-users/versions/1", { key })).status).toBe(404);
  });
});

describe("a key for active versions", () => {
  it("does not see drafts", async () => {
    const key = await registry.makeKey([{ role: "reader", states: ["active"] }], { by: admin });
    const { id } = made["blue-draft"]!;

    expect((await registry.call("GET", `/api/v1/schemas/${id}`, { key: admin })).status).toBe(200);
    expect((await registry.call("GET", `/api/v1/schemas/${id}`, { key })).status).toBe(404);
    expect((await registry.call("GET", `/api/v1/schemas/${id}/content`, { key })).status).toBe(404);
    expect((await registry.call("GET", "/api/v1/schemas?limit=100", { key })).text).not.toContain("BlueDraft");
  });
});

describe("a condition", () => {
  it("applies only from its addresses", async () => {
    const key = await registry.makeKey([{ role: "reader", condition: "request.ip.inRange('192.0.2.0/24')" }], {
      by: admin,
    });

    const subjects = async (ip?: string) =>
      JSON.parse((await registry.call("GET", "/subjects", { key, ...(ip && { ip }) })).text);

    expect(await subjects("192.0.2.7")).toContain("blue-users");
    expect(await subjects("198.51.100.7")).toEqual([]);
    expect(await subjects()).toEqual([]);
  });

  it("trusts the address of no header on a server of one's own, unless a proxy there writes it", async () => {
    const condition = "request.ip.inRange('192.0.2.0/24')";
    const answer = async (header: string | undefined) => {
      const own = new GuardedRegistry(env as unknown as Bindings, { CLIENT_ADDRESS_HEADER: header ?? "" });
      const key = await own.makeKey([{ role: "admin", condition }]);
      const headers = { "CF-Connecting-IP": "192.0.2.7" };
      return (await own.call("GET", "/api/v1/keys", { key, headers })).status;
    };

    expect(await answer(undefined)).toBe(403);
    expect(await answer("X-Real-IP")).toBe(403);
    expect(await answer("CF-Connecting-IP")).toBe(200);
  });

  it("applies only at its times", async () => {
    const hour = new Date(registry.clock.now()).getUTCHours();
    const at = (when: number) =>
      registry.makeKey([{ role: "admin", condition: `request.time.getHours() == ${when}` }], { by: admin });

    expect((await registry.call("GET", "/api/v1/keys", { key: await at(hour) })).status).toBe(200);
    const late = await registry.call("GET", "/api/v1/keys", { key: await at((hour + 12) % 24) });
    expect(late.status).toBe(403);
    expect(late.body.detail).toContain("condition");
  });

  it("hides versions with a tag", async () => {
    const condition = "!schema.tags.exists(tag, tag == 'pii')";
    const key = await registry.makeKey([{ role: "reader", condition }], { by: admin });
    const { id, confluent_id: confluentId } = made["red-orders"]!;

    for (const path of [`/api/v1/schemas/${id}`, `/api/v1/schemas/${id}/content`, `/schemas/ids/${confluentId}`]) {
      expect((await registry.call("GET", path, { key })).status, path).toBe(404);
    }
    expect((await registry.call("GET", "/api/v1/schemas", { key })).text).not.toContain("RedOrder");
    expect((await registry.call("GET", `/schemas/ids/${made["blue-users"]!.confluent_id}`, { key })).status).toBe(200);
  });

  it("checks the client id of the key", async () => {
    const key = await registry.makeKey([{ role: "reader", condition: "request.client_id == 'somebody'" }], {
      by: admin,
    });

    expect(JSON.parse((await registry.call("GET", "/subjects", { key })).text)).toEqual([]);
  });
});

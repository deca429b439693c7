import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { type Answered, GuardedRegistry } from "../../../support/guarded-registry.ts";

/** Grants that depend on the state or the tags of a version, tried with every way to change one. */
const registry = new GuardedRegistry(env as unknown as Bindings);
let admin: string;

const record = (name: string) => ({ type: "record", name, fields: [{ name: "id", type: "string" }] });

async function register(subject: string, content: object, more: object = {}): Promise<Answered> {
  const body = { subject, format: "avro", content, ...more };
  return registry.call("POST", "/api/v1/schemas", { key: admin, body });
}

beforeAll(async () => {
  ({ admin } = await registry.makeTenant());
});

describe("a key for drafts", () => {
  it("changes drafts, but cannot activate them or delete active versions by any route", async () => {
    const key = await registry.makeKey(
      [{ role: "developer", states: ["draft"], subject_prefix: "green-" }, { role: "reader" }],
      { by: admin },
    );
    const draft = { subject: "green-new", format: "avro", content: record("GreenNew"), state: "draft" };
    await register("green-old", record("GreenOld"));
    const { id } = (await register("green-two", record("GreenTwo"))).body;

    const made = await registry.call("POST", "/api/v1/schemas", { key, body: draft });
    const draftPath = `/api/v1/schemas/${made.body.id}`;
    const tries: [string, string, unknown?][] = [
      ["PATCH", draftPath, { state: "active" }],
      ["POST", "/api/v1/change-sets", { changes: [{ operation: "activate", id: made.body.id }] }],
      ["POST", "/api/v1/schemas", { ...draft, state: "active" }],
      ["PATCH", `/api/v1/schemas/${id}`, { owner: "green" }],
      ["DELETE", `/api/v1/schemas/${id}`],
      ["DELETE", "/api/v1/subjects/green-old"],
      ["DELETE", "/subjects/green-old"],
      ["DELETE", "/subjects/green-old/versions/1"],
      ["DELETE", "/subjects/green-old/versions/latest"],
      ["POST", "/api/v1/change-sets", { changes: [{ operation: "delete", subject: "green-old" }] }],
      ["PUT", "/config/green-old", { compatibility: "NONE" }],
      ["PUT", "/api/v1/subjects/green-old/aliases/production", { version: 1 }],
    ];

    expect(made.status, made.text).toBe(201);
    expect((await registry.call("PATCH", draftPath, { key, body: { owner: "green" } })).status).toBe(200);
    for (const [method, path, body] of tries) {
      expect((await registry.call(method, path, { key, body })).status, `${method} ${path}`).toBe(403);
    }
    expect((await registry.call("DELETE", "/api/v1/subjects/green-new", { key })).status).toBe(200);
  });
});

describe("a key for versions without a tag", () => {
  it("protects versions that have the tag by any route, and prevents adding it to others", async () => {
    const condition = "!schema.tags.exists(tag, tag == 'pii')";
    const key = await registry.makeKey(
      [{ role: "developer", condition, subject_prefix: "grey-" }, { role: "reader" }],
      { by: admin },
    );
    for (const [index, subject] of ["grey-one", "grey-two"].entries()) {
      await register(subject, record(`Grey${index}`), { tags: ["pii"] });
    }
    const { id } = (await register("grey-open", record("GreyOpen"))).body;

    for (const [method, path, body] of [
      ["DELETE", "/subjects/grey-one/versions/1"],
      ["DELETE", "/subjects/grey-one/versions/latest"],
      ["DELETE", "/subjects/grey-one"],
      ["DELETE", "/api/v1/subjects/grey-two"],
      ["POST", "/api/v1/change-sets", { changes: [{ operation: "delete", subject: "grey-two" }] }],
      ["PATCH", `/api/v1/schemas/${id}`, { tags: ["pii"] }],
    ] as const) {
      expect((await registry.call(method, path, { key, body })).status, `${method} ${path}`).toBe(403);
    }
    expect((await registry.call("DELETE", "/subjects/grey-open/versions/1", { key })).status).toBe(200);
    expect((await registry.call("DELETE", "/subjects/grey-open?permanent=true", { key })).status).toBe(200);
  });
});

/** Sequences of calls in which random ones (test/model) once found faults, each as a separate, readable test. */
import { beforeEach, describe, expect, it } from "vitest";
import { plainRegistry, type RecordBody, type Registry } from "./native-calls.ts";

const RECORD = (name: string, type = "string") => ({ type: "record", name, fields: [{ name: "id", type }] });

let registry: Registry;

beforeEach(() => {
  registry = plainRegistry();
});

/** A call of the Confluent API. */
async function confluent(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await registry.platform.fetch(path, {
    method,
    ...(body !== undefined && {
      headers: { "Content-Type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify(body),
    }),
  });
  return { status: response.status, body: await response.json() };
}

async function expectDone(answer: Promise<{ status: number; body: unknown }>): Promise<void> {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBeLessThan(300);
}

function importing(subject: string) {
  return expectDone(confluent("PUT", `/mode/${subject}`, { mode: "IMPORT" }));
}

describe("a draft", () => {
  it("is not activated while its subject is in mode IMPORT, where every version brings its id", async () => {
    const draft = await registry.register("orders", RECORD("A"), { state: "draft" });
    await importing("orders");

    const { status, body } = await registry.call("PATCH", `/schemas/${draft.id}`, { body: { state: "active" } });

    expect(status, JSON.stringify(body)).toBe(409);
    expect((await registry.get(`/schemas/${draft.id}`)).body).toMatchObject({ state: "draft", version_number: null });
  });

  it("does not make a subject exist in the Confluent API", async () => {
    await registry.register("orders", RECORD("A"), { state: "draft" });

    expect(await confluent("GET", "/subjects")).toEqual({ status: 200, body: [] });
    expect(await confluent("GET", "/subjects/orders/versions")).toMatchObject({
      status: 404,
      body: { error_code: 40401 },
    });
    expect(await confluent("DELETE", "/subjects/orders")).toMatchObject({ status: 404, body: { error_code: 40401 } });
  });
});

describe("soft-deleted versions of a subject that is switched to IMPORT", () => {
  it("are no longer served by an edge that has cached them", async () => {
    const record = await registry.register("orders", RECORD("A"));
    const reads = [`/api/v1/schemas/${record.id}/content`, `/schemas/ids/${record.confluent_id}`];
    for (const path of reads) expect((await registry.platform.fetch(path)).status, path).toBe(200);
    await expectDone(registry.call("DELETE", `/schemas/${record.id}`));

    await importing("orders");

    for (const path of reads) expect((await registry.platform.fetch(path)).status, path).toBe(404);
    expect((await registry.get(`/schemas/${record.id}?deleted=true`)).status).toBe(404);
  });

  it("stay while a draft of the same subject references one of them", async () => {
    const record = await registry.register("orders", RECORD("A"));
    const draft = await registry.register("orders", RECORD("B", "A"), {
      state: "draft",
      references: [{ name: "A", subject: "orders", version: record.version_number }],
    });
    await expectDone(registry.call("DELETE", "/subjects/orders"));
    await expectDone(registry.call("POST", `/schemas/${draft.id}/undelete`));

    const refused = await confluent("PUT", "/mode/orders", { mode: "IMPORT" });

    expect(refused.status).toBe(422);
    const { status, body } = await registry.get(`/schemas/${record.id}?deleted=true`);
    expect({ status, id: (body as RecordBody).id }).toEqual({ status: 200, id: record.id });
  });
});

describe("a change of compatibility", () => {
  it("returns the level that it set to a repeat under its Idempotency-Key, even if the level has changed since", async () => {
    const set = (level: string, key: string) =>
      registry.call("PUT", "/subjects/orders/compatibility", { body: { level }, headers: { "Idempotency-Key": key } });
    const first = await set("FULL", "one");
    await set("NONE", "two");

    const repeated = await set("FULL", "one");

    expect(repeated.body).toEqual(first.body);
    expect((await registry.get("/subjects/orders/compatibility")).body).toMatchObject({ level: "NONE" });
  });
});

describe("content that is imported again under another id", () => {
  it("leaves the soft-deleted version that keeps the first id readable", async () => {
    await importing("orders");
    const schema = JSON.stringify(RECORD("A"));
    await expectDone(confluent("POST", "/subjects/orders/versions", { schema, id: 10, version: 1 }));
    await expectDone(confluent("DELETE", "/subjects/orders/versions/1"));

    await expectDone(confluent("POST", "/subjects/orders/versions", { schema, id: 20, version: 2 }));

    for (const id of [10, 20]) {
      expect(await confluent("GET", `/schemas/ids/${id}`), `id ${id}`).toMatchObject({ status: 200, body: { schema } });
    }
    expect(await confluent("GET", "/subjects/orders/versions?deleted=true")).toEqual({ status: 200, body: [1, 2] });
  });
});

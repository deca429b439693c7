import { describe, expect, it } from "vitest";
import { avroRecord, type ProblemBody, type RecordBody, WAYS } from "../native-calls.ts";

const UNKNOWN_ID = "01890000-0000-7000-8000-000000000000";

describe.each(WAYS)("PATCH /schemas/{id} on the $name platform", ({ open }) => {
  it("changes the given attributes and keeps the rest", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"), { owner: "a", tags: ["x"] });

    const { status, body } = await registry.call("PATCH", `/schemas/${id}`, {
      body: { owner: null, description: "New.", metadata: { k: [1] } },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ owner: null, description: "New.", metadata: { k: [1] }, tags: ["x"], seq: 2 });
  });

  it("refuses with 412 if the record has changed since the ETag", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const first = await registry.call("PATCH", `/schemas/${id}`, {
      body: { owner: "a" },
      headers: { "If-Match": '"1"' },
    });

    const second = await registry.call("PATCH", `/schemas/${id}`, {
      body: { owner: "b" },
      headers: { "If-Match": '"1"' },
    });

    expect([first.status, second.status]).toEqual([200, 412]);
    expect(second.body).toMatchObject({ code: "precondition_failed" });
  });

  it("activates a draft: number, semver and Confluent id are assigned after the verdict", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));
    const draft = await registry.register("orders", avroRecord("id", "note?"), { state: "draft" });

    const { status, body } = await registry.call("PATCH", `/schemas/${draft.id}`, {
      body: { state: "active", reason: "Reviewed.", owner: "me" },
    });

    expect(draft).toMatchObject({ state: "draft", version: null, version_number: null, confluent_id: null });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: draft.id, state: "active", version_number: 2, owner: "me" });
  });

  it("returns the first outcome of a repeated activation under one Idempotency-Key", async () => {
    const registry = open();
    const draft = await registry.register("orders", avroRecord("id"), { state: "draft" });
    const request = { body: { state: "active" }, headers: { "Idempotency-Key": "activate", "If-Match": '"1"' } };
    const first = await registry.call("PATCH", `/schemas/${draft.id}`, request);

    const second = await registry.call("PATCH", `/schemas/${draft.id}`, request);

    expect([first.status, second.status]).toEqual([200, 200]);
    expect((second.body as RecordBody).version_number).toBe(1);
    expect(await registry.lastSeq()).toBe(2);
  });

  it("refuses to activate a draft that would break the subject, and leaves it a draft", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));
    const draft = await registry.register("orders", avroRecord("id", "required"), { state: "draft" });

    const { status, body } = await registry.call("PATCH", `/schemas/${draft.id}`, {
      body: { state: "active", owner: "me" },
    });

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "incompatible_schema" });
    expect((await registry.get(`/schemas/${draft.id}`)).body).toMatchObject({ state: "draft", owner: null });
  });

  it("moves a version to deprecated and archived and back", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const states: unknown[] = [];
    for (const state of ["deprecated", "archived", "active"]) {
      const { body } = await registry.call("PATCH", `/schemas/${id}`, { body: { state, reason: "Because." } });
      states.push((body as RecordBody).state);
    }

    expect(states).toEqual(["deprecated", "archived", "active"]);
  });

  it.each(["nope", UNKNOWN_ID])("answers 404 for the id %s", async (id) => {
    const { status } = await open().call("PATCH", `/schemas/${id}`, { body: { owner: "me" } });

    expect(status).toBe(404);
  });

  it("refuses metadata over 64 KiB, and accepts slightly less", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const withBytes = (bytes: number) => ({ metadata: { k: "x".repeat(bytes - '{"k":""}'.length) } });

    const fits = await registry.call("PATCH", `/schemas/${id}`, { body: withBytes(64 * 1024) });
    const over = await registry.call("PATCH", `/schemas/${id}`, { body: withBytes(64 * 1024 + 1) });

    expect([fits.status, over.status]).toEqual([200, 422]);
    expect((over.body as ProblemBody).errors?.[0]?.pointer).toBe("/metadata");
  });
});

describe.each(WAYS)("DELETE /schemas/{id} and undelete on the $name platform", ({ open }) => {
  it("hides a soft-deleted version, shows it on request and undeletes it", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const gone = await registry.call("DELETE", `/schemas/${id}`);
    const hidden = await registry.get(`/schemas/${id}`);
    const shown = await registry.get(`/schemas/${id}?deleted=true`);
    const back = await registry.call("POST", `/schemas/${id}/undelete`);

    expect([gone.status, hidden.status, shown.status, back.status]).toEqual([204, 404, 200, 200]);
    expect(shown.body).toMatchObject({ deleted: true });
    expect(back.body).toMatchObject({ id, version_number: 1 });
    expect(back.body).not.toHaveProperty("deleted");
    expect((await registry.get(`/schemas/${id}`)).status).toBe(200);
  });

  it("hard-deletes only a version that was soft-deleted before", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const early = await registry.call("DELETE", `/schemas/${id}?permanent=true`);
    await registry.call("DELETE", `/schemas/${id}`);
    const late = await registry.call("DELETE", `/schemas/${id}?permanent=true`);
    const after = await registry.get(`/schemas/${id}?deleted=true`);

    expect(early.status).toBeGreaterThanOrEqual(404);
    expect(early.body).toMatchObject({ code: "conflict" });
    expect([late.status, after.status]).toEqual([204, 404]);
  });

  it("refuses to delete what another schema references", async () => {
    const registry = open();
    const money = await registry.register("money", { type: "fixed", name: "Money", size: 8 });
    await registry.register(
      "orders",
      { type: "record", name: "Order", fields: [{ name: "total", type: "Money" }] },
      { references: [{ name: "Money", subject: "money", version: 1 }] },
    );

    const { status, body } = await registry.call("DELETE", `/schemas/${money.id}`);

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "conflict" });
  });

  it("refuses a delete with an outdated If-Match", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const { status } = await registry.call("DELETE", `/schemas/${id}`, { headers: { "If-Match": '"7"' } });

    expect(status).toBe(412);
  });

  it("refuses to undelete a version that is not deleted, or was replaced since", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const live = await registry.call("POST", `/schemas/${id}/undelete`);
    const unknown = await registry.call("POST", `/schemas/${UNKNOWN_ID}/undelete`);

    expect([live.status, unknown.status]).toEqual([409, 404]);
  });
});

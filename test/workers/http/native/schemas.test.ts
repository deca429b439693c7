import { describe, expect, it } from "vitest";
import { avroRecord, type ProblemBody, type RecordBody, WAYS } from "../native-calls";

const UNKNOWN_ID = "01890000-0000-7000-8000-000000000000";

describe.each(WAYS)("POST /schemas on the $name platform", ({ open }) => {
  it("answers 201 with the record as the contract spells it", async () => {
    const registry = open();

    const { status, body, headers } = await registry.call("POST", "/schemas", {
      body: {
        subject: "orders-value",
        format: "avro",
        content: avroRecord("id"),
        description: "Orders.",
        tags: ["pii"],
        owner: "checkout",
        metadata: { tier: 1 },
        role: "event",
      },
    });

    expect(status).toBe(201);
    expect(body).toMatchObject({
      subject: "orders-value",
      context: ".",
      version: "1.0.0",
      version_number: 1,
      format: "avro",
      content: avroRecord("id"),
      references: [],
      confluent_id: 1,
      state: "active",
      description: "Orders.",
      tags: ["pii"],
      owner: "checkout",
      metadata: { tier: 1 },
      role: "event",
      created_by: "local",
      seq: 1,
      warnings: [],
    });
    const record = body as RecordBody;
    expect(record.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(headers.get("Location")).toBe(`/api/v1/schemas/${record.id}`);
    expect(headers.get("X-Registry-Seq")).toBe("1.1.0");
    expect(headers.get("ETag")).toBe('"1"');
  });

  it("answers 200 with the known record for content that is live in the subject, and says which attributes it kept", async () => {
    const registry = open();
    const first = await registry.register("orders-value", avroRecord("id"), { owner: "checkout" });

    const again = await registry.call("POST", "/schemas", {
      body: { subject: "orders-value", format: "avro", content: avroRecord("id"), owner: "billing" },
    });

    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      id: first.id,
      owner: "checkout",
      warnings: [{ rule: "attribute_unchanged", pointer: "/owner" }],
    });
    expect(await registry.lastSeq()).toBe(1);
  });

  it("keeps numbers and the order of keys as they were sent", async () => {
    const registry = open();
    const content =
      '{"type":"record","name":"N","fields":[{"name":"n","type":"string"}],"zzz":1,"2":12345678901234567890}';

    const { body, text } = await registry.call("POST", "/schemas", {
      raw: `{"subject":"numbers","format":"avro","content":${content}}`,
    });

    expect((body as RecordBody).state).toBe("active");
    expect(text).toContain("12345678901234567890");
    expect(text.indexOf('"zzz"')).toBeLessThan(text.indexOf('"2":'));
  });

  it("takes content as text as well as a value, and reads a plain string as the Avro type it is", async () => {
    const registry = open();

    const asValue = await registry.register("a", avroRecord("id"));
    const asText = await registry.register("b", JSON.stringify(avroRecord("id"), null, 2));
    const name = await registry.register("c", "string");

    expect(asText.guid).toBe(asValue.guid);
    expect(name.content).toBe("string");
  });

  it("resolves references, latest to the number it stands for", async () => {
    const registry = open();
    await registry.register("money", { type: "fixed", name: "Money", size: 8 });
    const references = [{ name: "Money", subject: "money", version: "latest" }];
    const content = { type: "record", name: "Order", fields: [{ name: "total", type: "Money" }] };

    const record = await registry.register("orders", content, { references });

    expect(record.references).toEqual([{ name: "Money", subject: "money", version: 1 }]);
  });

  it("keeps metadata and rules as part of the content, in the native spelling", async () => {
    const registry = open();
    const contract = {
      metadata: { properties: { team: "a" } },
      rule_set: {
        domain_rules: [{ name: "ok", type: "CEL", kind: "CONDITION", mode: "WRITE", expr: "true", on_failure: "NONE" }],
      },
    };
    await registry.register("plain", avroRecord("id"));

    const record = await registry.register("ruled", avroRecord("id"), { contract });

    expect(record.contract).toMatchObject(contract);
    expect(record.confluent_id).toBe(2);
  });

  it("gives the label that is asked for, and refuses it to other content", async () => {
    const registry = open();
    const first = await registry.register("orders", avroRecord("id"), { version: "2.5.0" });

    const { status, body } = await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id", "note?"), version: "2.5.0" },
    });

    expect(first.version).toBe("2.5.0");
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "version_exists" });
    expect(await registry.lastSeq()).toBe(first.seq);
  });

  it("refuses an incompatible change with the verdict", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));

    const { status, body } = await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id", "required") },
    });

    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "incompatible_schema",
      verdict: { compatible: false, level: "BACKWARD", policy: "semantic", compared_versions: [{ version_number: 1 }] },
    });
    expect((body as ProblemBody).errors?.length).toBeGreaterThan(0);
    expect(await registry.lastSeq()).toBe(1);
  });

  it("sets the level of a subject that it creates", async () => {
    const registry = open();

    await registry.register("loose", avroRecord("id"), { compatibility_level: "NONE" });
    const next = await registry.register("loose", avroRecord("other"));

    expect(next.version_number).toBe(2);
    const { body } = await registry.get("/subjects/loose/compatibility");
    expect(body).toMatchObject({ level: "NONE", source: "subject" });
  });

  it("gives the first outcome to a repeat with the same Idempotency-Key", async () => {
    const registry = open();
    const request = {
      body: { subject: "orders", format: "avro", content: avroRecord("id") },
      headers: { "Idempotency-Key": "k-1" },
    };
    const first = await registry.call("POST", "/schemas", request);

    const second = await registry.call("POST", "/schemas", request);

    expect(second.status).toBe(201);
    expect((second.body as RecordBody).id).toBe((first.body as RecordBody).id);
    expect(await registry.lastSeq()).toBe(1);
  });

  it("does not take a key that was used for something else for a repeat", async () => {
    const registry = open();
    const headers = { "Idempotency-Key": "k-1" };
    const body = (subject: string) => ({ subject, format: "avro", content: avroRecord("id") });
    const a = await registry.call("POST", "/schemas", { body: body("a"), headers });
    const b = await registry.call("POST", "/schemas", { body: body("b"), headers });
    const id = (a.body as RecordBody).id;

    const soft = await registry.call("DELETE", `/schemas/${id}`, { headers });
    const hard = await registry.call("DELETE", `/schemas/${id}?permanent=true`, { headers });

    expect((b.body as RecordBody).subject).toBe("b");
    expect([soft.status, hard.status]).toEqual([204, 204]);
    expect((await registry.get(`/schemas/${id}?deleted=true`)).status).toBe(404);
  });

  it("refuses another request under a key that the same subject has seen, and writes nothing", async () => {
    const registry = open();
    const request = (...names: string[]) => ({
      body: { subject: "orders", format: "avro", content: avroRecord(...names) },
      headers: { "Idempotency-Key": "k-1" },
    });
    await registry.call("POST", "/schemas", request("id"));

    const { status, body } = await registry.call("POST", "/schemas", request("id", "total"));

    expect(status).toBe(422);
    expect((body as { detail: string }).detail).toContain("Idempotency-Key");
    expect(await registry.lastSeq()).toBe(1);
  });

  it("refuses a schema that breaks its format's rules, with the place", async () => {
    const registry = open();

    const { status, body } = await registry.call("POST", "/schemas", {
      body: {
        subject: "bad",
        format: "avro",
        content: { type: "record", name: "A", fields: [{ name: "x", type: "nope" }] },
      },
    });

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "invalid_schema", errors: [{ pointer: "/fields/0/type" }] });
  });

  it("refuses a text over 1 MiB", async () => {
    const registry = open();
    const content = { type: "record", name: "A", doc: "x".repeat(1024 * 1024), fields: [] };

    const { status, body } = await registry.call("POST", "/schemas", {
      body: { subject: "big", format: "avro", content },
    });

    expect(status).toBe(413);
    expect(body).toMatchObject({ code: "payload_too_large" });
  });

  it("keeps a large text that lies outside the primary readable", async () => {
    const registry = open();
    const doc = Array.from({ length: 4_000 }, (_, index) => (index * 2_654_435_761).toString(36)).join(" ");
    const content = { type: "record", name: "Large", doc, fields: [] };

    const { id } = await registry.register("large", content);
    const read = await registry.get(`/schemas/${id}/content`);

    expect((read.body as RecordBody).content).toEqual(content);
  });
});

describe.each(WAYS)("GET /schemas/{id} on the $name platform", ({ open }) => {
  it("gives the record, and its canonical text on request", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const asValue = await registry.get(`/schemas/${id}`);
    const asText = await registry.get(`/schemas/${id}?content=text`);

    expect(asValue.body).toMatchObject({ id, content: avroRecord("id") });
    expect(JSON.parse((asText.body as RecordBody).content as string)).toEqual(avroRecord("id"));
    expect(asValue.headers.get("X-Registry-Source")).toBe("primary");
  });

  it("answers 304 to the ETag it gave, and 200 once the record has changed", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const etag = (await registry.get(`/schemas/${id}`)).headers.get("ETag")!;

    const same = await registry.get(`/schemas/${id}`, { "If-None-Match": etag });
    await registry.call("PATCH", `/schemas/${id}`, { body: { owner: "me" } });
    const changed = await registry.get(`/schemas/${id}`, { "If-None-Match": etag });

    expect([same.status, changed.status]).toEqual([304, 200]);
  });

  it.each(["nope", UNKNOWN_ID, "a".repeat(255), "..%2F..", "%00"])("answers 404 for the id %s", async (id) => {
    const { status, body } = await open().get(`/schemas/${id}`);

    expect(status).toBe(404);
    expect(body).toMatchObject({ code: "not_found" });
  });
});

describe.each(WAYS)("GET /schemas on the $name platform", ({ open }) => {
  it("pages through every record, drafts included, without gaps or repeats", async () => {
    const registry = open();
    const ids: string[] = [];
    for (const subject of ["a", "b", "c", "d", "e"])
      ids.push((await registry.register(subject, avroRecord(subject))).id);
    ids.push((await registry.register("draft", avroRecord("x"), { state: "draft" })).id);

    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await registry.get(`/schemas?limit=2${cursor}`);
      const page = body as { items: RecordBody[]; next_cursor?: string };
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : "";
    } while (cursor !== "");

    expect(seen).toEqual(ids);
  });

  it("filters by prefix, context, format, state, tag and deletion", async () => {
    const registry = open();
    await registry.register("orders-value", avroRecord("a"), { tags: ["pii"] });
    await registry.register("payments", avroRecord("b"));
    await registry.register(":.eu:orders-eu", avroRecord("c"));
    const gone = await registry.register("orders-old", avroRecord("d"));
    await registry.call("DELETE", `/schemas/${gone.id}`);
    const subjects = async (query: string) =>
      ((await registry.get(`/schemas?${query}`)).body as { items: RecordBody[] }).items.map(({ subject }) => subject);

    expect(await subjects("subject_prefix=orders")).toEqual(["orders-value", "orders-eu"]);
    expect(await subjects("subject_prefix=orders&context=.")).toEqual(["orders-value"]);
    expect(await subjects("context=eu")).toEqual(["orders-eu"]);
    expect(await subjects("tag=pii")).toEqual(["orders-value"]);
    expect(await subjects("format=protobuf")).toEqual([]);
    expect(await subjects("state=draft")).toEqual([]);
    expect(await subjects("subject_prefix=orders&deleted=true")).toEqual(["orders-value", "orders-eu", "orders-old"]);
  });

  it("leaves content out on request", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("a"));

    const { body } = await registry.get("/schemas?content=none");

    expect((body as { items: RecordBody[] }).items[0]).not.toHaveProperty("content");
  });

  it("ends a page early rather than let it grow without bound", async () => {
    const registry = open();
    const doc = "x".repeat(900 * 1024);
    for (let index = 0; index < 6; index += 1) {
      await registry.register(`s${index}`, { type: "record", name: `R${index}`, doc, fields: [] });
    }

    const { body, text } = await registry.get("/schemas");

    const page = body as { items: RecordBody[]; next_cursor?: string };
    expect(page.items).toHaveLength(4);
    expect(text.length).toBeLessThan(5 * 1024 * 1024);
    const rest = (await registry.get(`/schemas?cursor=${page.next_cursor}`)).body as { items: RecordBody[] };
    expect(rest.items.map(({ subject }) => subject)).toEqual(["s4", "s5"]);
  });
});

describe.each(WAYS)("PATCH /schemas/{id} on the $name platform", ({ open }) => {
  it("changes what it names and keeps the rest", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"), { owner: "a", tags: ["x"] });

    const { status, body } = await registry.call("PATCH", `/schemas/${id}`, {
      body: { owner: null, description: "New.", metadata: { k: [1] } },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ owner: null, description: "New.", metadata: { k: [1] }, tags: ["x"], seq: 2 });
  });

  it("refuses with 412 when the record has changed since the ETag", async () => {
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

  it("activates a draft: number, label and Confluent id come with the verdict", async () => {
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

  it("gives a repeated activation under one Idempotency-Key its first outcome", async () => {
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

  it("moves a version through deprecated and archived and back", async () => {
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

  it("refuses metadata over 64 KiB, and takes what is just below", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    const withBytes = (bytes: number) => ({ metadata: { k: "x".repeat(bytes - '{"k":""}'.length) } });

    const fits = await registry.call("PATCH", `/schemas/${id}`, { body: withBytes(64 * 1024) });
    const over = await registry.call("PATCH", `/schemas/${id}`, { body: withBytes(64 * 1024 + 1) });

    expect([fits.status, over.status]).toEqual([200, 400]);
    expect((over.body as ProblemBody).errors?.[0]?.pointer).toBe("/metadata");
  });
});

describe.each(WAYS)("DELETE /schemas/{id} and undelete on the $name platform", ({ open }) => {
  it("hides a soft-deleted version, shows it on request and brings it back", async () => {
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

  it("deletes for ever only what was soft-deleted before", async () => {
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

  it("refuses a delete whose If-Match is out of date", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const { status } = await registry.call("DELETE", `/schemas/${id}`, { headers: { "If-Match": '"7"' } });

    expect(status).toBe(412);
  });

  it("refuses to undelete what is not deleted, or was replaced since", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const live = await registry.call("POST", `/schemas/${id}/undelete`);
    const unknown = await registry.call("POST", `/schemas/${UNKNOWN_ID}/undelete`);

    expect([live.status, unknown.status]).toEqual([409, 404]);
  });
});

describe.each(WAYS)("POST /schemas/check on the $name platform", ({ open }) => {
  const check = async (body: object) => (await open().call("POST", "/schemas/check", { body })).body;

  it("gives a valid schema's canonical text and fingerprint", async () => {
    const body = await check({ format: "avro", content: { type: "record", fields: [], name: "A" } });

    expect(body).toMatchObject({ valid: true, errors: [], canonical_text: '{"type":"record","name":"A","fields":[]}' });
  });

  it("names the place and the rule of what is wrong", async () => {
    const body = await check({ format: "avro", content: { type: "record", name: "A", fields: [{ name: "1" }] } });

    expect(body).toMatchObject({ valid: false });
    const { errors } = body as { errors: { rule: string; message: string; pointer?: string }[] };
    expect(errors[0]?.pointer).toMatch(/^\/fields\/0/);
  });

  it("calls a schema whose reference does not resolve invalid", async () => {
    const references = [{ name: "Money", subject: "nowhere", version: 3 }];
    const body = await check({ format: "avro", content: avroRecord("id"), references });

    expect(body).toMatchObject({ valid: false, errors: [{ rule: "reference_not_found" }] });
  });

  it("registers nothing", async () => {
    const registry = open();

    await registry.call("POST", "/schemas/check", { body: { format: "avro", content: avroRecord("id") } });

    expect(await registry.lastSeq()).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { avroRecord, type ProblemBody, type RecordBody, WAYS } from "../native-calls.ts";

const UNKNOWN_ID = "01890000-0000-7000-8000-000000000000";

describe.each(WAYS)("POST /schemas on the $name platform", ({ open }) => {
  it("answers 201 with the record in the contract's form", async () => {
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

  it("answers 200 with the known record for live content, and reports which attributes it kept", async () => {
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

  it("keeps numbers and the order of keys as sent", async () => {
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

  it("accepts content as text or as a value, and reads a plain string as an Avro type", async () => {
    const registry = open();

    const asValue = await registry.register("a", avroRecord("id"));
    const asText = await registry.register("b", JSON.stringify(avroRecord("id"), null, 2));
    const name = await registry.register("c", "string");

    expect(asText.guid).toBe(asValue.guid);
    expect(name.content).toBe("string");
  });

  it("resolves references, latest to its number", async () => {
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

  it("assigns the requested semver, and refuses it for other content", async () => {
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

  it("returns the first outcome for a repeat with the same Idempotency-Key", async () => {
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

  it("does not treat a key that was used for something else as a repeat", async () => {
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

  it("refuses another request with a key that the same subject has seen, and writes nothing", async () => {
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

  it("refuses a schema that violates its format's rules, with the location", async () => {
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

  it("keeps a large text that is stored outside the primary readable", async () => {
    const registry = open();
    const doc = Array.from({ length: 4_000 }, (_, index) => (index * 2_654_435_761).toString(36)).join(" ");
    const content = { type: "record", name: "Large", doc, fields: [] };

    const { id } = await registry.register("large", content);
    const read = await registry.get(`/schemas/${id}/content`);

    expect((read.body as RecordBody).content).toEqual(content);
  });
});

describe.each(WAYS)("GET /schemas/{id} on the $name platform", ({ open }) => {
  it("returns the record, and its canonical text on request", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const asValue = await registry.get(`/schemas/${id}`);
    const asText = await registry.get(`/schemas/${id}?content=text`);

    expect(asValue.body).toMatchObject({ id, content: avroRecord("id") });
    expect(JSON.parse((asText.body as RecordBody).content as string)).toEqual(avroRecord("id"));
    expect(asValue.headers.get("X-Registry-Source")).toBe("primary");
  });

  it("answers 304 to the current ETag, and 200 once the record has changed", async () => {
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

  it.each(["GET", "DELETE"])("says the same of a missing version to %s", async (method) => {
    const answer = await open().call(method, `/schemas/${UNKNOWN_ID}`);

    expect(answer.body).toMatchObject({ detail: `There is no schema with id ${UNKNOWN_ID}.` });
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

  it("lists only latest versions on request, which must meet the other conditions themselves", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("a"), { tags: ["old"] });
    await registry.register("payments", avroRecord("b"));
    const newest = await registry.register("orders", avroRecord("a", "b?"));
    await registry.register("orders", avroRecord("a", "b?", "c?"), { state: "draft" });
    const listed = async (query: string) =>
      ((await registry.get(`/schemas?latest_only=true${query}`)).body as { items: RecordBody[] }).items.map(
        ({ subject, version_number }) => `${subject} ${version_number}`,
      );

    expect(await listed("")).toEqual(["payments 1", "orders 2"]);
    expect(await listed("&tag=old")).toEqual([]);
    await registry.call("DELETE", `/schemas/${newest.id}`);
    expect(await listed("")).toEqual(["orders 1", "payments 1"]);
  });

  it("omits content on request", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("a"));

    const { body } = await registry.get("/schemas?content=none");

    expect((body as { items: RecordBody[] }).items[0]).not.toHaveProperty("content");
  });

  it("ends a page early to limit its size", async () => {
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

describe.each(WAYS)("POST /schemas/check on the $name platform", ({ open }) => {
  const check = async (body: object) => (await open().call("POST", "/schemas/check", { body })).body;

  it("returns a valid schema's canonical text and fingerprint", async () => {
    const body = await check({ format: "avro", content: { type: "record", fields: [], name: "A" } });

    expect(body).toMatchObject({ valid: true, errors: [], canonical_text: '{"type":"record","name":"A","fields":[]}' });
  });

  it("gives the location and the rule of a problem", async () => {
    const body = await check({ format: "avro", content: { type: "record", name: "A", fields: [{ name: "1" }] } });

    expect(body).toMatchObject({ valid: false });
    const { errors } = body as { errors: { rule: string; message: string; pointer?: string }[] };
    expect(errors[0]?.pointer).toMatch(/^\/fields\/0/);
  });

  it("reports a schema with an unresolved reference as invalid", async () => {
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

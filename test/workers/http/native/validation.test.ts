/** Validation of data over HTTP, by schema, by reference and in batches, with data of every format and hostile data. */
import { describe, expect, it } from "vitest";
import { MAX_MESSAGE_BYTES } from "../../../../workers/validation/validate.ts";
import { MAX_ASKED_VERSIONS } from "../../../../workers/validation/versions.ts";
import { plainRegistry, type RecordBody, type Registry, WAYS } from "../native-calls.ts";

const ORDER = {
  type: "object",
  properties: { id: { type: "string" }, count: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER + 1 } },
  required: ["id"],
  additionalProperties: false,
};
const AVRO_ORDER = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "string" },
    { name: "count", type: ["null", "long"], default: null },
  ],
};
const PROTO_ORDER = `syntax = "proto3";
package shop;
message Order { string id = 1; int64 count = 2; repeated Item items = 3; message Line { string note = 1; } }
message Item { string sku = 1; }
`;

type VerdictBody = {
  valid: boolean;
  is_valid: boolean;
  errors: {
    pointer: string;
    keyword: string;
    schema_pointer: string;
    message: string;
    expected: string;
    got: string;
  }[];
  warnings: { rule: string; pointer?: string }[];
  engine: string;
  sentences?: string[];
  schema?: { version_number: number };
};

async function validate(registry: Registry, id: string, data: unknown, query = ""): Promise<VerdictBody> {
  const { status, body, text } = await registry.call("POST", `/schemas/${id}/validate${query}`, { body: { data } });
  expect(status, text).toBe(200);
  return body as VerdictBody;
}

async function send(registry: Registry, path: string, raw: BodyInit, mediaType: string, headers = {}) {
  return registry.call("POST", path, { raw, headers: { "Content-Type": mediaType, ...headers } });
}

const jsonOrders = (registry: Registry) => registry.register("orders", ORDER, { format: "json-schema" });
const avroOrders = (registry: Registry) => registry.register("avro-orders", AVRO_ORDER);
const protoOrders = (registry: Registry) => registry.register("proto-orders", PROTO_ORDER, { format: "protobuf" });

/** Magic byte, id, message. */
function framed(record: RecordBody, ...rest: number[]): Uint8Array {
  const bytes = new Uint8Array(5 + rest.length);
  new DataView(bytes.buffer).setUint32(1, record.confluent_id!);
  bytes.set(rest, 5);
  return bytes;
}

describe.each(WAYS)("POST /schemas/{id}/validate on the $name platform", ({ open }) => {
  it("accepts a valid value and names the engine", async () => {
    const registry = open();
    const { id } = await jsonOrders(registry);

    expect(await validate(registry, id, { id: "a", count: 2 })).toMatchObject({
      valid: true,
      is_valid: true,
      errors: [],
      warnings: [],
      engine: "interpreted",
    });
  });

  it("reports every location in the value and in the schema, what is expected and what was found", async () => {
    const registry = open();
    const { id } = await jsonOrders(registry);

    const { valid, errors, sentences } = await validate(registry, id, { count: 0, extra: true }, "?sentences=true");

    expect(valid).toBe(false);
    expect(errors).toEqual([
      expect.objectContaining({ pointer: "/count", keyword: "minimum", schema_pointer: "/properties/count/minimum" }),
      expect.objectContaining({ pointer: "/extra", keyword: "additionalProperties" }),
      expect.objectContaining({ pointer: "", keyword: "required", expected: 'a member "id"' }),
    ]);
    expect(sentences?.[0]).toBe("The value at /count must be a number of at least 1, but it is 0.");
  });

  it("asserts formats unless they are annotations", async () => {
    const registry = open();
    const { id } = await registry.register("mails", { format: "email" }, { format: "json-schema" });

    expect((await validate(registry, id, "nobody")).valid).toBe(false);
    expect((await validate(registry, id, "nobody", "?formats=annotate")).valid).toBe(true);
  });

  it("checks Avro values with wrapped and plain unions, and Protobuf in its JSON mapping", async () => {
    const registry = open();
    const [avro, proto] = [await avroOrders(registry), await protoOrders(registry)];

    expect((await validate(registry, avro.id, { id: "a", count: { long: 5 } })).valid).toBe(true);
    expect((await validate(registry, avro.id, { id: "a", count: 5 })).valid).toBe(true);
    expect((await validate(registry, avro.id, { count: "5" })).errors.map(({ pointer }) => pointer)).toEqual([
      "",
      "/count",
    ]);
    expect((await validate(registry, proto.id, { id: "a", count: "5", items: [{ sku: "b" }] })).valid).toBe(true);
    expect((await validate(registry, proto.id, { items: [{ sku: 1 }, { kind: "x" }] })).errors).toMatchObject([
      { pointer: "/items/0/sku", keyword: "scalar", schema_pointer: "#/Item/1" },
      { pointer: "/items/1/kind", keyword: "unknown_field" },
    ]);
  });

  it("checks a schema with references, across cached contexts", async () => {
    const registry = open();
    await registry.register("address", { type: "object", required: ["city"] }, { format: "json-schema" });
    const { id } = await registry.register(
      "person",
      { properties: { home: { $ref: "address.json" } } },
      { format: "json-schema", references: [{ name: "address.json", subject: "address", version: 1 }] },
    );

    expect((await validate(registry, id, { home: {} })).errors).toMatchObject([
      { pointer: "/home", schema_pointer: "address.json#/required" },
    ]);
    expect((await validate(registry, id, { home: { city: "Bern" } })).valid).toBe(true);
  });

  it("reads Avro and Protobuf messages by their media type", async () => {
    const registry = open();
    const [avro, proto] = [await avroOrders(registry), await protoOrders(registry)];

    const good = await send(registry, `/schemas/${avro.id}/validate`, Uint8Array.of(2, 0x61, 0), "application/avro");
    const cut = await send(registry, `/schemas/${avro.id}/validate`, Uint8Array.of(4, 0x61), "avro/binary");
    const unknown = await send(
      registry,
      `/schemas/${proto.id}/validate`,
      Uint8Array.of(0x78, 1),
      "application/x-protobuf",
    );
    const other = await send(registry, `/schemas/${proto.id}/validate`, Uint8Array.of(2), "application/avro");

    expect(good.body).toMatchObject({ valid: true });
    expect(cut.body).toMatchObject({ valid: false, errors: [{ pointer: "/id", keyword: "avro_binary" }] });
    expect(unknown.body).toMatchObject({ valid: true, warnings: [{ rule: "unknown_field" }] });
    expect(other.status).toBe(415);
  });

  it("removes the frame, and checks that it identifies this schema", async () => {
    const registry = open();
    const [avro, proto] = [await avroOrders(registry), await protoOrders(registry)];
    const check = (record: RecordBody, bytes: Uint8Array, framing = "confluent") =>
      send(registry, `/schemas/${record.id}/validate?framing=${framing}`, bytes, "application/octet-stream");

    // Indexes 0, 0: the message Line inside Order.
    const line = await check(proto, framed(proto, 4, 0, 0, 0x0a, 1, 0x61));

    expect((await check(avro, framed(avro, 2, 0x61, 0))).body).toMatchObject({ valid: true });
    expect(line.body).toMatchObject({ valid: true, warnings: [] });
    expect((await check(avro, framed(proto, 2, 0x61, 0))).body).toMatchObject({ errors: [{ keyword: "framing" }] });
    expect((await check(avro, Uint8Array.of(7, 0, 0, 0, 1, 2))).body).toMatchObject({ errors: [{ got: "07" }] });
    expect((await check(proto, framed(proto, 2, 40))).body).toMatchObject({ errors: [{ got: "[20]" }] });
    expect((await check(avro, Uint8Array.of(0xc3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2), "single-object")).body).toMatchObject({
      errors: [{ keyword: "framing", got: "0000000000000000" }],
    });
    expect((await check(proto, Uint8Array.of(0xc3, 1), "single-object")).status).toBe(422);
  });

  it("streams NDJSON line by line, with a summary", async () => {
    const registry = open();
    const { id } = await jsonOrders(registry);
    const lines = '{"id":"a"}\n\n{"id":1}\r\n{"id":\nnull\n{"id":"b","id":"c"}';

    const all = await send(registry, `/schemas/${id}/validate`, lines, "application/x-ndjson");
    const invalid = await send(registry, `/schemas/${id}/validate?only=invalid`, lines, "application/x-ndjson");

    expect(all.body).toMatchObject([
      { line: 1, valid: true },
      { line: 3, valid: false, errors: [{ pointer: "/id" }] },
      { line: 4, valid: false, errors: [{ keyword: "json_syntax" }] },
      { line: 5, valid: false, errors: [{ keyword: "type" }] },
      { line: 6, valid: false, errors: [{ keyword: "repeated_name" }] },
      { summary: { total: 5, valid: 1, invalid: 4, undecided: 0, compiled: 0 } },
    ]);
    expect((invalid.body as unknown[]).length).toBe(5);
  });

  it("answers 404 for a missing id", async () => {
    const { status } = await open().call("POST", "/schemas/01890000-0000-7000-8000-000000000000/validate", {
      body: { data: 1 },
    });

    expect(status).toBe(404);
  });
});

describe("POST /schemas/{id}/validate with hostile data", () => {
  it.each([
    ["9007199254740992", true],
    ["9007199254740993", false],
    ["1e15", true],
    ["123456789012345678901234567890", false],
  ])("keeps %s exact", async (count, valid) => {
    const registry = plainRegistry();
    const { id } = await jsonOrders(registry);
    const raw = `{"data":{"id":"a","count":${count}}}`;

    const { body } = await send(registry, `/schemas/${id}/validate`, raw, "application/json");

    expect(body).toMatchObject({ valid });
  });

  it("treats __proto__ and constructor as ordinary members", async () => {
    const registry = plainRegistry();
    const { id } = await jsonOrders(registry);
    const raw = '{"data":{"id":"a","__proto__":{"count":1},"constructor":1}}';

    const { body } = await send(registry, `/schemas/${id}/validate`, raw, "application/json");

    expect((body as VerdictBody).errors.map(({ pointer }) => pointer)).toEqual(["/__proto__", "/constructor"]);
  });

  it.each([
    ["a repeated name", '{"data":{"id":"a","id":"b"}}'],
    ["a number with a million digits", `{"data":${"9".repeat(1_000)}}`],
    ["nesting without end", `{"data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["invalid UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)],
    ["no data", "{}"],
    ["data twice", '{"data":1,"data_base64":"AA=="}'],
    ["bytes that are no base64", '{"data_base64":"§"}'],
  ])("refuses %s with 400", async (_, raw) => {
    const registry = plainRegistry();
    const { id } = await jsonOrders(registry);

    const { status } = await send(registry, `/schemas/${id}/validate`, raw, "application/json");

    expect(status).toBe(400);
  });

  it("limits a block of nulls that claims to hold a huge number of values", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("bomb", { type: "array", items: "null" });
    const bomb = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0);

    const { status, body } = await send(registry, `/schemas/${id}/validate`, bomb, "application/avro");

    expect([status, (body as { code: string }).code]).toEqual([422, "too_complex"]);
  });

  it("decides patterns designed to hang, and reports those it cannot decide", async () => {
    const registry = plainRegistry();
    const hanging = await registry.register("redos", { pattern: "^(a+)+$" }, { format: "json-schema" });
    const pattern = "^(a)\\1$";
    const backwards = await registry.register(
      "back",
      { properties: { items: { items: { pattern } }, map: { patternProperties: { [pattern]: true } } } },
      { format: "json-schema" },
    );

    expect((await validate(registry, hanging.id, `${"a".repeat(10_000)}!`)).valid).toBe(false);
    expect(await validate(registry, backwards.id, { items: [1, "aa"] })).toMatchObject({
      valid: false,
      errors: [
        { keyword: "pattern_not_evaluated", pointer: "/items/1", schema_pointer: "/properties/items/items/pattern" },
      ],
    });
    expect(await validate(registry, backwards.id, { map: { aa: 1 } })).toMatchObject({
      errors: [{ pointer: "/map", schema_pointer: "/properties/map/patternProperties" }],
    });
  });

  it(`accepts a message of ${MAX_MESSAGE_BYTES} bytes and no larger one`, async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("blob", "string");
    const ask = async (bytes: number) =>
      (await send(registry, `/schemas/${id}/validate`, new Uint8Array(bytes), "application/avro")).status;

    expect([await ask(MAX_MESSAGE_BYTES), await ask(MAX_MESSAGE_BYTES + 1)]).toEqual([200, 413]);
  });

  it("reads a body with a declared length the same way, and never more than the limit", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("blob", "string");
    const ask = async (bytes: number, declared: number) =>
      (
        await send(registry, `/schemas/${id}/validate`, new Uint8Array(bytes), "application/avro", {
          "Content-Length": `${declared}`,
        })
      ).status;

    expect([
      await ask(1, 1),
      await ask(MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES),
      await ask(MAX_MESSAGE_BYTES + 1, MAX_MESSAGE_BYTES + 1),
      await ask(MAX_MESSAGE_BYTES + 1, 1),
    ]).toEqual([200, 200, 413, 413]);
  });

  it(`accepts a line of ${MAX_MESSAGE_BYTES} bytes, and continues after a longer one`, async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("any", true, { format: "json-schema" });
    const text = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));
    const lines = [text(MAX_MESSAGE_BYTES), text(MAX_MESSAGE_BYTES + 1), "1"].join("\n");

    const { body } = await send(registry, `/schemas/${id}/validate`, lines, "application/x-ndjson");

    expect(body).toMatchObject([
      { line: 1, valid: true },
      { line: 2, valid: false, errors: [{ keyword: "too_large" }] },
      { line: 3, valid: true },
      { summary: { total: 3 } },
    ]);
  });
});

describe.each(WAYS)("POST /validate on the $name platform", ({ open }) => {
  const ask = async (registry: Registry, body: unknown, expected = 200) => {
    const called = await registry.call("POST", "/validate", { body });
    expect(called.status, called.text).toBe(expected);
    return called.body as VerdictBody;
  };

  it("finds the schema by each kind of identifier", async () => {
    const registry = open();
    const record = await jsonOrders(registry);
    const data = { id: "a" };

    for (const name of [
      { id: record.id },
      { guid: record.guid },
      { confluent_id: record.confluent_id },
      { subject: "orders" },
      { subject: "orders", version: 1 },
      { subject: "orders", version: "^1" },
    ]) {
      expect((await ask(registry, { ...name, data })).valid).toBe(true);
    }
    expect((await ask(registry, { subject: "orders", data })).schema).toMatchObject({ version_number: 1 });
    await ask(registry, { subject: "orders", version: 7, data }, 404);
    await ask(registry, { data }, 400);
    await ask(registry, { id: record.id, subject: "orders", data }, 400);
  });

  it("checks several values in one request", async () => {
    const registry = open();
    await jsonOrders(registry);

    expect(await ask(registry, { subject: "orders", items: [{ id: "a" }, 5] })).toMatchObject({
      items: [
        { index: 0, valid: true },
        { index: 1, valid: false },
      ],
      summary: { total: 2, valid: 1, invalid: 1, undecided: 0 },
    });
  });

  it("lists the versions that accept a value, newest first", async () => {
    const registry = open();
    await registry.register("tags", { type: "string" }, { format: "json-schema", compatibility_level: "NONE" });
    await registry.register("tags", { type: "array" }, { format: "json-schema", version: "2.0.0" });
    await registry.register("tags", { type: ["array", "string"] }, { format: "json-schema", version: "2.1.0" });

    expect(await ask(registry, { subject: "tags", versions: "all", data: "a" })).toMatchObject({
      versions: [
        { version_number: 3, valid: true },
        { version_number: 2, valid: false },
        { version_number: 1, valid: true },
      ],
      omitted_versions: 0,
      summary: { total: 3, valid: 2, invalid: 1 },
    });
    expect(await ask(registry, { subject: "tags", versions: "^1", data: "a" })).toMatchObject({
      summary: { total: 1 },
    });
    await ask(registry, { subject: "tags", versions: "latest", data: "a" }, 400);
  });

  it("finds the schema identified by a framed message", async () => {
    const registry = open();
    const record = await avroOrders(registry);
    const guid = Uint8Array.from([
      1,
      ...record.guid
        .replaceAll("-", "")
        .match(/../g)!
        .map((byte) => Number.parseInt(byte, 16)),
    ]);

    const byId = await send(registry, "/validate", framed(record, 2, 0x61, 0), "application/octet-stream");
    const byGuid = await send(registry, "/validate", Uint8Array.of(...guid, 2, 0x61, 0), "application/octet-stream");
    const byHeader = await send(registry, "/validate", Uint8Array.of(2, 0x61, 0), "application/avro", {
      "X-Schema-Guid": record.guid,
    });
    const nameless = await send(registry, "/validate", Uint8Array.of(9, 9), "application/octet-stream");

    expect([byId.body, byGuid.body, byHeader.body]).toMatchObject([{ valid: true }, { valid: true }, { valid: true }]);
    expect(nameless.status).toBe(400);
  });

  it("refuses bytes whose header names another schema", async () => {
    const registry = open();
    const record = await avroOrders(registry);
    const other = await registry.register("other", "string");
    const named = (guid: string) =>
      send(registry, `/schemas/${record.id}/validate`, Uint8Array.of(2, 0x61, 0), "application/avro", {
        "X-Schema-Guid": guid,
      });

    const own = await named(record.guid.toUpperCase());
    const others = await named(other.guid);
    const nobodys = await named("00000000-0000-0000-0000-000000000000");

    expect(own.body).toMatchObject({ valid: true });
    expect(others.body).toMatchObject({
      valid: false,
      errors: [{ keyword: "framing", got: expect.stringContaining("another schema's") }],
    });
    expect(nobodys.body).toMatchObject({ errors: [{ got: expect.stringContaining("which no schema has") }] });
  });

  it("streams NDJSON against a version", async () => {
    const registry = open();
    await jsonOrders(registry);

    const { body } = await send(
      registry,
      "/validate?subject=orders&version=latest",
      '{"id":"a"}\n',
      "application/x-ndjson",
    );

    expect(body).toMatchObject([{ line: 1, valid: true }, { summary: { total: 1 } }]);
  });
});

describe("POST /validate with versions", () => {
  it(`checks ${MAX_ASKED_VERSIONS} versions and counts the others`, async () => {
    const registry = plainRegistry();
    for (let version = 0; version <= MAX_ASKED_VERSIONS; version += 1) {
      await registry.register("many", { title: `${version}` }, { format: "json-schema" });
    }

    const { body } = await registry.call("POST", "/validate", { body: { subject: "many", versions: "all", data: 1 } });

    expect(body).toMatchObject({ omitted_versions: 1, summary: { total: MAX_ASKED_VERSIONS } });
  });
});

describe.each(WAYS)("POST /batch/validate on the $name platform", ({ open }) => {
  it("gives every item its own verdict or problem", async () => {
    const registry = open();
    const [json, avro] = [await jsonOrders(registry), await avroOrders(registry)];

    const { body, status } = await registry.call("POST", "/batch/validate", {
      body: {
        items: [
          { id: json.id, data: { id: "a" } },
          { id: avro.id, data_base64: "AmEA" },
          { subject: "nothing", data: 1 },
          { subject: "orders", version: 1, data: {} },
        ],
      },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      items: [
        { index: 0, valid: true },
        { index: 1, valid: true },
        { index: 2, problem: { code: "not_found" } },
        { index: 3, valid: false, errors: [{ keyword: "required" }] },
      ],
      summary: { total: 4, valid: 2, invalid: 1, undecided: 1 },
    });
  });
});

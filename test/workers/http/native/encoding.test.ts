import { describe, expect, it } from "vitest";
import { type RecordBody, type Registry, WAYS } from "../native-calls.ts";

const EVENT = {
  type: "record",
  name: "Event",
  fields: [
    { name: "id", type: "long" },
    { name: "note", type: ["null", "string"], default: null },
  ],
};
const PROTO = 'syntax = "proto3"; message First { int64 id = 1; } message Second { string note = 1; }';

async function encode(registry: Registry, { id }: RecordBody, data: string, query = "") {
  const raw = `{"data":${data}}`;
  const called = await registry.call("POST", `/schemas/${id}/encode${query}`, {
    raw,
    headers: { Accept: "application/json", "Content-Type": "application/json" },
  });
  return called as typeof called & { body: { data_base64: string; bytes: number } };
}

async function decode(registry: Registry, { id }: RecordBody, base64: string, query = "", framing = "none") {
  return registry.call("POST", `/schemas/${id}/decode${query}`, { body: { data_base64: base64, framing } });
}

describe.each(WAYS)("POST /schemas/{id}/encode and /decode on the $name platform", ({ open }) => {
  it("converts JSON to Avro and back, keeping longs exact", async () => {
    const registry = open();
    const record = await registry.register("events", EVENT);

    const { body } = await encode(registry, record, '{"id":9007199254740993,"note":"a"}');
    const back = await decode(registry, record, body.data_base64);
    const plain = await decode(registry, record, body.data_base64, "?unions=plain");

    expect(back.text).toContain('"data":{"id":9007199254740993,"note":{"string":"a"}}');
    expect(plain.text).toContain('"data":{"id":9007199254740993,"note":"a"}');
  });

  it.each(["confluent", "confluent-guid", "single-object"])(
    "frames as %s, and reads the frame back",
    async (framing) => {
      const registry = open();
      const record = await registry.register("events", EVENT);

      const { body } = await encode(registry, record, '{"id":1}', `?framing=${framing}`);
      const back = await decode(registry, record, body.data_base64, "", framing.replace("-guid", ""));

      expect(back.body).toMatchObject({ data: { id: 1, note: null }, warnings: [] });
    },
  );

  it("answers with the raw bytes", async () => {
    const registry = open();
    const record = await registry.register("events", EVENT);

    const { headers, text } = await registry.call("POST", `/schemas/${record.id}/encode`, {
      body: { data: { id: 1 } },
    });

    expect([headers.get("Content-Type"), text]).toEqual(["application/avro", "\u0002\u0000"]);
  });

  it("names the message of a Protobuf schema by its indexes", async () => {
    const registry = open();
    const record = await registry.register("messages", PROTO, { format: "protobuf" });

    const { body } = await encode(registry, record, '{"note":"a"}', "?framing=confluent&message=Second");
    const back = await decode(registry, record, body.data_base64, "", "confluent");

    expect(back.body).toEqual({ data: { note: "a" }, message: "Second", warnings: [] });
  });

  it("refuses invalid data, with the location", async () => {
    const registry = open();
    const record = await registry.register("events", EVENT);

    const wrong = await encode(registry, record, '{"id":"x"}');
    const cut = await decode(registry, record, "gA==");

    expect(wrong.body).toMatchObject({ code: "bad_request", errors: [{ pointer: "/id", rule: "long" }] });
    expect([wrong.status, cut.status]).toEqual([422, 422]);
  });

  it("has no Confluent id for a draft", async () => {
    const registry = open();
    const record = await registry.register("events", EVENT, { state: "draft" });

    expect((await encode(registry, record, '{"id":1}', "?framing=confluent")).status).toBe(409);
    expect((await encode(registry, record, '{"id":1}', "?framing=confluent-guid")).status).toBe(200);
  });
});

describe.each(WAYS)("GET /schemas/{id}/content?bundle=true on the $name platform", ({ open }) => {
  const bundle = async (registry: Registry, { id }: RecordBody) =>
    (await registry.get(`/schemas/${id}/content?bundle=true`)).body as { content: unknown };

  it("inlines the references of every format", async () => {
    const registry = open();
    const refer = (name: string, subject: string) => ({ references: [{ name, subject, version: 1 }] });
    await registry.register("zip", { type: "string" }, { format: "json-schema" });
    const json = await registry.register(
      "home",
      { $ref: "zip.json" },
      { format: "json-schema", ...refer("zip.json", "zip") },
    );
    await registry.register("id", { type: "fixed", name: "Id", size: 4 });
    const avro = await registry.register("ids", { type: "array", items: "Id" }, refer("Id", "id"));
    await registry.register("part", 'syntax = "proto3"; message Part {}', { format: "protobuf" });
    const proto = await registry.register(
      "whole",
      'syntax = "proto3"; import "part.proto"; message Whole { Part part = 1; }',
      { format: "protobuf", ...refer("part.proto", "part") },
    );

    expect((await bundle(registry, json)).content).toEqual({
      $ref: "#/$defs/zip.json",
      $defs: { "zip.json": { type: "string" } },
    });
    expect((await bundle(registry, avro)).content).toEqual({
      type: "array",
      items: { type: "fixed", name: "Id", size: 4 },
    });
    expect(atob((await bundle(registry, proto)).content as string)).toMatch(/part\.proto.*Part.*part\.proto.*Whole/s);
  });

  it("explains why a schema cannot be bundled", async () => {
    const registry = open();
    const { id } = await registry.register("d", { $dynamicRef: "#n", $dynamicAnchor: "n" }, { format: "json-schema" });

    expect((await registry.get(`/schemas/${id}/content?bundle=true`)).status).toBe(422);
  });
});

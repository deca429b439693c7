// The npm client @kafkajs/confluent-schema-registry against the registry at REGISTRY_URL.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import kafkajs from "@kafkajs/confluent-schema-registry";
import { unique, url } from "./registry.mjs";

const { COMPATIBILITY, SchemaRegistry, SchemaType } = kafkajs;

const open = () => new SchemaRegistry({ host: url });

const CASES = [
  {
    type: SchemaType.AVRO,
    schema: JSON.stringify({
      type: "record",
      name: "User",
      namespace: "com.example",
      fields: [{ name: "name", type: "string" }],
    }),
  },
  {
    type: SchemaType.JSON,
    schema: JSON.stringify({ type: "object", properties: { name: { type: "string" } }, required: ["name"] }),
  },
  { type: SchemaType.PROTOBUF, schema: 'syntax = "proto3";\npackage com.example;\nmessage User { string name = 1; }' },
];

describe("SchemaRegistry of kafkajs", () => {
  for (const { type, schema } of CASES) {
    it(`registers, encodes and decodes ${type}`, async () => {
      const subject = `${unique("kafkajs")}-value`;
      const { id } = await open().register({ type, schema }, { subject });

      const bytes = await open().encode(id, { name: "Ada" });
      const read = await open().decode(bytes);

      assert.equal(read.name, "Ada");
      assert.equal(await open().getLatestSchemaId(subject), id);
      assert.equal(await open().getRegistryId(subject, 1), id);
      assert.equal(await open().getRegistryIdBySchema(subject, { type, schema }), id);
    });
  }

  it("sets the compatibility of a new subject", async () => {
    const subject = `${unique("kafkajs-level")}-value`;
    const [{ type, schema }] = CASES;

    await open().register({ type, schema }, { subject, compatibility: COMPATIBILITY.FULL });

    const config = await (await fetch(`${url}/config/${subject}`)).json();
    assert.deepEqual(config, { compatibilityLevel: "FULL" });
  });

  it("registers a deleted subject again, evolves it and reads every message", async () => {
    const subject = `${unique("kafkajs-again")}-value`;
    const [{ type, schema }] = CASES;
    const evolved = JSON.parse(schema);
    evolved.fields.push({ name: "email", type: "string", default: "" });
    const first = await open().register({ type, schema }, { subject });
    const before = await open().encode(first.id, { name: "Ada" });
    await fetch(`${url}/subjects/${subject}`, { method: "DELETE" });

    const again = await open().register({ type, schema }, { subject });
    const next = await open().register({ type, schema: JSON.stringify(evolved) }, { subject });

    assert.equal(again.id, first.id);
    assert.notEqual(next.id, first.id);
    assert.equal(await open().getLatestSchemaId(subject), next.id);
    assert.equal(await open().getRegistryId(subject, 2), first.id);
    assert.equal((await open().decode(before)).name, "Ada");
    const after = await open().encode(next.id, { name: "Bo", email: "b" });
    assert.deepEqual({ ...(await open().decode(after)) }, { name: "Bo", email: "b" });
  });

  it("is refused an incompatible version", async () => {
    const subject = `${unique("kafkajs-refused")}-value`;
    const [{ type, schema }] = CASES;
    await open().register({ type, schema }, { subject });
    const incompatible = JSON.parse(schema);
    incompatible.fields.push({ name: "must", type: "string" });

    await assert.rejects(open().register({ type, schema: JSON.stringify(incompatible) }, { subject }), /incompatible/i);
  });
});

/** The client against a started registry: what no scripted server can show. */
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AvroSchema, isRegistryError, JSONSchema, ProtobufSchema, SchemaRegistry } from "../src/index.ts";

const REGISTRY_URL = process.env.REGISTRY_URL;

describe.skipIf(REGISTRY_URL === undefined)("a started registry", () => {
  const registry = new SchemaRegistry(REGISTRY_URL ?? "http://localhost");
  const newSubject = (name: string) => `ts-${name}/%é-${randomUUID()}`;

  it("registers all three formats and reads them back", async () => {
    const avro = await registry.registerSchema({
      subject: newSubject("avro"),
      schema: new AvroSchema({ type: "record", name: "A", fields: [] }),
    });
    const protobuf = await registry.registerSchema({
      subject: newSubject("proto"),
      schema: new ProtobufSchema('syntax = "proto3"; message M {}'),
    });

    expect(await registry.getSchema(avro)).toMatchObject({ format: "avro", version: "1.0.0" });
    expect(await registry.getSchema(protobuf)).toMatchObject({ format: "protobuf" });
  });

  it("gives an equivalent schema the id it has", async () => {
    const subject = newSubject("same");
    const first = await registry.registerSchema({ subject, schema: new JSONSchema({ type: "object", title: "T" }) });

    expect(
      await registry.registerSchema({ subject, schema: new JSONSchema('{"title": "T",  "type": "object"}') }),
    ).toBe(first);
  });

  it("reads its own writes", async () => {
    const subject = newSubject("evolve");
    await registry.registerSchema({ subject, schema: new JSONSchema({ type: "object" }), compatibilityLevel: "NONE" });
    await registry.latest(subject);
    const second = await registry.registerSchema({ subject, schema: new JSONSchema({ type: "array" }) });

    expect((await registry.latest(subject)).id).toBe(second);
    expect(await registry.listVersions(subject).toArray()).toHaveLength(2);
  });

  it("validates with references as the registry resolves them", async () => {
    const shared = newSubject("shared");
    const name = "https://example.test/age.json";
    await registry.registerSchema({ subject: shared, schema: new JSONSchema({ type: "integer", minimum: 0 }) });
    const references = [{ name, subject: shared, version: 1 }];
    const schema = new JSONSchema({ type: "object", properties: { age: { $ref: name } } });
    const id = await registry.registerSchema({ subject: newSubject("refers"), schema, references });

    expect(await registry.validate({ age: 3 }, id)).toBe(true);
    expect(await registry.explainValidation({ age: -3 }, id)).toMatchObject({
      valid: false,
      engine: "local",
      errors: [{ pointer: "/age" }],
    });
  });

  it("says why a check refuses", async () => {
    const subject = newSubject("check");
    await registry.registerSchema({ subject, schema: new JSONSchema({ type: "string" }) });

    const verdict = await registry.explainCompatibility(subject, new JSONSchema({ type: "integer" }));

    expect(verdict).toMatchObject({
      compatible: false,
      differences: [{ kind: "TYPE_CHANGED", witness: { status: "confirmed" } }],
    });
  });

  it("changes attributes under If-Match and refuses an old one", async () => {
    const id = await registry.registerSchema({
      subject: newSubject("patch"),
      schema: new JSONSchema(true),
      owner: "a",
      tags: ["x"],
    });

    expect(await registry.update(id, { owner: null, state: "deprecated", reason: "replaced" })).toMatchObject({
      owner: null,
      tags: ["x"],
      state: "deprecated",
    });
    const refused = await registry.update(id, { owner: "b" }, { ifMatch: '"1"' }).catch((error: unknown) => error);
    expect(isRegistryError(refused, "precondition_failed")).toBe(true);
  });

  it("deletes, brings back and deletes for good", async () => {
    const subject = newSubject("delete");
    const id = await registry.registerSchema({ subject, schema: new JSONSchema({}) });

    await registry.delete(id);
    expect(isRegistryError(await registry.getSchema(id).catch((error: unknown) => error), "not_found")).toBe(true);
    expect(await registry.undelete(id)).toMatchObject({ id, version_number: 1 });
    await registry.delete(id);
    await registry.delete(id, { permanent: true });
    expect(isRegistryError(await registry.undelete(id).catch((error: unknown) => error), "not_found")).toBe(true);
  });

  it("projects for a provider and decodes its model's answer", async () => {
    const schema = new JSONSchema({
      type: "object",
      properties: { city: { type: "string" }, unit: { type: "string" } },
      required: ["city"],
    });
    const id = await registry.registerSchema({ subject: newSubject("tool"), schema });

    expect(await registry.project(id, "openai-strict")).toMatchObject({ loss: "lossless" });
    const decoded = await registry.decode(id, { profile: "openai-strict", answer: '{"city": "Oslo", "unit": null}' });
    expect(decoded).toMatchObject({ answers: [{ outcome: "valid", value: { city: "Oslo" } }] });
  });

  it("follows the events of a subject", async () => {
    const subject = newSubject("events");
    const types: string[] = [];
    const id = await registry.registerSchema({ subject, schema: new JSONSchema({}) });
    const { seq } = await registry.getSchema(id);
    await registry.update(id, { owner: "b" });

    for await (const event of registry.events({ after: seq - 1 })) {
      if (event.subject === subject) types.push(event.type.replace(/^.*registry\./, ""));
      if (types.length === 2) break;
    }

    expect(types).toEqual(["schema.registered", "schema.updated"]);
  });

  it("searches what it has just written", async () => {
    const word = `word${randomUUID().replaceAll("-", "")}`;
    await registry.registerSchema({ subject: `ts-${word}`, schema: new JSONSchema({ title: word }) });

    const hits = await registry.search(word, { consistent: true, filters: { format: "json-schema" } }).toArray();

    expect(hits.map(({ record }) => record.subject)).toEqual([`ts-${word}`]);
  });

  it("answers to health", async () => {
    expect(await registry.health()).toMatchObject({ status: "ok" });
  });
});

import { describe, expect, it } from "vitest";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

const AVRO = record("a");
const JSON_SCHEMA = '{"type":"object"}';
const PROTOBUF = 'syntax = "proto3"; message M { string a = 1; }';

describe("bad input", () => {
  it.each([
    ["AVRO", PROTOBUF],
    ["AVRO", JSON_SCHEMA],
    ["JSON", PROTOBUF],
    ["PROTOBUF", AVRO],
    ["PROTOBUF", JSON_SCHEMA],
    ["AVRO", "string"],
    ["AVRO", '{"type":"record"}'],
    ["AVRO", '{"type":"record","name":"A","fields":[{"name":"a","type":"Missing"}]}'],
    ["JSON", '{"type":12}'],
    ["PROTOBUF", 'syntax = "proto3"; message M { Missing a = 1; }'],
    ["PROTOBUF", "!!!not base64 nor proto"],
    ["PROTOBUF", "AAAA"],
  ])("refuses %s of the text %s with 42201", async (schemaType, schema) => {
    const answer = await registry.post(`/subjects/${unique("bad")}/versions`, { schemaType, schema });

    expect(answer).toMatchObject(error(42201, new RegExp(`^Invalid schema of type ${schemaType}, details: .`)));
  });

  it.each(["avro", "XML", "JSONSCHEMA"])("refuses the type %s", async (schemaType) => {
    const answer = await registry.post(`/subjects/${unique("bad")}/versions`, { schemaType, schema: AVRO });

    expect(answer).toMatchObject(error(42201, `Invalid schema type ${schemaType}`));
  });

  it("recognises a body of the native API, and registers nothing", async () => {
    const subject = unique("native-body");
    await registry.register(subject, AVRO);

    const answer = await registry.post(`/subjects/${subject}/versions`, {
      format: "avro",
      content: { type: "string" },
    });

    expect(answer).toMatchObject(error(42201, /"content" and "format" belong to the native API/));
    expect((await registry.get(`/subjects/${subject}/versions`)).body).toEqual([1]);
  });

  it("refuses a lone surrogate", async () => {
    const body = '{"schema":"\\"string\\"","metadata":{"properties":{"a":"\\ud800"}}}';

    expect(await registry.post(`/subjects/${unique("bad")}/versions`, body)).toMatchObject({ status: 400 });
  });

  /** A schema whose canonical text has this many bytes. */
  const schemaOfBytes = (bytes: number) => {
    const empty = '{"type":"record","name":"A","doc":"","fields":[]}';
    return empty.replace('""', `"${"x".repeat(bytes - empty.length)}"`);
  };

  it("accepts a schema whose canonical text has a megabyte, regardless of white space", async () => {
    const schema = schemaOfBytes(1024 * 1024).replace("{", `{${" ".repeat(1024 * 1024)}`);

    expect(await registry.register(unique("large"), schema)).toMatchObject({ version: 1 });
  });

  it("refuses a schema whose canonical text has more than a megabyte with 42209", async () => {
    const path = `/subjects/${unique("large")}/versions`;

    expect(await registry.post(path, { schema: schemaOfBytes(1024 * 1024 + 1) })).toMatchObject(
      error(42209, "Register operation failed because schema is too large"),
    );
  });

  it("imports a schema of more than a megabyte, which can be registered again", async () => {
    const subject = unique("large");
    const schema = schemaOfBytes(2 * 1024 * 1024);
    await registry.put(`/mode/${subject}`, { mode: "IMPORT" });

    expect(await registry.register(subject, { schema, id: 71_000, version: 1 })).toMatchObject({ id: 71_000 });
    await registry.put(`/mode/${subject}`, { mode: "READWRITE" });
    expect(await registry.register(subject, schema)).toMatchObject({ id: 71_000, version: 1 });
    expect((await registry.get(`/subjects/${subject}/versions/1/schema`)).text).toBe(schema);
  });

  it("refuses a body of more than ten megabytes with 413", async () => {
    const body = `{"schema":"${"x".repeat(10 * 1024 * 1024)}"}`;

    expect((await registry.post(`/subjects/${unique("large")}/versions`, body)).status).toBe(413);
  });

  it("refuses deep nesting", async () => {
    const schema = `${'{"type":"array","items":'.repeat(5_000)}"string"${"}".repeat(5_000)}`;

    expect(await registry.post(`/subjects/${unique("deep")}/versions`, { schema })).toMatchObject({
      status: 422,
      body: { error_code: 42201 },
    });
    const body = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    expect((await registry.post(`/subjects/${unique("deep")}/versions`, body)).status).toBeLessThan(500);
  });

  it("handles a reference name that is used twice", async () => {
    const subject = unique("twice");
    for (const n of [1, 2]) await registry.register(`${subject}-${n}`, '{"type":"record","name":"Base","fields":[]}');

    const answer = await registry.post(`/subjects/${subject}/versions`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [1, 2].map((n) => ({ name: "Base", subject: `${subject}-${n}`, version: 1 })),
    });

    expect(answer).toMatchObject({ status: 200 });
  });

  it("handles names that reference each other in a circle", async () => {
    const subject = unique("circle");
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    await registry.register(subject, '{"type":"record","name":"A","fields":[]}');
    await registry.register(subject, {
      schema: '{"type":"record","name":"B","fields":[{"name":"a","type":"A"}]}',
      references: [{ name: "A", subject, version: 1 }],
    });

    const answer = await registry.post(`/subjects/${subject}/versions`, {
      schema: '{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}',
      references: [{ name: "B", subject, version: 2 }],
    });

    expect(answer.status).toBeLessThan(500);
  });

  it.each(["%", "%zz", "%ff"])("answers the path /subjects/%s with 400", async (segment) => {
    expect((await registry.get(`/subjects/${segment}/versions`)).status).toBe(400);
  });

  it("answers an empty subject as an unknown path", async () => {
    expect((await registry.get("/subjects//versions")).status).toBe(404);
    expect((await registry.post("/subjects//versions", { schema: AVRO })).status).toBe(404);
  });

  it.each(["offset=x", "limit=99999999999"])("answers the query %s as an unknown path", async (query) => {
    expect((await registry.get(`/subjects?${query}`)).status).toBe(404);
  });

  it("treats negative limits and offsets as absent", async () => {
    expect((await registry.get("/subjects?offset=-5&limit=-1")).status).toBe(200);
  });
});

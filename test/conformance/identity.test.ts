/** What makes two schemas the same: registration, canonical text, normalisation, guids, lookup and references. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { error, record, recordNamed, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

const proto = (body: string) => `syntax = "proto3";\n${body}`;

describe("registration", () => {
  it("gives known content its version and id, and new content the next ones", async () => {
    const subject = unique("register");
    const first = await registry.register(subject, recordNamed(subject, "a"));
    const second = await registry.register(subject, recordNamed(subject, "a", "b?"));

    expect(await registry.register(subject, recordNamed(subject, "a"))).toMatchObject({ id: first.id, version: 1 });
    expect(second).toMatchObject({ id: first.id + 1, version: 2 });
  });

  it("shares an id between the subjects of a context", async () => {
    const subject = unique("share");
    const { id } = await registry.register(subject, recordNamed(subject, "a"));

    expect(await registry.register(`${subject}-other`, recordNamed(subject, "a"))).toMatchObject({ id, version: 1 });
    expect((await registry.get(`/schemas/ids/${id}/subjects`)).body).toEqual([subject, `${subject}-other`]);
  });

  it("gives the same text with other metadata, rules or references another id", async () => {
    const subject = unique("contract");
    const schema = recordNamed(subject, "a");
    const bodies = [
      { schema },
      { schema, metadata: { properties: { owner: "x" } } },
      { schema, metadata: { properties: { owner: "y" } } },
      {
        schema,
        ruleSet: { domainRules: [{ name: "r", kind: "CONDITION", type: "CEL", mode: "WRITE", expr: "true" }] },
      },
    ];

    const ids: number[] = [];
    for (const body of bodies) ids.push((await registry.register(subject, body)).id);

    expect(new Set(ids).size).toBe(bodies.length);
  });

  it("takes an explicit version only if it is the next one", async () => {
    const subject = unique("version");
    await registry.register(subject, { schema: record("a"), version: 1 });
    const body = { schema: record("a", "b?"), version: 3 };

    expect(await registry.post(`/subjects/${subject}/versions`, body)).toMatchObject(
      error(42201, "Version is not one more than previous version"),
    );
    expect(await registry.register(subject, { ...body, version: 2 })).toMatchObject({ version: 2 });
    const { body: stored } = await registry.get(`/subjects/${subject}/versions/2`);
    expect(stored).toMatchObject({ metadata: { properties: { "confluent:version": "2" } } });
  });

  it("refuses an id outside IMPORT", async () => {
    const subject = unique("id");

    expect(await registry.post(`/subjects/${subject}/versions`, { schema: record("a"), id: 5 })).toMatchObject(
      error(42205, `Subject ${subject} in context  is not in import mode`),
    );
  });

  it("returns a known version to a request for its own id and version", async () => {
    const subject = unique("same");
    const schema = recordNamed(subject, "a");
    const { id } = await registry.register(subject, schema);

    expect(await registry.register(subject, { schema, id, version: 1 })).toMatchObject({ id, version: 1 });
    expect(await registry.register(subject, { schema, version: -1 })).toMatchObject({ id, version: 1 });
  });

  it("copies the newest text if only metadata or rules are sent", async () => {
    const subject = unique("copy");
    const schema = recordNamed(subject, "a");
    await registry.register(subject, schema);

    const copied = await registry.register(subject, { metadata: { properties: { owner: "x" } } });

    expect(copied).toMatchObject({ version: 2, schema, metadata: { properties: { owner: "x" } } });
    expect(await registry.post(`/subjects/${unique("empty")}/versions`, {})).toMatchObject(
      error(42201, "Empty schema"),
    );
    expect(await registry.post(`/subjects/${subject}-x/versions`, { schema: "  " })).toMatchObject(
      error(42201, "Empty schema"),
    );
  });

  it("inherits metadata and rules that are not sent", async () => {
    const subject = unique("inherit");
    await registry.register(subject, { schema: record("a"), metadata: { properties: { owner: "x" } } });

    const second = await registry.register(subject, record("a", "b?"));

    expect(second).toMatchObject({ version: 2, metadata: { properties: { owner: "x" } } });
    expect(await registry.register(subject, record("a", "b?"))).toMatchObject({ version: 2 });
  });

  it("merges the defaults and overrides of the config", async () => {
    const subject = unique("defaults");
    await registry.put(`/config/${subject}`, {
      compatibility: "NONE",
      defaultMetadata: { properties: { a: "default", b: "default" } },
      overrideMetadata: { properties: { c: "override" } },
      defaultRuleSet: { domainRules: [{ name: "r", kind: "CONDITION", type: "CEL", mode: "WRITE", expr: "true" }] },
    });

    const registered = await registry.register(subject, {
      schema: record("a"),
      metadata: { properties: { b: "asked", c: "asked" } },
    });

    expect(registered).toMatchObject({
      metadata: { properties: { a: "default", b: "asked", c: "override" } },
      ruleSet: { domainRules: [{ name: "r" }] },
    });
  });

  it("refuses an incompatible schema, and skips the check with force", async () => {
    const subject = unique("force");
    await registry.register(subject, record("a"));
    const body = { schema: record("a", "b") };

    const refused = await registry.post(`/subjects/${subject}/versions`, body);
    expect(refused).toMatchObject({ status: 409, body: { error_code: 40901 } });
    expect((refused.body as { message: string }).message).toMatch(
      `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'`,
    );
    expect((await registry.post(`/subjects/${subject}/versions?force=true`, body)).body).toMatchObject({ version: 2 });
  });

  it("gives one of many concurrent writers of one content the id, and the others the same", async () => {
    const subject = unique("race");
    const schema = recordNamed(subject, "a");

    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await registry.register(subject, schema)).id),
    );

    expect(new Set(ids).size).toBe(1);
    expect((await registry.get(`/subjects/${subject}/versions`)).body).toEqual([1]);
  });
});

describe("canonical text", () => {
  it.each([
    ["AVRO", '{"type":"string"}', '"string"'],
    [
      "AVRO",
      ' {"fields":[],"name":"A","namespace":"n","type":"record"} ',
      '{"type":"record","name":"A","namespace":"n","fields":[]}',
    ],
    [
      "AVRO",
      '{"type":"record","name":"n.A","fields":[{"name":"x","type":{"type":"fixed","name":"n.F","size":1}}]}',
      '{"type":"record","name":"A","namespace":"n","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":1}}]}',
    ],
    ["JSON", '{ "type" : "object",\n "b": 1.0, "a": 1e3 }', '{"type":"object","b":1.0,"a":1E+3}'],
    [
      "PROTOBUF",
      'syntax = "proto3";\n// gone\nmessage M { string a = 1; }',
      'syntax = "proto3";\n\nmessage M {\n  string a = 1;\n}\n',
    ],
  ])("of %s %s", async (schemaType, schema, expected) => {
    const { id } = await registry.register(unique("canonical"), { schemaType, schema });

    expect((await registry.get(`/schemas/ids/${id}/schema`)).text).toBe(expected);
  });

  it("of a Protobuf schema may be looked up by its descriptor", async () => {
    const subject = unique("descriptor");
    const { id } = await registry.register(subject, {
      schemaType: "PROTOBUF",
      schema: proto("message M { string a = 1; }"),
    });
    const { body } = await registry.get(`/schemas/ids/${id}?format=serialized`);
    const descriptor = (body as { schema: string }).schema;

    const again = await registry.register(subject, { schemaType: "PROTOBUF", schema: descriptor });

    expect(descriptor).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(again).toMatchObject({ id, version: 1 });
  });
});

describe("normalize=true", () => {
  it("unifies schemas that differ only in order", async () => {
    const subject = unique("normalise");
    const first = { schemaType: "JSON", schema: '{"type":"object","properties":{"b":{},"a":{}}}' };
    const second = { schemaType: "JSON", schema: '{"properties":{"a":{},"b":{}},"type":"object"}' };

    const { body } = await registry.post(`/subjects/${subject}/versions?normalize=true`, first);
    expect(body).toMatchObject({ version: 1, schema: '{"properties":{"a":{},"b":{}},"type":"object"}' });
    expect((await registry.post(`/subjects/${subject}/versions?normalize=true`, second)).body).toMatchObject({
      version: 1,
    });
    expect((await registry.post(`/subjects/${subject}?normalize=true`, first)).body).toMatchObject({ version: 1 });
  });

  it("can be the subject's default", async () => {
    const subject = unique("normalise-config");
    await registry.put(`/config/${subject}`, { normalize: true });

    const { schema } = await registry.register(subject, {
      schemaType: "JSON",
      schema: '{"type":"object","additionalProperties":false}',
    });

    expect(schema).toBe('{"additionalProperties":false,"type":"object"}');
  });

  it("sorts references and drops repeats", async () => {
    const subject = unique("normalise-references");
    for (const name of ["B", "A"]) {
      await registry.register(`${subject}-${name}`, JSON.stringify({ type: "record", name, fields: [] }));
    }
    const [b, a] = ["B", "A"].map((name) => ({ name, subject: `${subject}-${name}`, version: 1 }));

    const { body } = await registry.post(`/subjects/${subject}/versions?normalize=true`, {
      schema: '{"type":"record","name":"T","fields":[{"name":"b","type":"B"},{"name":"a","type":"A"}]}',
      references: [b, a, b],
    });

    expect(body).toMatchObject({ references: [a, b] });
  });
});

describe("guid", () => {
  it("is the MD5 of the text with references, metadata and rules, if present", async () => {
    const subject = unique("guid");
    const schema = recordNamed(subject, "a");
    const md5 = (...parts: (string | Uint8Array)[]) => {
      const hash = createHash("md5");
      for (const part of parts) hash.update(part);
      return hash.digest("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    };

    const plain = await registry.register(subject, schema);
    const tagged = await registry.register(subject, { schema, metadata: { properties: { k: "v" } } });

    expect(plain.guid).toBe(md5(schema));
    expect(tagged.guid).toBe(md5(schema, Uint8Array.of(1), "k", "v"));
  });

  it("is the same in every context", async () => {
    const context = unique("guid");
    const schema = recordNamed(context, "a");
    const { guid } = await registry.register(unique("guid"), schema);

    expect(await registry.register(`:.${context}:s`, schema)).toMatchObject({ guid, id: 1 });
    expect((await registry.get(`/schemas/guids/${guid}/ids`)).body).toHaveLength(2);
    expect((await registry.get("/schemas/guids/00000000-0000-0000-0000-000000000000/ids")).body).toEqual([]);
  });
});

describe("lookup", () => {
  it("finds a version by any spelling of its text", async () => {
    const subject = unique("lookup");
    await registry.register(subject, recordNamed(subject, "a"));

    const spaced = JSON.stringify(JSON.parse(recordNamed(subject, "a")), null, 2);
    expect((await registry.post(`/subjects/${subject}`, { schema: spaced })).body).toMatchObject({ version: 1 });
  });

  it("matches an Avro schema with inline references to one that references them", async () => {
    const subject = unique("inline");
    await registry.register(`${subject}-base`, '{"type":"record","name":"Base","fields":[]}');
    await registry.register(subject, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject: `${subject}-base`, version: 1 }],
    });

    const inline =
      '{"type":"record","name":"Top","fields":[{"name":"base","type":{"type":"record","name":"Base","fields":[]}}]}';

    expect((await registry.post(`/subjects/${subject}`, { schema: inline })).body).toMatchObject({ version: 1 });
  });

  it("uses the latest version's metadata and rules if none are sent", async () => {
    const subject = unique("lookup-metadata");
    await registry.register(subject, { schema: record("a"), metadata: { properties: { owner: "x" } } });

    expect((await registry.post(`/subjects/${subject}`, { schema: record("a") })).body).toMatchObject({ version: 1 });
    expect(
      await registry.post(`/subjects/${subject}`, { schema: record("a"), metadata: { properties: { owner: "y" } } }),
    ).toMatchObject(error(40403, "Schema not found"));
  });

  it("answers 40401 for an unknown subject, 40403 for unknown content and 42201 for an invalid schema", async () => {
    const subject = unique("missing");

    expect(await registry.post(`/subjects/${subject}`, { schema: record("a") })).toMatchObject(
      error(40401, `Subject '${subject}' not found.`),
    );
    await registry.register(subject, record("a"));
    expect(await registry.post(`/subjects/${subject}`, { schema: record("b") })).toMatchObject(
      error(40403, "Schema not found"),
    );
    expect(await registry.post(`/subjects/${subject}`, { schema: "{" })).toMatchObject(error(42201, /Invalid schema/));
  });
});

describe("lookup of an empty schema", () => {
  it.each([{}, { schema: "" }, { schema: " \n" }, { schema: null }])("%j finds nothing", async (body) => {
    const subject = unique("empty");

    expect(await registry.post(`/subjects/${subject}`, body)).toMatchObject(
      error(40401, `Subject '${subject}' not found.`),
    );
    await registry.register(subject, record("a"));
    expect(await registry.post(`/subjects/${subject}`, body)).toMatchObject(error(40403, "Schema not found"));
    await registry.delete(`/subjects/${subject}`);
    expect(await registry.post(`/subjects/${subject}`, body)).toMatchObject({ body: { error_code: 40401 } });
    expect(await registry.post(`/subjects/${subject}?deleted=true`, body)).toMatchObject({
      body: { error_code: 40403 },
    });
  });
});

describe("registration of version -1", () => {
  it("gets the next number, and stores it in the metadata", async () => {
    const subject = unique("minus-one");
    const first = await registry.post(`/subjects/${subject}/versions`, { schema: record("a"), version: -1 });
    const next = await registry.post(`/subjects/${subject}/versions`, { schema: record("a", "b?"), version: -1 });
    const again = await registry.post(`/subjects/${subject}/versions`, { schema: record("a", "b?"), version: -1 });

    const numbered = (version: number) => ({
      status: 200,
      body: { version, metadata: { properties: { "confluent:version": String(version) } } },
    });
    expect(first).toMatchObject(numbered(1));
    expect(next).toMatchObject(numbered(2));
    expect(again).toMatchObject(numbered(2));
  });
});

describe("references", () => {
  it("must have the same schema type", async () => {
    const subject = unique("cross");
    await registry.register(`${subject}-avro`, '{"type":"record","name":"Base","fields":[]}');
    await registry.register(`${subject}-json`, { schemaType: "JSON", schema: '{"type":"string"}' });
    await registry.register(`${subject}-proto`, {
      schemaType: "PROTOBUF",
      schema: proto("message B { string a = 1; }"),
    });
    const schemas = {
      avro: { schema: '{"type":"record","name":"Top","fields":[{"name":"b","type":"Base"}]}' },
      json: { schemaType: "JSON", schema: '{"$ref":"Base"}' },
      proto: { schemaType: "PROTOBUF", schema: proto('import "Base";\nmessage M { B b = 1; }') },
    };

    for (const [own, body] of Object.entries(schemas)) {
      for (const other of Object.keys(schemas)) {
        const references = [{ name: "Base", subject: `${subject}-${other}`, version: 1 }];
        const { status } = await registry.post(`/subjects/${subject}-${own}-to-${other}/versions`, {
          ...body,
          references,
        });

        expect([own, other, status]).toEqual([own, other, own === other ? 200 : 422]);
      }
    }
  });

  it("are limited to a thousand", async () => {
    const subject = unique("many");
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    const referring = (count: number) =>
      registry.post(`/subjects/${subject}-${count}/versions`, {
        schema: '{"type":"record","name":"Top","fields":[{"name":"b","type":"Base"}]}',
        references: Array.from({ length: count }, (_, index) => ({
          name: index === 0 ? "Base" : `Base${index}`,
          subject,
          version: 1,
        })),
      });

    expect((await referring(1_000)).status).toBe(200);
    expect(await referring(1_001)).toMatchObject({ status: 422, body: { error_code: 42201 } });
  });
  it("have at most 512 KiB together, however long their names are", async () => {
    const subject = unique("long");
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    const referring = (bytes: number) => {
      const reference = { name: "", subject, version: 1 };
      const rest = JSON.stringify([reference]).length;
      return registry.post(`/subjects/${subject}-${bytes}/versions`, {
        schema: '{"type":"record","name":"Top","fields":[]}',
        references: [{ ...reference, name: "n".repeat(bytes - rest) }],
      });
    };

    expect((await referring(512 * 1024)).status).toBe(200);
    expect((await referring(512 * 1024 + 1)).status).toBe(422);
    expect((await referring(2_100_000)).status).toBe(422);
  });

  it("resolve in the referring subject's context", async () => {
    const context = unique("references");
    await registry.register(`:.${context}:base`, '{"type":"record","name":"Base","fields":[]}');
    const body = {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject: "base", version: 1 }],
    };

    expect(await registry.register(`:.${context}:top`, body)).toMatchObject({ version: 1 });
    const { body: qualified } = await registry.get(`/subjects/:.${context}:top/versions/1?referenceFormat=qualified`);
    expect(qualified).toMatchObject({ references: [{ name: "Base", subject: `:.${context}:base`, version: 1 }] });
  });

  it.each([
    [{ subject: "s", version: 1 }],
    [{ name: "n", version: 1 }],
    [{ name: "n", subject: "s" }],
    [{ name: "", subject: "s", version: 1 }],
  ])("need a name, subject and version, unlike %j", async (reference) => {
    const answer = await registry.post(`/subjects/${unique("reference")}/versions`, {
      schema: record("a"),
      references: [reference],
    });

    expect(answer).toMatchObject(error(42201, /^Invalid reference: /));
  });

  it("that do not resolve are refused", async () => {
    const subject = unique("nothing");

    const answer = await registry.post(`/subjects/${subject}/versions`, {
      schema: record("a"),
      references: [{ name: "X", subject: `${subject}-none`, version: 7 }],
    });

    expect(answer).toMatchObject(
      error(42201, new RegExp(`No schema reference found for subject "${subject}-none" and version 7`)),
    );
  });

  it("are not needed for built-in Protobuf imports", async () => {
    const imports = [
      "google/protobuf/timestamp.proto",
      "google/type/money.proto",
      "confluent/meta.proto",
      "confluent/type/decimal.proto",
    ];
    const schema = proto(
      `${imports.map((path) => `import "${path}";`).join("\n")}\nmessage M { google.protobuf.Timestamp at = 1; google.type.Money price = 2; confluent.type.Decimal d = 3; }`,
    );

    expect(await registry.register(unique("builtin"), { schemaType: "PROTOBUF", schema })).toMatchObject({
      version: 1,
    });
  });

  it("of JSON Schemas are found by the URL in $ref, and never fetched", async () => {
    const subject = unique("json-reference");
    await registry.register(`${subject}-base`, { schemaType: "JSON", schema: '{"type":"string"}' });
    const schema = '{"type":"object","properties":{"a":{"$ref":"base.json"}}}';
    const references = [{ name: "base.json", subject: `${subject}-base`, version: 1 }];

    expect(await registry.register(subject, { schemaType: "JSON", schema, references })).toMatchObject({ version: 1 });
    const remote = { schemaType: "JSON", schema: '{"$ref":"http://127.0.0.1:9/never.json"}' };
    expect(await registry.post(`/subjects/${subject}-remote/versions`, remote)).toMatchObject(error(42201, /./));
  });

  it("of Protobuf are found by the import path", async () => {
    const subject = unique("proto-reference");
    await registry.register(`${subject}-base`, {
      schemaType: "PROTOBUF",
      schema: proto("message Base { string a = 1; }"),
    });

    const registered = await registry.register(subject, {
      schemaType: "PROTOBUF",
      schema: proto('import "base.proto";\nmessage Top { Base base = 1; }'),
      references: [{ name: "base.proto", subject: `${subject}-base`, version: 1 }],
    });

    expect(registered).toMatchObject({ version: 1 });
  });
});

// The npm client @confluentinc/schemaregistry against the registry at REGISTRY_URL.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, createFileRegistry, createMutableRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import clients from "@confluentinc/schemaregistry";
import { countingProxy } from "./counting-proxy.mjs";
import { unique, url } from "./registry.mjs";

const {
  AvroDeserializer,
  AvroSerializer,
  CelExecutor,
  CelFieldExecutor,
  HeaderSchemaIdSerializer,
  JsonataExecutor,
  JsonDeserializer,
  JsonSerializer,
  ProtobufDeserializer,
  ProtobufSerializer,
  RuleRegistry,
  SchemaRegistryClient,
  SerdeType,
} = clients;

const newClient = (baseURL = url) => SchemaRegistryClient.newClient({ baseURLs: [baseURL] });

const USER = {
  type: "record",
  name: "User",
  namespace: "com.example",
  fields: [
    { name: "name", type: "string" },
    { name: "age", type: "int" },
  ],
};
const USER_WITH_EMAIL = {
  ...USER,
  fields: [...USER.fields, { name: "email", type: ["null", "string"], default: null }],
};
const avroInfo = (schema, more = {}) => ({ schemaType: "AVRO", schema: JSON.stringify(schema), ...more });

describe("SchemaRegistryClient", () => {
  it("registers, is refused, looks up, lists and deletes", async () => {
    const client = newClient();
    const subject = `${unique("life")}-value`;

    const id = await client.register(subject, avroInfo(USER));
    const evolved = await client.registerFullResponse(subject, avroInfo(USER_WITH_EMAIL));
    const incompatible = { ...USER, fields: [...USER.fields, { name: "must", type: "string" }] };

    assert.equal(evolved.version, 2);
    await assert.rejects(client.register(subject, avroInfo(incompatible)), { status: 409 });
    assert.equal(await client.testSubjectCompatibility(subject, avroInfo(incompatible)), false);
    assert.equal(await client.testSubjectCompatibility(subject, avroInfo(USER)), true);
    assert.equal(await client.getId(subject, avroInfo(USER)), id);
    assert.equal(await client.getVersion(subject, avroInfo(USER_WITH_EMAIL)), 2);
    assert.deepEqual(await client.getAllVersions(subject), [1, 2]);
    assert.ok((await client.getAllSubjects()).includes(subject));
    assert.equal((await client.getLatestSchemaMetadata(subject)).id, evolved.id);
    assert.equal((await client.getSchemaMetadata(subject, 1)).id, id);
    assert.equal((await client.getBySubjectAndId(subject, id)).schema, JSON.stringify(USER));
    assert.equal((await client.getByGuid(evolved.guid)).schema, (await newClient().getByGuid(evolved.guid)).schema);
    assert.equal(await client.deleteSubjectVersion(subject, 1, false), 1);
    assert.deepEqual(await client.deleteSubject(subject), [2]);
    assert.deepEqual(await client.deleteSubject(subject, true), [1, 2]);
    await assert.rejects(newClient().getAllVersions(subject), { status: 404, errorCode: 40401 });
  });

  it("registers a deleted subject again and evolves it", async () => {
    const subject = `${unique("again")}-value`;
    const id = await newClient().register(subject, avroInfo(USER));
    assert.deepEqual(await newClient().deleteSubject(subject), [1]);

    const again = await newClient().registerFullResponse(subject, avroInfo(USER));
    const evolved = await newClient().registerFullResponse(subject, avroInfo(USER_WITH_EMAIL));

    assert.deepEqual([again.id, again.version, evolved.version], [id, 2, 3]);
    assert.deepEqual(await newClient().getAllVersions(subject), [2, 3]);
    assert.equal(await newClient().getVersion(subject, avroInfo(USER)), 2);
    assert.equal((await newClient().getLatestSchemaMetadata(subject)).version, 3);
    assert.deepEqual(await newClient().deleteSubject(subject), [2, 3]);
    assert.deepEqual(await newClient().deleteSubject(subject, true), [2, 3]);
    await newClient().register(subject, avroInfo(USER_WITH_EMAIL));
    assert.equal((await newClient().getAllVersions(subject)).length, 1);
  });

  it("registers a deleted version again and evolves the subject", async () => {
    const subject = `${unique("again-version")}-value`;
    const id = await newClient().register(subject, avroInfo(USER));
    await newClient().register(subject, avroInfo(USER_WITH_EMAIL));
    assert.equal(await newClient().deleteSubjectVersion(subject, 1, false), 1);
    const nickname = { name: "nickname", type: "string", default: "" };

    const again = await newClient().registerFullResponse(subject, avroInfo(USER));
    const evolved = { ...USER_WITH_EMAIL, fields: [...USER_WITH_EMAIL.fields, nickname] };
    const next = await newClient().registerFullResponse(subject, avroInfo(evolved));

    assert.deepEqual([again.id, again.version, next.version], [id, 3, 4]);
    assert.deepEqual(await newClient().getAllVersions(subject), [2, 3, 4]);
  });

  it("reads and writes compatibility and config", async () => {
    const client = newClient();
    const subject = `${unique("config")}-value`;

    assert.equal(await client.updateCompatibility(subject, "FULL"), "FULL");
    assert.equal(await client.getCompatibility(subject), "FULL");
    const updated = await client.updateConfig(subject, { compatibility: "NONE", normalize: true });
    assert.deepEqual(updated, { compatibility: "NONE", normalize: true });
    assert.deepEqual(await client.getConfig(subject), { compatibilityLevel: "NONE", normalize: true });
    assert.equal(await client.getDefaultCompatibility(), "BACKWARD");
  });

  it("finds a version by its metadata", async () => {
    const client = newClient();
    const subject = `${unique("metadata")}-value`;
    await client.register(subject, avroInfo(USER, { metadata: { properties: { major: "1" } } }));
    await client.register(subject, avroInfo(USER_WITH_EMAIL, { metadata: { properties: { major: "2" } } }));

    const found = await client.getLatestWithMetadata(subject, { major: "1" });

    assert.equal(found.version, 1);
    assert.deepEqual(found.metadata, { properties: { major: "1" } });
    await assert.rejects(client.getLatestWithMetadata(subject, { major: "3" }), { errorCode: 40403 });
  });

  it("normalises on request", async () => {
    const client = newClient();
    const subject = `${unique("normalise")}-value`;
    const spaced = { schemaType: "JSON", schema: '{ "type": "object", "properties": { "b": {}, "a": {} } }' };
    const sorted = { schemaType: "JSON", schema: '{"properties":{"a":{},"b":{}},"type":"object"}' };

    const id = await client.register(subject, spaced, true);

    assert.equal(await client.getId(subject, sorted, true), id);
  });

  it("requests each schema once", async () => {
    const proxy = await countingProxy(url);
    const client = newClient(proxy.url);
    const subject = `${unique("cache")}-value`;
    const id = await client.register(subject, avroInfo(USER));
    for (let read = 0; read < 5; read += 1) {
      await client.register(subject, avroInfo(USER));
      await client.getBySubjectAndId(subject, id);
      await client.getId(subject, avroInfo(USER));
    }
    await proxy.close();

    assert.ok(proxy.requests.length <= 3, proxy.requests.join("\n"));
  });
});

describe("Avro serde", () => {
  it("round-trips a message, with the id in front", async () => {
    const client = newClient();
    const topic = unique("avro");
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { autoRegisterSchemas: true });
    const info = avroInfo(USER);
    await client.register(`${topic}-value`, info);
    const latest = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true });

    const bytes = await latest.serialize(topic, { name: "Ada", age: 36 });
    const read = await new AvroDeserializer(newClient(), SerdeType.VALUE, {}).deserialize(topic, bytes);

    assert.equal(bytes[0], 0);
    assert.deepEqual({ ...read }, { name: "Ada", age: 36 });
    serializer.close();
  });

  it("registers a schema by itself", async () => {
    const topic = unique("avro-auto");
    const serializer = new AvroSerializer(newClient(), SerdeType.VALUE, { autoRegisterSchemas: true });

    const bytes = await serializer.serialize(topic, { flag: true, text: "x" });
    const read = await new AvroDeserializer(newClient(), SerdeType.VALUE, {}).deserialize(topic, bytes);

    assert.deepEqual({ ...read }, { flag: true, text: "x" });
  });

  it("resolves references", async () => {
    const client = newClient();
    const topic = unique("avro-reference");
    const address = {
      type: "record",
      name: "Address",
      namespace: "com.example",
      fields: [{ name: "city", type: "string" }],
    };
    const person = {
      type: "record",
      name: "Person",
      namespace: "com.example",
      fields: [{ name: "home", type: "com.example.Address" }],
    };
    await client.register(`${topic}-address`, avroInfo(address));
    const references = [{ name: "com.example.Address", subject: `${topic}-address`, version: 1 }];
    await client.register(`${topic}-value`, avroInfo(person, { references }));
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true });

    const bytes = await serializer.serialize(topic, { home: { city: "Paris" } });
    const read = await new AvroDeserializer(newClient(), SerdeType.VALUE, {}).deserialize(topic, bytes);

    assert.equal(read.home.city, "Paris");
  });

  it("sends the guid in a header", async () => {
    const client = newClient();
    const topic = unique("avro-header");
    await client.register(`${topic}-value`, avroInfo(USER));
    const serializer = new AvroSerializer(client, SerdeType.VALUE, {
      useLatestVersion: true,
      schemaIdSerializer: HeaderSchemaIdSerializer,
    });
    const headers = {};

    const bytes = await serializer.serialize(topic, { name: "Ada", age: 36 }, headers);
    const read = await new AvroDeserializer(newClient(), SerdeType.VALUE, {}).deserialize(topic, bytes, headers);

    assert.equal(headers.__value_schema_id[0], 1);
    assert.equal(headers.__value_schema_id.length, 17);
    assert.equal(read.name, "Ada");
  });
});

describe("JSON Schema serde", () => {
  it("round-trips a message and refuses an invalid one", async () => {
    const client = newClient();
    const topic = unique("json");
    const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    await client.register(`${topic}-value`, { schemaType: "JSON", schema: JSON.stringify(schema) });
    const serializer = new JsonSerializer(client, SerdeType.VALUE, { useLatestVersion: true, validate: true });

    const bytes = await serializer.serialize(topic, { name: "Ada" });
    const read = await new JsonDeserializer(newClient(), SerdeType.VALUE, {}).deserialize(topic, bytes);

    assert.deepEqual(read, { name: "Ada" });
    await assert.rejects(serializer.serialize(topic, { name: 1 }));
  });
});

describe("Protobuf serde", () => {
  const file = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        create(FileDescriptorProtoSchema, {
          name: "author.proto",
          package: "com.example",
          syntax: "proto3",
          messageType: [
            { name: "Other", field: [{ name: "n", number: 1, type: 5, label: 1, jsonName: "n" }] },
            {
              name: "Author",
              field: [
                { name: "name", number: 1, type: 9, label: 1, jsonName: "name" },
                { name: "works", number: 2, type: 9, label: 3, jsonName: "works" },
              ],
            },
          ],
        }),
      ],
    }),
  );

  it("round-trips a message with its place in the file", async () => {
    const topic = unique("protobuf");
    const serializer = new ProtobufSerializer(newClient(), SerdeType.VALUE, {
      autoRegisterSchemas: true,
      registry: createMutableRegistry(...file),
    });
    const author = file.getMessage("com.example.Author");

    const bytes = await serializer.serialize(topic, create(author, { name: "Ada", works: ["Notes"] }));
    const read = await new ProtobufDeserializer(newClient(), SerdeType.VALUE, {}).deserialize(topic, bytes);

    assert.equal(read.name, "Ada");
    assert.deepEqual(read.works, ["Notes"]);
    const stored = await newClient().getLatestSchemaMetadata(`${topic}-value`);
    assert.match(stored.schema, /message Author/);
  });
});

describe("data contracts", () => {
  const rules = new RuleRegistry();
  rules.registerExecutor(new CelExecutor());
  rules.registerExecutor(new CelFieldExecutor());
  rules.registerExecutor(new JsonataExecutor());

  it("brings conditions and transforms to the writer", async () => {
    const client = newClient();
    const topic = unique("rules");
    const ruleSet = {
      domainRules: [
        { name: "adult", kind: "CONDITION", type: "CEL", mode: "WRITE", expr: "message.age >= 18" },
        {
          name: "shout",
          kind: "TRANSFORM",
          type: "CEL_FIELD",
          mode: "WRITE",
          expr: "typeName == 'STRING' ; value + '!'",
        },
      ],
    };
    await client.register(`${topic}-value`, avroInfo(USER, { ruleSet }));
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true }, rules);

    const bytes = await serializer.serialize(topic, { name: "Ada", age: 36 });
    const read = await new AvroDeserializer(newClient(), SerdeType.VALUE, {}, rules).deserialize(topic, bytes);

    assert.equal(read.name, "Ada!");
    await assert.rejects(serializer.serialize(topic, { name: "Bo", age: 3 }));
  });

  it("migrates between versions", async () => {
    const client = newClient();
    const topic = unique("migration");
    const subject = `${topic}-value`;
    await client.updateConfig(subject, { compatibilityGroup: "major" });
    const renamed = { ...USER, fields: [{ name: "title", type: "string" }, USER.fields[1]] };
    const ruleSet = {
      migrationRules: [
        {
          name: "up",
          kind: "TRANSFORM",
          type: "JSONATA",
          mode: "UPGRADE",
          expr: "$merge([$sift($, function($v, $k) {$k != 'name'}), {'title': $.'name'}])",
        },
      ],
    };
    await client.register(subject, avroInfo(USER, { metadata: { properties: { major: "1" } } }));
    await client.register(subject, avroInfo(renamed, { metadata: { properties: { major: "2" } }, ruleSet }));
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestWithMetadata: { major: "1" } }, rules);
    const deserializer = new AvroDeserializer(
      newClient(),
      SerdeType.VALUE,
      { useLatestWithMetadata: { major: "2" } },
      rules,
    );

    const bytes = await serializer.serialize(topic, { name: "Ada", age: 36 });
    const read = await deserializer.deserialize(topic, bytes);

    assert.equal(read.title, "Ada");
  });
});

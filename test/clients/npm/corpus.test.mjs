// Messages of real schemas through a real serializer, against the registry at REGISTRY_URL; skipped if the corpus is
// absent.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { create, createFileRegistry, createMutableRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_timestamp,
} from "@bufbuild/protobuf/wkt";
import clients from "@confluentinc/schemaregistry";
import avsc from "avsc";
import { unique, url } from "./registry.mjs";

const { SchemaRegistryClient, SerdeType } = clients;

const HISTORIES = fileURLToPath(new URL("../../../../shared/corpus/histories", import.meta.url));
const histories = (existsSync(HISTORIES) ? readdirSync(HISTORIES) : [])
  .map((name) => JSON.parse(readFileSync(join(HISTORIES, name, "meta.json"), "utf8")))
  .map(({ name, format, versions }) => ({
    name,
    format,
    texts: versions
      .filter(({ registers, same_as: repeats }) => registers === "yes" && !repeats)
      .map(({ file }) => readFileSync(join(HISTORIES, name, file), "utf8")),
  }))
  .filter(({ texts }) => texts.length > 0);

const newClient = () => SchemaRegistryClient.newClient({ baseURLs: [url] });
const LATEST = { useLatestVersion: true };

/** By schema type: the message for a text, and how it is written and read. */
const SERDES = {
  AVRO: (client, text) => ({
    message: sampleOf(avsc.Type.forSchema(JSON.parse(text), { registry: {} }), 0),
    serializer: new clients.AvroSerializer(client, SerdeType.VALUE, LATEST),
    deserializer: new clients.AvroDeserializer(newClient(), SerdeType.VALUE, {}),
  }),
  JSON: (client) => ({
    message: { any: ["value", 1] },
    serializer: new clients.JsonSerializer(client, SerdeType.VALUE, { ...LATEST, validate: false }),
    deserializer: new clients.JsonDeserializer(newClient(), SerdeType.VALUE, { validate: false }),
  }),
  PROTOBUF: async (client, _text, subject) => {
    const { schema } = await client.getLatestSchemaMetadata(subject, "serialized");
    const descriptor = fromBinary(FileDescriptorProtoSchema, Buffer.from(schema, "base64"));
    const known = [file_google_protobuf_any, file_google_protobuf_timestamp].map(({ proto }) => proto);
    const files = createFileRegistry(create(FileDescriptorSetSchema, { file: [...known, descriptor] }));
    const type = [...files].find(({ kind, file }) => kind === "message" && file.proto.name === descriptor.name);
    return {
      message: create(type),
      serializer: new clients.ProtobufSerializer(client, SerdeType.VALUE, {
        ...LATEST,
        registry: createMutableRegistry(...files),
      }),
      deserializer: new clients.ProtobufDeserializer(newClient(), SerdeType.VALUE, {}),
    };
  },
};

describe("messages of real schemas", { skip: histories.length === 0 && "no corpus beside the project" }, () => {
  for (const { name, format, texts } of histories) {
    it(`${name} (${format}) come back as they were`, async () => {
      const topic = unique(name);
      const subject = `${topic}-value`;
      const client = newClient();
      await client.updateCompatibility(subject, "NONE");
      for (const schema of texts) {
        await client.register(subject, { schemaType: format, schema });
        client.clearLatestCaches();
        const { message, serializer, deserializer } = await SERDES[format](client, schema, subject);

        const bytes = await serializer.serialize(topic, message);
        const read = await deserializer.deserialize(topic, bytes);

        assert.deepEqual(plain(read), plain(message));
      }
    });
  }
});

/** Lists and maps hold one item, except deep inside, where schemas may repeat themselves; unions take their last branch. */
function sampleOf(type, depth) {
  const isDeep = depth > 6;
  const name = type.typeName;
  if (name === "record" || name === "error") {
    return Object.fromEntries(type.fields.map((field) => [field.name, sampleOf(field.type, depth + 1)]));
  }
  if (name === "array") return isDeep ? [] : [sampleOf(type.itemsType, depth + 1)];
  if (name === "map") return isDeep ? {} : { key: sampleOf(type.valuesType, depth + 1) };
  if (name.startsWith("union")) {
    const branch = type.types.at(isDeep ? 0 : -1);
    const sample = sampleOf(branch, depth + 1);
    // Branches that JavaScript cannot distinguish are named.
    return name === "union:wrapped" && sample !== null ? { [branch.branchName]: sample } : sample;
  }
  if (name === "enum") return type.symbols.at(-1);
  if (name === "fixed") return Buffer.alloc(type.size, 7);
  const values = {
    null: null,
    boolean: true,
    int: 7,
    long: 7,
    float: 1.5,
    double: 2.5,
    bytes: Buffer.of(1, 2),
    string: "text",
  };
  return values[name];
}

function plain(value) {
  return JSON.parse(JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? String(item) : item)));
}

// Both npm clients with Basic credentials, against the registry at GUARDED_REGISTRY_URL, which requires them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import confluent from "@confluentinc/schemaregistry";
import kafkajs from "@kafkajs/confluent-schema-registry";
import { guardedRegistry, unique } from "./registry.mjs";

const guarded = guardedRegistry();
const schema = JSON.stringify({ type: "record", name: "User", fields: [{ name: "name", type: "string" }] });

const CLIENTS = {
  "@confluentinc/schemaregistry": (password) => {
    const userInfo = `${guarded.username}:${password}`;
    const client = confluent.SchemaRegistryClient.newClient({
      baseURLs: [guarded.url],
      basicAuthCredentials: { credentialsSource: "USER_INFO", userInfo },
      maxRetries: 0,
    });
    return {
      register: (subject) => client.register(subject, { schemaType: "AVRO", schema }),
      readLatest: async (subject) => (await client.getLatestSchemaMetadata(subject)).id,
    };
  },
  "@kafkajs/confluent-schema-registry": (password) => {
    const client = new kafkajs.SchemaRegistry({
      host: guarded.url,
      auth: { username: guarded.username, password },
      retry: { maxRetryTimeInSecs: 1, initialRetryTimeInSecs: 0.1, factor: 1, multiplier: 1, retries: 0 },
    });
    return {
      register: async (subject) => (await client.register({ type: kafkajs.SchemaType.AVRO, schema }, { subject })).id,
      readLatest: (subject) => client.getLatestSchemaId(subject),
    };
  },
};

describe("with Basic credentials", { skip: guarded === undefined && "no registry that asks for credentials" }, () => {
  for (const [name, open] of Object.entries(CLIENTS)) {
    it(`${name} registers and reads`, async () => {
      const subject = `${unique("basic")}-value`;

      const id = await open(guarded.password).register(subject);

      assert.equal(await open(guarded.password).readLatest(subject), id);
    });

    it(`${name} is refused with another secret`, async () => {
      const refused = open("0".repeat(64)).readLatest("orders");

      await assert.rejects(refused, (error) => {
        assert.match(`${error.status} ${error.response?.status} ${error.message}`, /401|Unauthorized/);
        return true;
      });
    });
  }
});

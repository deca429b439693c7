import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { MAX_NATIVE_PART_BYTES, MAX_TOGETHER_BYTES } from "../../../../durable-objects/primary/decide/bounds.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { MAX_KV_DELETES } from "../../../../workers/read-path/content.ts";
import { openRegistry } from "../../confluent/calls.ts";
import { avroRecord, type ProblemBody, plainRegistry } from "../../http/native-calls.ts";

/** A value of this many bytes of JSON once `wrap` has put a text into it. */
function sized<T>(bytes: number, wrap: (text: string) => T): T {
  return wrap("x".repeat(bytes - JSON.stringify(wrap("")).length));
}

const properties = (value: string) => ({ properties: { note: value } });
/** The registry stores it under a name that is one character shorter. */
const documented = (doc: string) => ({
  domain_rules: [{ name: "r", kind: "CONDITION", mode: "WRITE", type: "CEL", doc }],
});

describe("POST /schemas", () => {
  it.each([
    ["/contract/metadata", (bytes: number) => ({ contract: { metadata: sized(bytes, properties) } })],
    ["/contract/rule_set", (bytes: number) => ({ contract: { rule_set: sized(bytes + 1, documented) } })],
    ["/metadata", (bytes: number) => ({ metadata: sized(bytes, (note) => ({ note })) })],
  ])("accepts %s up to its limit and refuses one more byte, with the location", async (pointer, more) => {
    const registry = plainRegistry();
    const register = (bytes: number) =>
      registry.call("POST", "/schemas", {
        body: { subject: "s", format: "avro", content: avroRecord("id"), ...more(bytes) },
      });
    const before = await registry.lastSeq();

    const refused = await register(MAX_NATIVE_PART_BYTES + 1);
    const after = await registry.lastSeq();
    const kept = await register(MAX_NATIVE_PART_BYTES);

    expect(refused.status, refused.text).toBe(422);
    expect((refused.body as ProblemBody).errors).toMatchObject([{ pointer, rule: "maxBytes" }]);
    expect(after).toBe(before);
    expect(kept.status, kept.text).toBe(201);
  });
});

describe("PATCH /schemas/{id}", () => {
  it("refuses free metadata beyond its limit, with the location", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("s", avroRecord("id"));
    const patch = (bytes: number) =>
      registry.call("PATCH", `/schemas/${id}`, { body: { metadata: sized(bytes, (note) => ({ note })) } });

    const refused = await patch(MAX_NATIVE_PART_BYTES + 1);
    const kept = await patch(MAX_NATIVE_PART_BYTES);

    expect(refused.status, refused.text).toBe(422);
    expect((refused.body as ProblemBody).errors).toMatchObject([{ pointer: "/metadata" }]);
    expect(kept.status, kept.text).toBe(200);
  });
});

describe("the Confluent API", () => {
  const schema = JSON.stringify(avroRecord("id"));

  it("accepts metadata and rules up to their common limit, and refuses one more byte", async () => {
    const registry = openRegistry();
    const post = (bytes: number) =>
      registry.post("/subjects/s/versions", { schema, metadata: sized(bytes, properties) });

    const refused = await post(MAX_TOGETHER_BYTES + 1);
    const kept = await post(MAX_TOGETHER_BYTES);

    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ message: expect.stringContaining("Metadata") });
    expect(kept.status, kept.text).toBe(200);
  });

  it("accepts a config up to its limit, and refuses one more byte, even if another call set the rest", async () => {
    const registry = openRegistry();
    const put = (bytes: number) =>
      registry.put(
        "/config/s",
        sized(bytes, (alias) => ({ alias })),
      );

    const refused = await put(MAX_TOGETHER_BYTES + 1);
    const kept = await put(MAX_TOGETHER_BYTES);
    const grown = await registry.put("/config/s", { compatibilityGroup: "g" });

    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ message: expect.stringContaining("alias") });
    expect(kept.status, kept.text).toBe(200);
    expect(grown.status).toBe(422);
  });

  it("refuses a version that the configured metadata would make too large", async () => {
    const registry = openRegistry();
    await registry.put("/config/s", { defaultMetadata: sized(MAX_TOGETHER_BYTES - 100, properties) });

    const refused = await registry.post("/subjects/s/versions", {
      schema,
      metadata: { properties: { other: "x".repeat(1_000) } },
    });

    expect(refused.status).toBe(422);
  });
});

describe("DELETE /subjects/{subject}?permanent=true", () => {
  it("deletes at most the limit of keys from KV, and does not serve the remaining ones", async () => {
    let deletes = 0;
    const { CACHE } = env as unknown as Bindings;
    const counting = new Proxy(CACHE, {
      get(target, name) {
        if (name === "delete") deletes += 1;
        const value = Reflect.get(target, name) as unknown;
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const registry = plainRegistry({ vars: { CACHE: counting } });
    const ids: string[] = [];
    for (let n = 0; n < MAX_KV_DELETES + 10; n += 1) {
      ids.push((await registry.register("s", avroRecord("id", ...Array.from({ length: n }, (_, at) => `f${at}?`)))).id);
    }
    await registry.call("DELETE", "/subjects/s");
    deletes = 0;

    const gone = await registry.call("DELETE", "/subjects/s?permanent=true");
    await registry.platform.settled();
    const deletesOfIt = deletes;
    const statuses = await Promise.all(ids.map(async (id) => (await registry.get(`/schemas/${id}/content`)).status));

    expect(gone.status).toBeLessThan(300);
    expect(deletesOfIt).toBe(MAX_KV_DELETES);
    expect(new Set(statuses)).toEqual(new Set([404]));
  });
});

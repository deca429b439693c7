import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFirstKey, makeHashKey } from "../../scripts/access-vars.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";
import { FOLLOWS_WITHIN_MS } from "./searching.ts";

type Found = { items: { record: { subject: string } }[]; total: number; total_relation: string };

describe("search for a caller whose grant has a condition on the schema", () => {
  const state = temporaryState();
  const hashKey = makeHashKey();
  const { key: admin, kept } = makeFirstKey(hashKey);
  let registry: RegistryProcess;

  const call = async (method: string, path: string, key: string, body?: object) => {
    const headers = { "X-API-Key": key, ...(body && { "Content-Type": "application/json" }) };
    const response = await fetch(`${registry.url}/api/v1${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  beforeAll(async () => {
    const env = { AUTH: "required", ACCESS_HASH_KEY: hashKey, FIRST_ADMINISTRATOR_KEY: kept };
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir, env });
    await registry.ready();
  });

  afterAll(async () => {
    await registry?.kill();
    state.remove();
  });

  it("neither lists nor counts what the condition hides", async () => {
    for (const [subject, tags] of [
      ["address-open", []],
      ["address-secret", ["pii"]],
      ["address-hidden", ["pii"]],
    ] as const) {
      const content = { type: "record", name: subject.replace("-", "_"), fields: [{ name: "street", type: "string" }] };
      const made = await call("POST", "/schemas", admin, { subject, format: "avro", content, tags });
      expect(made.status).toBe(201);
    }
    const condition = "!schema.tags.exists(tag, tag == 'pii')";
    const { body } = await call("POST", "/keys", admin, { name: "narrow", grants: [{ role: "reader", condition }] });
    const search = async (key: string) => (await call("GET", "/search?q=address", key)).body as Found;

    expect(await eventually(async () => (await search(admin)).total === 3, FOLLOWS_WITHIN_MS)).toBe(true);
    const narrow = await search(body.key as string);

    expect(narrow.items.map(({ record }) => record.subject)).toEqual(["address-open"]);
    expect(narrow).toMatchObject({ total: 1, total_relation: "gte" });
  });
});

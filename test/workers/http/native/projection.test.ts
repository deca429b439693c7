import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { MAX_PROJECTABLE_SCHEMAS } from "../../../../workers/registry/projection/projectable.ts";
import { plainPlatform } from "../../../support/platform.ts";
import { plainRegistry, Registry, WAYS } from "../native-calls.ts";

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city"],
};
const TOOL = { name: "weather", description: "Looks", inputSchema: SCHEMA };

async function ask(registry: Registry, path: string, body: unknown, expected = 200) {
  const { status, body: answer, text } = await registry.call("POST", path, { body });
  expect(status, text).toBe(expected);
  return answer as Record<string, unknown>;
}

describe.each(WAYS)("projections on the $name platform", ({ open }) => {
  it("projects a registered version, with the request and the decoder", async () => {
    const registry = open();
    const record = await registry.register("weather", SCHEMA, { format: "json-schema" });

    const { status, body } = await registry.get(
      `/schemas/${record.id}/project/openai-strict?shape=openai-responses-text-format`,
    );

    expect(status).toBe(200);
    expect(body).toMatchObject({
      profile: "openai-strict@2026-11",
      loss: "lossless",
      shape: "openai-responses-text-format",
      schema: { required: ["city", "days"], additionalProperties: false },
      fragment: { text: { format: { type: "json_schema", strict: true } } },
      decoder: { root: { op: "object" } },
    });
  });

  it("shows with a record which providers accept it", async () => {
    const registry = open();
    const json = await registry.register("weather", SCHEMA, { format: "json-schema" });
    const avro = await registry.register("avro", "string");
    const portabilityOf = async (id: string) =>
      ((await registry.get(`/schemas/${id}?portability=true`)).body as { portability?: unknown }).portability;

    const shown = await portabilityOf(json.id);

    expect(shown).toMatchObject({ "openai-strict@2026-11": "lossless", "mcp@2026-07": "ready" });
    expect(await portabilityOf(json.id)).toEqual(shown);
    expect(await portabilityOf(avro.id)).toBeUndefined();
  });

  it("lints every tool of a list", async () => {
    const answer = await ask(open(), "/lint", {
      content: { tools: [TOOL, { ...TOOL, name: "other" }] },
      profiles: ["openai", "anthropic-strict", "mcp"],
    });

    expect(answer).toMatchObject({
      schemas: [
        {
          name: "weather",
          pointer: "/tools/0/inputSchema",
          reports: [{ readiness: "lossless" }, { readiness: "lossy" }, { readiness: "ready" }],
        },
        { name: "other", pointer: "/tools/1/inputSchema" },
      ],
    });
  });

  it(`lints ${MAX_PROJECTABLE_SCHEMAS} tools of one list and refuses more`, async () => {
    const registry = open();
    const lint = (count: number, expected: number) => {
      const tools = Array.from({ length: count }, (_, n) => ({ name: `tool_${n}`, inputSchema: { type: "object" } }));
      return ask(registry, "/lint", { content: { tools }, profiles: ["mcp"] }, expected);
    };

    expect((await lint(MAX_PROJECTABLE_SCHEMAS, 200)).schemas).toHaveLength(MAX_PROJECTABLE_SCHEMAS);
    expect(await lint(MAX_PROJECTABLE_SCHEMAS + 1, 422)).toMatchObject({
      detail: expect.stringContaining(`at most ${MAX_PROJECTABLE_SCHEMAS}`),
    });
  });

  it("decodes a provider's response, and distinguishes responses without an answer", async () => {
    const registry = open();
    const decode = (message: object, finish_reason = "stop") =>
      ask(registry, "/decode-answer", {
        content: SCHEMA,
        profile: "openai",
        response: { choices: [{ message, finish_reason }] },
      });

    expect(await decode({ content: '{"city":"Oslo","days":null}' })).toMatchObject({
      api: "openai-chat",
      answers: [{ outcome: "valid", value: { city: "Oslo" } }],
    });
    expect(await decode({ content: '{"city":"Os' }, "length")).toMatchObject({
      answers: [{ outcome: "truncated", value: { city: "Os" } }],
    });
    expect(await decode({ content: null, refusal: "No." })).toMatchObject({ answers: [{ outcome: "refused" }] });
    expect(
      await ask(registry, "/decode-answer", { content: SCHEMA, profile: "openai", answer: { city: 1, days: 2 } }),
    ).toMatchObject({ answers: [{ outcome: "invalid", errors: [{ pointer: "/city" }] }] });
  });

  it.each([
    ["an unknown profile", "/project", { content: SCHEMA, profile: "nobody" }, 422, "/profile"],
    [
      "a shape of another provider",
      "/project?shape=ollama-format",
      { content: SCHEMA, profile: "mcp" },
      400,
      undefined,
    ],
    ["several tools without a pointer", "/project", { content: [TOOL, TOOL], profile: "mcp" }, 422, "/pointer"],
    ["a pointer to nothing", "/project", { content: TOOL, profile: "mcp", pointer: "/nothing" }, 422, "/pointer"],
    [
      "a schema that is none, inside a tool",
      "/project",
      { content: { ...TOOL, inputSchema: { type: "object", properties: { a: { type: "text" } } } }, profile: "mcp" },
      422,
      "/content/inputSchema/properties/a/type",
    ],
    ["a schema that allows nothing", "/project", { content: { not: {} }, profile: "mcp" }, 422, undefined],
    ["neither content nor id", "/lint", {}, 400, undefined],
    ["both content and id", "/lint", { content: SCHEMA, id: "x" }, 400, "/id"],
    ["an id that there is not", "/lint", { id: "0198c0de-0000-7000-8000-000000000000" }, 404, undefined],
    ["neither response nor answer", "/decode-answer", { content: SCHEMA, profile: "mcp" }, 400, "/answer"],
    ["a field that there is not", "/lint", { content: SCHEMA, targets: [] }, 400, "/targets"],
  ])("refuses %s with the location", async (_, path, body, status, pointer) => {
    const answer = await ask(open(), path, body, status);

    if (pointer !== undefined)
      expect(answer.errors).toEqual(expect.arrayContaining([expect.objectContaining({ pointer })]));
  });

  it("refuses to project anything but a JSON Schema", async () => {
    const registry = open();
    const record = await registry.register("avro", { type: "record", name: "R", fields: [] });

    expect((await registry.get(`/schemas/${record.id}/project/openai`)).status).toBe(422);
  });
});

describe("the portability of a version", () => {
  it("is stored, so that another edge does not lint again until the profiles change", async () => {
    const first = plainRegistry();
    const { tenant } = first.platform;
    const { id } = await first.register("weather", SCHEMA, { format: "json-schema" });
    const shownBy = async (registry: Registry) =>
      ((await registry.get(`/schemas/${id}?portability=true`)).body as { portability: Record<string, string> })
        .portability;
    const derived = await shownBy(first);
    await first.platform.settled();
    const store = (env as unknown as { CACHE: KVNamespace }).CACHE;
    const [key] = (await store.list({ prefix: `portability/${tenant}/` })).keys;
    const stored = (await store.get(key!.name, "json")) as { profiles: string; portability: Record<string, string> };
    const other = () => new Registry(plainPlatform({ env: env as unknown as Bindings, tenant }));

    await store.put(key!.name, JSON.stringify({ ...stored, portability: { stored: "ready" } }));
    expect(await shownBy(other())).toEqual({ stored: "ready" });

    await store.put(key!.name, JSON.stringify({ profiles: "earlier", portability: { stored: "ready" } }));
    expect(await shownBy(other())).toEqual(derived);
  });
});

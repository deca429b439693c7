import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import { TOOLS } from "../../../workers/http/mcp/serve.ts";
import { MAX_TOOL_ITEMS } from "../../../workers/http/mcp/tool.ts";
import { MAX_TOOL_ANSWER_BYTES } from "../../../workers/http/mcp/tool-result.ts";
import { type ContractSchema, compileBodyCheck } from "../../../workers/http/request-schema.ts";
import { GuardedRegistry } from "../../support/guarded-registry.ts";

const registry = new GuardedRegistry(env as unknown as Bindings, { CORS_ORIGINS: "https://console.test" });
const MEDIA = { Accept: "application/json, text/event-stream" };
const ORDER = { type: "object", properties: { id: { type: "string" } } };

let reader: string;
let writer: string;

type Result = {
  isError?: boolean;
  content: { type: string; text?: string; uri?: string }[];
  structuredContent?: Record<string, unknown>;
};

async function rpc(key: string | undefined, method: string, params: object, headers: Record<string, string> = {}) {
  const body = { jsonrpc: "2.0", id: 1, method, params };
  const answer = await registry.call("POST", "/mcp", { key, headers: { ...MEDIA, ...headers }, body });
  const data = /^data: (.*)$/m.exec(answer.text)?.[1];
  const message = (data === undefined ? answer.body : JSON.parse(data)) as {
    result?: unknown;
    error?: { message: string };
  };
  return { ...answer, ...message };
}

async function callTool(key: string, name: string, args: object): Promise<Result> {
  const { result, error } = await rpc(key, "tools/call", { name, arguments: args });
  if (error !== undefined) throw new Error(error.message);
  return result as Result;
}

const GREETING = "support.greeting";
const PROMPT = {
  description: "Greets.",
  syntax: "mustache",
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hello {{name}}{{#count}}, {{count}} times{{/count}}" },
  ],
  variables: {
    type: "object",
    properties: { name: { type: "string", description: "Whom to greet." }, count: { type: "integer" } },
    required: ["name"],
  },
};

async function register(subject: string, content: unknown, key = registry.admin, format = "json-schema") {
  const body = { subject, format, content };
  const { status, text } = await registry.call("POST", "/api/v1/schemas", { key, body });
  expect(status, text).toBe(201);
}

beforeAll(async () => {
  reader = await registry.makeKey([{ role: "reader", subject_prefix: "shop." }]);
  writer = await registry.makeKey([{ role: "developer" }]);
  await register("shop.orders", ORDER);
  await register("secret.plans", ORDER);
  await register(GREETING, PROMPT, registry.admin, "prompt");
});

describe("POST /mcp", () => {
  it("refuses a caller without a credential", async () => {
    expect(await rpc(undefined, "tools/list", {})).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  });

  it.each(["GET", "DELETE"])("answers %s with 405, because there are no sessions", async (method) => {
    expect(await registry.call(method, "/mcp", { key: registry.admin, headers: MEDIA })).toMatchObject({
      status: 405,
      body: { code: "method_not_allowed" },
    });
  });

  it("refuses pages of other sites, and serves its own and the listed ones", async () => {
    const from = (origin: string) => rpc(reader, "tools/list", {}, { Origin: origin });

    expect((await from("https://elsewhere.test")).status).toBe(403);
    expect((await from("https://registry.test")).status).toBe(200);
    const listed = await from("https://console.test");
    expect(listed.headers.get("Access-Control-Allow-Origin")).toBe("https://console.test");
  });

  it("refuses a body above the API's limit", async () => {
    const { status } = await rpc(reader, "tools/list", { filler: "x".repeat(4 * 1024 * 1024) });

    expect(status).toBe(413);
  });

  it("counts every message of a batch as a request", async () => {
    const key = await registry.makeKey([{ role: "reader" }], { requests_per_minute: 10 });
    const batch = Array.from({ length: 9 }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping", params: {} }));
    const send = () => registry.call("POST", "/mcp", { key, headers: MEDIA, body: batch });

    const first = await send();
    const alone = await rpc(key, "ping", {});
    const refused = await send();

    expect([first.status, first.headers.get("X-RateLimit-Remaining")]).toEqual([200, "1"]);
    expect([alone.status, alone.headers.get("X-RateLimit-Remaining")]).toEqual([200, "0"]);
    expect(refused).toMatchObject({ status: 429, body: { code: "rate_limited" } });
  });

  it("lists no tool that the credential may not use", async () => {
    const names = async (key: string) =>
      ((await rpc(key, "tools/list", {})).result as { tools: { name: string }[] }).tools.map(({ name }) => name);

    expect(await names(reader)).not.toContain("register_schema");
    expect(await names(writer)).toEqual(TOOLS.map(({ name }) => name));
  });

  it("refuses a tool that is not listed as the protocol does", async () => {
    const { error } = await rpc(reader, "tools/call", { name: "register_schema", arguments: {} });

    expect(error?.message).toContain("There is no tool register_schema");
  });

  it("does not show a subject that is not the caller's to see", async () => {
    const hidden = await callTool(reader, "get_schema", { subject: "secret.plans" });
    const missing = await callTool(reader, "get_schema", { subject: "secret.plums" });
    const { result } = await rpc(reader, "completion/complete", {
      ref: { type: "ref/resource", uri: "schema://{subject}/{version}" },
      argument: { name: "subject", value: "" },
    });

    expect(hidden.isError).toBe(true);
    expect(hidden.content[0]?.text?.replace("plans", "plums")).toBe(missing.content[0]?.text);
    const { values } = (result as { completion: { values: string[] } }).completion;
    expect(values).toContain("shop.orders");
    expect(values).not.toContain("secret.plans");
  });

  it("says where arguments are wrong", async () => {
    const list = (limit: number) => callTool(reader, "list_versions", { subject: "shop.orders", limit });

    expect((await list(MAX_TOOL_ITEMS)).isError).toBeUndefined();
    expect(await list(MAX_TOOL_ITEMS + 1)).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("/limit") }],
    });
  });

  it("keeps answers within a bound, and links to the whole schema", async () => {
    const wide = { type: "object", description: "x".repeat(MAX_TOOL_ANSWER_BYTES) };
    await register("shop.wide", wide);

    const result = await callTool(reader, "get_schema", { subject: "shop.wide" });

    expect(JSON.stringify(result.structuredContent).length).toBeLessThanOrEqual(MAX_TOOL_ANSWER_BYTES);
    expect(result.structuredContent).toMatchObject({ truncated: true });
    expect(result.content[1]).toMatchObject({ type: "resource_link", uri: "schema://shop.wide/1" });
    const { result: read } = await rpc(reader, "resources/read", { uri: "schema://shop.wide/1" });
    expect(read).toMatchObject({ contents: [{ text: JSON.stringify(wide) }] });
  });

  it("gives the whole schema up to that bound", async () => {
    await register("shop.fitting", { type: "object", description: "x".repeat(MAX_TOOL_ANSWER_BYTES - 2_000) });

    const result = await callTool(reader, "get_schema", { subject: "shop.fitting" });

    expect(result.structuredContent).not.toHaveProperty("truncated");
    expect(result.content).toHaveLength(1);
  });

  it("completes at most a hundred subjects, in the order of their names", async () => {
    for (let n = 0; n < 101; n += 1) await register(`many.${String(n).padStart(3, "0")}`, ORDER);

    const { result } = await rpc(registry.admin, "completion/complete", {
      ref: { type: "ref/resource", uri: "schema://{subject}/{version}" },
      argument: { name: "subject", value: "many." },
    });
    const { values, hasMore } = (result as { completion: { values: string[]; hasMore: boolean } }).completion;

    expect(values).toHaveLength(100);
    expect(values).toEqual(values.toSorted());
    expect(hasMore).toBe(true);
  });
});

describe("the prompts", () => {
  it("are the newest versions that the caller may see, with their variables", async () => {
    const listed = async (key: string) =>
      ((await rpc(key, "prompts/list", {})).result as { prompts: object[] }).prompts;

    expect(await listed(writer)).toEqual([
      {
        name: GREETING,
        description: "Greets.",
        arguments: [
          { name: "name", description: "Whom to greet.", required: true },
          { name: "count", required: false },
        ],
      },
    ]);
    expect(await listed(reader)).toEqual([]);
  });

  it("are listed in the version that prompts/get renders", async () => {
    const { admin } = await registry.makeTenant();
    const prompt = (word: string) => ({
      description: `Says ${word}.`,
      syntax: "mustache",
      messages: [{ role: "user", content: word }],
    });
    await register("b.second", prompt("hello"), admin, "prompt");
    await register("a.first", prompt("hi"), admin, "prompt");
    await register("b.second", prompt("good morning"), admin, "prompt");

    const { result } = await rpc(admin, "prompts/list", {});

    expect((result as { prompts: object[] }).prompts).toEqual([
      { name: "a.first", description: "Says hi.", arguments: [] },
      { name: "b.second", description: "Says good morning.", arguments: [] },
    ]);
  });

  it("need the permission to read", async () => {
    const body = { permissions: ["compatibility:check"] };
    await registry.call("PUT", "/api/v1/roles/checker", { key: registry.admin, body });
    const key = await registry.makeKey([{ role: "checker" }]);

    expect((await rpc(key, "prompts/list", {})).error?.message).toMatch(/^forbidden: .*schema:read/);
  });

  it("are rendered, with variables that are not text read as JSON", async () => {
    const { result } = await rpc(writer, "prompts/get", { name: GREETING, arguments: { name: "42", count: "2" } });

    expect(result).toMatchObject({
      messages: [
        { role: "user", content: { type: "text", text: "Be brief." } },
        { role: "user", content: { type: "text", text: "Hello 42, 2 times" } },
      ],
    });
  });

  it("refuse what the prompt refuses, and a prompt that is not the caller's to see", async () => {
    const refusal = async (key: string, params: object) => (await rpc(key, "prompts/get", params)).error?.message;

    expect(await refusal(writer, { name: GREETING, arguments: { name: "Ada", count: "many" } })).toContain("variables");
    expect(await refusal(writer, { name: "not.there" })).toContain("not.there");
    expect(await refusal(reader, { name: GREETING, arguments: { name: "Ada" } })).toContain(GREETING);
  });
});

describe("the tools", () => {
  it.each(TOOLS)("$name has a name that every model provider takes, and says what it is for", (tool) => {
    expect(tool.name).toMatch(/^[a-z][a-z_]{2,39}$/);
    expect(tool.description.split(". ").length).toBeGreaterThan(1);
    for (const [name, argument] of Object.entries(tool.inputSchema.properties as Record<string, ContractSchema>)) {
      expect(argument.description, name).toBeTypeOf("string");
    }
  });

  it.each(TOOLS)("$name: its own schemas are registered in a registry", async ({ name, inputSchema, outputSchema }) => {
    for (const [subject, content, role] of [
      [`tools.${name}`, inputSchema, "tool_input"],
      [`tools.${name}.output`, outputSchema, "data"],
    ] as const) {
      const body = { subject, format: "json-schema", content, role };
      const { status, text } = await registry.call("POST", "/api/v1/schemas", { key: registry.admin, body });

      expect(status, text).toBe(201);
    }
  });

  it("give answers that keep to their output schemas", async () => {
    const narrower = { ...ORDER, required: ["id"] };
    const subject = "shop.orders";
    const answers: Record<string, object> = {
      get_schema: { subject },
      list_versions: { subject },
      diff_versions: { subject, from: "1" },
      check_compatibility: { subject, schema: narrower },
      suggest_compatible_change: { subject, schema: narrower },
      validate_data: { subject, data: { id: 1 } },
      lint_schema: { schema: narrower },
      project_schema: { schema: narrower, profile: "openai" },
      register_schema: { subject: "shop.made", format: "json-schema", schema: narrower },
      render_prompt: { subject: GREETING, variables: { name: "Ada", count: 2 } },
      verify_tools: { tools: [{ name: "find", inputSchema: { type: "object" } }] },
    };
    for (const tool of TOOLS) {
      const args = answers[tool.name];
      if (args === undefined) continue;
      const check = compileBodyCheck(tool.outputSchema, tool.outputSchema.$defs as Record<string, unknown>);

      const { structuredContent, content } = await callTool(writer, tool.name, args);

      expect(check(structuredContent), tool.name).toEqual([]);
      expect(JSON.parse(content[0]!.text!)).toEqual(structuredContent);
    }
  });
});

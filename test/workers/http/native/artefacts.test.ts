import { describe, expect, it } from "vitest";
import { type Registry, WAYS } from "../native-calls.ts";

const PROMPT = {
  syntax: "mustache",
  messages: [
    { role: "system", content: "Answer in {{language}}." },
    { role: "user", content: "{{question}}" },
  ],
  variables: {
    type: "object",
    properties: { language: { type: "string", default: "English" }, question: { type: "string" } },
    required: ["question"],
  },
  output: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] },
  model: { name: "small" },
};
const SEARCH = {
  name: "search",
  description: "Finds issues.",
  inputSchema: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};
const CLOSE = { name: "close", inputSchema: { type: "object", properties: { issue: { type: "integer" } } } };

const renamed = (from: string, to: string, content: object) =>
  JSON.parse(JSON.stringify(content).replaceAll(from, to)) as object;

async function withPrompt(registry: Registry): Promise<Registry> {
  await registry.register("prompts.answer", PROMPT, { format: "prompt" });
  return registry;
}

async function withTools(registry: Registry): Promise<Registry> {
  for (const tool of [SEARCH, CLOSE]) await registry.register(`mcp.${tool.name}`, tool, { format: "tool" });
  return registry;
}

describe.each(WAYS)("POST /prompts/render on the $name platform", ({ open }) => {
  const render = (registry: Registry, body: object) => registry.call("POST", "/prompts/render", { body });

  it("answers the messages, with defaults and the version they come from", async () => {
    const registry = await withPrompt(open());

    const { status, body } = await render(registry, {
      subject: "prompts.answer",
      variables: { question: "Why {{language}}?" },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      stamp: { subject: "prompts.answer", version: "1.0.0", version_number: 1 },
      messages: [
        { role: "system", content: "Answer in English." },
        { role: "user", content: "Why {{language}}?" },
      ],
      model: { name: "small" },
      tools: [],
    });
  });

  it("projects the output for a model provider", async () => {
    const registry = await withPrompt(open());
    const variables = { question: "Why?" };

    const { body } = await render(registry, {
      subject: "prompts.answer",
      version: "^1",
      variables,
      profile: "openai-strict",
    });

    expect(body).toMatchObject({
      output: { schema: { additionalProperties: false }, fragment: expect.any(Object), decoder: expect.any(Object) },
    });
  });

  it.each([
    ["a missing variable", { variables: {} }, "/variables"],
    ["a variable of another type", { variables: { question: 1 } }, "/variables/question"],
    ["an unknown profile", { variables: { question: "" }, profile: "nobody" }, "/profile"],
  ])("refuses %s, with its place", async (_, body, pointer) => {
    const registry = await withPrompt(open());

    const refused = await render(registry, { subject: "prompts.answer", ...body });

    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ errors: [{ pointer }] });
  });

  it("refuses what is not a prompt, and a subject that does not exist", async () => {
    const registry = await withTools(open());

    expect((await render(registry, { subject: "mcp.search", variables: {} })).status).toBe(422);
    expect((await render(registry, { subject: "absent", variables: {} })).status).toBe(404);
    expect((await render(registry, { variables: {} })).status).toBe(400);
  });
});

describe.each(WAYS)("POST /tools/verify on the $name platform", ({ open }) => {
  const verify = (registry: Registry, tools: unknown[]) =>
    registry.call("POST", "/tools/verify", { body: { subject_prefix: "mcp.", tools } });

  it("finds the tools of an unchanged server unchanged, however they are written", async () => {
    const registry = await withTools(open());
    const { inputSchema, ...rest } = SEARCH;

    const { body } = await verify(registry, [CLOSE, { inputSchema, ...rest }]);

    expect(body).toMatchObject({ unchanged: true, tools: [{ status: "unchanged" }, { status: "unchanged" }] });
  });

  it("classifies changes, and reports unknown, missing, renamed and invalid tools", async () => {
    const registry = await withTools(open());
    const described = { ...SEARCH, description: "Finds issues. Call it first." };
    const tools = [described, { ...CLOSE, name: "shut" }, { name: "other", inputSchema: {} }, { name: "broken" }];

    const { body } = await verify(registry, tools);

    expect(body).toMatchObject({
      unchanged: false,
      tools: [
        {
          name: "search",
          status: "changed",
          class: "behaviour",
          differences: [{ kind: "TOOL_DESCRIPTION_CHANGED" }],
          plan: { actions: [{ action: "evaluate_agent" }] },
        },
        { name: "shut", status: "unknown", renamed_from: "close" },
        { name: "other", status: "unknown" },
        {
          name: "broken",
          status: "invalid",
          problems: expect.arrayContaining([expect.objectContaining({ rule: "oneOf" })]),
        },
        { name: "close", status: "missing", subject: "mcp.close" },
      ],
    });
  });
});

describe.each(WAYS)("plans on the $name platform", ({ open }) => {
  it("are part of a diff, a check and the event of a registration", async () => {
    const registry = await withTools(open());
    await registry.call("PUT", "/subjects/mcp.search/compatibility", { body: { level: "NONE" } });
    const content = renamed("query", "text_query", SEARCH);
    const plan = { actions: expect.arrayContaining([expect.objectContaining({ action: "change_caller" })]) };

    const checked = await registry.call("POST", "/compatibility/check", {
      body: { subject: "mcp.search", format: "tool", content },
    });
    await registry.register("mcp.search", content, { format: "tool" });
    const diff = await registry.get("/subjects/mcp.search/diff?from=1&to=2");
    const events = await registry.get("/events?after=0");

    expect(checked.body).toMatchObject({ plan });
    expect(diff.body).toMatchObject({ plan });
    const { items } = events.body as { items: { type: string; subject?: string; data: { plan?: object } }[] };
    const registrations = items.filter(({ type, subject }) => type.endsWith("registered") && subject === "mcp.search");
    expect(registrations.map(({ data }) => data.plan)).toEqual([undefined, plan]);
  });

  it("come with the activation of a draft", async () => {
    const registry = await withTools(open());
    const content = { ...SEARCH, description: "Finds." };
    const draft = await registry.register("mcp.search", content, { format: "tool", state: "draft" });

    await registry.call("PATCH", `/schemas/${draft.id}`, { body: { state: "active" } });
    const events = await registry.get("/events?after=0");

    const { items } = events.body as { items: { type: string; data: { plan?: unknown } }[] };
    expect(items.at(-1)).toMatchObject({
      type: expect.stringContaining("activated"),
      data: { plan: { actions: [{ action: "evaluate_agent" }] } },
    });
  });

  it("are grouped in the answer of a change set, in the set and in the event that ends it", async () => {
    const registry = await withTools(open());
    const changes = [SEARCH, CLOSE].map((tool) => ({
      operation: "register",
      subject: `mcp.${tool.name}`,
      format: "tool",
      content: { ...tool, description: "Reworded." },
    }));
    const versions = ["mcp.search", "mcp.close"].map((subject) => ({ subject, version_number: 2 }));
    const plans = {
      versions_total: 2,
      groups: [{ action: "evaluate_agent", reason: expect.any(String), versions, versions_total: 2 }],
    };

    const headers = { "Idempotency-Key": "reworded" };
    const made = await registry.call("POST", "/change-sets", { body: { changes }, headers });
    const repeated = await registry.call("POST", "/change-sets", { body: { changes }, headers });
    const { change_set } = made.body as { change_set: string };
    const read = await registry.get(`/change-sets/${change_set}`);
    const events = await registry.get("/events?after=0");

    for (const { body } of [made, repeated, read]) expect((body as { plans: unknown }).plans).toEqual(plans);
    const { items } = events.body as { items: { type: string; data: { plans?: unknown } }[] };
    expect(items.at(-1)).toMatchObject({ type: expect.stringContaining("change_set.committed") });
    expect(items.map(({ data }) => data.plans)).toEqual([undefined, undefined, undefined, undefined, plans]);
  });

  it("leave their change set with the version that is hard-deleted", async () => {
    const registry = await withTools(open());
    const content = { ...SEARCH, description: "Reworded." };
    const changes = [{ operation: "register", subject: "mcp.search", format: "tool", content }];
    const made = await registry.call("POST", "/change-sets", { body: { changes } });
    const { change_set, changes: outcomes } = made.body as { change_set: string; changes: { id: string }[] };

    await registry.call("DELETE", `/schemas/${outcomes[0]!.id}`);
    await registry.call("DELETE", `/schemas/${outcomes[0]!.id}?permanent=true`);

    expect((await registry.get(`/change-sets/${change_set}`)).body).not.toHaveProperty("plans");
  });

  it("are kept by a prompt whose change is compatible", async () => {
    const registry = await withPrompt(open());

    const again = await registry.register("prompts.answer", renamed("Answer in", "Reply in", PROMPT), {
      format: "prompt",
    });

    expect(again.version).toBe("1.0.1");
  });
});

describe.each(WAYS)("POST /compatibility/bundle of model signatures on the $name platform", ({ open }) => {
  const signature = (inputs: object, shape: number[]) => ({
    dialect: "triton",
    inputs,
    outputs: { out: { tensor: { dtype: "float32", shape } } },
  });
  const TEXT = { text: { schema: { type: "string" } } };
  const VECTOR = { vector: { tensor: { dtype: "float32", shape: [-1, 8] } } };

  it("judges several models that change together, each by its own callers", async () => {
    const registry = open();
    await registry.register("models.embedder", signature(TEXT, [-1, 8]), { format: "model-signature" });
    await registry.register("models.ranker", signature(VECTOR, [-1, 1]), { format: "model-signature" });
    const schemas = [
      { subject: "models.embedder", format: "model-signature", content: signature(TEXT, [-1, 16]) },
      {
        subject: "models.ranker",
        format: "model-signature",
        content: signature({ vector: { tensor: { dtype: "float32", shape: [-1, -1] } } }, [-1, 1]),
      },
    ];

    const { body } = await registry.call("POST", "/compatibility/bundle", { body: { schemas } });

    expect(body).toMatchObject({
      compatible: false,
      schemas: [
        { compatible: false, differences: [{ kind: "TENSOR_SHAPE_CHANGED", severity: "breaking" }] },
        { compatible: true },
      ],
    });
  });
});

describe.each(WAYS)("POST /evaluations/compare-results on the $name platform", ({ open }) => {
  const EVALUATION = {
    task: "support",
    task_version: 1,
    shots: 0,
    metrics: [{ name: "accuracy", lower_is_better: false }],
  };
  const results = (score: number) => ({
    evaluation_id: "nightly",
    evaluation_results: [
      {
        evaluation_name: "support",
        metric_config: { metric_id: "accuracy", lower_is_better: false },
        score_details: { score },
      },
    ],
  });
  const compare = (registry: Registry, more: object = {}) =>
    registry.call("POST", "/evaluations/compare-results", {
      body: { before: results(0.8), after: results(0.9), ...more },
    });

  async function withEvaluation(): Promise<Registry> {
    const registry = open();
    await registry.call("PUT", "/subjects/support.eval/compatibility", { body: { level: "NONE" } });
    for (const shots of [0, 5]) {
      await registry.register("support.eval", { ...EVALUATION, shots }, { format: "evaluation" });
    }
    return registry;
  }

  it("says per metric whether results of an evaluation's versions are comparable", async () => {
    const registry = await withEvaluation();

    const same = await compare(registry, { evaluation: { subject: "support.eval", before: 1, after: "1.0.0" } });
    const other = await compare(registry, { evaluation: { subject: "support.eval", before: 1, after: "latest" } });

    expect(same).toMatchObject({
      status: 200,
      body: {
        verdict: "comparable",
        claimed_task_version: { before: "1", after: "1" },
        metrics: [{ metric: "accuracy", before: { score: 0.8 }, change: { is_better: true } }],
      },
    });
    expect(other.body).toMatchObject({
      verdict: "not_comparable",
      claimed_task_version: { before: "1", after: "1" },
      metrics: [{ reasons: [{ rule: "SHOTS_CHANGED", verdict: "not_comparable" }], change: null }],
    });
  });

  it("leaves what records do not state unknown", async () => {
    const { body } = await compare(open());

    expect(body).toMatchObject({ verdict: "unknown", claimed_task_version: { before: null, after: null } });
  });

  it("refuses versions that are not evaluations or do not exist, and records that are none", async () => {
    const registry = await withTools(open());
    const of = (subject: string) => compare(registry, { evaluation: { subject, before: 1, after: 1 } });

    const tool = await of("mcp.search");

    expect(tool).toMatchObject({ status: 422, body: { errors: [{ pointer: "/evaluation/before" }] } });
    expect((await of("absent")).status).toBe(404);
    expect((await compare(registry, { after: { evaluation_id: "x" } })).status).toBe(400);
  });
});

describe.each(WAYS)("validating against artefacts on the $name platform", ({ open }) => {
  it("validates a tool's call, and its answer if the request names the part", async () => {
    const registry = open();
    const tool = { ...SEARCH, outputSchema: { type: "array" } };
    const { id } = await registry.register("mcp.search", tool, { format: "tool" });
    const validate = (body: object) => registry.call("POST", `/schemas/${id}/validate`, { body });

    expect((await validate({ data: { query: "x" } })).body).toMatchObject({ valid: true });
    expect((await validate({ data: {} })).body).toMatchObject({ valid: false });
    expect((await validate({ data: [], message: "output" })).body).toMatchObject({ valid: true });
    expect((await validate({ data: {}, message: "output" })).body).toMatchObject({ valid: false });
  });
});

import { describe, expect, it } from "vitest";
import type { FormatName } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { MAX_FRAGMENT_CHARACTERS, MAX_FRAGMENTS } from "../../../schema/model-signature/plan.ts";
import { boundedPlan, MAX_PLAN_ACTIONS, MAX_PLAN_BYTES, type PlanAction } from "../../../schema/plan.ts";
import { groupPlans, MAX_GROUP_VERSIONS, MAX_PLAN_GROUPS } from "../../../schema/plan-groups.ts";
import { compared, modelOf } from "./models.ts";

function planOf(name: FormatName, before: unknown, after: unknown): readonly PlanAction[] {
  const [previous, next] = [modelOf(name, before), modelOf(name, after)];
  return formatNamed(name).plan!(previous, next, compared(name, next, previous).differences).actions;
}

const embedding = (more: object = {}) => ({ model: "a", dimensions: 768, distance: "cosine", ...more });
const collection = (more: object = {}, own: object = {}) => ({ embedding: embedding(more), ...own });
const evaluation = (more: object = {}) => ({ task: "t", metrics: [{ name: "acc", lower_is_better: false }], ...more });
const signature = (outputs: object) => ({ dialect: "openai-chat", inputs: {}, outputs });

describe("plans", () => {
  it.each<[string, FormatName, unknown, unknown, string[]]>([
    ["another model of the same dimensions", "collection", collection(), collection({ model: "b" }), ["re-embed"]],
    ["another provider", "collection", collection(), collection({ provider: "p" }), ["nothing"]],
    ["another distance", "collection", collection(), collection({ distance: "dot" }), ["reindex"]],
    [
      "another splitter",
      "collection",
      collection({}, { splitter: { size: 1 } }),
      collection({}, { splitter: { size: 2 } }),
      ["re-embed"],
    ],
    [
      "a required metadata field",
      "collection",
      collection({}, { chunk: { type: "object", properties: { a: {} } } }),
      collection({}, { chunk: { type: "object", properties: { a: {} }, required: ["a"] } }),
      ["backfill metadata"],
    ],
    ["another number of shots", "evaluation", evaluation({ shots: 0 }), evaluation({ shots: 5 }), ["rerun_results"]],
    [
      "data that moved",
      "evaluation",
      evaluation({ dataset: { address: "a" } }),
      evaluation({ dataset: { address: "b" } }),
      ["review_results"],
    ],
    ["only a claimed version", "evaluation", evaluation({ task_version: 1 }), evaluation({ task_version: 2 }), []],
    [
      "another output",
      "model-signature",
      signature({ a: { schema: { type: "string" } } }),
      signature({ a: { schema: { type: "integer" } } }),
      ["change_reader", "update_guided_decoding"],
    ],
    [
      "an added column and an expectation",
      "dataset",
      { row: { type: "object", properties: { a: {} } } },
      { row: { type: "object", properties: { a: {}, b: {} } }, expectations: [{ name: "e", expression: "true" }] },
      ["check_rows", "backfill_column"],
    ],
  ])("for %s of a %s", (_, name, before, after, actions) => {
    expect(planOf(name, before, after).map(({ action }) => action)).toEqual(actions);
  });

  it.each([
    ["qdrant", 'PUT /collections/docs_next {"vectors":{"size":1024,"distance":"Cosine","datatype":"float32"}}'],
    ["pgvector", "embedding vector(1024)"],
    ["pinecone", '"dimension":1024,"metric":"cosine"'],
    ["vectorize", "wrangler vectorize create docs_next --dimensions=1024 --metric=cosine"],
  ])("give the commands of %s", (kind, command) => {
    const store = { store: { kind, name: "docs" } };

    const [action] = planOf("collection", collection({}, store), collection({ dimensions: 1024 }, store));

    expect(action).toMatchObject({
      action: "re-embed",
      commands: [{ store: kind, command: expect.stringContaining(command) }],
    });
  });

  it("say so if the store cannot hold the vectors", () => {
    const store = { store: { kind: "vectorize", name: "docs" } };

    const [action] = planOf("collection", collection({}, store), collection({ dimensions: 3072 }, store));

    expect(action?.commands?.[0]?.command).toContain("at most 1536");
  });

  it("are bounded in actions and in bytes", () => {
    const actions = (count: number, reason: string) => Array.from({ length: count }, () => ({ action: "a", reason }));
    const long = "x".repeat(900);

    expect(boundedPlan(actions(MAX_PLAN_ACTIONS, "r")).actions_total).toBeUndefined();
    expect(boundedPlan(actions(MAX_PLAN_ACTIONS + 1, "r"))).toMatchObject({ actions_total: MAX_PLAN_ACTIONS + 1 });
    const bounded = boundedPlan(actions(MAX_PLAN_ACTIONS, long));
    expect(JSON.stringify(bounded.actions).length).toBeLessThanOrEqual(MAX_PLAN_BYTES);
    expect(bounded.actions_total).toBe(MAX_PLAN_ACTIONS);
  });
});

describe("the plan of a changed output", () => {
  const output = (schema: object) => ({ a: { schema }, b: { schema: { type: "string" } } });
  const fragmentsFor = (schema: object, more: object = {}) =>
    planOf("model-signature", signature(output({ type: "null" })), signature({ ...output(schema), ...more })).filter(
      ({ action }) => action === "update_guided_decoding",
    );

  it("has the fragment of each server, and none for unchanged outputs", () => {
    const [action, ...others] = fragmentsFor({ type: "object", properties: { n: { type: "integer" } } });

    expect(others).toEqual([]);
    expect(action).toMatchObject({ pointer: "/outputs/a" });
    const fragments = action!.commands!.map(({ store, command }) => [store, JSON.parse(command)]);
    const schema = expect.objectContaining({ type: "object", properties: { n: { type: "integer" } } });
    expect(fragments).toEqual([
      ["vllm", { structured_outputs: { json: schema } }],
      ["tensorrt-llm", { guided_decoding_params: { json: schema } }],
      ["ollama", { format: schema }],
    ]);
  });

  it("projects the schema for each server, and says what that server does not enforce", () => {
    const [action] = fragmentsFor({ type: "array", items: { type: "string" }, uniqueItems: true });

    expect(action!.note).toContain("TensorRT-LLM");
    const commandOf = (name: string) => action!.commands!.find(({ store }) => store === name)?.command;
    expect(commandOf("tensorrt-llm")).not.toContain("uniqueItems");
  });

  it("has no fragments of a long schema, or past the first outputs", () => {
    const described = (length: number) => ({ enum: ["x".repeat(length - '{"enum":[""]}'.length)] });
    const outputs = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`o${at}`, { schema: { type: "number" } }]));
    const numbers = planOf(
      "model-signature",
      signature(JSON.parse(JSON.stringify(outputs(MAX_FRAGMENTS + 1)).replaceAll("number", "string"))),
      signature(outputs(MAX_FRAGMENTS + 1)),
    ).filter(({ action }) => action === "update_guided_decoding");

    expect(fragmentsFor(described(MAX_FRAGMENT_CHARACTERS))[0]!.commands).toHaveLength(3);
    expect(fragmentsFor(described(MAX_FRAGMENT_CHARACTERS + 1))[0]).toMatchObject({
      note: expect.stringContaining("project this output"),
    });
    expect(numbers.filter(({ commands }) => commands !== undefined)).toHaveLength(MAX_FRAGMENTS);
  });
});

describe("groupPlans", () => {
  const action = (name: string, reason = "r"): PlanAction => ({ action: name, reason });
  const version = (subject: string, ...actions: PlanAction[]) => ({ subject, version_number: 2, plan: { actions } });
  const many = <T>(count: number, item: (index: number) => T) => Array.from({ length: count }, (_, at) => item(at));

  it("groups what several versions ask for, most urgent first, then the widest", () => {
    const grouped = groupPlans([
      version("a", action("call"), action("test")),
      version("b", action("test"), action("test")),
      version("c", action("call"), action("test")),
      version("d", action("call", "other"), action("clean")),
      version("e"),
    ]);

    expect(grouped).toMatchObject({ versions_total: 4 });
    expect(grouped?.groups.map((group) => [group.action, group.reason, group.versions_total])).toEqual([
      ["test", "r", 3],
      ["call", "r", 2],
      ["call", "other", 1],
      ["clean", "r", 1],
    ]);
    expect(grouped?.groups_total).toBeUndefined();
  });

  it("gives no plan if no action is required", () => {
    expect(groupPlans([version("a")])).toBeUndefined();
    expect(groupPlans([])).toBeUndefined();
  });

  it("is bounded in groups and in versions of a group", () => {
    const groups = (count: number) => groupPlans(many(count, (at) => version(`s${at}`, action("call", `r${at}`))));
    const oneGroup = (count: number) => groupPlans(many(count, (at) => version(`s${at}`, action("call"))))?.groups[0];

    expect(groups(MAX_PLAN_GROUPS)).not.toHaveProperty("groups_total");
    expect(groups(MAX_PLAN_GROUPS + 1)).toMatchObject({ groups_total: MAX_PLAN_GROUPS + 1 });
    expect(groups(MAX_PLAN_GROUPS + 1)?.groups).toHaveLength(MAX_PLAN_GROUPS);
    expect(oneGroup(MAX_GROUP_VERSIONS)?.versions).toHaveLength(MAX_GROUP_VERSIONS);
    expect(oneGroup(MAX_GROUP_VERSIONS + 1)?.versions).toHaveLength(MAX_GROUP_VERSIONS);
    expect(oneGroup(MAX_GROUP_VERSIONS + 1)?.versions_total).toBe(MAX_GROUP_VERSIONS + 1);
  });

  it("is bounded in bytes, with at least one group", () => {
    const long = (at: number) => `${at}${"é".repeat(990)}`;
    const grouped = groupPlans(
      many(200, (at) => version("ü".repeat(255) + at, { ...action("call", long(at % 10)), note: long(0) })),
    )!;

    expect(grouped.groups.length).toBeGreaterThan(0);
    expect(grouped.groups_total).toBe(10);
    expect(new TextEncoder().encode(JSON.stringify(grouped.groups)).length).toBeLessThanOrEqual(MAX_PLAN_BYTES);
    expect(grouped.groups[0]).toMatchObject({ versions_total: 20 });
    expect(grouped.groups[0]!.versions.length).toBeLessThan(20);
  });
});

describe("shapes", () => {
  it.each<[FormatName, unknown, string]>([
    [
      "model-signature",
      { dialect: "triton", inputs: { a: { tensor: { dtype: "float32", shape: Array(33).fill(1) } } }, outputs: {} },
      "/inputs/a/tensor/shape",
    ],
    [
      "model-signature",
      { dialect: "triton", inputs: { a: { tensor: { dtype: "float32", shape: [1e12] } } }, outputs: {} },
      "/inputs/a/tensor/shape/0",
    ],
    [
      "model-signature",
      { dialect: "triton", inputs: { a: { tensor: { dtype: "float32", shape: [-2] } } }, outputs: {} },
      "/inputs/a/tensor/shape/0",
    ],
    [
      "model-signature",
      { dialect: "custom", inputs: { a: { schema: { type: "strin" } } }, outputs: {} },
      "/inputs/a/schema/type",
    ],
    ["collection", { embedding: { ...embedding(), dimensions: 65_537 } }, "/embedding/dimensions"],
    ["collection", { embedding: { ...embedding(), distance: "near" } }, "/embedding/distance"],
    [
      "evaluation",
      { task: "t", metrics: [{ name: "a", lower_is_better: true, minimum: 1, maximum: 0 }] },
      "/metrics/0/maximum",
    ],
    ["evaluation", { task: "t", metrics: [], prompt: { $ref: "p" } }, "/metrics"],
    ["evaluation", { ...evaluation(), prompt: { $ref: "p" } }, "/prompt/$ref"],
  ])("refuse a %s of %j at %s", (name, content, pointer) => {
    const parsed = formatNamed(name).parse(
      { text: JSON.stringify(content), references: [] },
      { strictness: "new", defaultDialect: "2020-12" },
    );

    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? [] : parsed.refusal.problems.map((problem) => problem.pointer)).toContain(pointer);
  });
});

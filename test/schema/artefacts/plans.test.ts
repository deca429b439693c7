import { describe, expect, it } from "vitest";
import type { FormatName } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { boundedPlan, MAX_PLAN_ACTIONS, MAX_PLAN_BYTES, type PlanAction } from "../../../schema/plan.ts";
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

import { describe, expect, it } from "vitest";
import { MAX_ALIASES, MAX_EVIDENCE_RESULTS, MAX_GATES } from "../../../../registry/alias.ts";
import { type ProblemBody, type Registry, WAYS } from "../native-calls.ts";

const text = (words: string, more: object = {}) => ({ syntax: "f-string", text: words, ...more });
const NEEDS_CITY = { variables: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };

/** Three versions: the second has other words, the third needs a variable. */
async function withVersions(registry: Registry): Promise<Registry> {
  await registry.call("PUT", "/subjects/greeting/compatibility", { body: { level: "NONE" } });
  await registry.register("greeting", text("Hi."), { format: "prompt" });
  await registry.register("greeting", text("Hello."), { format: "prompt" });
  await registry.register("greeting", text("Hello {city}.", NEEDS_CITY), { format: "prompt" });
  return registry;
}

const move = (registry: Registry, body: object, alias = "production") =>
  registry.call("PUT", `/subjects/greeting/aliases/${alias}`, { body });

const evidenceOf = (score: number, metric = "accuracy") => ({
  schema_version: "0.3.0",
  evaluation_id: "nightly",
  model_info: { name: "small", id: "small-1" },
  eval_library: { name: "inspect", version: "1" },
  evaluation_results: [
    {
      evaluation_name: "greetings",
      source_data: { dataset_name: "g" },
      metric_config: { metric_id: metric, lower_is_better: false },
      score_details: { score, uncertainty: { standard_error: { value: 0.01 }, num_samples: 200 } },
    },
  ],
});

const attach = (registry: Registry, version: number | string, body: object) =>
  registry.call("POST", `/subjects/greeting/versions/${version}/evidence`, { body });

describe.each(WAYS)("aliases on the $name platform", ({ open }) => {
  it("point at a version wherever one may be named, and move", async () => {
    const registry = await withVersions(open());

    await move(registry, { version: 1 });
    const first = await registry.get("/subjects/greeting/versions/production");
    await move(registry, { version: "2", reason: "better" });
    const second = await registry.get("/subjects/greeting/versions/production");
    const diff = await registry.get("/subjects/greeting/diff?from=production&to=latest");
    const rendered = await registry.call("POST", "/prompts/render", {
      body: { subject: "greeting", version: "production", variables: {} },
    });

    expect([first.body, second.body]).toMatchObject([{ version_number: 1 }, { version_number: 2 }]);
    expect(diff.body).toMatchObject({ from: { version_number: 2 }, to: { version_number: 3 } });
    expect(rendered.body).toMatchObject({ stamp: { version_number: 2 }, messages: [{ content: "Hello." }] });
  });

  it("follow other aliases at the time of the move, and list where they have been", async () => {
    const registry = await withVersions(open());
    await move(registry, { version: 1 }, "staging");
    await move(registry, { version: "staging" });
    await move(registry, { version: 3, reason: "release" });
    await move(registry, { version: 1, reason: "rollback" });
    await move(registry, { version: 1, reason: "again" });

    const listed = await registry.get("/subjects/greeting/aliases");
    const moves = await registry.get("/subjects/greeting/aliases/production/moves");
    const page = await registry.get("/subjects/greeting/aliases/production/moves?limit=1");

    expect(listed.body).toMatchObject({ items: [{ alias: "production", version_number: 1 }, { alias: "staging" }] });
    expect(moves.body).toMatchObject({
      items: [
        { from: 3, to: 1, reason: "rollback" },
        { from: 1, to: 3, reason: "release" },
        { from: null, to: 1, reason: null },
      ],
    });
    expect((page.body as { items: unknown[] }).items).toHaveLength(1);
  });

  it("are events with both versions, and the record that they now mean", async () => {
    const registry = await withVersions(open());
    await move(registry, { version: 2 });

    const events = await registry.get("/events?after=0&types=alias.moved");

    expect(events.body).toMatchObject({
      items: [
        {
          subject: "greeting",
          data: { alias: { name: "production", from: null, to: 2 }, record: { version_number: 2 } },
        },
      ],
    });
  });

  it("lose their target by a hard delete, and are deleted by name", async () => {
    const registry = await withVersions(open());
    await move(registry, { version: 1 });
    const { body } = await registry.get("/subjects/greeting/versions/1");
    const { id } = body as { id: string };
    await registry.call("DELETE", `/schemas/${id}`);
    await registry.call("DELETE", `/schemas/${id}?permanent=true`);

    const listed = await registry.get("/subjects/greeting/aliases");
    const read = await registry.get("/subjects/greeting/versions/production");
    const deleted = await registry.call("DELETE", "/subjects/greeting/aliases/production");

    expect(listed.body).toMatchObject({ items: [{ alias: "production", version_number: null }] });
    expect(read.status).toBe(404);
    expect(deleted.status).toBe(200);
    expect((await registry.get("/subjects/greeting/aliases")).body).toEqual({ items: [] });
    expect((await registry.call("DELETE", "/subjects/greeting/aliases/production")).status).toBe(404);
  });

  it.each([
    ["a version that does not exist", "production", { version: 9 }, 404],
    ["an alias that is a range", "x", { version: 1 }, 400],
    ["an alias that looks like a version", "v1", { version: 1 }, 422],
    ["latest", "latest", { version: 1 }, 422],
    ["an alias that does not exist as the target", "production", { version: "staging" }, 404],
    ["a gate that is not an expression", "production", { gates: [{ name: "g", expression: "1 +" }] }, 422],
  ])("refuse %s and change nothing", async (_, alias, body, status) => {
    const registry = await withVersions(open());
    const before = await registry.lastSeq();

    expect((await move(registry, body, alias)).status).toBe(status);
    expect(await registry.lastSeq()).toBe(before);
  });

  it("are bounded in number, as are their gates", async () => {
    const registry = await withVersions(open());
    const gates = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ name: `g${index}`, expression: "true" }));
    for (let count = 0; count < MAX_ALIASES; count += 1) await move(registry, { version: 1 }, `alias-${count}`);

    expect((await move(registry, { version: 1 }, "one-more")).status).toBe(409);
    expect((await move(registry, { gates: gates(MAX_GATES) }, "alias-0")).status).toBe(200);
    expect((await move(registry, { gates: gates(MAX_GATES + 1) }, "alias-0")).status).toBe(400);
  });
});

describe.each(WAYS)("gates on the $name platform", ({ open }) => {
  const ACCURACY = { name: "accuracy", expression: 'evidence.exists(e, e.metric == "accuracy" && e.score >= 0.9)' };
  const NO_BREAK = {
    name: "no break",
    expression: "verdict.compatible && verdict.breaking == 0",
    message: "Callers break.",
  };

  it("refuse a move without the evidence, and let it pass with it", async () => {
    const registry = await withVersions(open());
    await move(registry, { version: 1, gates: [ACCURACY] });

    const without = await move(registry, { version: 2 });
    await attach(registry, 2, evidenceOf(0.8));
    const tooLow = await move(registry, { version: 2 });
    await attach(registry, 2, evidenceOf(0.95));
    const passed = await move(registry, { version: 2 });

    expect([without.status, tooLow.status, passed.status]).toEqual([409, 409, 200]);
    expect(without.body).toMatchObject({
      gates: [{ gate: "accuracy" }],
      errors: [{ rule: "accuracy", pointer: "/version" }],
    });
    expect((tooLow.body as ProblemBody).detail).toContain("1 results of evaluations");
  });

  it("see the verdict between the two versions", async () => {
    const registry = await withVersions(open());
    await move(registry, { version: 1, gates: [NO_BREAK] });

    const breaking = await move(registry, { version: 3 });
    const harmless = await move(registry, { version: 2 });

    expect(breaking.status).toBe(409);
    expect((breaking.body as ProblemBody).detail).toContain('Gate "no break": Callers break.');
    expect(harmless.status).toBe(200);
  });

  it("are not opened by the request that they refuse", async () => {
    const registry = await withVersions(open());
    await move(registry, { version: 1, gates: [ACCURACY] });

    expect((await move(registry, { version: 2, gates: [] })).status).toBe(409);
    expect((await move(registry, { gates: [] })).status).toBe(200);
    expect((await move(registry, { version: 2 })).status).toBe(200);
  });
});

describe.each(WAYS)("evidence on the $name platform", ({ open }) => {
  it("is listed with its version, newest first", async () => {
    const registry = await withVersions(open());
    await attach(registry, 1, evidenceOf(0.5));
    await move(registry, { version: 1 });
    const attached = await attach(registry, "production", evidenceOf(0.7, "f1"));

    const { body } = await registry.get("/subjects/greeting/versions/1/evidence");

    expect(attached.status).toBe(201);
    expect(body).toMatchObject({
      items: [
        { results: [{ metric: "f1", score: 0.7, model: "small", standard_error: 0.01, samples: 200 }] },
        { results: [{ metric: "accuracy", score: 0.5, evaluation: "greetings" }] },
      ],
    });
    expect((await registry.get("/subjects/greeting/versions/2/evidence")).body).toEqual({ items: [] });
  });

  it("is refused without a score, and beyond a number of results", async () => {
    const registry = await withVersions(open());
    const { evaluation_results: results, ...rest } = evidenceOf(1);
    const many = (count: number) => ({ ...rest, evaluation_results: Array(count).fill(results[0]) });

    const unscored = await attach(registry, 1, { ...rest, evaluation_results: [{ ...results[0], score_details: {} }] });

    expect(unscored.status).toBe(400);
    expect((await attach(registry, 1, many(MAX_EVIDENCE_RESULTS))).status).toBe(201);
    expect((await attach(registry, 1, many(MAX_EVIDENCE_RESULTS + 1))).status).toBe(400);
    expect((await attach(registry, 9, evidenceOf(1))).status).toBe(404);
  });
});

import { describe, expect, it } from "vitest";
import { type Registry, WAYS } from "../native-calls.ts";

const DATASET = {
  row: {
    type: "object",
    properties: { text: { type: "string" }, label: { type: "integer" } },
    required: ["text", "label"],
  },
  classes: { label: ["negative", "positive"] },
  expectations: [
    { name: "labels", column: "label", minimum: 0, maximum: 1 },
    { name: "distinct", column: "text", unique: true, severity: "warning" },
  ],
  sketch: {
    rows: 2,
    columns: { text: { nulls: 0, types: { string: 2 } }, label: { nulls: 0, types: { integer: 2 } } },
  },
};

async function withDataset(registry: Registry): Promise<Registry> {
  await registry.register("reviews", DATASET, { format: "dataset" });
  return registry;
}

describe.each(WAYS)("POST /datasets/{s}/check on the $name platform", ({ open }) => {
  const check = (registry: Registry, rows: readonly unknown[], type = "application/x-ndjson") =>
    registry.call("POST", "/datasets/reviews/check", {
      raw: rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n"),
      headers: { "Content-Type": type },
    });

  it("finds good rows valid, even if expectations warn", async () => {
    const registry = await withDataset(open());

    const { status, body } = await check(registry, [
      { text: "a", label: 0 },
      { text: "a", label: 1 },
    ]);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      valid: true,
      rows: 2,
      invalid_rows: 0,
      expectations: [
        { name: "labels", met: true },
        { name: "distinct", met: false, lines: [2] },
      ],
    });
  });

  it("names rows that are invalid, unreadable, or miss an expectation", async () => {
    const registry = await withDataset(open());

    const { body } = await check(registry, [{ text: "a" }, "{", { text: "b", label: 7 }]);

    expect(body).toMatchObject({
      valid: false,
      rows: 3,
      invalid_rows: 2,
      errors: [{ line: 1 }, { line: 2 }],
      expectations: [{ name: "labels", met: false, failed: 1, lines: [3] }, {}],
    });
  });

  it("refuses other bodies, other formats and missing subjects", async () => {
    const registry = await withDataset(open());
    await registry.register("tool", { name: "t", input: {} }, { format: "tool" });

    expect((await check(registry, ["{}"], "application/json")).status).toBe(415);
    const lines = { raw: "{}", headers: { "Content-Type": "application/x-ndjson" } };
    expect((await registry.call("POST", "/datasets/tool/check", lines)).status).toBe(422);
    expect((await registry.call("POST", "/datasets/absent/check", lines)).status).toBe(404);
  });
});

describe.each(WAYS)("POST /datasets/{s}/drift on the $name platform", ({ open }) => {
  const drift = (registry: Registry, sketch: unknown) =>
    registry.call("POST", "/datasets/reviews/drift", { body: { sketch } });

  it("compares a sketch with the registered one and proposes a row", async () => {
    const registry = await withDataset(open());
    const columns = { ...DATASET.sketch.columns, lang: { nulls: 1, types: { string: 1 } } };

    const same = await drift(registry, DATASET.sketch);
    const drifted = await drift(registry, { rows: 2, columns });

    expect(same.body).toMatchObject({ drift: "none", proposed_row: null });
    expect(drifted.body).toMatchObject({
      drift: "strong",
      columns: [{ column: "label" }, { column: "lang", structure: ["added"] }, { column: "text" }],
      proposed_row: { properties: { lang: { type: ["string", "null"] } }, required: ["text", "label"] },
    });
  });

  it("refuses impossible figures, with their place", async () => {
    const registry = await withDataset(open());

    const refused = await drift(registry, { rows: 1, columns: { text: { nulls: 2, types: {} } } });

    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ errors: [{ pointer: "/sketch/columns/text/nulls" }] });
  });
});

describe.each(WAYS)("every kind of artefact on the $name platform", ({ open }) => {
  const metrics = [{ name: "accuracy", lower_is_better: false }];
  it.each([
    [
      "collection",
      { embedding: { model: "a", dimensions: 3, distance: "dot" } },
      { embedding: { model: "b", dimensions: 3, distance: "dot" } },
      "EMBEDDING_MODEL_CHANGED",
    ],
    ["dataset", DATASET, { ...DATASET, classes: { label: ["positive", "negative"] } }, "CLASS_LABELS_REORDERED"],
    ["evaluation", { task: "t", shots: 0, metrics }, { task: "t", shots: 5, metrics }, "SHOTS_CHANGED"],
    [
      "model-signature",
      { dialect: "custom", inputs: {}, outputs: {} },
      { dialect: "triton", inputs: {}, outputs: {} },
      "ENDPOINT_DIALECT_CHANGED",
    ],
  ])(
    "registers a %s, refuses its break with a witness, and accepts it by an exception",
    async (format, before, after, kind) => {
      const registry = open();
      await registry.register("artefact", before, { format });
      const give = () => registry.call("POST", "/schemas", { body: { subject: "artefact", format, content: after } });

      const refused = await give();
      await registry.call("PUT", "/subjects/artefact/rules", {
        body: {
          exceptions: [
            { name: "agreed", kinds: [kind], owner: "team", reason: "agreed", expires_at: "2100-01-01T00:00:00Z" },
          ],
        },
      });
      const checked = await registry.call("POST", "/compatibility/check", {
        body: { subject: "artefact", format, content: after },
      });

      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({ verdict: { differences: [{ kind, witness: { status: "confirmed" } }] } });
      expect((await give()).status).toBe(201);
      expect(checked.body).toMatchObject({ plan: { actions: expect.any(Array) }, suggested_bump: "major" });
    },
  );
});

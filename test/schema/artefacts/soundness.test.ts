import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArtefactModel } from "../../../schema/artefact.ts";
import type { FormatName } from "../../../schema/format.ts";
import { findBreaks } from "../../../schema/json/compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { validateInstance } from "../../../schema/json/validate/validate.ts";
import { collectPool } from "../../../schema/json/witness/pool.ts";
import { NO_SAMPLE, Sampler } from "../../../schema/json/witness/sample.ts";
import { Random } from "../../../schema/random.ts";
import { runAtOnce } from "../../../schema/slices.ts";
import { usesDeclaredNamesOnly } from "../json/compare/soundness/declares.ts";
import { type Schema, SchemaGenerator } from "../json/compare/soundness/generate.ts";
import { compared, modelOf, parseArtefact } from "./models.ts";

/** Pairs of each format; set FUZZ_RUNS=20000 for the long run. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 100);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);
const VALUES_PER_PAIR = 20;
const TIMEOUT_MS = 60_000 + RUNS * 100;

const METRICS = [{ name: "accuracy", lower_is_better: false }];
const EMBEDDING = { model: "m", dimensions: 8, distance: "cosine" };
const SIGNATURE = { dialect: "custom", inputs: {}, outputs: {} };
/** An artefact of each format with one part of a schema; a part given and one answered would hide each other. */
const ARTEFACTS: readonly (readonly [FormatName, string, (schema: Schema) => object])[] = [
  ["prompt", "variables", (variables) => ({ syntax: "f-string", text: "Hi.", variables })],
  ["prompt", "output", (output) => ({ syntax: "f-string", text: "Hi.", output })],
  ["tool", "input", (input) => ({ name: "t", input })],
  ["tool", "output", (output) => ({ name: "t", input: {}, output })],
  ["model-signature", "inputs", (schema) => ({ ...SIGNATURE, inputs: { a: { schema } } })],
  ["model-signature", "parameters", (schema) => ({ ...SIGNATURE, parameters: { a: { schema } } })],
  ["model-signature", "outputs", (schema) => ({ ...SIGNATURE, outputs: { a: { schema } } })],
  ["collection", "chunk", (chunk) => ({ embedding: EMBEDDING, chunk })],
  ["collection", "document", (document) => ({ embedding: EMBEDDING, document })],
  ["dataset", "row", (row) => ({ row })],
  ["evaluation", "case", (each) => ({ task: "t", metrics: METRICS, case: each })],
];

type Pair = { seed: number; before: Schema; after: Schema };

/** Three of four are an object with a few changes, as authors make them. */
const pairs: fc.Arbitrary<Pair> = fc.noShrink(fc.nat()).map((seed) => {
  const random = new Random(seed);
  const generator = new SchemaGenerator(random, "2020-12");
  const member = generator.root();
  const other = random.chance(0.75) ? generator.changed(member) : generator.root();
  const object = (schema: Schema): Schema => ({
    type: "object",
    properties: { member: schema },
    ...(random.chance(0.5) ? { required: ["member"] } : {}),
    ...(random.chance(0.2) ? { additionalProperties: false } : {}),
  });
  return { seed, before: object(member), after: object(other) };
});

type Handover = { part: string; giver: JsonSchemaModel; taker: JsonSchemaModel };

/** Who gives data to whom when a user of the earlier version meets the later one. */
function handovers(before: ArtefactModel<unknown>, after: ArtefactModel<unknown>): Handover[] {
  return before.parts.flatMap(({ declaration, model: earlier }): Handover[] => {
    const later = after.parts.find((part) => part.declaration.name === declaration.name)!.model;
    const given = { part: declaration.name, giver: earlier, taker: later };
    const answered = { part: declaration.name, giver: later, taker: earlier };
    return { in: [given], out: [answered], both: [given, answered] }[declaration.variance];
  });
}

function* valuesOf({ giver, taker }: Handover, seed: number): Generator<unknown> {
  const random = new Random(seed + 1);
  const pool = collectPool(taker, giver);
  const { inclusion, state } = runAtOnce(findBreaks(taker, giver, { writers: "any" }));
  for (let count = 0; count < VALUES_PER_PAIR; count += 1) {
    const sampler = new Sampler(inclusion.views, random, pool, random.pick([0.2, 0.5, 0.9]), { remaining: 10_000 });
    const value = sampler.sample(state);
    if (value === NO_SAMPLE) continue;
    const schema = JSON.parse(giver.document.text) as Schema;
    if (usesDeclaredNamesOnly(schema, value, false)) yield value;
  }
}

function isValid(model: JsonSchemaModel, value: unknown): boolean | undefined {
  const answer = validateInstance(model, value, { formats: true });
  return answer.ok ? answer.value.valid : undefined;
}

describe.each(ARTEFACTS)("two versions of a %s with other %s that are compatible", (format, _, artefactOf) => {
  it(
    "break no sampled call, answer or row",
    () => {
      const counts = { compatible: 0, values: 0 };
      fc.assert(
        fc.property(pairs, (pair) => {
          const contents = [artefactOf(pair.before), artefactOf(pair.after)];
          if (contents.some((content) => !parseArtefact(format, content).ok)) return;
          const [before, after] = contents.map((content) => modelOf(format, content)) as [
            ArtefactModel<unknown>,
            ArtefactModel<unknown>,
          ];
          if (compared(format, after, before).differences.some(({ severity }) => severity === "breaking")) return;
          counts.compatible += 1;
          for (const handover of handovers(before, after)) {
            for (const value of valuesOf(handover, pair.seed)) {
              if (isValid(handover.giver, value) !== true) continue;
              counts.values += 1;
              const shown = JSON.stringify({ ...pair, part: handover.part, value });
              expect(isValid(handover.taker, value), `a counterexample to "compatible": ${shown}`).not.toBe(false);
            }
          }
        }),
        { numRuns: RUNS, seed: SEED, endOnFailure: true },
      );

      // Otherwise the property holds of nothing.
      expect(counts.compatible).toBeGreaterThan(RUNS / 50);
      expect(counts.values).toBeGreaterThan(RUNS / 10);
    },
    TIMEOUT_MS,
  );
});

describe("two versions of a model-signature with tensors that are compatible", () => {
  const size = fc.constantFrom(-1, 2, 3);
  const tensor = fc.record({
    dtype: fc.constantFrom("float32", "int64"),
    shape: fc.array(size, { minLength: 1, maxLength: 2 }),
  });
  type Tensor = { dtype: string; shape: number[] };
  const takes = (taker: Tensor, dtype: string, shape: readonly number[]) =>
    taker.dtype === dtype &&
    taker.shape.length === shape.length &&
    taker.shape.every((each, at) => each === -1 || each === shape[at]);

  it("take every tensor that callers of the earlier send, and give none that they cannot read", () => {
    const contentOf = (input: Tensor, output: Tensor) => ({
      dialect: "triton",
      inputs: { a: { tensor: input } },
      outputs: { a: { tensor: output } },
    });
    const modelFor = (tensors: [Tensor, Tensor]) => modelOf("model-signature", contentOf(...tensors));
    const both = fc.tuple(tensor, tensor);
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 });
    let compatible = 0;

    fc.assert(
      fc.property(both, both, sizes, (before, after, unknown) => {
        const { differences } = compared("model-signature", modelFor(after), modelFor(before));
        if (differences.some(({ severity }) => severity === "breaking")) return;
        compatible += 1;
        const concrete = ({ shape }: Tensor) => shape.map((each, at) => (each === -1 ? unknown[at]! : each));
        expect(takes(after[0], before[0].dtype, concrete(before[0]))).toBe(true);
        expect(takes(before[1], after[1].dtype, concrete(after[1]))).toBe(true);
      }),
      { numRuns: RUNS * 10, seed: SEED, endOnFailure: true },
    );
    expect(compatible).toBeGreaterThan(0);
  });
});

describe("two versions of a dataset with classes that are compatible", () => {
  it("mean the same by every integer that stored rows may hold", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
    const contentOf = (label: string[]) => ({ row: { type: "object" }, classes: { label } });
    let compatible = 0;

    fc.assert(
      fc.property(names, names, (before, after) => {
        const models = [after, before].map((label) => modelOf("dataset", contentOf(label))) as [unknown, unknown];
        if (compared("dataset", ...models).differences.some(({ severity }) => severity === "breaking")) return;
        compatible += 1;
        expect(after.slice(0, before.length)).toEqual(before);
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
    expect(compatible).toBeGreaterThan(0);
  });
});

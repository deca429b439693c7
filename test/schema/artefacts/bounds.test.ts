import { describe, expect, it } from "vitest";
import { MAX_DIMENSIONS, MAX_PAYLOAD_INDEXES } from "../../../schema/collection/shape.ts";
import {
  MAX_CLASS_NAMES,
  MAX_EXPECTATIONS,
  MAX_SKETCH_COLUMNS,
  MAX_SKETCH_VALUES,
  MAX_SPLITS,
} from "../../../schema/dataset/shape.ts";
import { MAX_METRICS, MAX_SEEDS } from "../../../schema/evaluation/shape.ts";
import type { FormatName } from "../../../schema/format.ts";
import { MAX_SIGNATURE_MEMBERS, MAX_TENSOR_DIMENSION, MAX_TENSOR_RANK } from "../../../schema/model-signature/shape.ts";
import { MAX_TEMPLATE_CHARACTERS } from "../../../schema/prompt/read.ts";
import { parseArtefact } from "./models.ts";

const EMBEDDING = { model: "m", dimensions: 8, distance: "cosine" };
const METRIC = { name: "acc", lower_is_better: false };

function list<Item>(length: number, itemAt: (index: number) => Item): Item[] {
  return Array.from({ length }, (_, index) => itemAt(index));
}

function members<Value>(count: number, value: Value): Record<string, Value> {
  return Object.fromEntries(list(count, (index) => [`m${index}`, value]));
}

const sketch = (columns: object) => ({ row: true, sketch: { rows: 0, columns } });
const signature = (tensor: object) => ({ dialect: "kserve-v2", inputs: { x: { tensor } }, outputs: {} });

const BOUNDS: readonly [format: FormatName, what: string, most: number, contentOf: (count: number) => unknown][] = [
  ["prompt", "characters of a template", MAX_TEMPLATE_CHARACTERS, (n) => ({ syntax: "dollar", text: "x".repeat(n) })],
  ["collection", "dimensions", MAX_DIMENSIONS, (dimensions) => ({ embedding: { ...EMBEDDING, dimensions } })],
  [
    "collection",
    "payload indexes",
    MAX_PAYLOAD_INDEXES,
    (n) => ({ embedding: EMBEDDING, payload_indexes: list(n, (at) => ({ field: `f${at}`, type: "keyword" })) }),
  ],
  [
    "dataset",
    "expectations",
    MAX_EXPECTATIONS,
    (n) => ({ row: true, expectations: list(n, (at) => ({ name: `e${at}`, column: "a", unique: true })) }),
  ],
  ["dataset", "class names", MAX_CLASS_NAMES, (n) => ({ row: true, classes: { a: list(n, (at) => `c${at}`) } })],
  ["dataset", "splits", MAX_SPLITS, (n) => ({ row: true, splits: members(n, {}) })],
  ["dataset", "columns of a sketch", MAX_SKETCH_COLUMNS, (n) => sketch(members(n, { nulls: 0, types: {} }))],
  [
    "dataset",
    "values of a column's sketch",
    MAX_SKETCH_VALUES,
    (n) => sketch({ a: { nulls: 0, types: {}, top: list(n, (value) => ({ value, count: 0 })) } }),
  ],
  [
    "evaluation",
    "metrics",
    MAX_METRICS,
    (n) => ({ task: "t", metrics: list(n, (at) => ({ ...METRIC, name: `m${at}` })) }),
  ],
  ["evaluation", "seeds", MAX_SEEDS, (n) => ({ task: "t", metrics: [METRIC], seeds: list(n, (at) => at) })],
  [
    "model-signature",
    "inputs",
    MAX_SIGNATURE_MEMBERS,
    (n) => ({ dialect: "openai-chat", inputs: members(n, { schema: true }), outputs: {} }),
  ],
  [
    "model-signature",
    "dimensions of a tensor",
    MAX_TENSOR_RANK,
    (n) => signature({ dtype: "float32", shape: list(n, () => 1) }),
  ],
  ["model-signature", "a dimension", MAX_TENSOR_DIMENSION, (n) => signature({ dtype: "float32", shape: [n] })],
];

describe("bounds of artefacts", () => {
  it.each(BOUNDS)("%s: accepts %s up to %i, and refuses one more", (format, _, most, contentOf) => {
    const accepted = parseArtefact(format, contentOf(most));
    const refused = parseArtefact(format, contentOf(most + 1));

    expect(accepted.ok ? [] : accepted.refusal.problems).toEqual([]);
    expect(refused.ok).toBe(false);
  });
});

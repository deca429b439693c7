/** The JSON Schema of an evaluation's text. */

export const MAX_METRICS = 200;
export const MAX_SEEDS = 1_000;

const NAME = { type: "string", minLength: 1, maxLength: 512 };
const INPUT = {
  type: "object",
  oneOf: [{ required: ["$ref"] }, { required: ["address"] }],
  additionalProperties: false,
  properties: {
    $ref: NAME,
    address: NAME,
    split: NAME,
    same_as: { type: "array", items: NAME, maxItems: 50 },
  },
};

export const EVALUATION_SHAPE = {
  type: "object",
  required: ["task", "metrics"],
  additionalProperties: false,
  patternProperties: { "^x-": true },
  properties: {
    description: { type: "string" },
    task: NAME,
    task_version: { type: ["string", "number"] },
    dataset: INPUT,
    prompt: INPUT,
    shots: { type: "integer", minimum: 0, maximum: 10_000 },
    seeds: { type: "array", items: { type: "integer" }, maxItems: MAX_SEEDS },
    metrics: {
      type: "array",
      minItems: 1,
      maxItems: MAX_METRICS,
      items: {
        type: "object",
        required: ["name", "lower_is_better"],
        additionalProperties: false,
        properties: {
          name: NAME,
          lower_is_better: { type: "boolean" },
          minimum: { type: "number" },
          maximum: { type: "number" },
          aggregation: NAME,
          standard_error: NAME,
        },
      },
    },
    case: { type: ["object", "boolean"] },
    generation: { type: "object" },
    code: {
      type: "object",
      required: ["digest"],
      additionalProperties: false,
      properties: { digest: { type: "string", pattern: "^[0-9a-f]{40,128}$" }, source: NAME },
    },
  },
} as const;

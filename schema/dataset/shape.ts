/** The JSON Schema of a data set's text. */

export const MAX_EXPECTATIONS = 100;
export const MAX_CLASS_NAMES = 10_000;
export const MAX_SPLITS = 100;
/** Columns of a sketch, and values listed for one of them. */
export const MAX_SKETCH_COLUMNS = 1_000;
export const MAX_SKETCH_VALUES = 100;

const NAME = { type: "string", minLength: 1, maxLength: 256 };
const EXPRESSION = { type: "string", minLength: 1, maxLength: 2_048 };
const COUNT = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

const SKETCH_SHAPE = {
  type: "object",
  required: ["rows", "columns"],
  additionalProperties: false,
  properties: {
    rows: COUNT,
    columns: {
      type: "object",
      maxProperties: MAX_SKETCH_COLUMNS,
      additionalProperties: {
        type: "object",
        required: ["nulls", "types"],
        additionalProperties: false,
        properties: {
          /** Rows without the column, or with null in it. */
          nulls: COUNT,
          types: {
            type: "object",
            additionalProperties: false,
            properties: Object.fromEntries(
              ["string", "integer", "number", "boolean", "array", "object"].map((type) => [type, COUNT]),
            ),
          },
          quantiles: { type: "array", items: { type: "number" }, minItems: 2, maxItems: MAX_SKETCH_VALUES + 1 },
          top: {
            type: "array",
            maxItems: MAX_SKETCH_VALUES,
            items: {
              type: "object",
              required: ["value", "count"],
              additionalProperties: false,
              properties: { value: true, count: COUNT },
            },
          },
        },
      },
    },
  },
} as const;

export const DATASET_SHAPE = {
  type: "object",
  required: ["row"],
  additionalProperties: false,
  patternProperties: { "^x-": true },
  properties: {
    description: { type: "string" },
    row: { type: ["object", "boolean"] },
    classes: {
      type: "object",
      additionalProperties: { type: "array", items: { type: "string" }, uniqueItems: true, maxItems: MAX_CLASS_NAMES },
    },
    splits: {
      type: "object",
      maxProperties: MAX_SPLITS,
      additionalProperties: { type: "object", additionalProperties: false, properties: { rows: COUNT } },
    },
    expectations: {
      type: "array",
      maxItems: MAX_EXPECTATIONS,
      items: {
        type: "object",
        required: ["name"],
        additionalProperties: false,
        properties: {
          name: NAME,
          severity: { enum: ["breaking", "warning"] },
          when: EXPRESSION,
          column: NAME,
          max_null_rate: { type: "number", minimum: 0, maximum: 1 },
          unique: { type: "boolean" },
          minimum: { type: "number" },
          maximum: { type: "number" },
          pattern: { type: "string", maxLength: 1_024 },
          expression: EXPRESSION,
        },
      },
    },
    sketch: SKETCH_SHAPE,
  },
} as const;

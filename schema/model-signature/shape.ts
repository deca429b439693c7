/** The JSON Schema of a model signature's text. */
import { ENDPOINT_DIALECTS, TENSOR_DTYPES } from "./model.ts";

/** Dimensions of a tensor; frameworks stop at 32 or less. */
export const MAX_TENSOR_RANK = 32;
/** A dimension is a signed 32-bit integer on most wires. */
export const MAX_TENSOR_DIMENSION = 2_147_483_647;
export const MAX_SIGNATURE_MEMBERS = 500;

const SCHEMA = { type: ["object", "boolean"] };
const NAMES = { propertyNames: { minLength: 1, maxLength: 256 }, maxProperties: MAX_SIGNATURE_MEMBERS };
const MEMBER = {
  type: "object",
  oneOf: [{ required: ["schema"] }, { required: ["tensor"] }],
  additionalProperties: false,
  properties: {
    description: { type: "string" },
    optional: { type: "boolean" },
    schema: SCHEMA,
    tensor: {
      type: "object",
      required: ["dtype", "shape"],
      additionalProperties: false,
      properties: {
        dtype: { enum: TENSOR_DTYPES },
        shape: {
          type: "array",
          maxItems: MAX_TENSOR_RANK,
          items: { type: "integer", minimum: -1, maximum: MAX_TENSOR_DIMENSION },
        },
      },
    },
  },
};
const PARAMETER = {
  type: "object",
  required: ["schema"],
  additionalProperties: false,
  properties: { description: { type: "string" }, optional: { type: "boolean" }, schema: SCHEMA },
};

export const SIGNATURE_SHAPE = {
  type: "object",
  required: ["dialect", "inputs", "outputs"],
  additionalProperties: false,
  patternProperties: { "^x-": true },
  properties: {
    description: { type: "string" },
    dialect: { enum: ENDPOINT_DIALECTS },
    inputs: { type: "object", ...NAMES, additionalProperties: MEMBER },
    outputs: { type: "object", ...NAMES, additionalProperties: MEMBER },
    parameters: { type: "object", ...NAMES, additionalProperties: PARAMETER },
    max_batch_size: { type: "integer", minimum: 0, maximum: MAX_TENSOR_DIMENSION },
    batch_dimension: { type: "integer", minimum: 0, maximum: MAX_TENSOR_RANK },
    decoupled: { type: "boolean" },
    sequence_batching: { type: "boolean" },
  },
} as const;

/** The interface of a served model: named inputs, outputs and parameters, as JSON Schemas or tensors. */
import type { ArtefactModel } from "../artefact.ts";
import type { PartDeclaration } from "../parts.ts";

export const ENDPOINT_DIALECTS = [
  "openai-chat",
  "openai-responses",
  "kserve-v2",
  "triton",
  "mlflow",
  "custom",
] as const;
export const TENSOR_DTYPES = [
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float16",
  "bfloat16",
  "float32",
  "float64",
  "string",
  "bytes",
] as const;

export type Tensor = { dtype: (typeof TENSOR_DTYPES)[number]; shape: readonly number[] };

export type SignatureFields = {
  dialect: (typeof ENDPOINT_DIALECTS)[number];
  tensors: Readonly<Record<"inputs" | "outputs", ReadonlyMap<string, Tensor>>>;
  /** 0: no batching. */
  maxBatchSize: number;
  batchDimension: number | null;
  decoupled: boolean;
  sequenceBatching: boolean;
  outputSchemas: ReadonlyMap<string, unknown>;
};

export type SignatureModel = ArtefactModel<SignatureFields>;

const SIDES = { steers: false, warnsOfRemoval: false, refusesClosing: false, isBareEmpty: true } as const;
const CALL = { giver: "the caller", taker: "the model" } as const;

export const INPUTS_PART: PartDeclaration = { name: "inputs", variance: "in", ...CALL, ...SIDES };
export const PARAMETERS_PART: PartDeclaration = { name: "parameters", variance: "in", ...CALL, ...SIDES };
export const OUTPUTS_PART: PartDeclaration = {
  name: "outputs",
  variance: "out",
  giver: "the model",
  taker: "the caller",
  ...SIDES,
  steers: true,
};

/** Differences that JSON Schemas do not show: tensors, the endpoint's dialect, and batching. */
import { differenceAt, provenBy } from "../artefact.ts";
import type { Difference } from "../compatibility.ts";
import { pointerToken } from "../json-text.ts";
import type { Witness } from "../witness.ts";
import type { SignatureModel, Tensor } from "./model.ts";

export function compareSignatures(reader: SignatureModel, writer: SignatureModel): Difference[] {
  const { own: now } = reader;
  const { own: before } = writer;
  const found: Difference[] = [];
  const add = (pointer: string, kind: string, severity: Difference["severity"], message: string) => {
    found.push(differenceAt([reader, writer], pointer, { kind, severity, message }));
  };
  if (now.dialect !== before.dialect) {
    const message = `The endpoint speaks ${now.dialect} instead of ${before.dialect}.`;
    add("/dialect", "ENDPOINT_DIALECT_CHANGED", "breaking", message);
  }
  if (now.maxBatchSize !== before.maxBatchSize) {
    const isLess = now.maxBatchSize < before.maxBatchSize;
    const message = `A batch holds ${now.maxBatchSize} requests at most, not ${before.maxBatchSize}.`;
    add(
      "/max_batch_size",
      isLess ? "MAX_BATCH_SIZE_DECREASED" : "MAX_BATCH_SIZE_INCREASED",
      isLess ? "breaking" : "info",
      message,
    );
  }
  if (now.batchDimension !== before.batchDimension) {
    const message = "The requests of a batch lie along another dimension.";
    add("/batch_dimension", "BATCH_DIMENSION_CHANGED", "breaking", message);
  }
  if (now.decoupled !== before.decoupled) {
    const message = now.decoupled ? "One request may have many answers." : "One request has one answer.";
    add("/decoupled", "DECOUPLED_CHANGED", "breaking", message);
  }
  if (now.sequenceBatching !== before.sequenceBatching) {
    const message = now.sequenceBatching
      ? "Requests of one sequence must say which, and come in order."
      : "Requests of one sequence are no longer kept together.";
    add("/sequence_batching", "SEQUENCE_BATCHING_CHANGED", "breaking", message);
  }
  for (const side of ["inputs", "outputs"] as const) {
    for (const [name, tensor] of now.tensors[side]) {
      const earlier = before.tensors[side].get(name);
      const pointer = `/${side}/${pointerToken(name)}`;
      if (earlier !== undefined) tensorDifferences(tensor, earlier, side, pointer, add);
    }
    for (const name of formsChanged(reader, writer, side)) {
      const message = `"${name}" changed between a tensor and a JSON value.`;
      add(`/${side}/${pointerToken(name)}`, "TENSOR_FORM_CHANGED", "breaking", message);
    }
  }
  return found;
}

type Add = (pointer: string, kind: string, severity: Difference["severity"], message: string) => void;

function tensorDifferences(now: Tensor, before: Tensor, side: "inputs" | "outputs", pointer: string, add: Add): void {
  if (now.dtype !== before.dtype) {
    const message = `The tensor's dtype is ${now.dtype} instead of ${before.dtype}.`;
    add(`${pointer}/tensor/dtype`, "TENSOR_DTYPE_CHANGED", "breaking", message);
  }
  if (JSON.stringify(now.shape) === JSON.stringify(before.shape)) return;
  const [taker, giver] = side === "inputs" ? [now, before] : [before, now];
  const fits = admits(taker.shape, giver.shape);
  const message = `The tensor's shape is [${now.shape.join(", ")}] instead of [${before.shape.join(", ")}].`;
  add(`${pointer}/tensor/shape`, "TENSOR_SHAPE_CHANGED", fits ? "info" : "breaking", message);
}

/** Whether every tensor of the second shape is one of the first; −1 is any size. */
function admits(shape: readonly number[], other: readonly number[]): boolean {
  return shape.length === other.length && shape.every((size, index) => size === -1 || size === other[index]);
}

function formsChanged(reader: SignatureModel, writer: SignatureModel, side: "inputs" | "outputs"): string[] {
  const namesOf = ({ root }: SignatureModel) => {
    const node = root.members.get(side);
    return node?.type === "object" ? [...node.members.keys()] : [];
  };
  const earlier = new Set(namesOf(writer));
  const isTensor = ({ own }: SignatureModel, name: string) => own.tensors[side].has(name);
  return namesOf(reader).filter((name) => earlier.has(name) && isTensor(reader, name) !== isTensor(writer, name));
}

/** A request that the earlier version accepts, or an answer that it never gives. */
export function witnessOfSignature(
  reader: SignatureModel,
  writer: SignatureModel,
  difference: Difference,
): Witness | undefined {
  const { own: now } = reader;
  const { own: before } = writer;
  const { kind, message } = difference;
  const proof = (datum: unknown) => provenBy("model-signature", datum, message);
  switch (kind) {
    case "ENDPOINT_DIALECT_CHANGED":
      return proof({ request: { dialect: before.dialect } });
    case "MAX_BATCH_SIZE_DECREASED":
      return proof({ request: { batch_size: before.maxBatchSize } });
    case "BATCH_DIMENSION_CHANGED":
      return proof({ request: { batch_dimension: before.batchDimension } });
    case "DECOUPLED_CHANGED":
      return proof({ request: { expects: before.decoupled ? "many answers" : "one answer" } });
    case "SEQUENCE_BATCHING_CHANGED":
      return proof({ request: { sequence_id: before.sequenceBatching ? 1 : null } });
  }
  const pointer = difference.reader_pointer ?? difference.writer_pointer ?? "";
  for (const side of ["inputs", "outputs"] as const) {
    const given = side === "inputs" ? before : now;
    for (const [name, tensor] of given.tensors[side]) {
      if (!pointer.startsWith(`/${side}/${pointerToken(name)}`)) continue;
      return proof({
        [side]: { [name]: { dtype: tensor.dtype, shape: tensor.shape.map((size) => (size === -1 ? 1 : size)) } },
      });
    }
    if (kind === "TENSOR_FORM_CHANGED" && pointer.startsWith(`/${side}/`))
      return proof({ [side]: pointer.split("/")[2] });
  }
  return undefined;
}

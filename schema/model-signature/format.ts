/** Model signatures behind the interface that all formats share. */
import { artefactFormat, readMember } from "../artefact.ts";
import type { SchemaFormat } from "../format.ts";
import { type JsonNode, type JsonObject, pointerToken, toPlainValue, unescapePointerToken } from "../json-text.ts";
import type { PartDeclaration, PartText } from "../parts.ts";
import { compareSignatures, witnessOfSignature } from "./compare.ts";
import {
  INPUTS_PART,
  OUTPUTS_PART,
  PARAMETERS_PART,
  type SignatureFields,
  type SignatureModel,
  type Tensor,
} from "./model.ts";
import { planForSignature } from "./plan.ts";
import { SIGNATURE_SHAPE } from "./shape.ts";

export const modelSignature: SchemaFormat<SignatureModel> = artefactFormat<SignatureFields>({
  name: "model-signature",
  codeVersion: 3,
  shape: SIGNATURE_SHAPE,
  partsOf: (root) => [
    partOfMembers(root, INPUTS_PART),
    partOfMembers(root, OUTPUTS_PART),
    partOfMembers(root, PARAMETERS_PART),
  ],
  readOwn: (root) => ({ own: fieldsOf(root), problems: [], warnings: [] }),
  compareOwn: compareSignatures,
  witnessOwn: witnessOfSignature,
  datumOf: (_, part, value) => ({ [part]: value }),
  plan: planForSignature,
});

/** One object schema of the named members. A tensor is any value here; its type and shape are compared by themselves. */
function partOfMembers(root: JsonObject, declaration: PartDeclaration): PartText {
  const pointer = `/${declaration.name}`;
  const members = root.members.get(declaration.name);
  const named = members?.type === "object" ? [...members.members] : [];
  const properties = new Map<string, JsonNode>();
  const required: JsonNode[] = [];
  const hasSchema = new Set<string>();
  for (const [name, member] of named) {
    const schema = member.type === "object" ? member.members.get("schema") : undefined;
    if (schema) hasSchema.add(name);
    properties.set(name, schema ?? { type: "boolean", start: member.start, value: true });
    const optional = member.type === "object" ? member.members.get("optional") : undefined;
    const isOptional = optional?.type === "boolean" && optional.value;
    if (!isOptional) required.push({ type: "string", start: member.start, value: name });
  }
  const schema: JsonNode = {
    type: "object",
    start: members?.start ?? 0,
    members: new Map<string, JsonNode>([
      ["type", { type: "string", start: 0, value: "object" }],
      ["properties", { type: "object", start: 0, members: properties }],
      ["required", { type: "array", start: 0, items: required }],
    ]),
  };
  return {
    declaration,
    // An absent list of parameters counts as an empty one, to which members may be added.
    pointer: members === undefined ? null : pointer,
    schema,
    placeOf: (place) => {
      const [, keyword, name, ...rest] = place.split("/");
      if (keyword === "required" && name !== undefined) {
        const index = required[Number(name)];
        return index?.type === "string" ? `${pointer}/${pointerToken(index.value)}` : pointer;
      }
      if (keyword !== "properties" || name === undefined) return pointer;
      const plain = unescapePointerToken(name);
      const inside = hasSchema.has(plain) ? ["schema", ...rest] : [];
      return [pointer, name, ...inside].join("/");
    },
  };
}

type WrittenMember = { optional?: boolean; schema?: unknown; tensor?: Tensor };

function fieldsOf(root: JsonObject): SignatureFields {
  const tensorsOf = (side: "inputs" | "outputs") => {
    const members = Object.entries((readMember(root, side) ?? {}) as Record<string, WrittenMember>);
    return new Map(members.flatMap(([name, { tensor }]) => (tensor ? [[name, tensor] as const] : [])));
  };
  const outputs = root.members.get("outputs");
  const schemas = outputs?.type === "object" ? [...outputs.members] : [];
  return {
    dialect: readMember(root, "dialect") as SignatureFields["dialect"],
    tensors: { inputs: tensorsOf("inputs"), outputs: tensorsOf("outputs") },
    maxBatchSize: (readMember(root, "max_batch_size") as number | undefined) ?? 0,
    batchDimension: (readMember(root, "batch_dimension") as number | undefined) ?? null,
    decoupled: readMember(root, "decoupled") === true,
    sequenceBatching: readMember(root, "sequence_batching") === true,
    outputSchemas: new Map(
      schemas.flatMap(([name, node]) => {
        const schema = node.type === "object" ? node.members.get("schema") : undefined;
        return schema === undefined ? [] : [[name, toPlainValue(schema)] as const];
      }),
    ),
  };
}

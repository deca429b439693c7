/** Evaluations behind the interface that all formats share. */
import { ANY_VALUE, artefactFormat, type OwnFields, partAt, readMember } from "../artefact.ts";
import type { SchemaFormat, SchemaProblem, SchemaSource } from "../format.ts";
import { type JsonObject, writeJsonText } from "../json-text.ts";
import type { ArtefactPart } from "../parts.ts";
import { compareEvaluations, witnessOfEvaluation } from "./compare.ts";
import { CASE_PART, type EvaluationFields, type EvaluationInput, type EvaluationModel, type Metric } from "./model.ts";
import { planForEvaluation } from "./plan.ts";
import { EVALUATION_SHAPE } from "./shape.ts";

export const evaluation: SchemaFormat<EvaluationModel> = artefactFormat<EvaluationFields>({
  name: "evaluation",
  codeVersion: 1,
  shape: EVALUATION_SHAPE,
  partsOf: (root) => [partAt(root, CASE_PART, ["case"], ANY_VALUE)],
  readOwn,
  compareOwn: compareEvaluations,
  witnessOwn: witnessOfEvaluation,
  plan: planForEvaluation,
});

type WrittenInput = { $ref?: string; address?: string; split?: string; same_as?: string[] };

function readOwn(
  root: JsonObject,
  _parts: readonly ArtefactPart[],
  { references }: SchemaSource,
): OwnFields<EvaluationFields> {
  const problems: SchemaProblem[] = [];
  const inputOf = (name: "dataset" | "prompt"): EvaluationInput => {
    const written = readMember(root, name) as WrittenInput | undefined;
    if (written === undefined) return null;
    if (written.address !== undefined) return { address: written.address };
    const reference = references.find((each) => each.name === written.$ref);
    if (reference !== undefined) return { subject: reference.subject, version: reference.version };
    const message = `The evaluation's references contain no "${written.$ref}".`;
    problems.push({ rule: "unresolved_reference", message, pointer: `/${name}/$ref` });
    return null;
  };
  const dataset = readMember(root, "dataset") as WrittenInput | undefined;
  const metrics = readMember(root, "metrics") as Metric[];
  for (const [index, { name, minimum, maximum }] of metrics.entries()) {
    const pointer = `/metrics/${index}`;
    if (metrics.findIndex((each) => each.name === name) !== index) {
      problems.push({
        rule: "repeated_name",
        message: `There is another metric "${name}".`,
        pointer: `${pointer}/name`,
      });
    }
    if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
      problems.push({ rule: "range", message: "No score is in this range.", pointer: `${pointer}/maximum` });
    }
  }
  const version = readMember(root, "task_version");
  const generation = root.members.get("generation");
  const own: EvaluationFields = {
    task: readMember(root, "task") as string,
    taskVersion: version === undefined ? null : String(version),
    dataset: inputOf("dataset"),
    datasetSplit: dataset?.split ?? null,
    sameAs: dataset?.same_as ?? [],
    prompt: inputOf("prompt"),
    shots: (readMember(root, "shots") as number | undefined) ?? null,
    seeds: (readMember(root, "seeds") as number[] | undefined) ?? [],
    metrics: new Map(metrics.map((metric) => [metric.name, metric])),
    generation: generation === undefined ? "" : writeJsonText(generation, { sortKeys: true }),
    code: (readMember(root, "code") as { digest: string } | undefined)?.digest ?? null,
  };
  return { own, problems, warnings: [] };
}

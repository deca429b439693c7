/** `/evaluations/compare-results`: whether two sets of results can be compared. */
import { makeRefusal } from "../../../contract/errors.ts";
import { evaluation as evaluationFormat } from "../../../schema/evaluation/format.ts";
import type { EvaluationModel } from "../../../schema/evaluation/model.ts";
import { compareResultSets, type EvaluationStep, overallVerdict } from "../../../schema/evaluation/results.ts";
import { judgeInSlices } from "../../../schema/facts.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import { type FoundTarget, readTarget } from "../../validation/targets.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { parseConsistency } from "./records.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function postResultComparison(request: NativeRequest): Promise<Answer> {
  const { before, after, evaluation } = request.body as Shape<"CompareResultsRequest">;
  const declared = evaluation === undefined ? undefined : await readStep(request, evaluation);
  const metrics = compareResultSets(before, after, declared?.step);
  return jsonAnswer<Shape<"ComparedResults">>(
    200,
    {
      verdict: overallVerdict(metrics),
      claimed_task_version: {
        before: declared?.step.before.own.taskVersion ?? null,
        after: declared?.step.after.own.taskVersion ?? null,
      },
      metrics,
    },
    declared === undefined ? {} : provenance(declared.found.asOf, declared.found.source),
  );
}

type Named = NonNullable<Shape<"CompareResultsRequest">["evaluation"]>;

async function readStep(
  request: NativeRequest,
  { subject, context, before, after }: Named,
): Promise<{ step: EvaluationStep; found: FoundTarget }> {
  const { edge } = request;
  const read = async (side: "before" | "after", version: string | number) => {
    const selector = { subject, context, version: String(version) };
    const found = requireValue(await readTarget(edge, selector, parseConsistency(request)));
    if (found.target.format.name === "evaluation") return found;
    const name = found.record === null ? subject : printSubjectName(found.record);
    throw unprocessable(`"${name}" is not an evaluation but a ${found.target.format.name}.`, `/evaluation/${side}`);
  };
  const [ours, theirs] = [await read("before", before), await read("after", after)];
  const [writer, reader] = [ours, theirs].map(({ target }) => ({
    model: target.model as EvaluationModel,
    text: target.source.text,
  })) as [JudgedVersion, JudgedVersion];
  edge.spendComparison(reader.text.length + writer.text.length);
  const options = { policy: "semantic", writers: "declared" } as const;
  const judged = await edge.work.run(judgeInSlices(evaluationFormat, reader, writer, options));
  if (!judged.ok) throw unprocessable(judged.refusal.message, "/evaluation");
  return { step: { before: writer.model, after: reader.model, differences: judged.value.differences }, found: theirs };
}

type JudgedVersion = { model: EvaluationModel; text: string };

function unprocessable(detail: string, pointer: string): RegistryError {
  return new RegistryError(
    makeRefusal("UNPROCESSABLE", [detail], detail, { items: [{ pointer, rule: "evaluation", message: detail }] }),
  );
}

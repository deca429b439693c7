import { describe, expect, it } from "vitest";
import type { EvaluationModel } from "../../../schema/evaluation/model.ts";
import {
  compareResultSets,
  type EvaluationStep,
  overallVerdict,
  type ResultSet,
} from "../../../schema/evaluation/results.ts";
import { compared, modelOf } from "../artefacts/models.ts";

type Changes = { record?: object; result?: object; metric?: object; uncertainty?: object; score?: number };

/** A record that states everything a comparison asks for, with changes. */
function results({ record = {}, result = {}, metric = {}, uncertainty = {}, score = 0.9 }: Changes = {}): ResultSet {
  return {
    evaluation_id: "nightly",
    model_info: { name: "small" },
    eval_library: { name: "inspect", version: "0.3.285" },
    evaluation_results: [
      {
        evaluation_name: "support",
        source_data: { dataset_name: "cases", hf_repo: "acme/cases", hf_split: "test", samples_number: 200 },
        generation_config: { generation_args: { temperature: 0, top_p: 1 } },
        metric_config: { metric_id: "accuracy", lower_is_better: false, min_score: 0, max_score: 1, ...metric },
        score_details: {
          score,
          uncertainty: { num_samples: 200, standard_error: { value: 0.01, method: "clt" }, ...uncertainty },
        },
        ...result,
      },
    ],
    ...record,
  };
}

const EVALUATION = {
  task: "support",
  shots: 3,
  metrics: [{ name: "accuracy", lower_is_better: false, minimum: 0, maximum: 1 }],
};

function stepOf(before: object, after: object): EvaluationStep {
  const [writer, reader] = [modelOf("evaluation", before), modelOf("evaluation", after)];
  const { differences } = compared("evaluation", reader, writer);
  return { before: writer as EvaluationModel, after: reader as EvaluationModel, differences };
}

const rulesOf = (before: ResultSet, after: ResultSet, step?: EvaluationStep) => {
  const [metric] = compareResultSets(before, after, step);
  return { verdict: metric?.verdict, rules: metric?.reasons.map(({ rule }) => rule) };
};

describe("compareResultSets", () => {
  it("finds results of other models comparable if everything else is stated and equal", () => {
    const other = results({ record: { model_info: { name: "large" } }, score: 0.95 });

    const metrics = compareResultSets(results(), other);

    expect(metrics).toEqual([
      {
        evaluation: "support",
        metric: "accuracy",
        verdict: "comparable",
        reasons: [],
        before: { score: 0.9, standard_error: 0.01, samples: 200 },
        after: { score: 0.95, standard_error: 0.01, samples: 200 },
        change: { by: expect.closeTo(0.05), is_better: true },
      },
    ]);
  });

  it("knows which change is for the better", () => {
    const loss = (score: number) => results({ metric: { lower_is_better: true }, score });
    const change = (from: number, to: number) => compareResultSets(loss(from), loss(to))[0]?.change?.is_better;

    expect([change(0.5, 0.4), change(0.4, 0.5), change(0.4, 0.4)]).toEqual([true, false, null]);
  });

  it.each<[string, Changes, string]>([
    ["the direction", { metric: { lower_is_better: true } }, "direction"],
    ["the highest score", { metric: { max_score: 100 } }, "scale"],
    ["the lowest score", { metric: { min_score: -1 } }, "scale"],
    [
      "the generation settings",
      { result: { generation_config: { generation_args: { temperature: 1 } } } },
      "generation",
    ],
    ["the number of measured cases", { uncertainty: { num_samples: 50 } }, "samples"],
    ["the data set", { result: { source_data: { dataset_name: "other" } } }, "data"],
    [
      "the split",
      {
        result: { source_data: { dataset_name: "cases", hf_repo: "acme/cases", hf_split: "dev", samples_number: 200 } },
      },
      "cases",
    ],
  ])("finds results that differ in %s not comparable, and gives no change", (_, changes, rule) => {
    const [metric] = compareResultSets(results(), results(changes));

    expect(metric).toMatchObject({ verdict: "not_comparable", reasons: [{ rule }], change: null });
  });

  it.each<[string, Changes, string]>([
    [
      "another version of the harness",
      { record: { eval_library: { name: "inspect", version: "0.4" } } },
      "harness_version",
    ],
    ["another harness", { record: { eval_library: { name: "helm", version: "0.3.285" } } }, "harness"],
    ["a harness that only one names", { record: { eval_library: undefined } }, "harness"],
    ["generation settings that only one states", { result: { generation_config: undefined } }, "generation_unstated"],
    ["data that only one states", { result: { source_data: undefined } }, "data_unstated"],
    ["a range that only one states", { metric: { max_score: undefined } }, "scale_unstated"],
    [
      "another way to compute the error",
      { uncertainty: { standard_error: { value: 0.01, method: "bootstrap" } } },
      "standard_error",
    ],
    [
      "data at another address",
      {
        result: {
          source_data: { dataset_name: "cases", hf_repo: "mirror/cases", hf_split: "test", samples_number: 200 },
        },
      },
      "data_moved",
    ],
  ])("leaves %s unknown", (_, changes, rule) => {
    expect(rulesOf(results(), results(changes))).toEqual({ verdict: "unknown", rules: [rule] });
  });

  it("gives the verdict unknown for records without information", () => {
    const bare = results({
      record: { eval_library: undefined },
      result: { source_data: undefined, generation_config: undefined },
    });

    expect(rulesOf(bare, bare)).toEqual({
      verdict: "unknown",
      rules: ["harness_unstated", "generation_unstated", "data_unstated"],
    });
    expect(rulesOf(bare, bare, stepOf(EVALUATION, EVALUATION))).toEqual({ verdict: "comparable", rules: [] });
  });

  it("reads what a record states once for all of its results", () => {
    const once = (temperature: number) =>
      results({ record: { generation_config: { temperature } }, result: { generation_config: undefined } });

    expect(rulesOf(once(0), once(0)).verdict).toBe("comparable");
    expect(rulesOf(once(0), once(1)).rules).toEqual(["generation"]);
  });

  it("finds a metric of one record not comparable, and one that is repeated unknown", () => {
    const [result] = results().evaluation_results;
    const f1 = { ...result!, metric_config: { metric_id: "f1", lower_is_better: false } };
    const several = results({ record: { evaluation_results: [result!, result!, f1] } });

    const metrics = compareResultSets(several, results());

    expect(metrics).toMatchObject([
      { metric: "accuracy", verdict: "unknown", reasons: [{ rule: "repeated_result" }], before: null },
      { metric: "f1", verdict: "not_comparable", reasons: [{ rule: "missing_result" }], after: null },
    ]);
    expect(overallVerdict(metrics)).toBe("not_comparable");
  });

  it("adds what the evaluation's versions differ in", () => {
    const step = stepOf(EVALUATION, { ...EVALUATION, shots: 0, code: { digest: "a".repeat(40) } });

    expect(rulesOf(results(), results(), step)).toEqual({
      verdict: "not_comparable",
      rules: ["SHOTS_CHANGED", "EVALUATION_CODE_CHANGED"],
    });
  });

  it("checks records against the evaluation that they name", () => {
    const step = stepOf(EVALUATION, EVALUATION);
    const of = (changes: Changes) => rulesOf(results(changes), results(changes), step).rules;

    expect(of({ score: 93 })).toEqual(["declared_range", "declared_range"]);
    expect(of({ metric: { lower_is_better: true } })).toEqual(["declared_direction", "declared_direction"]);
    expect(of({ metric: { metric_id: "f1" } })).toEqual(["undeclared_metric", "undeclared_metric"]);
  });

  it("takes another address for the same data once the evaluation says so", () => {
    const at = (hf_repo: string) => results({ result: { source_data: { dataset_name: "cases", hf_repo } } });
    const evaluation = { ...EVALUATION, dataset: { address: "acme/cases", same_as: ["mirror/cases"] } };

    expect(rulesOf(at("acme/cases"), at("mirror/cases"), stepOf(evaluation, evaluation)).verdict).toBe("comparable");
    expect(rulesOf(at("acme/cases"), at("third/cases"), stepOf(evaluation, evaluation)).rules).toEqual(["data_moved"]);
  });

  it("does not use a claimed version as evidence", () => {
    const claimed = (version: number, more: object = {}) => ({ ...EVALUATION, ...more, task_version: version });

    expect(rulesOf(results(), results(), stepOf(claimed(1), claimed(2))).verdict).toBe("comparable");
    expect(rulesOf(results(), results(), stepOf(claimed(1), claimed(1, { shots: 0 }))).verdict).toBe("not_comparable");
  });
});

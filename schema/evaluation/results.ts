/**
 * Whether two sets of results can be compared, per metric. Only what the records and the evaluation's versions state
 * decides: missing information makes a verdict unknown, and a task version claimed by the authors is shown but does not
 * affect it.
 */
import type { Difference } from "../compatibility.ts";
import { isSameValue } from "../projection/decode.ts";
import type { EvaluationModel, Metric } from "./model.ts";
import { type Comparability, concernsMetric } from "./plan.ts";

/** The members of an Every-Eval-Ever record that a comparison reads; free-form ones are compared as they are. */
export type ResultSet = {
  evaluation_id: string;
  model_info?: { name?: string; id?: string } | undefined;
  source_data?: unknown;
  eval_library?: unknown;
  generation_config?: unknown;
  evaluation_results: readonly ReportedResult[];
};

type ReportedResult = {
  evaluation_name: string;
  source_data?: unknown;
  generation_config?: unknown;
  metric_config: { metric_id?: string; metric_name?: string; lower_is_better: boolean } & Readonly<
    Partial<Record<(typeof SCALE_MEMBERS)[number], unknown>>
  >;
  score_details: {
    score: number;
    uncertainty?: {
      num_samples?: number | null;
      standard_error?: { value?: number; method?: unknown };
    };
  };
};

/** Members of `metric_config` that determine the meaning of a score. */
const SCALE_MEMBERS = ["score_type", "metric_unit", "min_score", "max_score", "level_names", "llm_scoring"] as const;
/** Members of `source_data` about the location of the data, not its identity. */
const ADDRESS_MEMBERS = ["hf_repo", "url"] as const;
const SAMPLE_MEMBERS = ["hf_split", "samples_number", "sample_ids"] as const;

/** The versions of one evaluation that the two sets ran, and the differences between them. */
export type EvaluationStep = {
  before: EvaluationModel;
  after: EvaluationModel;
  differences: readonly Difference[];
};

type ComparisonReason = { verdict: Exclude<Comparability, "comparable">; rule: string; message: string };

type Score = { score: number; standard_error: number | null; samples: number | null };

export type ComparedMetric = {
  evaluation: string;
  metric: string;
  verdict: Comparability;
  reasons: ComparisonReason[];
  before: Score | null;
  after: Score | null;
  /** The change of the score, and whether it is an improvement; only for comparable results. */
  change: { by: number; is_better: boolean | null } | null;
};

/** Every metric of either set, in the order of the earlier one, then of the later. */
export function compareResultSets(before: ResultSet, after: ResultSet, step?: EvaluationStep): ComparedMetric[] {
  const [earlier, later] = [resultsByKey(before), resultsByKey(after)];
  const isSame = rememberingSame();
  return [...new Set([...earlier.keys(), ...later.keys()])].map((key) => {
    const [ours, theirs] = [earlier.get(key) ?? [], later.get(key) ?? []];
    const { evaluation_name: evaluation, metric_config } = (ours[0] ?? theirs[0])!;
    const metric = metricOf({ evaluation_name: evaluation, metric_config });
    const reasons = new Reasons(isSame);
    if (ours.length > 1 || theirs.length > 1) {
      reasons.unknown("repeated_result", `A record has several results of "${metric}" in "${evaluation}".`);
    } else if (ours[0] === undefined || theirs[0] === undefined) {
      const lacking = theirs[0] === undefined ? "later" : "earlier";
      reasons.never("missing_result", `The ${lacking} record has no result of "${metric}" in "${evaluation}".`);
    } else {
      compareMeans(reasons, before, after, step !== undefined);
      compareReported(reasons, [before, ours[0]], [after, theirs[0]], step);
      if (step) compareDeclared(reasons, metric, ours[0], theirs[0], step);
    }
    const verdict = reasons.verdict();
    const scores = { before: scoreOf(ours), after: scoreOf(theirs) };
    return {
      evaluation,
      metric,
      verdict,
      reasons: reasons.found,
      ...scores,
      change: verdict === "comparable" ? changeOf(scores, metric_config.lower_is_better) : null,
    };
  });
}

/** The worst verdict of all metrics. */
export function overallVerdict(metrics: readonly Pick<ComparedMetric, "verdict">[]): Comparability {
  const has = (verdict: Comparability) => metrics.some((metric) => metric.verdict === verdict);
  return has("not_comparable") ? "not_comparable" : has("unknown") ? "unknown" : "comparable";
}

class Reasons {
  readonly found: ComparisonReason[] = [];
  readonly isSame: SameValue;

  constructor(isSame: SameValue) {
    this.isSame = isSame;
  }

  never(rule: string, message: string): void {
    this.found.push({ verdict: "not_comparable", rule, message });
  }

  unknown(rule: string, message: string): void {
    this.found.push({ verdict: "unknown", rule, message });
  }

  verdict(): Comparability {
    return overallVerdict(this.found);
  }
}

type SameValue = (a: unknown, b: unknown) => boolean;

/** Remembers objects, because all results of a record share what the record states once. */
function rememberingSame(): SameValue {
  const known = new Map<unknown, Map<unknown, boolean>>();
  return (a, b) => {
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
    const others = known.get(a) ?? new Map<unknown, boolean>();
    known.set(a, others);
    const isSame = others.get(b) ?? isSameValue(a, b);
    others.set(b, isSame);
    return isSame;
  };
}

function metricOf({
  metric_config,
  evaluation_name,
}: Pick<ReportedResult, "metric_config" | "evaluation_name">): string {
  return metric_config.metric_id ?? metric_config.metric_name ?? evaluation_name;
}

function resultsByKey({ evaluation_results }: ResultSet): Map<string, ReportedResult[]> {
  const byKey = new Map<string, ReportedResult[]>();
  for (const result of evaluation_results) {
    const key = JSON.stringify([result.evaluation_name, metricOf(result)]);
    byKey.set(key, [...(byKey.get(key) ?? []), result]);
  }
  return byKey;
}

/** The harness, whose code is opaque to the comparison. */
function compareMeans(reasons: Reasons, before: ResultSet, after: ResultSet, isDeclared: boolean): void {
  const [ours, theirs] = [before.eval_library, after.eval_library];
  if (ours === undefined && theirs === undefined) {
    if (!isDeclared) reasons.unknown("harness_unstated", "Neither record says which harness computed the scores.");
    return;
  }
  if (reasons.isSame(memberOf(ours, "name"), memberOf(theirs, "name"))) {
    if (reasons.isSame(memberOf(ours, "version"), memberOf(theirs, "version"))) return;
    reasons.unknown("harness_version", "Another version of the harness computed the scores; its code is not compared.");
    return;
  }
  reasons.unknown("harness", "Another harness computed the scores; its code is not compared.");
}

type Side = readonly [ResultSet, ReportedResult];

function compareReported(reasons: Reasons, before: Side, after: Side, step: EvaluationStep | undefined): void {
  const [, ours] = before;
  const [, theirs] = after;
  compareGeneration(reasons, before, after, step !== undefined);
  compareSources(reasons, sourceOf(before), sourceOf(after), step);
  if (ours.metric_config.lower_is_better !== theirs.metric_config.lower_is_better) {
    reasons.never("direction", "The records disagree on whether a lower score is better.");
  }
  for (const member of SCALE_MEMBERS) {
    const [scale, other] = [ours.metric_config[member] ?? null, theirs.metric_config[member] ?? null];
    if (reasons.isSame(scale, other)) continue;
    if (scale === null || other === null) {
      reasons.unknown("scale_unstated", `Only one record states the metric's "${member}".`);
    } else {
      reasons.never("scale", `The metric's "${member}" differs.`);
    }
  }
  const [samples, others] = [samplesOf(ours), samplesOf(theirs)];
  if (samples !== null && others !== null && samples !== others) {
    reasons.never("samples", `The scores are over ${others} cases instead of ${samples}.`);
  }
  const method = ({ score_details }: ReportedResult) => score_details.uncertainty?.standard_error?.method;
  if (!reasons.isSame(method(ours) ?? null, method(theirs) ?? null)) {
    reasons.unknown("standard_error", "The standard errors are computed differently, or one is not explained.");
  }
}

function compareGeneration(reasons: Reasons, before: Side, after: Side, isDeclared: boolean): void {
  const of = ([record, result]: Side) => result.generation_config ?? record.generation_config ?? null;
  const [ours, theirs] = [of(before), of(after)];
  if (ours === null || theirs === null) {
    // If the records do not state how answers are generated, the versions of a declared evaluation do.
    if (isDeclared && ours === theirs) return;
    reasons.unknown("generation_unstated", "How the answers were generated is not stated in both records.");
  } else if (!reasons.isSame(ours, theirs)) {
    reasons.never("generation", "The answers were generated with other settings.");
  }
}

function sourceOf([record, result]: Side): unknown {
  return result.source_data ?? record.source_data ?? null;
}

function compareSources(reasons: Reasons, ours: unknown, theirs: unknown, step: EvaluationStep | undefined): void {
  if (ours === null || theirs === null) {
    if (step !== undefined && ours === theirs) return;
    reasons.unknown("data_unstated", "The data is not stated in both records.");
    return;
  }
  const differs = (member: string) => !reasons.isSame(memberOf(ours, member), memberOf(theirs, member));
  if (differs("dataset_name")) {
    reasons.never("data", "The records name different data sets.");
    return;
  }
  for (const member of SAMPLE_MEMBERS) {
    if (!differs(member)) continue;
    if (memberOf(ours, member) === null || memberOf(theirs, member) === null) {
      reasons.unknown("cases_unstated", `Only one record states the data's "${member}".`);
    } else {
      reasons.never("cases", `The data's "${member}" differs: other cases were measured.`);
    }
  }
  if (ADDRESS_MEMBERS.some(differs) && !areDeclaredSame([...addressesOf(ours), ...addressesOf(theirs)], step)) {
    reasons.unknown("data_moved", "The data is at another address, and neither record declares it to be the same.");
  }
}

function addressesOf(source: unknown): unknown[] {
  return ADDRESS_MEMBERS.flatMap((member) => memberOf(source, member) ?? []);
}

function areDeclaredSame(addresses: readonly unknown[], step: EvaluationStep | undefined): boolean {
  const declared = new Set<unknown>(
    step === undefined
      ? []
      : [step.before, step.after].flatMap(({ own: { dataset, sameAs } }) =>
          dataset !== null && "address" in dataset ? [dataset.address, ...sameAs] : sameAs,
        ),
  );
  return addresses.every((address) => declared.has(address));
}

/** The declarations of the evaluation's versions, and whether the records match them. */
function compareDeclared(
  reasons: Reasons,
  metric: string,
  ours: ReportedResult,
  theirs: ReportedResult,
  { before, after, differences }: EvaluationStep,
): void {
  for (const { kind, severity, message } of differences.filter((each) => concernsMetric(each, metric))) {
    if (severity === "breaking") reasons.never(kind, message);
    if (severity === "warning") reasons.unknown(kind, message);
  }
  const sides = [
    ["earlier", before.own.metrics.get(metric), ours],
    ["later", after.own.metrics.get(metric), theirs],
  ] as const;
  for (const [side, declared, result] of sides) {
    if (declared === undefined) {
      reasons.unknown("undeclared_metric", `The evaluation's ${side} version does not declare "${metric}".`);
    } else {
      keepsTo(reasons, side, declared, result);
    }
  }
}

function keepsTo(
  reasons: Reasons,
  side: string,
  { lower_is_better, minimum = -Infinity, maximum = Infinity }: Metric,
  { metric_config, score_details: { score } }: ReportedResult,
): void {
  if (metric_config.lower_is_better !== lower_is_better) {
    reasons.never("declared_direction", `The ${side} record contradicts the evaluation on whether lower is better.`);
  }
  if (score < minimum || score > maximum) {
    reasons.never(
      "declared_range",
      `The ${side} score, ${score}, is outside of the range that the evaluation declares.`,
    );
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
  return (value as Record<string, unknown>)[name] ?? null;
}

function samplesOf({ score_details }: ReportedResult): number | null {
  return score_details.uncertainty?.num_samples ?? null;
}

function scoreOf([result, ...others]: readonly ReportedResult[]): Score | null {
  if (result === undefined || others.length > 0) return null;
  const { score, uncertainty } = result.score_details;
  return { score, standard_error: uncertainty?.standard_error?.value ?? null, samples: samplesOf(result) };
}

function changeOf(
  { before, after }: { before: Score | null; after: Score | null },
  isLowerBetter: boolean,
): ComparedMetric["change"] {
  if (before === null || after === null) return null;
  const by = after.score - before.score;
  return { by, is_better: by === 0 ? null : by < 0 === isLowerBetter };
}

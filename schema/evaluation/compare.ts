/**
 * Whether results of two versions can be compared. A breaking difference makes them incomparable, a warning leaves it
 * unknown: opaque code, or data that moved and is not declared to be the same. A version number claimed by the authors
 * is shown, but does not affect the verdict.
 */
import { differenceAt, provenBy } from "../artefact.ts";
import type { Difference } from "../compatibility.ts";
import type { Witness } from "../witness.ts";
import type { EvaluationFields, EvaluationInput, EvaluationModel, Metric } from "./model.ts";

export function compareEvaluations(reader: EvaluationModel, writer: EvaluationModel): Difference[] {
  const { own: now } = reader;
  const { own: before } = writer;
  const found: Difference[] = [];
  const add = (pointer: string, kind: string, severity: Difference["severity"], message: string) => {
    found.push(differenceAt([reader, writer], pointer, { kind, severity, message }));
  };
  if (now.task !== before.task) {
    add("/task", "TASK_CHANGED", "breaking", `The task is "${now.task}" and not "${before.task}".`);
  }
  if (now.taskVersion !== before.taskVersion) {
    const message = `The authors call it version ${now.taskVersion ?? "none"} instead of ${before.taskVersion ?? "none"}, which proves nothing.`;
    add("/task_version", "TASK_VERSION_CLAIMED", "info", message);
  }
  compareData(now, before, add);
  if (now.datasetSplit !== before.datasetSplit) {
    add("/dataset/split", "DATASET_SPLIT_CHANGED", "breaking", "The cases come from another split.");
  }
  if (JSON.stringify(now.prompt) !== JSON.stringify(before.prompt)) {
    add(
      "/prompt",
      "EVALUATION_PROMPT_CHANGED",
      "breaking",
      `Models are asked by ${shown(now.prompt)} instead of ${shown(before.prompt)}.`,
    );
  }
  if (now.shots !== before.shots) {
    add(
      "/shots",
      "SHOTS_CHANGED",
      "breaking",
      `Models see ${now.shots ?? "any number of"} examples instead of ${before.shots ?? "any number"}.`,
    );
  }
  if (now.generation !== before.generation) {
    add("/generation", "GENERATION_SETTINGS_CHANGED", "breaking", "Answers are generated with other settings.");
  }
  if (JSON.stringify(now.seeds) !== JSON.stringify(before.seeds)) {
    add("/seeds", "SEEDS_CHANGED", "behaviour", "Other seeds: scores differ by chance alone.");
  }
  if (now.code !== before.code) {
    add("/code", "EVALUATION_CODE_CHANGED", "warning", "The code changed; whether that affects scores is unknown.");
  }
  compareMetrics(now.metrics, before.metrics, add);
  return found;
}

type Add = (pointer: string, kind: string, severity: Difference["severity"], message: string) => void;

function shown(input: EvaluationInput): string {
  if (input === null) return "nothing that is named";
  return "address" in input ? `"${input.address}"` : `version ${input.version} of "${input.subject}"`;
}

function compareData(now: EvaluationFields, before: EvaluationFields, add: Add): void {
  if (JSON.stringify(now.dataset) === JSON.stringify(before.dataset)) return;
  const message = `The data is ${shown(now.dataset)} instead of ${shown(before.dataset)}.`;
  const isOutside = (input: EvaluationInput) => input !== null && "address" in input;
  const names = (input: EvaluationInput) => (input !== null && "address" in input ? [input.address] : []);
  const isSame =
    names(before.dataset).some((name) => now.sameAs.includes(name)) ||
    names(now.dataset).some((name) => before.sameAs.includes(name));
  if (isSame) add("/dataset", "DATASET_MOVED", "info", `${message} The author says that it is the same.`);
  else if (isOutside(now.dataset) || isOutside(before.dataset)) add("/dataset", "DATASET_MOVED", "warning", message);
  else add("/dataset", "EVALUATION_DATASET_CHANGED", "breaking", message);
}

function compareMetrics(now: ReadonlyMap<string, Metric>, before: ReadonlyMap<string, Metric>, add: Add): void {
  for (const [name, metric] of now) {
    const earlier = before.get(name);
    if (earlier === undefined) add("/metrics", "METRIC_ADDED", "info", `"${name}" is measured as well.`);
    else metricDifferences(metric, earlier, add);
  }
  for (const name of before.keys()) {
    if (!now.has(name)) add("/metrics", "METRIC_REMOVED", "breaking", `"${name}" is no longer measured.`);
  }
}

function metricDifferences(now: Metric, before: Metric, add: Add): void {
  const { name } = now;
  if (now.lower_is_better !== before.lower_is_better) {
    add(
      "/metrics",
      "METRIC_DIRECTION_CHANGED",
      "breaking",
      `A high "${name}" is now ${now.lower_is_better ? "bad" : "good"}.`,
    );
  }
  if (now.minimum !== before.minimum || now.maximum !== before.maximum) {
    add("/metrics", "METRIC_RANGE_CHANGED", "breaking", `"${name}" has another range.`);
  }
  if (now.aggregation !== before.aggregation) {
    add(
      "/metrics",
      "METRIC_AGGREGATION_CHANGED",
      "breaking",
      `"${name}" is aggregated by ${now.aggregation ?? "an unnamed rule"} instead of ${before.aggregation ?? "an unnamed rule"}.`,
    );
  }
  if (now.standard_error !== before.standard_error) {
    add("/metrics", "METRIC_ERROR_CHANGED", "warning", `The standard error of "${name}" is computed differently.`);
  }
}

/** Two results that look comparable but are not. */
export function witnessOfEvaluation(
  reader: EvaluationModel,
  writer: EvaluationModel,
  { message, part }: Difference,
): Witness | undefined {
  if (part !== undefined) return undefined;
  const of = ({ own }: EvaluationModel) => ({
    task: own.task,
    shots: own.shots,
    dataset: shown(own.dataset),
    prompt: shown(own.prompt),
    metrics: [...own.metrics.keys()],
  });
  return provenBy("evaluation", { result_before: of(writer), result_after: of(reader) }, `Not comparable: ${message}`);
}

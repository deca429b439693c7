/** Lists the results that are no longer comparable, per metric. */
import type { Difference } from "../compatibility.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { EvaluationModel } from "./model.ts";

export type Comparability = "comparable" | "not_comparable" | "unknown";

/** Whether a difference concerns the metric: only those about another metric do not. */
export function concernsMetric({ kind, message }: Difference, metric: string): boolean {
  return !kind.startsWith("METRIC_") || message.includes(`"${metric}"`);
}

/** Per metric of the earlier version, with the reasons. */
function comparabilityOf(
  previous: EvaluationModel,
  differences: readonly Difference[],
): { metric: string; verdict: Comparability; reasons: string[] }[] {
  return [...previous.own.metrics.keys()].map((metric) => {
    const about = differences.filter((difference) => concernsMetric(difference, metric));
    const reasons = (severity: Difference["severity"]) =>
      about.filter((difference) => difference.severity === severity).map(({ message }) => message);
    const [breaking, unknown] = [reasons("breaking"), reasons("warning")];
    if (breaking.length > 0) return { metric, verdict: "not_comparable", reasons: breaking };
    if (unknown.length > 0) return { metric, verdict: "unknown", reasons: unknown };
    return { metric, verdict: "comparable", reasons: [] };
  });
}

export function planForEvaluation(
  previous: EvaluationModel,
  _next: EvaluationModel,
  differences: readonly Difference[],
): Plan {
  const actions = comparabilityOf(previous, differences).flatMap(({ metric, verdict, reasons }): PlanAction[] => {
    if (verdict === "comparable") return [];
    const reason = `"${metric}" is ${verdict === "unknown" ? "perhaps not" : "not"} comparable: ${reasons.join(" ")}`;
    const note = "Run earlier models again before comparing with them.";
    return [{ action: verdict === "unknown" ? "review_results" : "rerun_results", pointer: "/metrics", reason, note }];
  });
  return boundedPlan(actions);
}

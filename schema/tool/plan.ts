/** What a new version of a tool asks of the agents and clients that call it. */
import type { Difference } from "../compatibility.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { ToolModel } from "./model.ts";

export function planForTool(previous: ToolModel, next: ToolModel, differences: readonly Difference[]): Plan {
  const actions = differences.flatMap((difference): PlanAction[] => {
    const { kind, severity, message, reader_pointer: pointer, fix } = difference;
    const place = pointer === null ? {} : { pointer };
    if (kind === "TOOL_RENAMED") {
      const note = `Call "${next.own.name}" instead of "${previous.own.name}".`;
      return [{ action: "change_caller", ...place, reason: message, note }];
    }
    if (kind === "PARAMETER_RENAME_CANDIDATE") {
      return [{ action: "change_caller", ...place, reason: message, note: "Send the parameter by its new name." }];
    }
    if (kind.endsWith("_PROMISE_WITHDRAWN")) {
      return [{ action: "review_permissions", ...place, reason: message }];
    }
    if (severity === "behaviour") return [{ action: "evaluate_agent", ...place, reason: message }];
    if (severity === "breaking") {
      const action = difference.part?.variance === "out" ? "change_reader" : "change_caller";
      return [{ action, ...place, reason: message, ...(fix === undefined ? {} : { note: fix }) }];
    }
    if (severity === "warning") return [{ action: "clean_up_caller", ...place, reason: message }];
    return [];
  });
  return boundedPlan(actions);
}

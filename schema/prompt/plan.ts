/** What a new version of a prompt asks of those who render it. */
import type { Difference } from "../compatibility.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { PromptModel } from "./model.ts";

export function planForPrompt(_previous: PromptModel, _next: PromptModel, differences: readonly Difference[]): Plan {
  const actions = differences.flatMap((difference): PlanAction[] => {
    const { kind, severity, message: reason, reader_pointer, writer_pointer, fix, part } = difference;
    const place = reader_pointer ?? writer_pointer;
    const pointer = place === null ? {} : { pointer: place };
    const note = noteFor(difference) ?? fix;
    const noted = note === undefined ? {} : { note };
    if (kind === "PROMPT_TOOL_ADDED") return [{ action: "provide_tool", ...pointer, reason }];
    if (severity === "behaviour") return [{ action: "evaluate", ...pointer, reason }];
    if (severity === "info") return [];
    if (part?.variance === "out") return [{ action: "change_reader", ...pointer, reason, ...noted }];
    return [{ action: severity === "breaking" ? "change_caller" : "clean_up_caller", ...pointer, reason, ...noted }];
  });
  return boundedPlan(actions);
}

/** The change to a call, where the kind alone says it. */
function noteFor({ kind, reader_pointer, writer_pointer }: Difference): string | undefined {
  const variable = (reader_pointer ?? writer_pointer ?? "").split("/").at(-1);
  if (kind === "OPTIONAL_VARIABLE_NEEDED") return `Give "${variable}" in every call.`;
  if (kind.startsWith("REQUIRED_")) return "Give the new variable in every call.";
  if (kind === "PROPERTY_REMOVED") return `Stop giving "${variable}".`;
  if (/_(?:NARROWED|CHANGED|ADDED|INCREASED|DECREASED)$/.test(kind))
    return `Give values that the new declaration admits.`;
  return undefined;
}

/** What owners and readers of a data set must do because of a new version. */
import type { Difference } from "../compatibility.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { DatasetModel } from "./model.ts";

export function planForDataset(_previous: DatasetModel, _next: DatasetModel, differences: readonly Difference[]): Plan {
  const actions = differences.flatMap((difference): PlanAction[] => {
    const { kind, severity, message: reason, reader_pointer, writer_pointer, part } = difference;
    const place = reader_pointer ?? writer_pointer;
    const pointer = place === null ? {} : { pointer: place };
    if (kind.startsWith("EXPECTATION_")) return [{ action: "check_rows", ...pointer, reason }];
    if (kind === "CLASS_LABELS_REORDERED") {
      const note = "Map the integers of stored rows and of trained models, or append instead.";
      return [{ action: "relabel", ...pointer, reason, note }];
    }
    if (kind === "REQUIRED_ATTRIBUTE_ADDED" || kind === "REQUIRED_PROPERTY_ADDED" || kind === "PROPERTY_ADDED") {
      const note = "Write the column into the rows that exist.";
      return [{ action: "backfill_column", ...pointer, reason, note }];
    }
    if (severity === "breaking") return [{ action: part ? "change_reader" : "move_readers", ...pointer, reason }];
    return severity === "behaviour" ? [{ action: "evaluate", ...pointer, reason }] : [];
  });
  return boundedPlan(actions);
}

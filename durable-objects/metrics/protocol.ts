/** What the edge and the MetricsObject say to each other. */

import type { Series } from "../../observe/metrics.ts";
import { EPOCH } from "../../registry/log-entry.ts";

export const METRICS_VERSION = 1;
/** One object adds up a whole deployment. */
export const METRICS_NAME = `metrics/${EPOCH}`;

/** Series kept in all; a new one past this is added to the series of its metric whose labels are all `overflow`. */
export const MAX_SERIES = 5_000;
/** Series in one call: a flush of an isolate that has seen every route is about a third of it. */
export const MAX_FLUSHED_SERIES = 1_000;
export const MAX_LABEL_CHARACTERS_KEPT = 200;
export const OVERFLOW_LABEL = "overflow";

/** What one isolate counted since the batch before. Repeated with the same number it counts once. */
export type Counted = { v: number; isolate: string; number: number; series: readonly Series[] };

export type Metrics = {
  add(counted: Counted): Promise<{ ok: true } | { ok: false; reason: "version" | "invalid" }>;
  totals(args: { v: number }): Promise<{ series: Series[] } | { ok: false; reason: "version" }>;
};

/** RPC between the edge and the MetricsObject. */

import type { Series } from "../../observe/metrics.ts";
import { EPOCH } from "../../registry/log-entry.ts";
import type { Result } from "../../schema/result.ts";

export const METRICS_VERSION = 2;
/** One object per deployment. */
export const METRICS_NAME = `metrics/${EPOCH}`;

/** Series kept in total; past this a new series is added to the one of its metric labelled `overflow`. */
export const MAX_SERIES = 5_000;
/** Series per call: an isolate that has served every route sends about a third of this. */
export const MAX_FLUSHED_SERIES = 1_000;
export const MAX_LABEL_CHARACTERS_KEPT = 200;
export const OVERFLOW_LABEL = "overflow";

/** What one isolate counted since its previous batch. A repeat with the same number counts once. */
export type Counted = { v: number; isolate: string; number: number; series: readonly Series[] };

/**
 * Distinct validating isolates per day of a deployment: the platform bills each, and a thousand cost about two dollars.
 */
export const MAX_VALIDATING_ISOLATES_PER_DAY = 1_000;

export type Metrics = {
  add(counted: Counted): Promise<Result<null, "version" | "invalid">>;
  totals(args: { v: number }): Promise<Result<Series[], "version">>;
  /** Counts a validating isolate, by the SHA-256 of its key; false if the day's budget is spent. */
  admitIsolate(args: {
    v: number;
    hash: string;
    day: number;
  }): Promise<Result<{ admitted: boolean }, "version" | "invalid">>;
  /** The validating isolates of the current day. */
  countIsolates(args: { v: number }): Promise<Result<{ count: number }, "version">>;
};

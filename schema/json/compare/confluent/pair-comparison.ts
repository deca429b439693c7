/** What the comparisons of arrays, objects and combined schemas need of the comparison that runs them: it compares what lies below. */
import type { WorkMeter } from "../bounds.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import type { Findings } from "./findings.ts";
import type { ConfluentPolicy } from "./kinds.ts";
import type { NodeIds } from "./node-ids.ts";
import type { TypedSchema } from "./typed-schema.ts";

type Side = TypedSchema | undefined;

export interface PairComparison {
  readonly policy: ConfluentPolicy;
  readonly meter: WorkMeter;
  readonly patterns: PatternMatches;
  readonly nodeIds: NodeIds;
  /** Whether only the compatibility of the pair is asked for. */
  readonly isTrial: boolean;
  compare(original: Side, update: Side, path?: string): Findings;
  /** Whether a pair is compatible, without all that is different if it is not. */
  isCompatible(original: Side, update: Side, path?: string): boolean;
  /** Whether nothing more needs to be known of a pair. */
  isSettled(findings: Findings): boolean;
  /** Compares at a place below and adds the differences at `path`. */
  compareInto(findings: Findings, path: string, original: Side, update: Side): void;
}

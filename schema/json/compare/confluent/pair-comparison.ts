/** The interface between the comparisons of arrays, objects and combined schemas and the comparison that runs them. */
import type { ComparisonMeter } from "../bounds.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import type { Findings } from "./findings.ts";
import type { ConfluentPolicy } from "./kinds.ts";
import type { NodeIds } from "./node-ids.ts";
import type { TypedSchema } from "./typed-schema.ts";

type Side = TypedSchema | undefined;

export interface PairComparison {
  readonly policy: ConfluentPolicy;
  readonly meter: ComparisonMeter;
  readonly patterns: PatternMatches;
  readonly nodeIds: NodeIds;
  /** Whether only the compatibility of the pair is requested. */
  readonly isTrial: boolean;
  compare(original: Side, update: Side, path?: string): Findings;
  /** Whether a pair is compatible, without collecting its differences. */
  isCompatible(original: Side, update: Side, path?: string): boolean;
  /** Whether enough is known about a pair. */
  isSettled(findings: Findings): boolean;
  /** Compares a nested location and adds its differences at `path`. */
  compareInto(findings: Findings, path: string, original: Side, update: Side): void;
}

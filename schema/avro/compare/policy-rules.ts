/** Where the two policies differ in judging a pair of types; everything else is shared. */
import type { Severity } from "../../compatibility.ts";
import type { AvroField, AvroRecord } from "../model.ts";
import type { DefaultChecker } from "../parse/default-value.ts";
import type { AttributeTexts } from "./attribute-texts.ts";
import type { Entry } from "./entry.ts";
import type { BranchFinder } from "./union-branches.ts";

export type PolicyRules = {
  /** Whether any matching union branch may read the writer's type, or only the one that resolution selects. */
  readonly triesEveryBranch: boolean;
  /** This policy's severity for a loss of meaning in a reading that resolution allows. */
  severityOfLoss(severity: Severity): Severity;
  /** Judges a reader's field that the writer lacks; null if its default fills it. */
  expandMissingField(field: AvroField, readerStep: string, records: RecordPair, context: CompareContext): Entry | null;
};

type RecordPair = { reader: AvroRecord; writer: AvroRecord };

/** The rules and lookup tables of one comparison. */
export type CompareContext = {
  rules: PolicyRules;
  branches: BranchFinder;
  defaults: DefaultChecker;
  texts: AttributeTexts;
  /** Set while deciding: only breaking differences matter, so compatible changes are skipped. */
  isDeciding: boolean;
  /** Counts work against the comparison's bound. */
  spend(steps: number): void;
};

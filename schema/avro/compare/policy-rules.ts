/** What the two policies decide differently about one pair of types; everything else is common to both. */
import type { Severity } from "../../compatibility.ts";
import type { AvroField, AvroRecord } from "../model.ts";
import type { DefaultChecker } from "../parse/default-value.ts";
import type { AttributeTexts } from "./attribute-texts.ts";
import type { Entry } from "./entry.ts";
import type { BranchFinder } from "./union-branches.ts";

export type PolicyRules = {
  /** Whether each branch that matches is tried, or only the one that resolution takes. */
  readonly triesEveryBranch: boolean;
  /** The severity under this policy of what resolution allows and loses meaning by. */
  severityOfLoss(severity: Severity): Severity;
  /** What a reader's field that the writer does not have amounts to, or null where its default simply fills it. */
  expandMissingField(field: AvroField, readerStep: string, records: RecordPair, context: CompareContext): Entry | null;
};

export type RecordPair = { reader: AvroRecord; writer: AvroRecord };

/** The rules of one comparison, and what it looks things up in. */
export type CompareContext = {
  rules: PolicyRules;
  branches: BranchFinder;
  defaults: DefaultChecker;
  texts: AttributeTexts;
  /** Whether only what breaks is asked for: the verdict comes first, and the rest is found for what is reported. */
  isDeciding: boolean;
  /** Counts work against the bound of the comparison. */
  spend(steps: number): void;
};

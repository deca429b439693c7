/** Lookups and compatibility checks: decided like a registration, without writing. */

import type { CompatibilityLevel, Difference } from "../schema/compatibility.ts";
import type { Fact } from "../schema/facts.ts";
import type { FormatName, JsonDialect } from "../schema/format.ts";
import type { DataContractMetadata, RuleSet } from "../schema/rules/data-contract.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { Need } from "./commands.ts";
import type { Answered } from "./log-entry.ts";
import type { RequestedReference, SchemaRecord } from "./record.ts";
/** Looks up a content under a subject without writing (docs/confluent-compatibility.md); may need facts, like a commit. */
export type LookupRequest = {
  v: number;
  tenant: string;
  name: SubjectName;
  format: FormatName;
  text: string;
  references: readonly RequestedReference[];
  metadata: DataContractMetadata | null;
  ruleSet: RuleSet | null;
  normalise: boolean;
  dialect: JsonDialect;
  deleted: boolean;
  /** Also searches other contexts for a name in the default one. */
  anyContext?: boolean;
  facts: readonly Fact[];
  computeMissing: boolean;
};

/** `exact`: the same content rather than an equivalent one. */
export type LookupAnswer = Answered<
  { type: "found"; record: SchemaRecord; exact: boolean } | { type: "needs"; needs: readonly Need[] }
>;

/** Asks for the verdict of a registration's compatibility check, against the versions of the level or one version. */
export type CheckRequest = Omit<LookupRequest, "deleted" | "anyContext"> & {
  selector: "level" | "latest" | number;
};

export type CheckAnswer = Answered<
  { type: "checked"; result: CheckResult } | { type: "needs"; needs: readonly Need[] }
>;

export type CheckResult = {
  level: CompatibilityLevel;
  validateFields: boolean;
  /** The first incompatible version, newest first, and its differences; null if the schema contradicts itself. */
  incompatible: { record: SchemaRecord | null; differences: readonly Difference[] } | null;
};

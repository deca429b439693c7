/** Lookups and compatibility checks: decided like a registration, without writing. */

import type { Refusal } from "../contract/errors.ts";
import type { CompatibilityLevel, Difference } from "../schema/compatibility.ts";
import type { Fact } from "../schema/facts.ts";
import type { FormatName, JsonDialect } from "../schema/format.ts";
import type { DataContractMetadata, RuleSet } from "../schema/rules/data-contract.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { Need } from "./commands.ts";
import type { AsOf } from "./log-entry.ts";
import type { RequestedReference, SchemaRecord } from "./record.ts";
/** Looks a content up under a subject without writing (Confluent contract §4.5); may need facts as a commit does. */
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
  /** Searches the other contexts for a name in the default one (Confluent contract §3.3). */
  anyContext?: boolean;
  facts: readonly Fact[];
  computeMissing: boolean;
};

export type LookupAnswer =
  /** `exact`: the very content was asked for, not an equivalent one. */
  | { type: "found"; record: SchemaRecord; exact: boolean; asOf: AsOf }
  | { type: "needs"; needs: readonly Need[]; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };

/** Asks what a registration's compatibility check would say, against what the level asks for or against one version. */
export type CheckRequest = Omit<LookupRequest, "deleted" | "anyContext"> & {
  selector: "level" | "latest" | number;
};

export type CheckAnswer =
  | { type: "checked"; result: CheckResult; asOf: AsOf }
  | { type: "needs"; needs: readonly Need[]; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };

export type CheckResult = {
  level: CompatibilityLevel;
  validateFields: boolean;
  /** The first version that stands in the way, newest first, and why; no version where the schema contradicts itself. */
  incompatible: { record: SchemaRecord | null; differences: readonly Difference[] } | null;
};

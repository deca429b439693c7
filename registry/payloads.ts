/** Payloads of log entries: every effect of an entry, explicit enough to be replayed without any decision. */

import type { FormatName, JsonDialect, SchemaReference } from "../schema/format.ts";
import type { Plan } from "../schema/plan.ts";
import type { DataContract } from "../schema/rules/data-contract.ts";
import type { RuleBook } from "../schema/rules/rule-book.ts";
import type { AliasSettings, EvidenceResult } from "./alias.ts";
import type { Association } from "./association.ts";
import type { Change, ChangeSetKind } from "./change-set.ts";
import type { Config, Mode } from "./config.ts";
import type { Governance, RequiredApproval } from "./governance.ts";
import type { Attributes } from "./record.ts";
import type { StoredEndpoint } from "./webhook.ts";
/** Gives a record its number, semver (`label` in stored bytes) and Confluent id; an artefact has none. */
export type Numbering = {
  number: number;
  label: string;
  confluentId: number | null;
  /** The context's counter of Confluent ids after this entry. */
  nextConfluentId: number;
  /** What users of the version before it must do; only artefacts have one. */
  plan?: Plan;
};

export type RegisteredPayload = {
  v: 1;
  subject: { key: number; context: string; subject: string; defaultPolicy: string };
  id: string;
  content: {
    key: number;
    hash: string;
    guid: string;
    format: FormatName;
    dialect: JsonDialect | null;
    references: readonly SchemaReference[];
    contract: DataContract;
    equivalenceHash: string;
  };
  /** The record's own properties besides its content; absent if an earlier build wrote the entry. */
  reading?: { dialect: JsonDialect | null; orderlessHash: string };
  targets: readonly Target[];
  attributes: Attributes | null;
  /** Null for a draft. */
  numbering: Numbering | null;
};

/** The version a reference of the record resolves to. Numbers are never reused, so this never changes. */
type Target = { subjectKey: number; number: number };

export type Payloads = {
  "schema.registered": RegisteredPayload;
  "schema.activated": { v: 1; recordKey: number; numbering: Numbering | null; reason: string | null };
  "schema.updated": { v: 1; recordKey: number; attributes: Attributes };
  "schema.deprecated": { v: 1; recordKey: number; reason: string | null };
  "schema.archived": { v: 1; recordKey: number; reason: string | null };
  "schema.deleted": { v: 1; recordKeys: readonly number[] };
  "schema.undeleted": { v: 1; recordKeys: readonly number[] };
  "schema.erased": {
    v: 1;
    recordKeys: readonly number[];
    /** Subjects that lost records: whether any are left, and the last number assigned. */
    subjects: readonly {
      key: number;
      context: string;
      subject: string;
      gone: boolean;
      lastNumber: number;
      lastLabel: string | null;
    }[];
    contexts: readonly { context: string; nextConfluentId: number }[];
  };
  "config.changed": { v: 1; context: string; subject: string; config: Config | null };
  "mode.changed": { v: 1; scopes: readonly { context: string; subject: string; mode: Mode | null }[] };
  "rule.changed": { v: 1; context: string; subject: string; book: RuleBook | null };
  /** `keepsCounter` is absent if an earlier build wrote the entry: the context then started over. */
  "context.deleted": { v: 1; context: string; keepsCounter?: true };
  /** All associations of each subject after the change. */
  "association.changed": {
    v: 1;
    subjects: readonly { context: string; subject: string; associations: readonly Association[] }[];
  };
  /** The endpoint after the change; null if deleted. Never contains keys, only the numbers they are derived from. */
  "webhook.changed": {
    v: 1;
    id: string;
    endpoint: StoredEndpoint | null;
    reason: string | null;
  };
  /** Follows the entries from `firstSeq` on that it makes one change set. */
  "change_set.committed": {
    v: 1;
    id: string;
    kind: ChangeSetKind;
    message: string | null;
    proposal: string | null;
    firstSeq: number;
  };
  /** All settings after the change. */
  "governance.changed": { v: 1; governance: Governance };
  "proposal.opened": {
    v: 1;
    id: string;
    digest: string;
    message: string | null;
    changes: readonly Change[];
    subjects: readonly string[];
    required: readonly RequiredApproval[];
    expiresAtMs: number;
    review: unknown;
  };
  "proposal.commented": { v: 1; id: string; text: string };
  "proposal.approved": { v: 1; id: string; roles: readonly string[] };
  "proposal.rejected": { v: 1; id: string; reason: string | null; isWithdrawn: boolean };
  /** The records that its changes created or changed: a hard delete of one also erases the proposal's payload. */
  "proposal.applied": { v: 1; id: string; recordKeys: readonly number[] };
  "proposal.expired": { v: 1; id: string };
  /** The alias after the move; `settings` is null if it was deleted. `from` and `target` name versions by number. */
  "alias.moved": {
    v: 1;
    subjectKey: number;
    alias: string;
    settings: AliasSettings | null;
    target: { recordKey: number; number: number } | null;
    from: number | null;
    reason: string | null;
  };
  "evidence.attached": { v: 1; recordKey: number; results: readonly EvidenceResult[] };
  /** Follows the entries that protections or freezes would have blocked. */
  "change.overridden": {
    v: 1;
    reason: string;
    subjects: readonly string[];
    protections: readonly string[];
    freezes: readonly string[];
  };
};

/** Commands that change a registry, their outcomes, and the facts the primary may request first. */

import type { CompatibilityLevel } from "../schema/compatibility.ts";
import type { ContentHash } from "../schema/content-hash.ts";
import type { ReadingRequest, VerdictRequest } from "../schema/facts.ts";
import type { FormatName, JsonDialect, SchemaProblem, SchemaReference } from "../schema/format.ts";
import type { GroupedPlans } from "../schema/plan-groups.ts";
import type { DataContractMetadata, RuleSet } from "../schema/rules/data-contract.ts";
import type { DatedException, RuleBook } from "../schema/rules/rule-book.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { AttachEvidenceCommand, DeleteAliasCommand, Evidence, MoveAliasCommand, VersionAlias } from "./alias.ts";
import type { Lifecycle, Resource, SubjectAssociation } from "./association.ts";
import type { ChangeOutcome, MakeChangesCommand } from "./change-set.ts";
import type { Config, ConfigChanges, EffectiveConfig, Mode } from "./config.ts";
import type { Governance, GovernanceCommand, Proposal } from "./governance.ts";
import type { Api, Attributes, Closure, RequestedReference, SchemaRecord } from "./record.ts";
import type { WebhookEndpoint, WebhookSettings } from "./webhook.ts";
/** A fact the primary lacks. `closures` are those of the references, in order (reading), or of reader and writer (verdict). */
export type Need =
  | {
      type: "reading";
      key: string;
      request: ReadingRequest;
      references: readonly SchemaReference[];
      closures: readonly Closure[];
    }
  | {
      type: "verdict";
      key: string;
      request: VerdictRequest;
      reader: Closure;
      writer: Closure;
      /** The side of the candidate, whose text is the reading's and not stored yet. */
      candidate: "reader" | "writer" | null;
      /**
       * Whether the candidate is compared with all versions, so that the next one will also be compared with these.
       */
      isTransitive?: boolean;
      format: FormatName;
    }
  /** A text too large for the primary's storage must be put into R2 first. */
  | { type: "text"; key: string; contentHash: ContentHash };

/** A need of one change of a change set, by its index. `reading` is the key of its text's reading, if known. */
export type ChangeNeed = Need & { change: number; reading: string | null };

/** A content that a change set creates and that is not stored yet; its text is that of a reading. */
export type UnstoredContent = { contentHash: ContentHash; reading: string };

export type RegisterCommand = {
  type: "register";
  api: Api;
  name: SubjectName;
  format: FormatName;
  /** As received. Empty: text, format and references are taken from the newest live version. */
  text: string;
  references: readonly RequestedReference[];
  metadata: DataContractMetadata | null;
  ruleSet: RuleSet | null;
  normalise: boolean;
  /** The default dialect of a JSON Schema without `$schema`. */
  dialect: JsonDialect;
  /** The request names the dialect, so a version with a different one does not match. */
  namesDialect?: boolean;
  /** An explicit number or null. In the Confluent contract, tag operations send −1 for "absent", which behaves like null. */
  versionNumber: number | null;
  semver: string | null;
  confluentId: number | null;
  state: "draft" | "active";
  attributes: Attributes;
  /** Becomes the subject's level if this registration creates the subject. */
  compatibilityLevel: CompatibilityLevel | null;
  /** Skips the compatibility check (Confluent `force`). */
  force: boolean;
  /**
   * Optimistic lock: the content that was the newest live one when the caller derived its text. If it has changed, the
   * command is refused as busy.
   */
  basedOn?: ContentHash;
  /** Registers a new version even if the content exists, as changes of tags require. */
  alwaysNewVersion?: boolean;
};

export type ActivateCommand = { type: "activate"; id: string; reason: string | null; ifMatchSeq: number | null };

export type UndeleteCommand = { type: "undelete"; id: string };

/** One version, or every version of the subject. `permanent` needs an earlier soft delete. */
export type DeleteVersionCommand = {
  type: "deleteVersion";
  name: SubjectName;
  /** `latest` is the newest live version. */
  versionNumber: number | "latest";
  permanent: boolean;
};

export type DeleteRecordCommand = { type: "deleteRecord"; id: string; permanent: boolean; ifMatchSeq: number | null };

export type DeleteSubjectCommand = {
  type: "deleteSubject";
  name: SubjectName;
  permanent: boolean;
  /** Drafts alone do not make a subject exist, as in the Confluent API. */
  needsVersion?: boolean;
};

export type UpdateRecordCommand = {
  type: "updateRecord";
  id: string;
  changes: Partial<Attributes>;
  /** Any transition except to or from draft. */
  state: "active" | "deprecated" | "archived" | null;
  reason: string | null;
  ifMatchSeq: number | null;
};

export type SetConfigCommand = { type: "setConfig"; scope: SubjectName; changes: ConfigChanges };

export type DeleteConfigCommand = { type: "deleteConfig"; scope: SubjectName };

/** `mode` null clears it. */
export type SetModeCommand = { type: "setMode"; scope: SubjectName; mode: Mode | null; force: boolean };

export type DeleteModeCommand = { type: "deleteMode"; scope: SubjectName; recursive: boolean };

/** Sets the rule book of a subject, or of the tenant at the global context; null removes it. */
export type SetRulesCommand = { type: "setRules"; scope: SubjectName; book: RuleBook | null };

/** Adds an exception to a scope's rule book, independently of concurrent changes to the book. */
export type AddExceptionCommand = { type: "addException"; scope: SubjectName; exception: DatedException };

export type DeleteContextCommand = { type: "deleteContext"; context: string };

export type SetAssociationsCommand = {
  type: "setAssociations";
  resource: Resource;
  associations: readonly {
    /** Null: the existing association's subject, or the resource's default subject. */
    name: SubjectName | null;
    type: string;
    /** Null: unchanged; for a new association STRONG if it is frozen or has a schema, else WEAK. */
    lifecycle: Lifecycle | null;
    /** Null: unchanged; for a new association, true if it has a schema. */
    frozen: boolean | null;
    /** Whether it comes with a schema, which is registered between the dry run and the change. */
    hasSchema: boolean;
  }[];
  /** Whether an existing association may change; otherwise it must equal the request. */
  upsert: boolean;
  dryRun: boolean;
};

export type DeleteAssociationsCommand = {
  type: "deleteAssociations";
  resourceId: string;
  resourceType: string;
  /** Empty: all. */
  types: readonly string[];
  /** Also deletes frozen associations, and hard-deletes the subjects of STRONG ones. */
  cascade: boolean;
  /** Whether it is an error if there are none. */
  mustExist: boolean;
  dryRun: boolean;
};

export type CreateWebhookCommand = { type: "createWebhook"; webhook: WebhookSettings };

/** Absent fields stay unchanged. `gone`: the endpoint answered 410. */
export type UpdateWebhookCommand = {
  type: "updateWebhook";
  id: string;
  changes: Partial<WebhookSettings>;
  gone: boolean;
  ifMatchSeq: number | null;
};

/** Adds a generation of keys; the previous one signs alongside it for a while. */
export type RotateWebhookCommand = { type: "rotateWebhook"; id: string };

export type DeleteWebhookCommand = { type: "deleteWebhook"; id: string };

export type Command =
  | RegisterCommand
  | ActivateCommand
  | UndeleteCommand
  | DeleteVersionCommand
  | DeleteRecordCommand
  | DeleteSubjectCommand
  | UpdateRecordCommand
  | SetConfigCommand
  | DeleteConfigCommand
  | SetModeCommand
  | DeleteModeCommand
  | SetRulesCommand
  | AddExceptionCommand
  | DeleteContextCommand
  | SetAssociationsCommand
  | DeleteAssociationsCommand
  | CreateWebhookCommand
  | UpdateWebhookCommand
  | RotateWebhookCommand
  | DeleteWebhookCommand
  | MakeChangesCommand
  | MoveAliasCommand
  | DeleteAliasCommand
  | AttachEvidenceCommand
  | GovernanceCommand;

export type Registered = {
  type: "registered";
  created: boolean;
  record: SchemaRecord;
  warnings: readonly SchemaProblem[];
};

/** Entries to drop from caches: native ids, and the guids of their contents. */
export type HardDeleted = { records: readonly string[]; guids: readonly string[] };

export type Outcome =
  | Registered
  | { type: "record"; record: SchemaRecord }
  /** The deleted numbers, ascending; a single number for one version. Drafts have none. */
  | { type: "deleted"; versions: readonly number[]; records: readonly string[]; guids: readonly string[] }
  /** The scope's configuration: the new one (set) or the previous one (deleted). */
  | {
      type: "config";
      config: Config /** What then counted there, as the native API has it. */;
      effective: EffectiveConfig;
    }
  /** `hardDeleted`: versions that an import replaced. */
  | { type: "mode"; mode: Mode | null; hardDeleted?: HardDeleted }
  | { type: "rules"; book: RuleBook | null }
  | { type: "context"; context: string }
  /** The new associations (set) or the previous ones (deleted); `unchanged` are types that already matched. */
  | { type: "associations"; associations: readonly SubjectAssociation[]; unchanged: readonly string[] }
  /** The endpoint after the change, or before its deletion. */
  | { type: "webhook"; webhook: WebhookEndpoint }
  /** In the order of the command's changes. `changeSet` is null if there was nothing to change. */
  | { type: "changes"; changeSet: string | null; changes: readonly ChangeOutcome[]; plans?: GroupedPlans }
  /** The alias after the move, or before its deletion. */
  | { type: "alias"; alias: VersionAlias }
  | { type: "evidence"; evidence: Evidence }
  | { type: "governance"; governance: Governance }
  /** The proposal after the change, including the results if it was applied. */
  | {
      type: "proposal";
      proposal: Proposal;
      changeSet: string | null;
      changes: readonly ChangeOutcome[];
      plans?: GroupedPlans;
    };

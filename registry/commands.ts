/** Commands that change a registry, their outcomes, and the facts that the primary may ask for first. */

import type { CompatibilityLevel } from "../schema/compatibility.ts";
import type { ContentHash } from "../schema/content-hash.ts";
import type { ReadingRequest, VerdictRequest } from "../schema/facts.ts";
import type { FormatName, JsonDialect, SchemaProblem, SchemaReference } from "../schema/format.ts";
import type { DataContractMetadata, RuleSet } from "../schema/rules/data-contract.ts";
import type { DatedException, RuleBook } from "../schema/rules/rule-book.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { Lifecycle, Resource, SubjectAssociation } from "./association.ts";
import type { Config, ConfigChanges, Mode } from "./config.ts";
import type { EffectiveConfig } from "./questions.ts";
import type { Api, Attributes, Closure, RequestedReference, SchemaRecord } from "./record.ts";
import type { WebhookEndpoint, WebhookSettings } from "./webhook.ts";
/** A fact the primary misses. For a reading, `closures` are of the references, in their order; for a verdict, of reader and writer. */
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
      /** Which side is the candidate: its text is the reading's, not yet stored. */
      candidate: "reader" | "writer" | null;
      format: FormatName;
    }
  /** A text too large for the primary's own storage must lie in R2 first. */
  | { type: "text"; key: string; contentHash: ContentHash };

export type RegisterCommand = {
  type: "register";
  api: Api;
  name: SubjectName;
  format: FormatName;
  /** As it arrived. Empty: text, format and references are those of the newest live version. */
  text: string;
  references: readonly RequestedReference[];
  metadata: DataContractMetadata | null;
  ruleSet: RuleSet | null;
  normalise: boolean;
  /** Of a JSON Schema that does not say its own. */
  dialect: JsonDialect;
  /** The caller named the dialect: a version that is read in another one is not what it asks for. */
  namesDialect?: boolean;
  /** An explicit number, or null. −1 stands for "absent" with tag operations in the Confluent contract and behaves as null. */
  versionNumber: number | null;
  semver: string | null;
  confluentId: number | null;
  state: "draft" | "active";
  attributes: Attributes;
  /** Becomes the subject's level if this registration creates the subject. */
  compatibilityLevel: CompatibilityLevel | null;
  /** Skips the compatibility check (Confluent `force`). */
  force: boolean;
  /** The content that was the newest live one when the caller made its text from it: one with another text by now is refused as busy. */
  basedOn?: ContentHash;
  /** A new version even where a known one would do, as changes of tags ask for. */
  alwaysNewVersion?: boolean;
};

export type ActivateCommand = { type: "activate"; id: string; reason: string | null; ifMatchSeq: number | null };

export type UndeleteCommand = { type: "undelete"; id: string };

/** One version, or every version of the subject. `permanent` needs an earlier soft delete. */
export type DeleteVersionCommand = {
  type: "deleteVersion";
  name: SubjectName;
  /** `latest` is the newest live one. */
  versionNumber: number | "latest";
  permanent: boolean;
};

export type DeleteRecordCommand = { type: "deleteRecord"; id: string; permanent: boolean; ifMatchSeq: number | null };

export type DeleteSubjectCommand = {
  type: "deleteSubject";
  name: SubjectName;
  permanent: boolean;
  /** Drafts alone make no subject, as the Confluent API has it. */
  needsVersion?: boolean;
};

export type UpdateRecordCommand = {
  type: "updateRecord";
  id: string;
  changes: Partial<Attributes>;
  /** Other than to and from draft. */
  state: "active" | "deprecated" | "archived" | null;
  reason: string | null;
  ifMatchSeq: number | null;
};

export type SetConfigCommand = { type: "setConfig"; scope: SubjectName; changes: ConfigChanges };

export type DeleteConfigCommand = { type: "deleteConfig"; scope: SubjectName };

/** `mode` null clears it. */
export type SetModeCommand = { type: "setMode"; scope: SubjectName; mode: Mode | null; force: boolean };

export type DeleteModeCommand = { type: "deleteMode"; scope: SubjectName; recursive: boolean };

/** Custom rules, overrides and exceptions of a subject, or of the tenant at the global context; null removes them. */
export type SetRulesCommand = { type: "setRules"; scope: SubjectName; book: RuleBook | null };

/** One more exception in the book of a scope, whoever else is writing to it. */
export type AddExceptionCommand = { type: "addException"; scope: SubjectName; exception: DatedException };

export type DeleteContextCommand = { type: "deleteContext"; context: string };

export type SetAssociationsCommand = {
  type: "setAssociations";
  resource: Resource;
  associations: readonly {
    /** Null: the subject of the association there is, or the resource's default subject. */
    name: SubjectName | null;
    type: string;
    /** Null: as it is; for a new one STRONG if it is frozen or has a schema, else WEAK. */
    lifecycle: Lifecycle | null;
    /** Null: as it is; for a new one whether a schema comes with it. */
    frozen: boolean | null;
    /** Whether a schema comes with it, to be registered between the dry run and the change itself. */
    hasSchema: boolean;
  }[];
  /** Whether what exists may change; otherwise it must be as asked. */
  upsert: boolean;
  dryRun: boolean;
};

export type DeleteAssociationsCommand = {
  type: "deleteAssociations";
  resourceId: string;
  resourceType: string;
  /** Empty: all. */
  types: readonly string[];
  /** Frozen ones go too, and the subjects of STRONG ones are hard-deleted with them. */
  cascade: boolean;
  /** Whether it is an error that there are none. */
  mustExist: boolean;
  dryRun: boolean;
};

export type CreateWebhookCommand = { type: "createWebhook"; webhook: WebhookSettings };

/** Fields that are absent stay. `gone`: the endpoint itself has said that it is no more. */
export type UpdateWebhookCommand = {
  type: "updateWebhook";
  id: string;
  changes: Partial<WebhookSettings>;
  gone: boolean;
  ifMatchSeq: number | null;
};

/** A new generation of keys; the one before signs beside it for a while. */
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
  | DeleteWebhookCommand;

export type Registered = {
  type: "registered";
  created: boolean;
  record: SchemaRecord;
  warnings: readonly SchemaProblem[];
};

/** What nobody may be shown from a cache any more: native ids, and the guids of their contents. */
export type HardDeleted = { records: readonly string[]; guids: readonly string[] };

export type Outcome =
  | Registered
  | { type: "record"; record: SchemaRecord }
  /** Numbers that were deleted, ascending; a single number for one version. Drafts count nothing. */
  | { type: "deleted"; versions: readonly number[]; records: readonly string[]; guids: readonly string[] }
  /** What is now (set) or was (deleted) configured at the scope. */
  | {
      type: "config";
      config: Config /** What then counted there, as the native API has it. */;
      effective: EffectiveConfig;
    }
  /** `hardDeleted`: what gave way to an import. */
  | { type: "mode"; mode: Mode | null; hardDeleted?: HardDeleted }
  | { type: "rules"; book: RuleBook | null }
  | { type: "context"; context: string }
  /** Those that are now (set) or were (deleted) there; `unchanged` are the types of those that were as asked already. */
  | { type: "associations"; associations: readonly SubjectAssociation[]; unchanged: readonly string[] }
  /** As it is now, or was before it was deleted. */
  | { type: "webhook"; webhook: WebhookEndpoint };

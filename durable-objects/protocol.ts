/**
 * What the edge and the primary say to each other: commands, facts, queries and answers, all plain data.
 * Edge and object may differ by one version for minutes, so every call carries `v` and an object refuses what it does not know.
 */
import type { Refusal } from "../contract/errors.ts";
import type { SentTrace } from "../contract/trace-context.ts";
import type { CompatibilityLevel, Difference, Policy, WriterAssumption } from "../schema/compatibility.ts";
import type { ClosureHash, ContentHash } from "../schema/content-hash.ts";
import type { Contract, ContractMetadata, ContractRuleSet } from "../schema/contract-metadata.ts";
import type { Fact, ReadingRequest, VerdictRequest } from "../schema/facts.ts";
import type { FormatName, JsonDialect, SchemaProblem, SchemaReference } from "../schema/format.ts";
import type { Role } from "../schema/roles.ts";
import type { DatedException, RuleBook } from "../schema/rules.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { Query, ReadAnswer } from "./questions.ts";
import type { FinishAnswer, FinishRequest, RestoreAnswer } from "./restore.ts";
import type { SegmentSource, StateDigests } from "./segments.ts";
import type { WebhookChange, WebhookEndpoint, WebhookSettings } from "./webhooks/endpoint.ts";

export const PROTOCOL_VERSION = 1;
export const EPOCH = 1;

/** `draft` has no number, label or Confluent id; the others have all three. Deletion is beside the state, not in it. */
export const STATES = ["draft", "active", "deprecated", "archived"] as const;
export type State = (typeof STATES)[number];

export const MODES = ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"] as const;
export type Mode = (typeof MODES)[number];

export { ROLES, type Role } from "../schema/roles.ts";

/** Which API speaks: it sets the defaults of subjects it creates, nothing else. */
export type Api = "native" | "confluent";

/** Where the primary stood when it answered. `lastHardDelete` is the seq of the last hard delete, 0 if there was none. */
export type AsOf = { epoch: number; seq: number; lastHardDelete: number };

/** Who acts: `actor` is what enters the log (a pseudonym), `requestId` what the caller was told. */
export type Caller = { tenant: string; actor: string; requestId: string };

/** Mutable, never hashed. Empty on records that the Confluent API made. */
export type Attributes = {
  description: string | null;
  tags: readonly string[];
  owner: string | null;
  metadata: Readonly<Record<string, unknown>>;
  role: Role | null;
};

export const NO_ATTRIBUTES: Attributes = { description: null, tags: [], owner: null, metadata: {}, role: null };

/** One registered version of a subject, without its text. */
export type SchemaRecord = {
  /** UUIDv7. */
  id: string;
  context: string;
  subject: string;
  /** Null while a draft. */
  versionNumber: number | null;
  label: string | null;
  confluentId: number | null;
  state: State;
  deleted: boolean;
  format: FormatName;
  dialect: JsonDialect | null;
  contentHash: ContentHash;
  guid: string;
  references: readonly SchemaReference[];
  contract: Contract;
  attributes: Attributes;
  createdAtMs: number;
  createdBy: string;
  updatedAtMs: number;
  /** Seq of the last entry about this record. */
  seq: number;
};

/** Content class: immutable, never state. `deflated` is the raw-deflated UTF-8 text, or null when it lies in R2 under the content hash. */
export type StoredContent = {
  contentHash: ContentHash;
  guid: string;
  format: FormatName;
  dialect: JsonDialect | null;
  references: readonly SchemaReference[];
  contract: Contract;
  deflated: Uint8Array | null;
  /** Bytes of the text before deflating. */
  textBytes: number;
};

/** What one content's references resolve to, for each content a root reaches. The root comes first. */
export type Closure = {
  root: ContentHash;
  hash: ClosureHash;
  nodes: readonly {
    contentHash: ContentHash;
    references: readonly (SchemaReference & { contentHash: ContentHash })[];
  }[];
};

// ---- Facts

export type { Fact, Reading, ReadingFact, ReadingRequest, VerdictFact, VerdictRequest } from "../schema/facts.ts";

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

// ---- Commands

/** A reference as it was asked for: `version` −1 means latest; an unqualified subject is taken in the referring subject's context. */
export type RequestedReference = { name: string; subject: string; version: number };

export type RegisterCommand = {
  type: "register";
  api: Api;
  name: SubjectName;
  format: FormatName;
  /** As it arrived. Empty: text, format and references are those of the newest live version. */
  text: string;
  references: readonly RequestedReference[];
  metadata: ContractMetadata | null;
  ruleSet: ContractRuleSet | null;
  normalise: boolean;
  dialect: JsonDialect;
  /** An explicit number, or null. −1 stands for "absent" with tag operations in the Confluent contract and behaves as null. */
  versionNumber: number | null;
  label: string | null;
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
export type DeleteSubjectCommand = { type: "deleteSubject"; name: SubjectName; permanent: boolean };
export type UpdateRecordCommand = {
  type: "updateRecord";
  id: string;
  changes: Partial<Attributes>;
  /** Other than to and from draft. */
  state: "active" | "deprecated" | "archived" | null;
  reason: string | null;
  ifMatchSeq: number | null;
};

/** What is set at one scope: a subject, a context (subject ""), or the global context. Absent = not set here. */
export type Config = {
  compatibilityLevel?: CompatibilityLevel;
  policy?: Policy;
  writers?: WriterAssumption;
  compatibilityGroup?: string;
  role?: Role;
  /** A label that somebody gives must be as large a step as the change demands. */
  enforceVersion?: boolean;
  normalize?: boolean;
  validateFields?: boolean;
  validateNewSchemas?: boolean;
  validateRules?: boolean;
  alias?: string;
  aliasForDeks?: string;
  defaultMetadata?: ContractMetadata;
  overrideMetadata?: ContractMetadata;
  defaultRuleSet?: ContractRuleSet;
  overrideRuleSet?: ContractRuleSet;
};
/** Three-state: absent keeps, null clears, a value sets. */
export type ConfigChanges = { [K in keyof Config]?: NonNullable<Config[K]> | null };

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

export const LIFECYCLES = ["STRONG", "WEAK"] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

/** What a subject's data stands for outside the registry, such as the value of a topic (Confluent contract §5.9). */
export type Resource = { name: string; namespace: string; id: string; type: string };
export type Association = {
  /** UUIDv7. */
  id: string;
  resource: Resource;
  /** `key` or `value`. */
  type: string;
  lifecycle: Lifecycle;
  /** A frozen association can only be deleted together with what it stands for. */
  frozen: boolean;
  createdAtMs: number;
  updatedAtMs: number;
};
export type SubjectAssociation = { name: SubjectName; association: Association };

export type SetAssociationsCommand = {
  type: "setAssociations";
  resource: Resource;
  associations: readonly {
    name: SubjectName;
    type: string;
    /** Null: as it is, or WEAK. */
    lifecycle: Lifecycle | null;
    frozen: boolean | null;
    /** Whether a version of the subject is about to be registered. */
    expectsVersion: boolean;
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
  /** Frozen ones go too. */
  cascade: boolean;
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

export type CommitRequest = {
  v: number;
  commandId: string;
  /** Tells a repeat from another command under the same id; absent where the id is made for one command only. */
  commandDigest?: string;
  caller: Caller;
  command: Command;
  facts: readonly Fact[];
  /** Content hashes whose deflated text lies in R2 already. */
  storedTexts: readonly ContentHash[];
  /** The primary computes what is missing itself, within its work budget. */
  computeMissing: boolean;
  /** Where the request stands in its trace; it decides nothing. */
  trace?: SentTrace;
};

export type Registered = {
  type: "registered";
  created: boolean;
  record: SchemaRecord;
  warnings: readonly SchemaProblem[];
};
export type Outcome =
  | Registered
  | { type: "record"; record: SchemaRecord }
  /** Numbers that were deleted, ascending; a single number for one version. Drafts count nothing. */
  | { type: "deleted"; versions: readonly number[]; records: readonly string[]; guids: readonly string[] }
  /** What is now (set) or was (deleted) configured at the scope. */
  | { type: "config"; config: Config }
  | { type: "mode"; mode: Mode | null }
  | { type: "rules"; book: RuleBook | null }
  | { type: "context"; context: string }
  /** Those that are now (set) or were (deleted) there. */
  | { type: "associations"; associations: readonly SubjectAssociation[] }
  /** As it is now, or was before it was deleted. */
  | { type: "webhook"; webhook: WebhookEndpoint };

export type CommitAnswer =
  | { type: "done"; outcome: Outcome; asOf: AsOf; repeated: boolean }
  | { type: "needs"; needs: readonly Need[]; asOf: AsOf }
  | { type: "refused"; refusal: Refusal; asOf: AsOf };

// ---- Queries

export type * from "./questions.ts";

/** Looks a content up under a subject without writing (Confluent contract §4.5); may need facts as a commit does. */
export type LookupRequest = {
  v: number;
  tenant: string;
  name: SubjectName;
  format: FormatName;
  text: string;
  references: readonly RequestedReference[];
  metadata: ContractMetadata | null;
  ruleSet: ContractRuleSet | null;
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
  /** The first version that stands in the way, newest first, and why. */
  incompatible: { record: SchemaRecord; differences: readonly Difference[] } | null;
};

// ---- Log

/** Exactly the bytes that were hashed. */
export type LogHeader = {
  v: 1;
  epoch: number;
  seq: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
  type: EntryType;
  tenant: string;
  actor: string;
  request_id: string;
  subject: string | null;
  /** Lower-case hex. */
  payload_digest: string;
  prev_hash: string;
};

export const ENTRY_TYPES = [
  "schema.registered",
  "schema.updated",
  "schema.activated",
  "schema.deprecated",
  "schema.archived",
  "schema.deleted",
  "schema.undeleted",
  "schema.erased",
  "config.changed",
  "mode.changed",
  "rule.changed",
  "context.deleted",
  "association.changed",
  "webhook.changed",
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

export type LogEntry = {
  seq: number;
  header: Uint8Array;
  leafHash: Uint8Array;
  /** Null once erased. */
  payload: { salt: Uint8Array; bytes: Uint8Array } | null;
};
export type LogPage = { entries: LogEntry[]; asOf: AsOf };

export const MAX_LOG_PAGE_ENTRIES = 500;
export const MAX_LOG_PAGE_BYTES = 8 * 1024 * 1024;
export const MAX_QUERY_ROWS = 1_000;

/** A log entry as those who follow the registry hear of it: what was done, and the records it was about as they are now. */
export type RegistryEvent = {
  epoch: number;
  seq: number;
  atMs: number;
  type: EntryType;
  /** Qualified outside the default context; null where the entry is about more than one subject. */
  subject: string | null;
  actor: string;
  requestId: string;
  /** Those that still exist, oldest first, at most MAX_EVENT_RECORDS. */
  records: readonly SchemaRecord[];
  /** How many records the entry was about. */
  recordCount: number;
  /** Some records are told without references, contract, description, tags and metadata, which are too large for an event. */
  trimmed: boolean;
  reason: string | null;
  /** The endpoint that a `webhook.changed` is about, for those who send; never in the envelope. */
  webhook?: WebhookChange;
  /** The entry came with a backup that was restored here: it is no news to anybody, and no webhook is told of it. */
  restored?: true;
};
export type EventPage = { events: RegistryEvent[]; asOf: AsOf };

/** An event names no more records than this; whoever needs the others lists the subject. */
export const MAX_EVENT_RECORDS = 20;
export const MAX_EVENT_PAGE = 500;

/** What every object that follows a tenant's log can be told. It pulls from where it stands, so a call may be lost, doubled or late. */
export type Follower = { nudge(args: { v: number; upToSeq: number }): Promise<void> };

/** The verbs of the primary, as the edge sees them over RPC. */
export type Primary = {
  commit(request: CommitRequest): Promise<CommitAnswer>;
  lookup(request: LookupRequest): Promise<LookupAnswer>;
  check(request: CheckRequest): Promise<CheckAnswer>;
  read(query: Query & { v: number }): Promise<ReadAnswer | { refusal: Refusal }>;
  readLog(args: { v: number; after: number; limit: number }): Promise<LogPage>;
  readEvents(args: { v: number; after: number; limit: number }): Promise<EventPage>;
  storageBytes(): Promise<{ used: number; limit: number }>;
  readSegment(args: { v: number; after: number; upTo: number }): Promise<SegmentSource & { asOf: AsOf }>;
  erasedIn(args: { v: number; ranges: readonly { first: number; last: number }[] }): Promise<number[]>;
  readState(args: { v: number }): Promise<{ state: StateDigests; leafHash: string; asOf: AsOf }>;
  restoreSegment(args: { v: number; segment: Uint8Array }): Promise<RestoreAnswer>;
  finishRestore(args: FinishRequest): Promise<FinishAnswer>;
};

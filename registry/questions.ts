/** Queries that the primary answers from its state, and their results. */

import type { CompatibilityLevel, Policy, UndecidedSetting, WriterAssumption } from "../schema/compatibility.ts";
import type { ContentHash } from "../schema/content-hash.ts";
import type { FormatName, SchemaReference } from "../schema/format.ts";
import type { GroupedPlans } from "../schema/plan-groups.ts";
import type { Role } from "../schema/rules/roles.ts";
import type { DatedException, RuleBook } from "../schema/rules/rule-book.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { AliasMove, Evidence, VersionAlias } from "./alias.ts";
import type { Association, AssociationFilter, ResourceSelector, SubjectAssociation } from "./association.ts";
import type {
  AuditEntry,
  AuditFilter,
  AuditPage,
  CheckpointKey,
  StoredCheckpoint,
  TreeProblem,
  TreeProof,
} from "./audit.ts";
import type { ChangeSet } from "./change-set.ts";
import type { Config, EffectiveConfig, Mode } from "./config.ts";
import type { Governance, Proposal, ProposalStatus, WholeProposal } from "./governance.ts";
import type { AsOf } from "./log-entry.ts";
import type { Api, Closure, LifecycleState, RequestedReference, SchemaRecord, StoredContent } from "./record.ts";
import type { WebhookEndpoint } from "./webhook.ts";

export type VersionSelector =
  /** A number, `latest`, an exact semver, a semver range or an alias. */
  string | number;

export type SubjectSummary = {
  context: string;
  subject: string;
  /** The newest live version, which `latest` resolves to; null if there is none. */
  latest: { versionNumber: number; semver: string; id: string } | null;
  versions: number;
  deletedVersions: number;
  drafts: number;
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  mode: Mode;
  role: Role | null;
};

export type RecordFilter = {
  /** `:*:` prefix: all contexts; `:.ctx:foo`: one context; unqualified: the default context. */
  subjectPrefix?: string;
  format?: FormatName;
  state?: LifecycleState;
  tag?: string;
  deleted?: boolean;
  /** Only the native API lists drafts. */
  drafts?: boolean;
  latestOnly?: boolean;
  /** The prefix also matches aliases, and lists their targets. */
  aliases?: boolean;
  /** False: without artefacts, as the Confluent API lists. */
  artefacts?: false;
  /** Only versions whose rule set has a rule of this type. */
  ruleType?: string;
  /** Only versions whose subject has such an association; with NONE among the lifecycles also those that have none. */
  associations?: AssociationFilter;
};

/** The part of the reference graph around one version. */
export type GraphSlice = {
  root: string;
  /** The root first, then by distance. */
  nodes: { record: SchemaRecord; depth: number }[];
  /** `from` references `to`, by id. */
  edges: { from: string; to: string; name: string }[];
  /** References of the nodes that no longer resolve. */
  missing: ({ from: string } & SchemaReference)[];
  /** Nodes with further edges, cut off by the limits on edges or depth. */
  frontier: string[];
};

/** name → [arguments, result]. Every answer carries `asOf`; a result has at most 1,000 rows or 4 MiB. */
export type Queries = {
  head: [Record<never, never>, null];
  /** All stored versions, including drafts and soft-deleted ones. */
  versionCount: [Record<never, never>, number];
  recordById: [{ id: string; deleted: boolean }, SchemaRecord | null];
  /**
   * The record, or which half of its name does not exist. `deleted` finds soft-deleted versions by number or semver, never
   * by `latest` or a range.
   */
  record: [
    {
      name: SubjectName;
      selector: VersionSelector;
      deleted: boolean;
      /** Also searches other contexts for a name in the default one. */
      anyContext?: boolean;
    },
    { found: SchemaRecord } | { missing: "subject" | "version" },
  ];
  records: [
    /** `registration` sorts by registration time, `subject` by context, subject and number (without drafts). */
    {
      filter: RecordFilter;
      order: "registration" | "subject";
      after: string | null;
      limit: number;
      /** Rows to skip after `after`. */
      offset?: number;
    },
    { records: SchemaRecord[]; next: string | null },
  ];
  /** The newest version whose Confluent metadata has all of these properties. */
  recordByProperties: [
    { name: SubjectName; properties: readonly (readonly [key: string, value: string])[]; deleted: boolean },
    { found: SchemaRecord } | { missing: "subject" | "version" },
  ];
  /** Ascending by number, drafts last. */
  recordsOfSubject: [
    { name: SubjectName; deleted: boolean; drafts: boolean; after: number; limit: number },
    { subjectExists: boolean; records: SchemaRecord[] },
  ];
  subjects: [
    { prefix: string; deleted: "no" | "also" | "only"; after: string | null; limit: number; artefacts?: false },
    { names: string[]; next: string | null },
  ];
  subject: [{ name: SubjectName; deleted: boolean }, SubjectSummary | null];
  /** Whether the subject holds artefacts, soft-deleted ones and drafts included. */
  holdsArtefacts: [{ name: SubjectName }, boolean];
  /** Summaries of the subjects on a page of `subjects`; subjects without visible versions are omitted. */
  subjectSummaries: [
    { page: Queries["subjects"][0]; deleted: boolean },
    { summaries: SubjectSummary[]; next: string | null },
  ];
  content: [{ contentHash: ContentHash }, StoredContent | null];
  contents: [{ contentHashes: readonly ContentHash[] }, (StoredContent | null)[]];
  /** By native id, Confluent id in a context, or guid (default context first). */
  contentOf: [
    { id: string } | { context: string; confluentId: number } | { guid: string },
    { content: StoredContent; context: string; closure: Closure } | null,
  ];
  /**
   * A Confluent id as a subject sees it: its own use of the id, else that of the subject with the same name in another
   * context, else any use in its context.
   */
  recordByConfluentId: [{ name: SubjectName; confluentId: number }, SchemaRecord | null];
  /** References are resolved as a subject of `context` sees them. */
  closure: [{ contentHash: ContentHash; context: string }, Closure | null];
  /** What references resolve to for a subject, or the first that does not resolve. */
  resolveReferences: [
    { context: string; references: readonly RequestedReference[]; deleted: boolean },
    { resolved: SchemaReference[]; closures: Closure[] } | { missing: RequestedReference },
  ];
  /** Versions with the content of a Confluent id, newest per subject. */
  usesOfConfluentId: [
    { context: string; confluentId: number; deleted: boolean; offset?: number },
    { known: boolean; records: SchemaRecord[] },
  ];
  idsOfGuid: [{ guid: string }, { context: string; confluentId: number }[]];
  maxConfluentId: [{ context: string }, number];
  /** Records that reference this version. */
  referencedBy: [{ name: SubjectName; versionNumber: number; deleted: boolean }, SchemaRecord[]];
  /**
   * Dependencies or dependents of a version, at most `depth` steps away (durable-objects/primary/answer/graph.ts). Null if
   * the version does not exist.
   */
  graph: [{ id: string; direction: "dependencies" | "dependents"; depth: number; deleted: boolean }, GraphSlice | null];
  config: [{ scope: SubjectName }, Config | null];
  effectiveConfig: [{ name: SubjectName; api: Api }, EffectiveConfig];
  /** The book of one scope; and the effective rules of a subject, the tenant's first. */
  rules: [{ scope: SubjectName }, RuleBook | null];
  effectiveRules: [{ name: SubjectName }, RuleBook];
  mode: [{ scope: SubjectName }, Mode | null];
  effectiveMode: [{ name: SubjectName }, Mode];
  contexts: [Record<never, never>, string[]];
  /** Associations of a subject or of resources, sorted by resource, type and subject. */
  associations: [
    { of: { name: SubjectName } | ResourceSelector; filter: AssociationFilter; offset: number; limit: number },
    SubjectAssociation[],
  ];
  /** For as many of the first subjects as fit, at least one. */
  associationsOfMany: [{ names: readonly SubjectName[] }, (readonly Association[])[]];
  /** Oldest first. */
  webhooks: [Record<never, never>, WebhookEndpoint[]];
  webhook: [{ id: string }, WebhookEndpoint | null];
  governance: [Record<never, never>, Governance];
  proposal: [{ id: string }, WholeProposal | null];
  /** Newest first, those opened before an entry. */
  proposals: [{ status: ProposalStatus | null; before: number; limit: number }, Proposal[]];
  changeSet: [{ id: string }, (ChangeSet & { plans?: GroupedPlans }) | null];
  /** Newest first, those that end before an entry. */
  changeSets: [{ before: number; limit: number }, ChangeSet[]];
  /** Those of the given entries that pass the filter. */
  auditEntriesAt: [{ filter: AuditFilter; seqs: readonly number[] }, AuditEntry[]];
  auditEntries: [{ filter: AuditFilter; after: number; limit: number; payloads?: boolean }, AuditPage];
  /** Newest first, those with fewer entries than `before`. */
  checkpoints: [{ before: number; limit: number }, StoredCheckpoint[]];
  checkpointKeys: [Record<never, never>, CheckpointKey[]];
  inclusionProof: [{ seq: number; size: number }, (TreeProof & { leafHash: string }) | TreeProblem];
  consistencyProof: [{ from: number; to: number }, TreeProof | TreeProblem];
  /** `level` in tiles of 256 hashes. */
  tile: [{ level: number; index: number; width: number }, { bytes: Uint8Array } | TreeProblem];
  /** The headers of a tile's entries, each after its length in two bytes. */
  entryBundle: [{ index: number; width: number }, { bytes: Uint8Array } | TreeProblem];
  /** Aliases of versions, by name. Null if the subject does not exist. */
  versionAliases: [{ name: SubjectName }, VersionAlias[] | null];
  /** Newest first, those before an entry; null if there is no such alias. */
  aliasMoves: [{ name: SubjectName; alias: string; before: number; limit: number }, AliasMove[] | null];
  /** Newest first; null if there is no such version. */
  evidence: [{ name: SubjectName; selector: VersionSelector }, { record: SchemaRecord; evidence: Evidence[] } | null];
  /** Subjects that are aliases. */
  aliases: [Record<never, never>, { alias: SubjectName; subject: SubjectName }[]];
  /** The versions that a registration would compare the candidate with, newest first. */
  comparedVersions: [
    {
      name: SubjectName;
      selector: VersionSelector | "level" | "all";
      level: CompatibilityLevel | null;
      /** The candidate's value of the `compatibilityGroup` metadata property. */
      group: string | null;
      api: Api;
      /** The candidate's own role, if it declares one. */
      role?: Role | null;
      /** Versions to skip, after a page with `more`. */
      offset?: number;
    },
    {
      level: CompatibilityLevel;
      policy: Policy;
      writers: WriterAssumption;
      undecided: UndecidedSetting;
      role: Role | null;
      rules: RuleBook;
      subjectExists: boolean;
      versions: ComparedVersion[];
      more: boolean;
    },
  ];
  /** The same for several subjects: answers as many of the first questions as fit, at least one. */
  comparedVersionsOfMany: [
    { asked: readonly Queries["comparedVersions"][0][] },
    Omit<Queries["comparedVersions"][1], "rules">[],
  ];
  /** The effective policies of as many of the first subjects as fit, at least one. */
  subjectPolicies: [{ names: readonly SubjectName[]; api: Api }, { tenantRules: RuleBook; subjects: SubjectPolicy[] }];
  /** For as many of the first contents as fit, at least one; null if a content was deleted or its closure is too large. */
  closures: [{ of: readonly { contentHash: ContentHash; context: string }[] }, (Closure | null)[]];
  /** The newest live version of each subject that references a version of these subjects; `targets` are the referenced versions. */
  referrersOf: [
    { names: readonly SubjectName[]; limit: number },
    { referrers: { record: SchemaRecord; targets: SubjectName[] }[]; more: boolean },
  ];
  /** Dated exceptions of all scopes, sorted by scope. `after` is the last scope of the previous page. */
  exceptions: [
    { after: SubjectName | null },
    { scopes: { scope: SubjectName; exceptions: readonly DatedException[] }[]; next: SubjectName | null },
  ];
  /** Pages of state rows, ordered by key, for verifying and repairing the read model. With `more`, the next page is not empty. */
  copyRecords: [
    { after: number; limit: number } | { keys: readonly number[] },
    { records: (SchemaRecord & { recordKey: number; subjectKey: number })[]; more: boolean },
  ];
  copySubjects: [
    { after: number; limit: number } | { keys: readonly number[] },
    {
      subjects: (SubjectName & { subjectKey: number; defaultPolicy: string; latestKey: number | null })[];
      more: boolean;
    },
  ];
  copyScopes: [{ after: SubjectName; limit: number }, { scopes: ScopeState[]; more: boolean }];
};

/** Settings of one scope; a part that is not set is null. */
export type ScopeState = {
  context: string;
  subject: string;
  config: unknown;
  mode: string | null;
  rules: unknown;
  associations: unknown;
};

export type ComparedVersion = { record: SchemaRecord; closure: Closure };

export type SubjectPolicy = {
  name: SubjectName;
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  role: Role | null;
  /** The metadata property that groups versions, if configured. */
  group: string | null;
  /** The subject's own rule book, without the tenant's. */
  rules: RuleBook;
  exists: boolean;
  /** Number of the next version. */
  nextNumber: number;
};
export type QueryName = keyof Queries;
export type Query = { [K in QueryName]: { name: K; args: Queries[K][0] } }[QueryName];
export type ReadAnswer<K extends QueryName = QueryName> = { asOf: AsOf; value: Queries[K][1] };

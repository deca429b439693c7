/** The questions that the primary answers from its state, and what the answers hold. */
import type { CompatibilityLevel, Policy, WriterAssumption } from "../schema/compatibility.ts";
import type { ContentHash } from "../schema/content-hash.ts";
import type { FormatName, SchemaReference } from "../schema/format.ts";
import type { Role } from "../schema/rules/roles.ts";
import type { DatedException, RuleBook } from "../schema/rules/rule-book.ts";
import type { SubjectName } from "../schema/subject-name.ts";
import type { Association, AssociationFilter, ResourceSelector, SubjectAssociation } from "./association.ts";
import type { Config, Mode } from "./config.ts";
import type { AsOf } from "./log-entry.ts";
import type { Api, Closure, LifecycleState, RequestedReference, SchemaRecord, StoredContent } from "./record.ts";
import type { WebhookEndpoint } from "./webhook.ts";

export type VersionSelector =
  /** A number, `latest`, an exact semver or a semver range. */
  string | number;

export type EffectiveConfig = Required<Pick<Config, "compatibilityLevel" | "policy" | "writers">> &
  Config & { /** Where the level comes from. */ source: "subject" | "context" | "global" | "default" };

export type SubjectSummary = {
  context: string;
  subject: string;
  /** Number and semver of the newest live version that `latest` means, null if there is none. */
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
  /** `:*:` prefix = all contexts; `:.ctx:foo` inside one; bare = the default context. */
  subjectPrefix?: string;
  format?: FormatName;
  state?: LifecycleState;
  tag?: string;
  deleted?: boolean;
  /** Drafts are listed natively, never by the Confluent API. */
  drafts?: boolean;
  latestOnly?: boolean;
  /** The prefix may also be that of an alias: what it stands for is listed too. */
  aliases?: boolean;
  /** Whose rule set holds a rule of this type. */
  ruleType?: string;
  /** Whose subject has such an association, or, with lifecycle NONE among those wanted, has none. */
  associations?: AssociationFilter;
};

/** Part of the graph of references, around one version. */
export type GraphSlice = {
  root: string;
  /** The root first, then by steps from it. */
  nodes: { record: SchemaRecord; depth: number }[];
  /** `from` names `to`, by ids. */
  edges: { from: string; to: string; name: string }[];
  /** References of the nodes that lead to no version any more. */
  missing: ({ from: string } & SchemaReference)[];
  /** Nodes that have more edges than are shown: too many, or too far away. */
  frontier: string[];
};

/** name → [arguments, value]. Every answer carries `asOf`; a value never exceeds 1,000 rows or 4 MiB. */
export type Queries = {
  head: [Record<never, never>, null];
  recordById: [{ id: string; deleted: boolean }, SchemaRecord | null];
  /** The record, or which half is missing. `deleted` shows soft-deleted versions to a number or semver; never to `latest` or a range. */
  record: [
    {
      name: SubjectName;
      selector: VersionSelector;
      deleted: boolean;
      /** Searches the other contexts for a name in the default one (Confluent contract §3.3). */
      anyContext?: boolean;
    },
    { found: SchemaRecord } | { missing: "subject" | "version" },
  ];
  records: [
    /** `registration` orders by time of registration, `subject` by context, subject and number (no drafts). */
    {
      filter: RecordFilter;
      order: "registration" | "subject";
      after: string | null;
      limit: number;
      /** Rows to leave out after `after`. */
      offset?: number;
    },
    { records: SchemaRecord[]; next: string | null },
  ];
  /** The newest version whose Confluent metadata has all these properties. */
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
    { prefix: string; deleted: "no" | "also" | "only"; after: string | null; limit: number },
    { names: string[]; next: string | null },
  ];
  subject: [{ name: SubjectName; deleted: boolean }, SubjectSummary | null];
  /** Of the subjects on a page of `subjects`; those with nothing to show are left out. */
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
  /** By Confluent id, as a subject sees it: its own use of the id, that of its namesake in another context, any use in its context (Confluent contract §3.3). */
  recordByConfluentId: [{ name: SubjectName; confluentId: number }, SchemaRecord | null];
  /** References are resolved as a subject of `context` sees them. */
  closure: [{ contentHash: ContentHash; context: string }, Closure | null];
  /** What references resolve to now, as the referring subject would see them; the first that does not, otherwise. */
  resolveReferences: [
    { context: string; references: readonly RequestedReference[]; deleted: boolean },
    { resolved: SchemaReference[]; closures: Closure[] } | { missing: RequestedReference },
  ];
  /** Versions that carry the content of a Confluent id, newest per subject. */
  usesOfConfluentId: [
    { context: string; confluentId: number; deleted: boolean; offset?: number },
    { known: boolean; records: SchemaRecord[] },
  ];
  idsOfGuid: [{ guid: string }, { context: string; confluentId: number }[]];
  maxConfluentId: [{ context: string }, number];
  /** Records whose references name this version. */
  referencedBy: [{ name: SubjectName; versionNumber: number; deleted: boolean }, SchemaRecord[]];
  /** What a version depends on, or what depends on it, at most `depth` steps away (durable-objects/primary/answer/graph.ts). Null where there is no such version. */
  graph: [{ id: string; direction: "dependencies" | "dependents"; depth: number; deleted: boolean }, GraphSlice | null];
  config: [{ scope: SubjectName }, Config | null];
  effectiveConfig: [{ name: SubjectName; api: Api }, EffectiveConfig];
  /** What is set at one scope; and what counts for a subject, the tenant's rules first. */
  rules: [{ scope: SubjectName }, RuleBook | null];
  effectiveRules: [{ name: SubjectName }, RuleBook];
  mode: [{ scope: SubjectName }, Mode | null];
  effectiveMode: [{ name: SubjectName }, Mode];
  contexts: [Record<never, never>, string[]];
  /** Of a subject or of resources, ordered by resource, type and subject. */
  associations: [
    { of: { name: SubjectName } | ResourceSelector; filter: AssociationFilter; offset: number; limit: number },
    SubjectAssociation[],
  ];
  /** Of the first of some subjects, at least one, as many as fit. */
  associationsOfMany: [{ names: readonly SubjectName[] }, (readonly Association[])[]];
  /** Oldest first. */
  webhooks: [Record<never, never>, WebhookEndpoint[]];
  webhook: [{ id: string }, WebhookEndpoint | null];
  /** Subjects that stand for another one. */
  aliases: [Record<never, never>, { alias: SubjectName; subject: SubjectName }[]];
  /** Which versions a candidate is compared with, newest first, as a registration would see it. */
  comparedVersions: [
    {
      name: SubjectName;
      selector: VersionSelector | "level" | "all";
      level: CompatibilityLevel | null;
      /** The candidate's value of the metadata property that `compatibilityGroup` names. */
      group: string | null;
      api: Api;
      /** The candidate's own role, where it says one. */
      role?: Role | null;
      /** Versions to leave out, after a page that had `more`. */
      offset?: number;
    },
    {
      level: CompatibilityLevel;
      policy: Policy;
      writers: WriterAssumption;
      role: Role | null;
      rules: RuleBook;
      subjectExists: boolean;
      versions: ComparedVersion[];
      more: boolean;
    },
  ];
  /** The same for many subjects at once: answers to the first questions, at least one, as many as fit. */
  comparedVersionsOfMany: [
    { asked: readonly Queries["comparedVersions"][0][] },
    Omit<Queries["comparedVersions"][1], "rules">[],
  ];
  /** What counts for the first of some subjects, at least one, as many as fit. */
  subjectPolicies: [{ names: readonly SubjectName[]; api: Api }, { tenantRules: RuleBook; subjects: SubjectPolicy[] }];
  /** Of the first of some contents, at least one, as many as fit; null where a content is gone or reaches too much. */
  closures: [{ of: readonly { contentHash: ContentHash; context: string }[] }, (Closure | null)[]];
  /** The newest live versions, one of a subject, that refer to any version of some subjects; `targets` are those they refer to. */
  referrersOf: [
    { names: readonly SubjectName[]; limit: number },
    { referrers: { record: SchemaRecord; targets: SubjectName[] }[]; more: boolean },
  ];
  /** Dated exceptions of every scope, ordered by scope. `after` is the last scope of the page before. */
  exceptions: [
    { after: SubjectName | null },
    { scopes: { scope: SubjectName; exceptions: readonly DatedException[] }[]; next: SubjectName | null },
  ];
  /** Pages of state rows, ordered by key, for verifying and repairing a copy. With `more` the next page is not empty. */
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

/** What is set at one scope; null where it is not. */
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
  /** The metadata property that groups versions, if one does. */
  group: string | null;
  /** The subject's own book, without the tenant's. */
  rules: RuleBook;
  exists: boolean;
  /** What the next version will be. */
  nextNumber: number;
};
export type QueryName = keyof Queries;
export type Query = { [K in QueryName]: { name: K; args: Queries[K][0] } }[QueryName];
export type ReadAnswer<K extends QueryName = QueryName> = { asOf: AsOf; value: Queries[K][1] };

/** Reads of the state tables that decisions and queries share. Nothing here writes. */

import type { Evidence, VersionAlias } from "../../../registry/alias.ts";
import type { Association, ResourceSelector, SubjectAssociation } from "../../../registry/association.ts";
import type { Config, EffectiveConfig, Mode } from "../../../registry/config.ts";
import { COUNTED_IDS, LARGEST_INTEGER } from "../../../registry/confluent-id.ts";
import { fromHex, toHex } from "../../../registry/log-entry.ts";
import {
  type Api,
  type Attributes,
  type Closure,
  type LifecycleState,
  NO_ATTRIBUTES,
  type SchemaRecord,
} from "../../../registry/record.ts";
import type { WebhookEndpoint } from "../../../registry/webhook.ts";
import type { CompatibilityLevel, Policy, WriterAssumption } from "../../../schema/compatibility.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import { type FormatName, isArtefact, type JsonDialect, type SchemaReference } from "../../../schema/format.ts";
import { type DataContract, NO_DATA_CONTRACT } from "../../../schema/rules/data-contract.ts";
import { defaultLevelFor, type Role } from "../../../schema/rules/roles.ts";
import { EMPTY_RULE_BOOK, mergeRuleBooks, type RuleBook } from "../../../schema/rules/rule-book.ts";
import {
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  parseSubjectName,
  referenceName,
  type SubjectName,
} from "../../../schema/subject-name.ts";
import { readAlias, readAliases, readEvidence } from "./aliases.ts";
import { readAssociationsOfResources } from "./associations.ts";
import { KnownClosures, reach } from "./closure.ts";
import { lowestFreeId } from "./confluent-ids.ts";
import { inheritConfig, nameKey, readScopes, type ScopeRow } from "./scopes.ts";
import { readSimilarRecords, type SoughtHashes } from "./similar-records.ts";
import { loadWebhook, readWebhooks } from "./webhooks.ts";

export type SubjectRow = {
  subject_key: number;
  context: string;
  subject: string;
  last_number: number;
  last_label: string | null;
  default_policy: Policy;
};

export type RecordRow = {
  record_key: number;
  id: string;
  subject_key: number;
  context: string;
  subject: string;
  number: number | null;
  label: string | null;
  content_key: number;
  confluent_id: number | null;
  state: LifecycleState;
  deleted: number;
  attributes: string | null;
  created_at: number;
  created_by: string;
  updated_at: number;
  updated_seq: number;
  /** The dialect it is read in; null if an earlier build wrote it. */
  orderless_hash: ArrayBuffer | null;
  content_hash: ArrayBuffer;
  guid: string;
  format: FormatName;
  dialect: JsonDialect | null;
  refs: string | null;
  contract: string | null;
  equivalence_hash: ArrayBuffer;
};

/**
 * Selects records with their subject and content; add a WHERE. Comparisons with bound values are written `= +?` here and in
 * other statements of every commit and read: SQLite plans by the value of a bare `?`, and so prepares the statement
 * again whenever one is bound, which takes several times as long as running it.
 */
export const RECORD_SELECT = `SELECT records.*, subjects.context, subjects.subject, contents.content_hash, contents.guid,
  contents.format, coalesce(records.record_dialect, contents.dialect) AS dialect, contents.refs, contents.contract,
  contents.equivalence_hash
  FROM records JOIN subjects USING (subject_key) JOIN contents USING (content_key)`;

export type ContentRow = {
  content_key: number;
  content_hash: ArrayBuffer;
  guid: string;
  format: FormatName;
  dialect: JsonDialect | null;
  refs: string | null;
  contract: string | null;
  equivalence_hash: ArrayBuffer;
};

export const DEFAULT_POLICY: Record<Api, Policy> = { native: "semantic", confluent: "strict" };

/** Without the counters, which are only read for one subject at a time. */
type NamedSubject = Omit<SubjectRow, "last_number" | "last_label">;

/**
 * The state at one moment, created for one decision or response. Nothing is written during its lifetime, so reads are
 * cached.
 */
export class StateReader {
  readonly #sql: SqlStorage;
  readonly #defaultLevel: CompatibilityLevel;
  readonly #closures: KnownClosures;
  readonly #subjects = new Map<string, SubjectRow | undefined>();
  readonly #scopes = new Map<string, ScopeRow | undefined>();
  readonly #newest = new Map<number, RecordRow | undefined>();
  readonly #nextIds = new Map<string, number>();
  readonly #contents = new Map<ContentHash, ContentRow | undefined>();

  constructor(sql: SqlStorage, defaultLevel: CompatibilityLevel, closures = new KnownClosures()) {
    this.#sql = sql;
    this.#closures = closures;
    this.#defaultLevel = defaultLevel;
  }

  subject(name: SubjectName): SubjectRow | undefined {
    return readOnce(this.#subjects, name, ({ context, subject }) =>
      this.#sql.exec<SubjectRow>(
        "SELECT * FROM subject_counters WHERE context = +? AND subject = +?",
        context,
        subject,
      ),
    );
  }

  /** The subject, unless it holds artefacts and the format is none, or the reverse: such a version cannot exist in it. */
  subjectFor(name: SubjectName, format: FormatName): SubjectRow | undefined {
    const subject = this.subject(name);
    const held = subject && this.formatOf(subject.subject_key);
    return held === undefined || isArtefact(held) === isArtefact(format) ? subject : undefined;
  }

  #scope(name: SubjectName): ScopeRow | undefined {
    if (!this.#scopes.has(nameKey(name))) readScopes(this.#sql, name, this.#scopes);
    return this.#scopes.get(nameKey(name));
  }

  webhooks(): WebhookEndpoint[] {
    return readWebhooks(this.#sql);
  }

  webhook(id: string): WebhookEndpoint | undefined {
    return loadWebhook(this.#sql, id);
  }

  recordByKey(recordKey: number): RecordRow | undefined {
    return this.#sql.exec<RecordRow>(`${RECORD_SELECT} WHERE records.record_key = +?`, recordKey).toArray()[0];
  }

  recordById(id: string): RecordRow | undefined {
    return this.#sql.exec<RecordRow>(`${RECORD_SELECT} WHERE records.id = +?`, id).toArray()[0];
  }

  recordByNumber(subjectKey: number, number: number): RecordRow | undefined {
    return this.#sql
      .exec<RecordRow>(`${RECORD_SELECT} WHERE records.subject_key = +? AND records.number = +?`, subjectKey, number)
      .toArray()[0];
  }

  /** Numbered records that are not deleted, newest first. */
  liveRecords(subjectKey: number): RecordRow[] {
    return this.#sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.subject_key = +? AND number IS NOT NULL AND deleted = 0 ORDER BY number DESC`,
        subjectKey,
      )
      .toArray();
  }

  /** Every numbered record, newest first, soft-deleted ones included. */
  numberedRecords(subjectKey: number): RecordRow[] {
    return this.#sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.subject_key = +? AND number IS NOT NULL ORDER BY number DESC`,
        subjectKey,
      )
      .toArray();
  }

  /** Records of a subject with a content, in any state, newest first. */
  recordsOfContent(subjectKey: number, hash: ContentHash): RecordRow[] {
    const content = this.contentByHash(hash);
    if (!content) return [];
    return this.#sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.record_key IN (
           SELECT record_key FROM content_records WHERE content_key = +? AND subject_key = +?)
         ORDER BY number DESC`,
        content.content_key,
        subjectKey,
      )
      .toArray();
  }

  /**
   * Numbered records of a subject whose contents a lookup may treat as equal, newest first; with an orderless hash also
   * those in a different order.
   */
  similarRecords(subjectKey: number, hashes: SoughtHashes): RecordRow[] {
    return readSimilarRecords(this.#sql, RECORD_SELECT, subjectKey, hashes);
  }

  /** Every record of a subject by number, including drafts and soft-deleted ones. */
  allRecords(subjectKey: number): RecordRow[] {
    return this.#sql
      .exec<RecordRow>(`${RECORD_SELECT} WHERE records.subject_key = +? ORDER BY number, record_key`, subjectKey)
      .toArray();
  }

  /** The format of a subject's versions, soft-deleted ones and drafts included; the newest's, if they differ. */
  formatOf(subjectKey: number): FormatName | undefined {
    return (this.newestLive(subjectKey) ?? this.allRecords(subjectKey)[0])?.format;
  }

  recordCount(subjectKey: number): number {
    return this.#sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM records WHERE subject_key = +?", subjectKey)
      .one().count;
  }

  /** The last number and semver that the subject assigned. */
  lastGiven(subjectKey: number): { lastNumber: number; lastLabel: string | null } {
    const { last_number, last_label } = this.#sql
      .exec<{ last_number: number; last_label: string | null }>(
        "SELECT last_number, last_label FROM subject_counters WHERE subject_key = +?",
        subjectKey,
      )
      .one();
    return { lastNumber: last_number, lastLabel: last_label };
  }

  recordBySemver(subjectKey: number, semver: string): RecordRow | undefined {
    return this.#sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.subject_key = +? AND records.label = +? AND records.label <> ''`,
        subjectKey,
        semver,
      )
      .toArray()[0];
  }

  /** Whether the subject has a numbered version; soft-deleted ones count if requested. */
  hasVersions(subjectKey: number, deleted: boolean): boolean {
    return (
      this.#sql
        .exec(
          "SELECT 1 FROM records WHERE subject_key = +? AND number IS NOT NULL AND deleted <= +? LIMIT 1",
          subjectKey,
          deleted ? 1 : 0,
        )
        .toArray().length > 0
    );
  }

  newestLive(subjectKey: number): RecordRow | undefined {
    if (!this.#newest.has(subjectKey)) {
      const [row] = this.#sql
        .exec<RecordRow>(
          `${RECORD_SELECT} WHERE records.subject_key = +? AND number IS NOT NULL AND deleted = 0 ORDER BY number DESC LIMIT 1`,
          subjectKey,
        )
        .toArray();
      this.#newest.set(subjectKey, row);
    }
    return this.#newest.get(subjectKey);
  }

  /**
   * The version that `latest` resolves to: the newest live version that is not archived, active ones before deprecated
   * ones.
   */
  latest(subjectKey: number): RecordRow | undefined {
    return this.#newestInState(subjectKey, "active") ?? this.#newestInState(subjectKey, "deprecated");
  }

  #newestInState(subjectKey: number, lifecycle: LifecycleState): RecordRow | undefined {
    return this.#sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.subject_key = +? AND number IS NOT NULL AND deleted = 0 AND state = +?
           ORDER BY number DESC LIMIT 1`,
        subjectKey,
        lifecycle,
      )
      .toArray()[0];
  }

  contentByHash(hash: ContentHash): ContentRow | undefined {
    if (!this.#contents.has(hash)) {
      const rows = this.#sql.exec<ContentRow>("SELECT * FROM contents WHERE content_hash = +?", fromHex(hash));
      this.#contents.set(hash, rows.toArray()[0]);
    }
    return this.#contents.get(hash);
  }

  contentsByGuid(guid: string): ContentRow[] {
    return this.#sql.exec<ContentRow>("SELECT * FROM contents WHERE guid = +? ORDER BY content_key", guid).toArray();
  }

  contentByConfluentId(context: string, confluentId: number): ContentRow | undefined {
    return this.#sql
      .exec<ContentRow>(
        "SELECT contents.* FROM confluent_ids JOIN contents USING (content_key) WHERE context = +? AND confluent_id = +?",
        context,
        confluentId,
      )
      .toArray()[0];
  }

  confluentIdOf(context: string, contentKey: number): number | undefined {
    return this.#sql
      .exec<{ confluent_id: number }>(
        "SELECT confluent_id FROM content_ids WHERE content_key = +? AND context = +? ORDER BY confluent_id LIMIT 1",
        contentKey,
        context,
      )
      .toArray()[0]?.confluent_id;
  }

  nextConfluentId(context: string): number {
    const known = this.#nextIds.get(context);
    if (known !== undefined) return known;
    const [row] = this.#sql
      .exec<{ next_confluent_id: number }>("SELECT next_confluent_id FROM context_counters WHERE context = +?", context)
      .toArray();
    const next = row?.next_confluent_id ?? 1;
    this.#nextIds.set(context, next);
    return next;
  }

  /**
   * The Confluent id for the next new content of a context: the counter or, if it has run out, the lowest unused id.
   */
  freeConfluentId(context: string): number | undefined {
    let next = this.nextConfluentId(context);
    // All existing ids below it have been counted.
    if (next < COUNTED_IDS) return next;
    while (next <= LARGEST_INTEGER && this.contentByConfluentId(context, next)) next += 1;
    if (next <= LARGEST_INTEGER) return next;
    return lowestFreeId(this.#sql, context);
  }

  /** Whether a version was ever numbered in a context since the context was last deleted. */
  hasContext(context: string): boolean {
    return (
      this.#sql.exec("SELECT 1 FROM contexts WHERE context = +? AND deleted IS NULL", context).toArray().length > 0
    );
  }

  contexts(): string[] {
    const named = this.#sql
      .exec<{ context: string }>(
        "SELECT context FROM contexts WHERE context <> +? AND deleted IS NULL ORDER BY context",
        DEFAULT_CONTEXT,
      )
      .toArray();
    return [DEFAULT_CONTEXT, ...named.map(({ context }) => context)];
  }

  scopeConfig(name: SubjectName): Config | undefined {
    const config = this.#scope(name)?.config;
    return config ? (JSON.parse(config) as Config) : undefined;
  }

  scopeMode(name: SubjectName): Mode | undefined {
    return this.#scope(name)?.mode ?? undefined;
  }

  /** Scopes of a context that set a mode. */
  modeScopes(context: string): SubjectName[] {
    return this.#sql
      .exec<SubjectName>(
        "SELECT context, subject FROM scopes WHERE context = +? AND mode IS NOT NULL ORDER BY subject",
        context,
      )
      .toArray();
  }

  /** Subjects with records that a scope covers: one, those of a context, or, for the global context, all. */
  subjectsInScope({ context, subject }: SubjectName): NamedSubject[] {
    if (subject !== "") {
      const row = this.subject({ context, subject });
      return row ? [row] : [];
    }
    return context === GLOBAL_CONTEXT
      ? this.#sql.exec<NamedSubject>("SELECT * FROM subjects ORDER BY context, subject").toArray()
      : this.#sql.exec<NamedSubject>("SELECT * FROM subjects WHERE context = +? ORDER BY subject", context).toArray();
  }

  scopeRules(name: SubjectName): RuleBook | undefined {
    const rules = this.#scope(name)?.rules;
    return rules ? (JSON.parse(rules) as RuleBook) : undefined;
  }

  tenantRules(): RuleBook {
    return this.scopeRules({ context: GLOBAL_CONTEXT, subject: "" }) ?? EMPTY_RULE_BOOK;
  }

  /** The tenant's rules, then the subject's own. */
  effectiveRules(name: SubjectName): RuleBook {
    return mergeRuleBooks(this.tenantRules(), this.scopeRules(name) ?? EMPTY_RULE_BOOK);
  }

  /** The role of a subject's schemas: the configured one, else that of the newest live version that has one. */
  roleOf(subject: SubjectRow | undefined, config: Pick<Config, "role">): Role | null {
    if (config.role !== undefined || !subject) return config.role ?? null;
    const [row] = this.#sql
      .exec<{ role: Role }>(
        `SELECT json_extract(attributes, '$.role') AS role FROM records INDEXED BY records_by_role
           WHERE subject_key = +? AND number IS NOT NULL AND deleted = 0 AND json_extract(attributes, '$.role') <> ''
           ORDER BY number DESC LIMIT 1`,
        subject.subject_key,
      )
      .toArray();
    return row?.role ?? null;
  }

  /**
   * The effective config of a subject (docs/confluent-compatibility.md), or of a candidate with its own role. The
   * policy falls back to that of the API that created the subject, the level to the role's.
   */
  effectiveConfig(name: SubjectName, api: Api, candidateRole: Role | null = null): EffectiveConfig {
    const subject = this.subject(name);
    const creationPolicy = subject?.default_policy ?? DEFAULT_POLICY[api];
    const found = inheritConfig(name, (scope) => this.scopeConfig(scope));
    const defaultLevel = () => defaultLevelFor(candidateRole ?? this.roleOf(subject, found.config), this.#defaultLevel);
    return {
      ...found.config,
      compatibilityLevel: found.config.compatibilityLevel ?? defaultLevel(),
      policy: found.config.policy ?? creationPolicy,
      writers: found.config.writers ?? ("declared" satisfies WriterAssumption),
      source: found.config.compatibilityLevel === undefined ? "default" : found.source,
    };
  }

  /** The subject's mode, then the context's, then the global one, then READWRITE (docs/confluent-compatibility.md). */
  effectiveMode(name: SubjectName): Mode {
    return (
      (name.subject === "" ? undefined : this.scopeMode(name)) ??
      this.scopeMode({ context: name.context, subject: "" }) ??
      this.scopeMode({ context: GLOBAL_CONTEXT, subject: "" }) ??
      "READWRITE"
    );
  }

  /**
   * Resolves a subject's alias, one hop only; an unqualified target is in the same context
   * (docs/confluent-compatibility.md).
   */
  resolveAlias(name: SubjectName): SubjectName {
    const alias = this.scopeConfig(name)?.alias;
    if (!alias) return name;
    const target = parseSubjectName(alias);
    return alias.startsWith(":.") ? target : { context: name.context, subject: target.subject };
  }

  /**
   * The subjects that an unqualified read searches: the name itself, then the same name in every other context. A name
   * in a context other than the default one denotes only itself (docs/confluent-compatibility.md).
   */
  namesakes(name: SubjectName): SubjectName[] {
    const own = this.resolveAlias(name);
    if (own.context !== DEFAULT_CONTEXT) return [own];
    const others = this.contexts().filter((context) => context !== DEFAULT_CONTEXT);
    return [own, ...others.map((context) => ({ context, subject: own.subject }))];
  }

  aliasesOf(subjectKey: number): VersionAlias[] {
    return readAliases(this.#sql, subjectKey);
  }

  aliasOf(subjectKey: number, alias: string): { alias: VersionAlias; recordKey: number | null } | undefined {
    return readAlias(this.#sql, subjectKey, alias);
  }

  evidenceOf(recordKey: number): Evidence[] {
    return readEvidence(this.#sql, recordKey);
  }

  associationsOf(name: SubjectName): Association[] {
    const associations = this.#scope(name)?.associations;
    return associations ? (JSON.parse(associations) as Association[]) : [];
  }

  associationsOfSubject(name: SubjectName): SubjectAssociation[] {
    return this.associationsOf(name).map((association) => ({ name, association }));
  }

  associationsOfResources(of: ResourceSelector): SubjectAssociation[] {
    return readAssociationsOfResources(this.#sql, of);
  }

  /** Aliases: subjects whose config redirects to another subject. */
  aliases(): { alias: SubjectName; subject: SubjectName }[] {
    return this.#sql
      .exec<SubjectName>(
        `SELECT context, subject FROM scopes WHERE json_extract(config, '$.alias') IS NOT NULL ORDER BY context, subject`,
      )
      .toArray()
      .map(({ context, subject }) => ({
        alias: { context, subject },
        subject: this.resolveAlias({ context, subject }),
      }));
  }

  /** The uncompressed size of the texts of some records, in bytes. */
  textBytes(rows: readonly RecordRow[]): number {
    if (rows.length === 0) return 0;
    return this.#sql
      .exec<{ bytes: number }>(
        `SELECT total(coalesce(log.text_bytes, (
           SELECT texts.text_bytes FROM contents JOIN texts USING (content_hash) WHERE content_key = log.seq))) AS bytes
           FROM json_each(?) AS content JOIN log ON log.seq = content.value`,
        JSON.stringify(rows.map((row) => row.content_key)),
      )
      .one().bytes;
  }

  /** Records that reference a version. */
  referrers(subjectKey: number, number: number): RecordRow[] {
    return this.#sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.record_key IN
           (SELECT record_key FROM record_references WHERE target_subject_key = +? AND target_number = +?)`,
        subjectKey,
        number,
      )
      .toArray();
  }

  /** The version that a reference resolves to, for a subject in `context`. */
  referenceTarget(context: string, reference: { subject: string; version: number }): RecordRow | undefined {
    const subject = this.subject(referenceName(context, reference.subject));
    if (!subject) return undefined;
    return reference.version === -1
      ? this.newestLive(subject.subject_key)
      : this.recordByNumber(subject.subject_key, reference.version);
  }

  /** The closure of a content, for a subject in `context`; undefined beyond the limit. */
  closure(root: ContentRow, context: string): Closure | undefined {
    return this.closureOf(toHex(new Uint8Array(root.content_hash)), readStoredReferences(root), context);
  }

  /** The same for a content that may not be stored yet. */
  closureOf(root: ContentHash, references: readonly SchemaReference[], context: string): Closure | undefined {
    return references.length === 0 ? this.#closures.of(root) : reach(this, root, references, context);
  }
}

function readOnce<Row extends Record<string, SqlStorageValue>>(
  known: Map<string, Row | undefined>,
  name: SubjectName,
  read: (name: SubjectName) => SqlStorageCursor<Row>,
): Row | undefined {
  const key = nameKey(name);
  if (!known.has(key)) known.set(key, read(name).toArray()[0]);
  return known.get(key);
}

export function readStoredReferences(row: { refs: string | null }): SchemaReference[] {
  return row.refs === null ? [] : (JSON.parse(row.refs) as SchemaReference[]);
}

export function readDataContract(row: { contract: string | null }): DataContract {
  return row.contract === null ? NO_DATA_CONTRACT : (JSON.parse(row.contract) as DataContract);
}

export function readAttributes(row: { attributes: string | null }): Attributes {
  return row.attributes === null ? NO_ATTRIBUTES : (JSON.parse(row.attributes) as Attributes);
}

export function toRecord(row: RecordRow): SchemaRecord {
  return {
    id: row.id,
    context: row.context,
    subject: row.subject,
    versionNumber: row.number,
    semver: row.label,
    confluentId: row.confluent_id,
    state: row.state,
    deleted: row.deleted === 1,
    format: row.format,
    dialect: row.dialect,
    contentHash: toHex(new Uint8Array(row.content_hash)),
    guid: row.guid,
    references: readStoredReferences(row),
    contract: readDataContract(row),
    attributes: readAttributes(row),
    createdAtMs: row.created_at,
    createdBy: row.created_by,
    updatedAtMs: row.updated_at,
    seq: row.updated_seq,
  };
}

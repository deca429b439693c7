/**
 * Every query of the edge, answered from state in one synchronous step. Rows and bytes are limited by the protocol.
 */

import { type AssociationFilter, isAdmitted, type SubjectAssociation } from "../../../registry/association.ts";
import { fromHex, toHex } from "../../../registry/log-entry.ts";
import type { Queries, QueryName, SubjectSummary } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { isArtefact } from "../../../schema/format.ts";
import { compareCodeUnits } from "../../../schema/json-text.ts";
import {
  ANY_CONTEXT,
  DEFAULT_CONTEXT,
  parseSubjectName,
  printSubjectName,
  type SubjectName,
} from "../../../schema/subject-name.ts";
import { resolveReferences } from "../decide/references.ts";
import { readAliasMoves } from "../state/aliases.ts";
import { readChangeSet, readChangeSets } from "../state/change-sets.ts";
import { readGovernance, readProposal, readProposals } from "../state/governance.ts";
import {
  type ContentRow,
  RECORD_SELECT,
  type RecordRow,
  readDataContract,
  readStoredReferences,
  type StateReader,
  toRecord,
} from "../state/reader.ts";
import { selectVersion } from "../state/select-version.ts";
import { loadWebhook, readWebhooks } from "../state/webhooks.ts";
import { answerAuditEntries, answerAuditEntriesAt } from "./audit.ts";
import { answerComparedVersions, BATCH_ANSWERS } from "./batches.ts";
import { readGroupedPlans } from "./change-set-plans.ts";
import { COPY_ANSWERS } from "./copies.ts";
import { walkGraph } from "./graph.ts";
import { TREE_ANSWERS } from "./tree.ts";

type Answers = {
  [K in QueryName]: (source: { sql: SqlStorage; state: StateReader }, args: Queries[K][0]) => Queries[K][1];
};

export function answerQuery(source: { sql: SqlStorage; state: StateReader }, name: QueryName, args: unknown): unknown {
  const answer = ANSWERS[name] as ((source: unknown, args: unknown) => unknown) | undefined;
  if (!answer) throw new Error(`Unknown query "${name}".`);
  return answer(source, args);
}

const ANSWERS: Answers = {
  ...BATCH_ANSWERS,
  ...COPY_ANSWERS,
  ...TREE_ANSWERS,

  head: () => null,

  webhooks: ({ sql }) => readWebhooks(sql),

  auditEntries: ({ sql }, args) => answerAuditEntries(sql, args),
  auditEntriesAt: ({ sql }, args) => answerAuditEntriesAt(sql, args),

  governance: ({ sql }) => readGovernance(sql),

  proposal: ({ sql }, { id }) => readProposal(sql, id) ?? null,

  proposals: ({ sql }, args) => readProposals(sql, { ...args, limit: Math.min(args.limit, MAX_QUERY_ROWS) }),

  changeSet: ({ sql }, { id }) => {
    const changeSet = readChangeSet(sql, id);
    if (changeSet === undefined) return null;
    const plans = readGroupedPlans(sql, changeSet.firstSeq, changeSet.lastSeq);
    return { ...changeSet, ...(plans === undefined ? {} : { plans }) };
  },

  changeSets: ({ sql }, { before, limit }) => readChangeSets(sql, before, Math.min(limit, MAX_QUERY_ROWS)),

  webhook: ({ sql }, { id }) => loadWebhook(sql, id) ?? null,

  versionCount: ({ sql }) => sql.exec<{ count: number }>("SELECT count(*) AS count FROM records").one().count,

  recordById: ({ state }, { id, deleted }) => {
    const row = state.recordById(id);
    return row && (deleted || row.deleted === 0) ? toRecord(row) : null;
  },

  record: ({ state }, { name, selector, deleted, anyContext }) => {
    const names = anyContext ? state.namesakes(name) : [state.resolveAlias(name)];
    for (const candidate of names) {
      const subject = state.subject(candidate);
      const row = subject && selectVersion(state, subject, selector, deleted);
      if (row) return { found: toRecord(row) };
    }
    const subject = state.subject(names[0]!);
    return { missing: subject && state.hasVersions(subject.subject_key, deleted) ? "version" : "subject" };
  },

  recordByProperties: ({ state }, { name, properties, deleted }) => {
    const subject = state.subject(state.resolveAlias(name));
    if (!subject || !state.hasVersions(subject.subject_key, deleted)) return { missing: "subject" };
    const rows = deleted ? state.numberedRecords(subject.subject_key) : state.liveRecords(subject.subject_key);
    const row = rows.find((candidate) => {
      const own = readDataContract(candidate).metadata?.properties ?? {};
      return properties.every(([key, value]) => Object.hasOwn(own, key) && own[key] === value);
    });
    return row ? { found: toRecord(row) } : { missing: "version" };
  },

  records: ({ sql, state }, { filter, order, after, limit, offset = 0 }) => {
    const { where, bindings } = recordConditions(filter, filter.aliases ? state.aliases() : []);
    const cursor: unknown[] = after === null ? [] : (JSON.parse(after) as unknown[]);
    const ordering =
      order === "registration"
        ? { by: "records.record_key", after: "records.record_key > +?" }
        : {
            by: "subjects.context, subjects.subject, records.number",
            after: "(subjects.context, subjects.subject, records.number) > (?, ?, ?)",
          };
    if (order === "subject") where.push("records.number IS NOT NULL");
    if (cursor.length > 0) where.push(ordering.after);
    const count = Math.min(limit, MAX_QUERY_ROWS);
    const found = sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE ${where.join(" AND ")} ORDER BY ${ordering.by} LIMIT ? OFFSET ?`,
        ...bindings,
        ...(cursor as SqlStorageValue[]),
        count + 1,
        offset,
      )
      .toArray()
      .map((row) => ({ row, record: toRecord(row) }));
    const page = found.slice(0, count);
    const last = page.at(-1)?.row;
    const next =
      found.length > count && last
        ? JSON.stringify(order === "registration" ? [last.record_key] : [last.context, last.subject, last.number])
        : null;
    return { records: page.map(({ record }) => record), next };
  },

  recordsOfSubject: ({ sql, state }, { name, deleted, drafts, after, limit }) => {
    const subject = state.subject(state.resolveAlias(name));
    if (!subject || !(state.hasVersions(subject.subject_key, deleted) || drafts))
      return { subjectExists: false, records: [] };
    const rows = sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.subject_key = +? AND deleted <= +?
           AND coalesce(number, ?) > +? AND (number IS NOT NULL OR ?) ORDER BY coalesce(number, ?), record_key LIMIT ?`,
        subject.subject_key,
        deleted ? 1 : 0,
        DRAFT_POSITION,
        after,
        drafts ? 1 : 0,
        DRAFT_POSITION,
        Math.min(limit, MAX_QUERY_ROWS),
      )
      .toArray();
    return {
      subjectExists: rows.length > 0 || state.hasVersions(subject.subject_key, deleted),
      records: rows.map(toRecord),
    };
  },

  holdsArtefacts: ({ state }, { name }) => {
    const subject = state.subject(state.resolveAlias(name));
    const format = subject && state.formatOf(subject.subject_key);
    return format !== undefined && isArtefact(format);
  },

  subjects: ({ sql }, { prefix, deleted, after, limit, artefacts }) => {
    const { where, bindings } = prefixConditions(prefix);
    const exists = (condition: string) =>
      `EXISTS (SELECT 1 FROM records WHERE records.subject_key = subjects.subject_key AND number IS NOT NULL ${condition})`;
    where.push(deleted === "no" ? exists("AND deleted = 0") : exists(""));
    // Of all numbered versions, only artefacts have no Confluent id.
    if (artefacts === false) where.push(exists("AND confluent_id IS NOT NULL"));
    if (deleted === "only") where.push(`NOT ${exists("AND deleted = 0")}`);
    if (after !== null) {
      where.push("(context, subject) > (?, ?)");
      bindings.push(...(JSON.parse(after) as SqlStorageValue[]));
    }
    const count = Math.min(limit, MAX_QUERY_ROWS);
    const rows = sql
      .exec<SubjectName>(
        `SELECT context, subject FROM subjects WHERE ${where.join(" AND ")} ORDER BY context, subject LIMIT ?`,
        ...bindings,
        count + 1,
      )
      .toArray();
    const page = rows.slice(0, count);
    const last = page.at(-1);
    return {
      names: page.map(printSubjectName),
      next: rows.length > count && last ? JSON.stringify([last.context, last.subject]) : null,
    };
  },

  subject: (from, { name, deleted }) => summaryOf(from, from.state.resolveAlias(name), deleted),

  subjectSummaries: (from, { page, deleted }) => {
    const { names, next } = ANSWERS.subjects(from, page);
    const summaries = names.map((name) => summaryOf(from, parseSubjectName(name), deleted));
    return { summaries: summaries.filter((summary) => summary !== null), next };
  },

  content: ({ sql, state }, { contentHash }) => storedContent(sql, state.contentByHash(contentHash)),

  contents: ({ sql, state }, { contentHashes }) =>
    contentHashes.slice(0, MAX_QUERY_ROWS).map((hash) => storedContent(sql, state.contentByHash(hash))),

  contentOf: ({ sql, state }, args) => {
    const found = locateContent(sql, state, args);
    if (!found) return null;
    const content = storedContent(sql, found.row);
    const closure = state.closure(found.row, found.context);
    return content && closure ? { content, context: found.context, closure } : null;
  },

  recordByConfluentId: ({ sql, state }, { name, confluentId }) => {
    const row = locateUse(sql, state, name, confluentId);
    return row ? toRecord(row) : null;
  },

  closure: ({ state }, { contentHash, context }) => {
    const row = state.contentByHash(contentHash);
    return (row && state.closure(row, context)) ?? null;
  },

  resolveReferences: ({ state }, { context, references, deleted }) => {
    const missing = references.find((reference) => {
      const target = state.referenceTarget(context, reference);
      return !target || (target.deleted === 1 && !deleted);
    });
    if (missing) return { missing };
    const found = resolveReferences(state, context, references, { normalise: false, deleted });
    if (!found.ok) return { missing: references[0]! };
    return { resolved: found.value.resolved, closures: found.value.closures };
  },

  usesOfConfluentId: ({ sql, state }, { context, confluentId, deleted, offset = 0 }) => {
    const content = state.contentByConfluentId(context, confluentId);
    if (!content) return { known: false, records: [] };
    const rows = sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.record_key IN (SELECT record_key FROM content_records WHERE content_key = +?)
           AND +subjects.context = +? AND confluent_id = +? AND deleted <= +?
           ORDER BY subjects.subject, number DESC`,
        content.content_key,
        context,
        confluentId,
        deleted ? 1 : 0,
      )
      .toArray();
    const newest = rows.filter((row, index) => row.subject_key !== rows[index - 1]?.subject_key);
    return { known: true, records: newest.slice(offset, offset + MAX_QUERY_ROWS).map(toRecord) };
  },

  idsOfGuid: ({ sql }, { guid }) =>
    sql
      .exec<{ context: string; confluent_id: number }>(
        `SELECT context, confluent_id FROM content_ids WHERE content_key IN (SELECT content_key FROM contents WHERE guid = +?)
           ORDER BY context, confluent_id LIMIT ?`,
        guid,
        MAX_QUERY_ROWS,
      )
      .toArray()
      .map(({ context, confluent_id }) => ({ context, confluentId: confluent_id })),

  maxConfluentId: ({ state }, { context }) => state.nextConfluentId(context) - 1,

  referencedBy: ({ state }, { name, versionNumber, deleted }) => {
    const subject = state.subject(state.resolveAlias(name));
    if (!subject) return [];
    const rows = state
      .referrers(subject.subject_key, versionNumber)
      .filter((row) => row.number !== null && (deleted || row.deleted === 0));
    const sorted = rows.map(toRecord).sort(byContextAndConfluentId);
    return sorted.slice(0, MAX_QUERY_ROWS);
  },

  graph: walkGraph,

  config: ({ state }, { scope }) => state.scopeConfig(scope) ?? null,
  effectiveConfig: ({ state }, { name, api }) => state.effectiveConfig(name, api),
  rules: ({ state }, { scope }) => state.scopeRules(scope) ?? null,
  effectiveRules: ({ state }, { name }) => state.effectiveRules(state.resolveAlias(name)),
  mode: ({ state }, { scope }) => state.scopeMode(scope) ?? null,
  effectiveMode: ({ state }, { name }) => state.effectiveMode(name),
  contexts: ({ state }) => state.contexts(),
  associations: ({ state }, { of, filter, offset, limit }) => {
    const found =
      "name" in of ? state.associationsOfSubject(state.resolveAlias(of.name)) : state.associationsOfResources(of);
    return found
      .filter(({ association }) => isAdmitted(association, filter))
      .sort(byResourceAndType)
      .slice(offset, offset + Math.min(limit, MAX_QUERY_ROWS));
  },
  versionAliases: ({ state }, { name }) => {
    const subject = state.subject(state.resolveAlias(name));
    return subject ? state.aliasesOf(subject.subject_key) : null;
  },
  aliasMoves: ({ sql, state }, { name, alias, before, limit }) => {
    const subject = state.subject(state.resolveAlias(name));
    const subjectKey = subject?.subject_key;
    if (subjectKey === undefined) return null;
    const moves = readAliasMoves(sql, { subjectKey, alias, before, limit: Math.min(limit, MAX_QUERY_ROWS) });
    return moves.length === 0 && !state.aliasOf(subjectKey, alias) ? null : moves;
  },
  evidence: ({ state }, { name, selector }) => {
    const subject = state.subject(state.resolveAlias(name));
    const row = subject && selectVersion(state, subject, selector, false);
    return row ? { record: toRecord(row), evidence: state.evidenceOf(row.record_key) } : null;
  },
  aliases: ({ state }) => state.aliases().slice(0, MAX_QUERY_ROWS),

  comparedVersions: ({ state }, args) => ({
    ...answerComparedVersions(state, args, (subject, selector) => selectVersion(state, subject, selector, false)),
    rules: state.effectiveRules(state.resolveAlias(args.name)),
  }),
};

/** Null if the subject has no visible version. */
function summaryOf(
  { sql, state }: { sql: SqlStorage; state: StateReader },
  name: SubjectName,
  deleted: boolean,
): SubjectSummary | null {
  const subject = state.subject(name);
  if (!subject) return null;
  const counts = sql
    .exec<{ versions: number; deleted_versions: number; drafts: number }>(
      `SELECT coalesce(sum(number IS NOT NULL AND deleted = 0), 0) AS versions,
              coalesce(sum(number IS NOT NULL AND deleted = 1), 0) AS deleted_versions,
              coalesce(sum(number IS NULL AND deleted = 0), 0) AS drafts
         FROM records WHERE subject_key = +?`,
      subject.subject_key,
    )
    .one();
  if (counts.versions === 0 && counts.drafts === 0 && !deleted) return null;
  const latest = state.latest(subject.subject_key);
  const config = state.effectiveConfig(name, "native");
  return {
    context: name.context,
    subject: name.subject,
    latest: latest ? { versionNumber: latest.number!, semver: latest.label!, id: latest.id } : null,
    versions: counts.versions,
    deletedVersions: counts.deleted_versions,
    drafts: counts.drafts,
    level: config.compatibilityLevel,
    policy: config.policy,
    writers: config.writers,
    mode: state.effectiveMode(name),
    role: state.roleOf(subject, config),
  };
}

/** Drafts have no number, so they are listed after all versions. */
const DRAFT_POSITION = 2 ** 31;

function recordConditions(
  filter: Queries["records"][0]["filter"],
  aliases: readonly Alias[],
): { where: string[]; bindings: SqlStorageValue[] } {
  const prefix = filter.subjectPrefix ?? `:${ANY_CONTEXT}:`;
  const { where, bindings } = aliases.length === 0 ? prefixConditions(prefix) : aliasedConditions(prefix, aliases);
  const shown = filter.deleted ? "" : "AND newer.deleted = 0";
  if (!filter.deleted) where.push("records.deleted = 0");
  if (!filter.drafts) where.push("records.number IS NOT NULL");
  if (filter.latestOnly) {
    where.push(
      `records.number = (SELECT max(number) FROM records newer WHERE newer.subject_key = records.subject_key ${shown})`,
    );
  }
  if (filter.format) {
    where.push("contents.format = +?");
    bindings.push(filter.format);
  }
  if (filter.state) {
    where.push("records.state = +?");
    bindings.push(filter.state);
  }
  if (filter.tag !== undefined) {
    where.push("EXISTS (SELECT 1 FROM json_each(records.attributes, '$.tags') WHERE json_each.value = +?)");
    bindings.push(filter.tag);
  }
  if (filter.artefacts === false) where.push("records.confluent_id IS NOT NULL");
  if (filter.ruleType !== undefined) {
    where.push(`EXISTS (SELECT 1 FROM json_tree(contents.contract, '$.ruleSet') AS node
       WHERE node.fullkey GLOB '$.ruleSet.*Rules[[]*[]].type' AND node.atom = +?)`);
    bindings.push(filter.ruleType);
  }
  if (filter.associations?.lifecycles?.length) {
    const { sql, bindings: wanted } = associationCondition(filter.associations);
    where.push(sql);
    bindings.push(...wanted);
  }
  return { where, bindings };
}

function associationCondition(filter: AssociationFilter): { sql: string; bindings: SqlStorageValue[] } {
  const { resourceType, types = [], lifecycles = [] } = filter;
  const conditions = ["1"];
  const bindings: SqlStorageValue[] = [];
  const oneOf = (path: string, values: readonly string[]) => {
    conditions.push(`json_extract(item.value, '${path}') IN (SELECT value FROM json_each(?))`);
    bindings.push(JSON.stringify(values));
  };
  if (resourceType !== undefined) oneOf("$.resource.type", [resourceType]);
  if (types.length > 0) oneOf("$.type", types);
  const exists = (more: readonly string[]) => `EXISTS (SELECT 1 FROM scopes, json_each(scopes.associations) AS item
    WHERE scopes.context = subjects.context AND scopes.subject = subjects.subject
      AND scopes.associations IS NOT NULL AND ${[...conditions, ...more].join(" AND ")})`;
  const named = lifecycles.filter((lifecycle) => lifecycle !== "NONE");
  const wanted = "json_extract(item.value, '$.lifecycle') IN (SELECT value FROM json_each(?))";
  if (named.length === lifecycles.length) {
    return { sql: exists([wanted]), bindings: [...bindings, JSON.stringify(named)] };
  }
  return {
    sql: `(NOT ${exists([])} OR ${exists([wanted])})`,
    bindings: [...bindings, ...bindings, JSON.stringify(named)],
  };
}

/** The record that has a Confluent id in a subject, its own context first. */
function locateUse(sql: SqlStorage, state: StateReader, name: SubjectName, confluentId: number): RecordRow | undefined {
  const newestUse = (context: string, subject: string | null) =>
    sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.record_key IN (SELECT record_key FROM content_records WHERE content_key = (
             SELECT content_key FROM confluent_ids WHERE context = +?1 AND confluent_id = +?2))
           AND +subjects.context = +?1 AND confluent_id = +?2 AND (?3 IS NULL OR subjects.subject = +?3)
           ORDER BY deleted, subjects.subject, number DESC LIMIT 1`,
        context,
        confluentId,
        subject,
      )
      .toArray()[0];
  const names = state.namesakes(name);
  for (const { context, subject } of names) {
    const row = newestUse(context, subject);
    if (row) return row;
  }
  return newestUse(names[0]!.context, null);
}

function prefixConditions(prefix: string): { where: string[]; bindings: SqlStorageValue[] } {
  const { context, subject } = parseSubjectName(prefix);
  const where = ["1"];
  const bindings: SqlStorageValue[] = [];
  if (context !== ANY_CONTEXT) {
    where.push("subjects.context = +?");
    bindings.push(context);
  }
  if (subject !== "") {
    where.push("subjects.subject >= +? AND substr(subjects.subject, 1, ?) = +?");
    bindings.push(subject, [...subject].length, subject);
  }
  return { where, bindings };
}

type Alias = Queries["aliases"][1][number];

/** Subjects with the prefix, and the targets of aliases with the prefix. */
function aliasedConditions(prefix: string, aliases: readonly Alias[]): ReturnType<typeof prefixConditions> {
  const { where, bindings } = prefixConditions(prefix);
  const { context, subject } = parseSubjectName(prefix);
  const targets = aliases
    .filter(({ alias }) => (context === ANY_CONTEXT || alias.context === context) && alias.subject.startsWith(subject))
    .map((alias) => [alias.subject.context, alias.subject.subject]);
  return {
    where: [
      `((${where.join(" AND ")}) OR (subjects.context, subjects.subject) IN
         (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)))`,
    ],
    bindings: [...bindings, JSON.stringify(targets)],
  };
}

function locateContent(
  sql: SqlStorage,
  state: StateReader,
  args: Queries["contentOf"][0],
): { row: ContentRow; context: string } | undefined {
  if ("id" in args) {
    const record = state.recordById(args.id);
    const row = record && state.contentByHash(toHex(new Uint8Array(record.content_hash)));
    return row && record ? { row: { ...row, dialect: record.dialect }, context: record.context } : undefined;
  }
  if ("confluentId" in args) {
    const row = state.contentByConfluentId(args.context, args.confluentId);
    return row ? { row, context: args.context } : undefined;
  }
  const candidates = state.contentsByGuid(args.guid).flatMap((row) =>
    sql
      .exec<{ context: string }>(
        "SELECT context FROM content_ids WHERE content_key = +? ORDER BY context LIMIT 1",
        row.content_key,
      )
      .toArray()
      .map(({ context }) => ({ row, context })),
  );
  return candidates.find(({ context }) => context === DEFAULT_CONTEXT) ?? candidates[0];
}

function storedContent(sql: SqlStorage, row: ContentRow | undefined): Queries["content"][1] {
  if (!row) return null;
  const hash = toHex(new Uint8Array(row.content_hash));
  const [text] = sql
    .exec<{ deflated: ArrayBuffer | null; text_bytes: number }>(
      "SELECT deflated, text_bytes FROM stored_texts WHERE content_hash = +?",
      fromHex(hash),
    )
    .toArray();
  if (!text) return null;
  return {
    contentHash: hash,
    guid: row.guid,
    format: row.format,
    dialect: row.dialect,
    references: readStoredReferences(row),
    contract: readDataContract(row),
    deflated: text.deflated === null ? null : new Uint8Array(text.deflated),
    textBytes: text.text_bytes,
  };
}

function byContextAndConfluentId(a: SchemaRecord, b: SchemaRecord): number {
  return a.context < b.context ? -1 : a.context > b.context ? 1 : (a.confluentId ?? 0) - (b.confluentId ?? 0);
}

function byResourceAndType(a: SubjectAssociation, b: SubjectAssociation): number {
  const key = ({ name, association: { resource, type } }: SubjectAssociation) =>
    [resource.name, resource.namespace, resource.type, type, name.context, name.subject] as const;
  const [left, right] = [key(a), key(b)];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at === -1 ? 0 : compareCodeUnits(left[at]!, right[at]!);
}

/**
 * Queries about many subjects or contents, for checks that span a tenant. Each answers a nonempty prefix of the
 * request, so that a response stays within the protocol's limits and the edge requests the rest.
 */

import type { EffectiveConfig } from "../../../registry/config.ts";
import type { ComparedVersion, Queries, SubjectPolicy, VersionSelector } from "../../../registry/questions.ts";
import type { Api } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import type { CompatibilityLevel } from "../../../schema/compatibility.ts";
import { EMPTY_RULE_BOOK } from "../../../schema/rules/rule-book.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import { closureOfRecord, comparedRecords } from "../decide/compatibility.ts";
import { RECORD_SELECT, type RecordRow, type StateReader, type SubjectRow, toRecord } from "../state/reader.ts";

/** Contents that the closures of one response may reach: at about 200 bytes each, 4 MB. */
const MAX_CLOSURE_NODES = 20_000;
/** Characters of rule books in one response; one book always fits (MAX_RULE_BOOK_CHARACTERS). */
const MAX_BOOK_CHARACTERS = 2 * 1024 * 1024;

type Source = { sql: SqlStorage; state: StateReader };
type BatchQuery =
  | "comparedVersionsOfMany"
  | "subjectPolicies"
  | "closures"
  | "referrersOf"
  | "exceptions"
  | "associationsOfMany";

export const BATCH_ANSWERS: {
  [K in BatchQuery]: (source: Source, args: Queries[K][0]) => Queries[K][1];
} = {
  comparedVersionsOfMany: ({ state }, { asked }) => {
    const answers: Queries["comparedVersionsOfMany"][1] = [];
    let rows = 0;
    let nodes = 0;
    for (const question of asked) {
      const { versions, ...rest } = answerComparedVersions(state, question);
      rows += versions.length;
      nodes += countNodes(versions);
      if (answers.length > 0 && (rows > MAX_QUERY_ROWS || nodes > MAX_CLOSURE_NODES)) break;
      answers.push({ ...rest, versions });
    }
    return answers;
  },

  subjectPolicies: ({ state }, { names, api }) => {
    const tenantRules = state.tenantRules();
    const subjects: SubjectPolicy[] = [];
    let characters = JSON.stringify(tenantRules).length;
    for (const name of names.slice(0, MAX_QUERY_ROWS)) {
      const policy = readPolicy(state, name, api);
      characters += policy.rules === EMPTY_RULE_BOOK ? 0 : JSON.stringify(policy.rules).length;
      if (subjects.length > 0 && characters > MAX_BOOK_CHARACTERS) break;
      subjects.push(policy);
    }
    return { tenantRules, subjects };
  },

  closures: ({ state }, { of }) => {
    const closures: Queries["closures"][1] = [];
    let nodes = 0;
    for (const { contentHash, context } of of.slice(0, MAX_QUERY_ROWS)) {
      const content = state.contentByHash(contentHash);
      const closure = (content && state.closure(content, context)) ?? null;
      nodes += closure?.nodes.length ?? 0;
      if (closures.length > 0 && nodes > MAX_CLOSURE_NODES) break;
      closures.push(closure);
    }
    return closures;
  },

  referrersOf: ({ sql, state }, { names, limit }) => {
    const found = new Map<number, { row: RecordRow; targets: SubjectName[] }>();
    const most = Math.min(limit, MAX_QUERY_ROWS);
    for (const name of names.slice(0, MAX_QUERY_ROWS)) {
      const target = state.subject(name);
      if (!target) continue;
      // One extra row shows that there are more.
      for (const row of newestReferrers(sql, target.subject_key, most + 1)) {
        const known = found.get(row.record_key);
        if (known) known.targets.push(name);
        else if (found.size === most) return { referrers: [...found.values()].map(toReferrer), more: true };
        else found.set(row.record_key, { row, targets: [name] });
      }
    }
    return { referrers: [...found.values()].map(toReferrer), more: false };
  },

  associationsOfMany: ({ state }, { names }) => {
    const lists: Queries["associationsOfMany"][1] = [];
    let rows = 0;
    for (const name of names.slice(0, MAX_QUERY_ROWS)) {
      const associations = state.associationsOf(name);
      rows += associations.length;
      if (lists.length > 0 && rows > MAX_QUERY_ROWS) break;
      lists.push(associations);
    }
    return lists;
  },

  exceptions: ({ sql, state }, { after }) => {
    const scopes: Queries["exceptions"][1]["scopes"] = [];
    let characters = 0;
    const rows = sql
      .exec<SubjectName>(
        `SELECT context, subject FROM scopes WHERE rules IS NOT NULL AND (?1 IS NULL OR (context, subject) > (?1, ?2))
           ORDER BY context, subject LIMIT ?3`,
        after?.context ?? null,
        after?.subject ?? null,
        MAX_QUERY_ROWS,
      )
      .toArray();
    for (const [index, { context, subject }] of rows.entries()) {
      const scope = { context, subject };
      const { exceptions } = state.scopeRules(scope) ?? EMPTY_RULE_BOOK;
      characters += JSON.stringify(exceptions).length;
      if (index > 0 && characters > MAX_BOOK_CHARACTERS) return { scopes, next: previous(rows, index) };
      if (exceptions.length > 0) scopes.push({ scope, exceptions });
    }
    return { scopes, next: rows.length === MAX_QUERY_ROWS ? previous(rows, rows.length) : null };
  },
};

/** The versions to compare a candidate with, as for a registration. */
export function answerComparedVersions(
  state: StateReader,
  { name: asked, selector, level, group, api, role = null, offset = 0 }: Queries["comparedVersions"][0],
  selectVersion?: (subject: SubjectRow, selector: VersionSelector) => RecordRow | undefined,
): Omit<Queries["comparedVersions"][1], "rules"> & { versions: ComparedVersion[] } {
  const name = state.resolveAlias(asked);
  const subject = state.subject(name);
  const effective = state.effectiveConfig(name, api, role);
  const config: EffectiveConfig & { compatibilityLevel: CompatibilityLevel } = {
    ...effective,
    compatibilityLevel: level ?? effective.compatibilityLevel,
  };
  const rows = rowsOf();
  return {
    level: config.compatibilityLevel,
    policy: config.policy,
    writers: config.writers,
    undecided: config.undecided ?? "strict",
    role: state.roleOf(subject, config),
    subjectExists: subject !== undefined && state.hasVersions(subject.subject_key, false),
    versions: rows.slice(offset, offset + MAX_QUERY_ROWS).flatMap((row) => {
      const closure = closureOfRecord(state, row);
      return closure ? [{ record: toRecord(row), closure }] : [];
    }),
    more: rows.length > offset + MAX_QUERY_ROWS,
  };

  function rowsOf(): RecordRow[] {
    if (selector === "level") return comparedRecords(state, subject, group, config);
    if (!subject) return [];
    if (selector === "all") return state.liveRecords(subject.subject_key);
    if (selector === "latest") return [state.latest(subject.subject_key)].filter((row) => row !== undefined);
    return [selectVersion?.(subject, selector)].filter((row) => row !== undefined);
  }
}

function readPolicy(state: StateReader, asked: SubjectName, api: Api): SubjectPolicy {
  const name = state.resolveAlias(asked);
  const subject = state.subject(name);
  const config = state.effectiveConfig(name, api);
  return {
    name,
    level: config.compatibilityLevel,
    policy: config.policy,
    writers: config.writers,
    role: state.roleOf(subject, config),
    group: config.compatibilityGroup ?? null,
    rules: state.scopeRules(name) ?? EMPTY_RULE_BOOK,
    exists: subject !== undefined && state.hasVersions(subject.subject_key, false),
    nextNumber: (subject?.last_number ?? 0) + 1,
  };
}

/** Newest live versions, at most one per subject, that reference any version of a subject. */
function newestReferrers(sql: SqlStorage, targetKey: number, limit: number): RecordRow[] {
  return sql
    .exec<RecordRow>(
      `${RECORD_SELECT} WHERE records.record_key IN (SELECT record_key FROM record_references WHERE target_subject_key = ?)
         AND records.deleted = 0 AND records.number = (
           SELECT max(number) FROM records newer WHERE newer.subject_key = records.subject_key AND newer.deleted = 0)
         ORDER BY subjects.context, subjects.subject LIMIT ?`,
      targetKey,
      limit,
    )
    .toArray();
}

function toReferrer({ row, targets }: { row: RecordRow; targets: SubjectName[] }) {
  return { record: toRecord(row), targets };
}

function countNodes(versions: readonly ComparedVersion[]): number {
  return versions.reduce((sum, { closure }) => sum + closure.nodes.length, 0);
}

function previous(rows: readonly SubjectName[], index: number): SubjectName {
  const { context, subject } = rows[index - 1]!;
  return { context, subject };
}

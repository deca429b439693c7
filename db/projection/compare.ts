/**
 * Compares rows of the read model with those derived from the primary's state. The caller holds the tenant's lock and passes
 * state no older than the checkpoint.
 */
import { type SQL, sql } from "drizzle-orm";
import { printSubjectName, type SubjectName } from "../../schema/subject-name.ts";
import type { Transaction } from "../client.ts";
import type { DerivedContent } from "./derive.ts";
import {
  type FieldRow,
  fieldRows,
  type KeyedRecord,
  type LogEntryRow,
  type ReadModelScopeRow,
  type ReadModelSubjectRow,
  type ReferenceRow,
  referenceRows,
  storableJson,
  type VersionRow,
  versionRow,
} from "./rows.ts";
import {
  FIELD_COLUMNS,
  LOG_ENTRY_COLUMNS,
  names,
  REFERENCE_COLUMNS,
  SCOPE_COLUMNS,
  STORED_TAG,
  SUBJECT_COLUMNS,
  VERSION_COLUMNS,
} from "./write.ts";

/** An incorrect row of the read model. */
export type Discrepancy = {
  table: ComparedTable;
  /** The row's key: a seq, a record's or a subject's key, or a scope's qualified name. */
  key: string;
  /** The qualified name of the row's subject, null if it concerns several. */
  subject: string | null;
  problem: "missing" | "extra" | "different";
  /** Differing columns, or dependent tables that differ. */
  columns: readonly string[];
};
export const COMPARED_TABLES = ["log_entries", "versions", "subjects", "scopes"] as const;
export type ComparedTable = (typeof COMPARED_TABLES)[number];

/** A record with all its rows in the read model. */
export type ExpectedRecord = { version: VersionRow; fields: FieldRow[]; references: ReferenceRow[] };
export type ExpectedSubject = ReadModelSubjectRow & { latest_key: number | null };

export function expectedRecord(record: KeyedRecord, derived: DerivedContent): ExpectedRecord {
  return {
    version: versionRow(record, derived),
    fields: fieldRows(record.recordKey, derived),
    references: referenceRows(record),
  };
}

/** The rows of a table after one key, up to another or to the end (null). */
type KeyRange = { after: number; upTo: number | null };
export type ScopeRange = { after: SubjectName; upTo: SubjectName | null };

export async function compareRecords(
  transaction: Transaction,
  tenant: string,
  range: KeyRange,
  expected: readonly ExpectedRecord[],
): Promise<Discrepancy[]> {
  type Copied = ExpectedRecord & { tags_right: boolean };
  const copied = await read<Copied>(
    transaction,
    sql`SELECT json_build_object(
      'version', (SELECT row_to_json(own) FROM (SELECT ${names(VERSION_COLUMNS, "versions")}) AS own),
      'fields', coalesce((SELECT json_agg(own ORDER BY own.position) FROM
        (SELECT ${names(FIELD_COLUMNS)} FROM fields
          WHERE fields.tenant = versions.tenant AND fields.record_key = versions.record_key) AS own), '[]'),
      'references', coalesce((SELECT json_agg(own ORDER BY own.position) FROM
        (SELECT ${names(REFERENCE_COLUMNS)} FROM version_references
          WHERE version_references.tenant = versions.tenant
            AND version_references.record_key = versions.record_key) AS own), '[]'),
      'tags_right', (SELECT coalesce(array_agg(tag ORDER BY tag), '{}') FROM version_tags
          WHERE version_tags.tenant = versions.tenant AND version_tags.record_key = versions.record_key)
        = (SELECT coalesce(array_agg(DISTINCT ${STORED_TAG} ORDER BY ${STORED_TAG}), '{}')
          FROM unnest(versions.tags) AS tag)
    ) AS copied FROM versions WHERE tenant = ${tenant} AND ${inRange("record_key", range)}`,
  );
  return compareRows<ExpectedRecord, Copied>("versions", expected, copied, {
    keyOf: ({ version }) => String(version.record_key),
    subjectOf: ({ version }) => printSubjectName(version),
    differing: (own, copy) => [
      ...differingColumns(VERSION_COLUMNS, own.version, copy.version),
      ...(sameRows(FIELD_COLUMNS, own.fields, copy.fields) ? [] : ["fields"]),
      ...(sameRows(REFERENCE_COLUMNS, own.references, copy.references) ? [] : ["references"]),
      ...(copy.tags_right ? [] : ["version_tags"]),
    ],
  });
}

export async function compareSubjects(
  transaction: Transaction,
  tenant: string,
  range: KeyRange,
  expected: readonly ExpectedSubject[],
): Promise<Discrepancy[]> {
  type Copied = ExpectedSubject & { latest_right: boolean };
  const copied = await read<Copied>(
    transaction,
    sql`SELECT json_build_object(
      'subject_key', subject_key, 'context', context, 'subject', subject, 'default_policy', default_policy,
      'latest_key', latest_key, 'latest_right', NOT EXISTS (SELECT 1 FROM versions
        WHERE versions.tenant = subjects.tenant AND versions.subject_key = subjects.subject_key
          AND versions.is_latest <> (versions.record_key IS NOT DISTINCT FROM subjects.latest_key))
    ) AS copied FROM subjects WHERE tenant = ${tenant} AND ${inRange("subject_key", range)}`,
  );
  const columns = { ...SUBJECT_COLUMNS, latest_key: "bigint" };
  return compareRows<ExpectedSubject, Copied>("subjects", expected, copied, {
    keyOf: ({ subject_key }) => String(subject_key),
    subjectOf: printSubjectName,
    differing: (own, copy) => [...differingColumns(columns, own, copy), ...(copy.latest_right ? [] : ["is_latest"])],
  });
}

export async function compareScopes(
  transaction: Transaction,
  tenant: string,
  range: ScopeRange,
  expected: readonly ReadModelScopeRow[],
): Promise<Discrepancy[]> {
  const copied = await read<ReadModelScopeRow>(
    transaction,
    sql`SELECT row_to_json(own) AS copied FROM
      (SELECT ${names(SCOPE_COLUMNS)} FROM scopes WHERE tenant = ${tenant} AND ${inScopes(range)}) AS own`,
  );
  return compareRows("scopes", expected, copied, {
    keyOf: printSubjectName,
    subjectOf: (scope) => (scope.subject === "" ? null : printSubjectName(scope)),
    differing: (own, copy) => differingColumns(SCOPE_COLUMNS, own, copy),
  });
}

export async function compareLogEntries(
  transaction: Transaction,
  tenant: string,
  range: KeyRange,
  expected: readonly LogEntryRow[],
): Promise<Discrepancy[]> {
  const copied = await read<LogEntryRow>(
    transaction,
    sql`SELECT row_to_json(own) AS copied FROM
      (SELECT ${names(LOG_ENTRY_COLUMNS)} FROM log_entries WHERE tenant = ${tenant} AND ${inRange("seq", range)}) AS own`,
  );
  return compareRows("log_entries", expected, copied, {
    keyOf: ({ seq }) => String(seq),
    subjectOf: ({ subject }) => subject,
    differing: (own, copy) => differingColumns(LOG_ENTRY_COLUMNS, own, copy),
  });
}

// ---- Rows

async function read<Copied>(transaction: Transaction, query: SQL): Promise<Copied[]> {
  const { rows } = await transaction.execute<{ copied: Copied }>(query);
  return rows.map(({ copied }) => copied);
}

function compareRows<Expected extends object, Copied extends Expected>(
  table: ComparedTable,
  expected: readonly Expected[],
  copied: readonly Copied[],
  by: {
    keyOf(row: Expected): string;
    subjectOf(row: Expected): string | null;
    differing(expected: Expected, copied: Copied): string[];
  },
): Discrepancy[] {
  const copies = new Map(copied.map((row) => [by.keyOf(row), row]));
  const found: Discrepancy[] = [];
  for (const row of expected) {
    const key = by.keyOf(row);
    const copy = copies.get(key);
    copies.delete(key);
    const columns = copy ? by.differing(row, copy) : [];
    if (copy && columns.length === 0) continue;
    found.push({ table, key, subject: by.subjectOf(row), problem: copy ? "different" : "missing", columns });
  }
  for (const [key, row] of copies) {
    found.push({ table, key, subject: by.subjectOf(row), problem: "extra", columns: [] });
  }
  return found;
}

function inRange(column: string, { after, upTo }: KeyRange): SQL {
  const from = sql`${sql.raw(column)} > ${after}`;
  return upTo === null ? from : sql`${from} AND ${sql.raw(column)} <= ${upTo}`;
}

/** The primary's order, which compares bytes. */
export function inScopes({ after, upTo }: ScopeRange): SQL {
  const name = sql`(context COLLATE "C", subject COLLATE "C")`;
  const from = sql`${name} > (${after.context}, ${after.subject})`;
  return upTo === null ? from : sql`${from} AND ${name} <= (${upTo.context}, ${upTo.subject})`;
}

function sameRows<Row extends object>(
  columns: Record<string, string>,
  expected: readonly Row[],
  copied: readonly Row[],
): boolean {
  return (
    expected.length === copied.length &&
    expected.every((row, index) => differingColumns(columns, row, copied[index]!).length === 0)
  );
}

/** Compares values as Postgres returns them. */
function differingColumns(columns: Record<string, string>, expected: object, copied: object): string[] {
  const stored = JSON.parse(storableJson(expected)) as Record<string, unknown>;
  const own = copied as Record<string, unknown>;
  return Object.entries(columns)
    .filter(([name, type]) => comparable(type, stored[name]) !== comparable(type, own[name]))
    .map(([name]) => name);
}

function comparable(type: string, value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (type.startsWith("timestamp")) return String(new Date(value as string).getTime());
  return JSON.stringify(type === "jsonb" ? sorted(value) : value);
}

/** Postgres does not keep the order of an object's members. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

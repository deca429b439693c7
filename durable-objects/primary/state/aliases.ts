/** The primary's tables of aliases and evidence: read here, and written only for apply.ts. */
import {
  type AliasMove,
  type AliasSettings,
  type Evidence,
  type EvidenceResult,
  MAX_CONSIDERED_EVIDENCE,
  type VersionAlias,
} from "../../../registry/alias.ts";
import type { LogHeader } from "../../../registry/log-entry.ts";
import type { Payloads } from "../../../registry/payloads.ts";

export const ALIAS_TABLES = `
  CREATE TABLE version_aliases (
    subject_key INTEGER NOT NULL,
    alias       TEXT NOT NULL,
    record_key  INTEGER,
    settings    TEXT NOT NULL,
    PRIMARY KEY (subject_key, alias)
  ) WITHOUT ROWID;
  CREATE INDEX version_aliases_by_record ON version_aliases (record_key) WHERE record_key IS NOT NULL;
  CREATE TABLE alias_moves (
    move_key    INTEGER PRIMARY KEY,
    subject_key INTEGER NOT NULL,
    alias       TEXT NOT NULL,
    from_number INTEGER,
    to_number   INTEGER,
    at          INTEGER NOT NULL, -- milliseconds since the Unix epoch
    actor       TEXT NOT NULL,
    reason      TEXT
  );
  CREATE INDEX alias_moves_by_alias ON alias_moves (subject_key, alias);
  CREATE TABLE evidence (
    evidence_key INTEGER PRIMARY KEY,
    record_key   INTEGER NOT NULL,
    results      TEXT NOT NULL,
    at           INTEGER NOT NULL, -- milliseconds since the Unix epoch
    actor        TEXT NOT NULL
  );
  CREATE INDEX evidence_by_record ON evidence (record_key);
`;

type AliasRow = {
  alias: string;
  record_key: number | null;
  settings: string;
  id: string | null;
  number: number | null;
  label: string | null;
};

const ALIAS_SELECT = `SELECT alias, version_aliases.record_key, settings, records.id, number, label
  FROM version_aliases LEFT JOIN records USING (record_key)`;

export function readAliases(sql: SqlStorage, subjectKey: number): VersionAlias[] {
  return sql
    .exec<AliasRow>(`${ALIAS_SELECT} WHERE version_aliases.subject_key = +? ORDER BY alias`, subjectKey)
    .toArray()
    .map(toAlias);
}

export function readAlias(
  sql: SqlStorage,
  subjectKey: number,
  alias: string,
): { alias: VersionAlias; recordKey: number | null } | undefined {
  const [row] = sql
    .exec<AliasRow>(`${ALIAS_SELECT} WHERE version_aliases.subject_key = +? AND alias = +?`, subjectKey, alias)
    .toArray();
  return row && { alias: toAlias(row), recordKey: row.record_key };
}

function toAlias({ alias, id, number, label, settings }: AliasRow): VersionAlias {
  const target = id === null || number === null ? null : { id, versionNumber: number, semver: label ?? "" };
  return { alias, target, settings: JSON.parse(settings) as AliasSettings };
}

/** Newest first, those before an entry. */
export function readAliasMoves(
  sql: SqlStorage,
  { subjectKey, alias, before, limit }: { subjectKey: number; alias: string; before: number; limit: number },
): AliasMove[] {
  return sql
    .exec<{
      move_key: number;
      from_number: number | null;
      to_number: number | null;
      at: number;
      actor: string;
      reason: string | null;
    }>(
      `SELECT * FROM alias_moves WHERE subject_key = +? AND alias = +? AND move_key < +? ORDER BY move_key DESC LIMIT ?`,
      subjectKey,
      alias,
      before,
      limit,
    )
    .toArray()
    .map(({ move_key, from_number, to_number, at, actor, reason }) => ({
      seq: move_key,
      atMs: at,
      actor,
      fromNumber: from_number,
      toNumber: to_number,
      reason,
    }));
}

/** Newest first. */
export function readEvidence(sql: SqlStorage, recordKey: number): Evidence[] {
  let results = 0;
  return sql
    .exec<{ evidence_key: number; results: string; at: number; actor: string }>(
      "SELECT * FROM evidence WHERE record_key = +? ORDER BY evidence_key DESC LIMIT ?",
      recordKey,
      MAX_CONSIDERED_EVIDENCE,
    )
    .toArray()
    .map((row) => ({
      seq: row.evidence_key,
      atMs: row.at,
      actor: row.actor,
      results: JSON.parse(row.results) as EvidenceResult[],
    }))
    .filter((evidence) => {
      results += evidence.results.length;
      return results <= MAX_CONSIDERED_EVIDENCE;
    });
}

export function applyAliasMove(sql: SqlStorage, header: LogHeader, payload: Payloads["alias.moved"]): void {
  const { subjectKey, alias, settings, target, from, reason } = payload;
  if (settings === null) {
    sql.exec("DELETE FROM version_aliases WHERE subject_key = ? AND alias = ?", subjectKey, alias);
  } else {
    sql.exec(
      `INSERT INTO version_aliases (subject_key, alias, record_key, settings) VALUES (?, ?, ?, ?)
       ON CONFLICT (subject_key, alias) DO UPDATE SET record_key = excluded.record_key, settings = excluded.settings`,
      subjectKey,
      alias,
      // The version may be gone from a replayed log.
      target !== null && hasRecord(sql, target.recordKey) ? target.recordKey : null,
      JSON.stringify(settings),
    );
  }
  sql.exec(
    "INSERT INTO alias_moves (move_key, subject_key, alias, from_number, to_number, at, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    header.seq,
    subjectKey,
    alias,
    from,
    target?.number ?? null,
    header.at,
    header.actor,
    reason,
  );
}

function hasRecord(sql: SqlStorage, recordKey: number): boolean {
  return sql.exec("SELECT 1 FROM records WHERE record_key = ?", recordKey).toArray().length > 0;
}

export function insertEvidence(sql: SqlStorage, header: LogHeader, payload: Payloads["evidence.attached"]): void {
  const { recordKey, results } = payload;
  if (!hasRecord(sql, recordKey)) return;
  sql.exec(
    "INSERT INTO evidence (evidence_key, record_key, results, at, actor) VALUES (?, ?, ?, ?, ?)",
    header.seq,
    recordKey,
    JSON.stringify(results),
    header.at,
    header.actor,
  );
  // A hard delete of the version also deletes the evidence about it.
  sql.exec("INSERT INTO amendments (record_key, seq) VALUES (?, ?)", recordKey, header.seq);
}

/** Of a hard-deleted version. */
export function removeAliasesOf(sql: SqlStorage, recordKey: number): void {
  sql.exec("UPDATE version_aliases SET record_key = NULL WHERE record_key = ?", recordKey);
  sql.exec("DELETE FROM evidence WHERE record_key = ?", recordKey);
}

/** Of a subject whose last version is gone. */
export function removeAliasesOfSubject(sql: SqlStorage, subjectKey: number): void {
  sql.exec("DELETE FROM version_aliases WHERE subject_key = ?", subjectKey);
  sql.exec("DELETE FROM alias_moves WHERE subject_key = ?", subjectKey);
}

/**
 * The only writer of state tables: state = apply(log). An entry whose payload was erased changes nothing; the entry
 * that erased it carries the counters that must survive, so a replay ends in the same rows.
 */

import { fittingId } from "../../../registry/confluent-id.ts";
import type { LogHeader } from "../../../registry/log-entry.ts";
import { fromHex } from "../../../registry/log-entry.ts";
import type { Numbering, Payloads } from "../../../registry/payloads.ts";
import type { LifecycleState } from "../../../registry/record.ts";
import { higherSemver } from "../../../schema/semver.ts";
import { insertChangeSet } from "./change-sets.ts";
import { counterAfter, isCounter } from "./confluent-ids.ts";
import { setWebhook } from "./webhooks.ts";

type Apply<T extends keyof Payloads> = (sql: SqlStorage, header: LogHeader, payload: Payloads[T]) => void;

const APPLY: { [T in keyof Payloads]: Apply<T> } = {
  "schema.registered": (sql, header, { subject, id, content, reading, targets, attributes, numbering }) => {
    sql.exec(
      "INSERT OR IGNORE INTO subjects (subject_key, context, subject, last_number, default_policy) VALUES (?, ?, ?, 0, ?)",
      subject.key,
      subject.context,
      subject.subject,
      subject.defaultPolicy,
    );
    sql.exec(
      `INSERT OR IGNORE INTO contents (content_key, content_hash, guid, format, dialect, refs, contract, equivalence_hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      content.key,
      fromHex(content.hash),
      content.guid,
      content.format,
      content.dialect,
      content.references.length === 0 ? null : JSON.stringify(content.references),
      content.contract.metadata || content.contract.ruleSet ? JSON.stringify(content.contract) : null,
      fromHex(content.equivalenceHash),
    );
    sql.exec(
      `INSERT INTO records (record_key, id, subject_key, content_key, state, deleted, attributes, created_at, created_by, updated_at, updated_seq,
         record_dialect, orderless_hash)
       VALUES (?, ?, ?, ?, 'draft', 0, ?, ?, ?, ?, ?, ?, ?)`,
      header.seq,
      id,
      subject.key,
      content.key,
      attributes === null ? null : JSON.stringify(attributes),
      header.at,
      header.actor,
      header.at,
      header.seq,
      reading?.dialect ?? null,
      reading ? fromHex(reading.orderlessHash) : null,
    );
    for (const { subjectKey, number } of targets) {
      sql.exec(
        "INSERT OR IGNORE INTO record_references (target_subject_key, target_number, record_key) VALUES (?, ?, ?)",
        subjectKey,
        number,
        header.seq,
      );
    }
    if (numbering) applyNumbering(sql, header.seq, numbering);
  },

  "schema.activated": (sql, header, { recordKey, numbering }) => {
    if (!setState(sql, header, recordKey, "active")) return;
    if (numbering) applyNumbering(sql, recordKey, numbering);
  },

  "schema.updated": (sql, header, { recordKey, attributes }) => {
    const updated = sql.exec(
      "UPDATE records SET attributes = ?, updated_at = ?, updated_seq = ? WHERE record_key = ?",
      JSON.stringify(attributes),
      header.at,
      header.seq,
      recordKey,
    ).rowsWritten;
    if (updated > 0) sql.exec("INSERT INTO amendments (record_key, seq) VALUES (?, ?)", recordKey, header.seq);
  },

  "schema.deprecated": (sql, header, { recordKey }) => {
    setState(sql, header, recordKey, "deprecated");
  },

  "schema.archived": (sql, header, { recordKey }) => {
    setState(sql, header, recordKey, "archived");
  },

  "schema.deleted": (sql, header, { recordKeys }) => {
    setDeleted(sql, header, recordKeys, 1);
  },

  "schema.undeleted": (sql, header, { recordKeys }) => {
    setDeleted(sql, header, recordKeys, 0);
  },

  "schema.erased": (sql, _header, { recordKeys, subjects, contexts }) => {
    removeRecords(sql, recordKeys);
    for (const { key, context, subject, gone, lastNumber, lastLabel } of subjects) {
      if (gone) {
        sql.exec("DELETE FROM subjects WHERE subject_key = ?", key);
        sql.exec("DELETE FROM scopes WHERE context = ? AND subject = ?", context, subject);
      } else {
        raiseLastGiven(sql, key, lastNumber, lastLabel);
      }
    }
    for (const { context, nextConfluentId } of contexts) {
      if (isCounter(nextConfluentId)) setCounter(sql, context, (counter) => Math.max(counter, nextConfluentId));
    }
  },

  "config.changed": (sql, _header, { context, subject, config }) => {
    setScope(sql, context, subject, "config", config === null ? null : JSON.stringify(config));
  },

  "mode.changed": (sql, _header, { scopes }) => {
    for (const { context, subject, mode } of scopes) setScope(sql, context, subject, "mode", mode);
  },

  "rule.changed": (sql, _header, { context, subject, book }) => {
    setScope(sql, context, subject, "rules", book === null ? null : JSON.stringify(book));
  },

  "association.changed": (sql, _header, { subjects }) => {
    for (const { context, subject, associations } of subjects) {
      setScope(sql, context, subject, "associations", associations.length === 0 ? null : JSON.stringify(associations));
    }
  },

  "webhook.changed": (sql, header, { id, endpoint }) => {
    setWebhook(sql, header, id, endpoint);
  },

  "change_set.committed": (sql, header, payload) => {
    insertChangeSet(sql, header, payload);
  },

  "context.deleted": (sql, _header, { context, keepsCounter }) => {
    if (keepsCounter) sql.exec("UPDATE contexts SET deleted = 1 WHERE context = ?", context);
    else sql.exec("DELETE FROM contexts WHERE context = ?", context);
    sql.exec("DELETE FROM scopes WHERE context = ?", context);
  },
};

/** Advances the state tables by one entry. */
export function apply(sql: SqlStorage, header: LogHeader, payload: unknown): void {
  if (payload === null) return;
  (APPLY[header.type] as (sql: SqlStorage, header: LogHeader, payload: unknown) => void)(sql, header, payload);
}

function applyNumbering(sql: SqlStorage, recordKey: number, numbering: Numbering): void {
  const { number, label } = numbering;
  const confluentId = fittingId(numbering.confluentId);
  const { context, subject_key, content_key } = sql
    .exec<{ context: string; subject_key: number; content_key: number }>(
      "SELECT context, subject_key, content_key FROM records JOIN subjects USING (subject_key) WHERE record_key = ?",
      recordKey,
    )
    .one();
  sql.exec(
    "UPDATE records SET state = 'active', number = ?, label = ?, confluent_id = ? WHERE record_key = ?",
    number,
    label,
    confluentId,
    recordKey,
  );
  raiseLastGiven(sql, subject_key, number, label);
  sql.exec(
    "INSERT OR IGNORE INTO confluent_ids (context, confluent_id, content_key) VALUES (?, ?, ?)",
    context,
    confluentId,
    content_key,
  );
  setCounter(sql, context, (counter) => counterAfter(counter, confluentId));
}

/**
 * A subject's counters never decrease. An entry may carry older ones, because a hard delete is decided together with
 * the registration that replaces the removed version.
 */
function raiseLastGiven(sql: SqlStorage, subjectKey: number, number: number, label: string | null): void {
  const [last] = sql
    .exec<{ last_number: number; last_label: string | null }>(
      "SELECT last_number, last_label FROM subjects WHERE subject_key = ?",
      subjectKey,
    )
    .toArray();
  if (!last) return;
  sql.exec(
    "UPDATE subjects SET last_number = ?, last_label = ? WHERE subject_key = ?",
    Math.max(last.last_number, number),
    higherSemver(last.last_label, label),
    subjectKey,
  );
}

/** Also restores a deleted context. */
function setCounter(sql: SqlStorage, context: string, next: (counter: number) => number): void {
  const [row] = sql
    .exec<{ counter: number; deleted: number | null }>(
      "SELECT next_confluent_id AS counter, deleted FROM contexts WHERE context = ?",
      context,
    )
    .toArray();
  const counter = next(row?.counter ?? 1);
  if (row && counter === row.counter && row.deleted === null) return;
  sql.exec(
    `INSERT INTO contexts (context, next_confluent_id) VALUES (?, ?)
     ON CONFLICT (context) DO UPDATE SET next_confluent_id = excluded.next_confluent_id, deleted = NULL`,
    context,
    counter,
  );
}

function setState(sql: SqlStorage, header: LogHeader, recordKey: number, state: LifecycleState): boolean {
  sql.exec(
    "UPDATE records SET state = ?, updated_at = ?, updated_seq = ? WHERE record_key = ?",
    state,
    header.at,
    header.seq,
    recordKey,
  );
  return sql.exec("SELECT 1 FROM records WHERE record_key = ?", recordKey).toArray().length > 0;
}

function setDeleted(sql: SqlStorage, header: LogHeader, recordKeys: readonly number[], deleted: 0 | 1): void {
  for (const recordKey of recordKeys) {
    sql.exec(
      "UPDATE records SET deleted = ?, updated_at = ?, updated_seq = ? WHERE record_key = ?",
      deleted,
      header.at,
      header.seq,
      recordKey,
    );
  }
}

/** Removes records and everything that only they used: references, Confluent ids, contents. */
function removeRecords(sql: SqlStorage, recordKeys: readonly number[]): void {
  for (const recordKey of recordKeys) {
    const [row] = sql
      .exec<{ content_key: number; context: string; confluent_id: number | null }>(
        `SELECT content_key, context, confluent_id FROM records JOIN subjects USING (subject_key) WHERE record_key = ?`,
        recordKey,
      )
      .toArray();
    if (!row) continue;
    sql.exec("DELETE FROM records WHERE record_key = ?", recordKey);
    sql.exec("DELETE FROM record_references WHERE record_key = ?", recordKey);
    sql.exec("DELETE FROM amendments WHERE record_key = ?", recordKey);
    sql.exec(
      `DELETE FROM confluent_ids WHERE context = ?1 AND confluent_id = ?2 AND NOT EXISTS (
         SELECT 1 FROM records JOIN subjects USING (subject_key)
          WHERE content_key = ?3 AND confluent_id = ?2 AND context = ?1)`,
      row.context,
      row.confluent_id,
      row.content_key,
    );
    const anywhere = sql.exec("SELECT 1 FROM records WHERE content_key = ? LIMIT 1", row.content_key);
    if (anywhere.toArray().length === 0) sql.exec("DELETE FROM contents WHERE content_key = ?", row.content_key);
  }
}

function setScope(
  sql: SqlStorage,
  context: string,
  subject: string,
  column: "config" | "mode" | "rules" | "associations",
  value: string | null,
): void {
  sql.exec(
    `INSERT INTO scopes (context, subject, ${column}) VALUES (?, ?, ?)
     ON CONFLICT (context, subject) DO UPDATE SET ${column} = excluded.${column}`,
    context,
    subject,
    value,
  );
  sql.exec(
    "DELETE FROM scopes WHERE context = ? AND subject = ? AND config IS NULL AND mode IS NULL AND rules IS NULL AND associations IS NULL",
    context,
    subject,
  );
}

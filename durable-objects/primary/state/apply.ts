/**
 * The only writer of state tables: state = apply(log). An entry whose payload was erased changes nothing; the entry
 * that erased it carries the counters that must survive, so a replay ends in the same rows.
 */

import { COUNTED_IDS, fittingId } from "../../../registry/confluent-id.ts";
import type { LogHeader } from "../../../registry/log-entry.ts";
import { fromHex } from "../../../registry/log-entry.ts";
import type { Numbering, Payloads } from "../../../registry/payloads.ts";
import type { LifecycleState } from "../../../registry/record.ts";
import { higherSemver } from "../../../schema/semver.ts";
import { applyAliasMove, insertEvidence, removeAliasesOf, removeAliasesOfSubject } from "./aliases.ts";
import { insertChangeSet } from "./change-sets.ts";
import { counterAfter, isCounter } from "./confluent-ids.ts";
import {
  closeProposal,
  insertApproval,
  insertComment,
  insertProposal,
  removeProposalsOf,
  storeGovernance,
  tieProposal,
} from "./governance.ts";
import { setWebhook } from "./webhooks.ts";

type Apply<T extends keyof Payloads> = (sql: SqlStorage, header: LogHeader, payload: Payloads[T]) => void;

const APPLY: { [T in keyof Payloads]: Apply<T> } = {
  "schema.registered": (sql, header, { subject, id, content, reading, targets, attributes, numbering }) => {
    const known = readKnown(sql, subject);
    if (!known.subject) {
      sql.exec(
        "INSERT INTO subjects (subject_key, context, subject, last_number, default_policy) VALUES (?, ?, ?, 0, ?)",
        subject.key,
        subject.context,
        subject.subject,
        subject.defaultPolicy,
      );
    }
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
    const given = numbering && { ...numbering, confluentId: fittingIdOf(numbering) };
    sql.exec(
      `INSERT INTO records (record_key, id, subject_key, content_key, number, label, confluent_id, state, deleted, attributes,
         created_at, created_by, updated_at, updated_seq, record_dialect, orderless_hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)`,
      header.seq,
      id,
      subject.key,
      content.key,
      given?.number ?? null,
      given?.label ?? null,
      given?.confluentId ?? null,
      given ? "active" : "draft",
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
    if (!given) return;
    const holder = {
      recordKey: header.seq,
      subjectKey: subject.key,
      contentKey: content.key,
      context: subject.context,
    };
    count(sql, holder, given, known);
  },

  "schema.activated": (sql, header, { recordKey, numbering }) => {
    if (!setState(sql, header, recordKey, "active")) return;
    if (numbering) numberDraft(sql, recordKey, { ...numbering, confluentId: fittingIdOf(numbering) });
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
        removeAliasesOfSubject(sql, key);
        sql.exec("DELETE FROM scopes WHERE context = ? AND subject = ?", context, subject);
      } else {
        raiseLastGiven(sql, key, lastNumber, lastLabel);
      }
    }
    for (const { context, nextConfluentId } of contexts) {
      if (isCounter(nextConfluentId)) raiseCounter(sql, context, nextConfluentId);
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

  "governance.changed": (sql, _header, { governance }) => {
    storeGovernance(sql, governance);
  },

  "proposal.opened": (sql, header, payload) => {
    insertProposal(sql, header, payload);
  },

  "proposal.commented": (sql, header, { id, text }) => {
    insertComment(sql, header, id, text);
  },

  "proposal.approved": (sql, header, { id, roles }) => {
    insertApproval(sql, header, id, roles);
  },

  "proposal.rejected": (sql, header, { id, reason, isWithdrawn }) => {
    closeProposal(sql, header, id, { status: isWithdrawn ? "withdrawn" : "rejected", reason });
  },

  "proposal.applied": (sql, header, { id, recordKeys }) => {
    closeProposal(sql, header, id, { status: "applied", reason: null });
    tieProposal(sql, id, recordKeys);
  },

  "proposal.expired": (sql, header, { id }) => {
    closeProposal(sql, header, id, { status: "expired", reason: null });
  },

  "alias.moved": applyAliasMove,

  "evidence.attached": insertEvidence,

  // The changes made despite it are in the preceding entries.
  "change.overridden": () => undefined,

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

function numberDraft(sql: SqlStorage, recordKey: number, { number, label, confluentId }: Numbering): void {
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
  const known = readKnown(sql, { key: subject_key, context });
  const holder = { recordKey, subjectKey: subject_key, contentKey: content_key, context };
  count(sql, holder, { number, label, confluentId }, known);
}

function fittingIdOf({ confluentId }: Numbering): number | null {
  return confluentId === null ? null : fittingId(confluentId);
}

/** The values before a version is counted. */
type Known = { subject: boolean; context: boolean; highest: number };

function readKnown(sql: SqlStorage, { key, context }: { key: number; context: string }): Known {
  const row = sql
    .exec<{ last_number: number | null; context: number; highest: number | null }>(
      `SELECT (SELECT last_number FROM subjects WHERE subject_key = +?1) AS last_number,
              EXISTS (SELECT 1 FROM contexts WHERE context = +?2 AND deleted IS NULL) AS context,
              (SELECT max(number) FROM records WHERE subject_key = +?1) AS highest`,
      key,
      context,
    )
    .one();
  const { last_number: lastNumber } = row;
  const highest = Math.max(lastNumber ?? 0, row.highest ?? 0);
  return { subject: lastNumber !== null, context: row.context === 1, highest };
}

type Holder = { recordKey: number; subjectKey: number; contentKey: number; context: string };

/**
 * Counts a newly numbered version if its row does not imply it: an import may bring an older number, or that of a
 * hard-deleted version, with a higher semver (`subject_counters`), or an id from which allocation does not continue
 * (`context_counters`).
 */
function count(
  sql: SqlStorage,
  { recordKey, subjectKey, contentKey, context }: Holder,
  { number, label, confluentId }: Pick<Numbering, "number" | "label" | "confluentId">,
  known: Known,
): void {
  if (number <= known.highest) raiseLastGiven(sql, subjectKey, number, label);
  const least =
    confluentId === null || confluentId < COUNTED_IDS ? 0 : counterAfter(readCounter(sql, context), confluentId);
  if (!known.context || least > 0) raiseCounter(sql, context, least);
  if (confluentId === null) return;
  sql.exec(
    "INSERT OR IGNORE INTO confluent_ids (context, confluent_id, content_key, indexed) VALUES (?, ?, ?, ?)",
    context,
    confluentId,
    contentKey,
    recordKey === contentKey ? 0 : 1,
  );
}

/**
 * A subject's counters never decrease. An entry may carry older ones, because a hard delete is decided together with
 * the registration that replaces the removed version.
 */
function raiseLastGiven(sql: SqlStorage, subjectKey: number, number: number, label: string | null): void {
  const [last] = sql
    .exec<{ last_number: number; last_label: string | null }>(
      "SELECT last_number, last_label FROM subject_counters WHERE subject_key = ?",
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

function readCounter(sql: SqlStorage, context: string): number {
  const [row] = sql
    .exec<{ counter: number }>("SELECT next_confluent_id AS counter FROM context_counters WHERE context = ?", context)
    .toArray();
  return row?.counter ?? 1;
}

/** Creates the context if it does not exist, restores a deleted one, and never decreases its counter. */
function raiseCounter(sql: SqlStorage, context: string, least: number): void {
  sql.exec(
    `INSERT INTO contexts (context, next_confluent_id) VALUES (?, ?)
     ON CONFLICT (context) DO UPDATE SET next_confluent_id = max(next_confluent_id, excluded.next_confluent_id), deleted = NULL
       WHERE deleted IS NOT NULL OR next_confluent_id < excluded.next_confluent_id`,
    context,
    least,
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
    removeProposalsOf(sql, recordKey);
    removeAliasesOf(sql, recordKey);
    sql.exec("DELETE FROM amendments WHERE record_key = ?", recordKey);
    const others = sql.exec("SELECT 1 FROM content_records WHERE content_key = ? LIMIT 1", row.content_key);
    if (others.toArray().length === 0) sql.exec("DELETE FROM contents WHERE content_key = ?", row.content_key);
    if (row.confluent_id === null) continue;
    sql.exec(
      `DELETE FROM confluent_ids WHERE context = ?1 AND confluent_id = ?2 AND NOT EXISTS (
         SELECT 1 FROM records JOIN subjects USING (subject_key)
          WHERE record_key IN (SELECT record_key FROM content_records WHERE content_key = ?3)
            AND confluent_id = ?2 AND context = ?1)`,
      row.context,
      row.confluent_id,
      row.content_key,
    );
    // The record that carried the id is gone; if the id is still used, it is found by the index from now on.
    sql.exec(
      "UPDATE confluent_ids SET indexed = 1 WHERE context = ? AND confluent_id = ? AND indexed = 0",
      row.context,
      row.confluent_id,
    );
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
  if (value !== null) return;
  sql.exec(
    "DELETE FROM scopes WHERE context = ? AND subject = ? AND config IS NULL AND mode IS NULL AND rules IS NULL AND associations IS NULL",
    context,
    subject,
  );
}

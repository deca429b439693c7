/**
 * Corrects rows of the read model from the primary's state, under the tenant's lock and with state no older than the
 * checkpoint. Later log entries are applied as usual.
 */
import { and, eq, sql } from "drizzle-orm";
import type { Transaction } from "../client.ts";
import { logEntries, scopes, subjects, versions } from "../tables.ts";
import { type ExpectedRecord, type ExpectedSubject, inScopes, type ScopeRange } from "./compare.ts";
import type { LogEntryRow, ReadModelScopeRow } from "./rows.ts";
import {
  deleteVersions,
  insertFields,
  insertReferences,
  insertVersions,
  keyList,
  names,
  recordset,
  removeSubjects,
  SCOPE_COLUMNS,
  setLatest,
  writeLogEntries,
  writeSubjects,
  writeVersionTags,
} from "./write.ts";

/** Replaces records by the expected ones; keys missing from `expected` lose their rows. */
export async function replaceRecords(
  transaction: Transaction,
  tenant: string,
  keys: readonly number[],
  expected: readonly ExpectedRecord[],
): Promise<void> {
  const deleted = await deleteVersions(transaction, tenant, keys);
  const subjectKeys = new Set(deleted.rows.map(({ subject_key }) => Number(subject_key)));
  if (expected.length > 0) {
    await insertVersions(
      transaction,
      tenant,
      expected.map(({ version }) => version),
    );
    await insertFields(
      transaction,
      tenant,
      expected.flatMap(({ fields }) => fields),
    );
    await insertReferences(
      transaction,
      tenant,
      expected.flatMap(({ references }) => references),
    );
    await writeVersionTags(transaction, tenant, {
      added: expected.map(({ version }) => version.record_key),
      replaced: [],
    });
    for (const { version } of expected) subjectKeys.add(version.subject_key);
  }
  await resetLatest(transaction, tenant, [...subjectKeys]);
}

/** Recomputes `latest` from the versions, ignoring the stored flags. */
async function resetLatest(transaction: Transaction, tenant: string, subjectKeys: readonly number[]): Promise<void> {
  if (subjectKeys.length === 0) return;
  const ofThese = ({ tenant: own, subjectKey }: typeof subjects | typeof versions) =>
    and(eq(own, tenant), sql`${subjectKey} = ANY(${keyList(subjectKeys)}::bigint[])`);
  await transaction
    .update(versions)
    .set({ isLatest: false })
    .where(and(ofThese(versions), versions.isLatest));
  await transaction.update(subjects).set({ latestKey: null }).where(ofThese(subjects));
  await setLatest(transaction, tenant, subjectKeys);
}

export async function replaceSubjects(
  transaction: Transaction,
  tenant: string,
  keys: readonly number[],
  expected: readonly ExpectedSubject[],
): Promise<void> {
  await removeSubjects(transaction, tenant, keys);
  if (expected.length === 0) return;
  await writeSubjects(transaction, tenant, expected);
  await resetLatest(
    transaction,
    tenant,
    expected.map(({ subject_key }) => subject_key),
  );
}

/** Replaces all scopes of a range by the expected ones. */
export async function replaceScopes(
  transaction: Transaction,
  tenant: string,
  range: ScopeRange,
  expected: readonly ReadModelScopeRow[],
): Promise<void> {
  await transaction.delete(scopes).where(and(eq(scopes.tenant, tenant), inScopes(range)));
  if (expected.length === 0) return;
  await transaction.execute(sql`INSERT INTO scopes (tenant, ${names(SCOPE_COLUMNS)})
    SELECT ${tenant}::text, ${names(SCOPE_COLUMNS)} FROM ${recordset(expected, SCOPE_COLUMNS)}`);
}

export async function replaceLogEntries(
  transaction: Transaction,
  tenant: string,
  seqs: readonly number[],
  expected: readonly LogEntryRow[],
): Promise<void> {
  await transaction
    .delete(logEntries)
    .where(and(eq(logEntries.tenant, tenant), sql`${logEntries.seq} = ANY(${keyList(seqs)}::bigint[])`));
  if (expected.length > 0) await writeLogEntries(transaction, tenant, expected);
}

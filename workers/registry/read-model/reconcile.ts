/**
 * Compares the read model with the log and the primary's state, one slice per call, and can repair differences. Entries
 * after the checkpoint are not differences: replication will apply them.
 */

import { readEntriesAfter } from "../../../db/audit.ts";
import type { Transaction } from "../../../db/client.ts";
import {
  COMPARED_TABLES,
  type ComparedTable,
  compareLogEntries,
  compareRecords,
  compareScopes,
  compareSubjects,
  type Discrepancy,
} from "../../../db/projection/compare.ts";
import { replaceLogEntries, replaceRecords, replaceScopes, replaceSubjects } from "../../../db/projection/repair.ts";
import { logEntryRow } from "../../../db/projection/rows.ts";
import { parseHeader } from "../../../registry/log-entry.ts";
import { MAX_LOG_PAGE_ENTRIES } from "../../../registry/rpc.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Bindings } from "../../edge.ts";
import type { TextSource } from "../write/facts.ts";
import { expectedRecords, expectedSubjects } from "./expected-rows.ts";
import { answered, retryParked, underCheckpoint } from "./parked.ts";
import { replicate, textSource } from "./replicate.ts";

/** Records per slice. Texts and words take up to 200 KB per version. */
const RECORDS_PER_SLICE = 100;
const ROWS_PER_SLICE = 500;
/** Replication runs at most this long before a slice is compared, so that few rows are unsettled. */
const CATCH_UP_MS = 2_000;

/** Start of a slice: a table and the key before it. */
export type SlicePosition =
  | { table: Exclude<ComparedTable, "scopes">; after: number }
  | { table: "scopes"; after: SubjectName };

export type Reconciled = {
  table: ComparedTable;
  /** Number of expected rows. */
  compared: number;
  discrepancies: readonly Discrepancy[];
  /** Whether the differences were repaired. */
  repaired: boolean;
  /** Rows that differ only, or possibly only, because of entries after the checkpoint. */
  unsettled: number;
  /** Null after the last slice. */
  next: SlicePosition | null;
};

export const FIRST_SLICE: SlicePosition = { table: COMPARED_TABLES[0], after: 0 };

/** With `repair`, parked entries are repaired first. */
export async function reconcileSlice(
  env: Bindings,
  tenant: string,
  { from, repair, now }: { from: SlicePosition; repair: boolean; now: () => number },
): Promise<Reconciled> {
  await replicate(env, tenant, { now, forMs: CATCH_UP_MS });
  if (repair && from === FIRST_SLICE) await retryParked(env, tenant, now());
  const slice: Slice = { env, source: textSource(env, tenant), tenant, repair, nowMs: now() };
  switch (from.table) {
    case "log_entries":
      return reconcileLog(slice, from.after);
    case "versions":
      return reconcileVersions(slice, from.after);
    case "subjects":
      return reconcileSubjects(slice, from.after);
    case "scopes":
      return reconcileScopes(slice, from.after);
  }
}

type Slice = { env: Bindings; source: TextSource; tenant: string; repair: boolean; nowMs: number };

async function reconcileLog(slice: Slice, after: number): Promise<Reconciled> {
  const { source, tenant } = slice;
  const read = () => source.primary.readLog({ after, limit: MAX_LOG_PAGE_ENTRIES });
  return under(slice, read, async (transaction, { entries, asOf }, checkpointSeq) => {
    const last = entries.at(-1)?.seq ?? after;
    const upTo = last < asOf.seq ? last : null;
    // Older ones have been deleted, and are not missing.
    const entriesAfter = await readEntriesAfter(transaction, tenant);
    const expected = entries
      .filter(({ seq }) => seq <= checkpointSeq && seq > entriesAfter)
      .map((entry) => logEntryRow(entry, parseHeader(entry.header)));
    const found = await compareLogEntries(transaction, tenant, { after, upTo }, expected);
    await repairing(slice, found, async (keys) =>
      replaceLogEntries(
        transaction,
        tenant,
        keys.map(Number),
        expected.filter(({ seq }) => keys.includes(String(seq))),
      ),
    );
    return reconciled(slice, expected.length, found, 0, {
      table: "log_entries",
      next: upTo === null ? { table: "versions", after: 0 } : { table: "log_entries", after: upTo },
    });
  });
}

async function reconcileVersions(slice: Slice, after: number): Promise<Reconciled> {
  const { source, tenant } = slice;
  const read = async () => {
    const { asOf, value } = answered(await source.primary.read("copyRecords", { after, limit: RECORDS_PER_SLICE }));
    return { asOf, more: value.more, expected: await expectedRecords(source, value.records) };
  };
  return under(slice, read, async (transaction, { asOf, more, expected }, checkpointSeq) => {
    const upTo = more ? expected.at(-1)!.version.record_key : null;
    const found = await compareRecords(transaction, tenant, { after, upTo }, expected);
    const { settled, unsettled } = await settle(slice, found, checkpointSeq, asOf.seq);
    await repairing(slice, settled, async (keys) =>
      replaceRecords(
        transaction,
        tenant,
        keys.map(Number),
        expected.filter(({ version }) => keys.includes(String(version.record_key))),
      ),
    );
    return reconciled(slice, expected.length, settled, unsettled, {
      table: "versions",
      next: upTo === null ? { table: "subjects", after: 0 } : { table: "versions", after: upTo },
    });
  });
}

async function reconcileSubjects(slice: Slice, after: number): Promise<Reconciled> {
  const { source, tenant } = slice;
  const read = async () => answered(await source.primary.read("copySubjects", { after, limit: ROWS_PER_SLICE }));
  return under(slice, read, async (transaction, { asOf, value }, checkpointSeq) => {
    const expected = expectedSubjects(value.subjects);
    const upTo = value.more ? expected.at(-1)!.subject_key : null;
    const found = await compareSubjects(transaction, tenant, { after, upTo }, expected);
    const { settled, unsettled } = await settle(slice, found, checkpointSeq, asOf.seq);
    await repairing(slice, settled, async (keys) =>
      replaceSubjects(
        transaction,
        tenant,
        keys.map(Number),
        expected.filter(({ subject_key }) => keys.includes(String(subject_key))),
      ),
    );
    return reconciled(slice, expected.length, settled, unsettled, {
      table: "subjects",
      next:
        upTo === null ? { table: "scopes", after: { context: "", subject: "" } } : { table: "subjects", after: upTo },
    });
  });
}

async function reconcileScopes(slice: Slice, after: SubjectName): Promise<Reconciled> {
  const { source, tenant } = slice;
  const read = async () => answered(await source.primary.read("copyScopes", { after, limit: ROWS_PER_SLICE }));
  return under(slice, read, async (transaction, { asOf, value }, checkpointSeq) => {
    const last = value.scopes.at(-1);
    const upTo = value.more && last ? { context: last.context, subject: last.subject } : null;
    const found = await compareScopes(transaction, tenant, { after, upTo }, value.scopes);
    // Entries that change scopes need not name a subject, so any entry after the checkpoint leaves all scopes unsettled.
    const isSettled = asOf.seq === checkpointSeq;
    const settled = isSettled ? found : [];
    await repairing(slice, settled, async () => replaceScopes(transaction, tenant, { after, upTo }, value.scopes));
    return reconciled(slice, value.scopes.length, settled, isSettled ? 0 : found.length, {
      table: "scopes",
      next: upTo === null ? null : { table: "scopes", after: upTo },
    });
  });
}

function under<T extends { asOf: { seq: number } }>(
  { env, tenant, nowMs }: Slice,
  read: () => Promise<T>,
  work: (transaction: Transaction, state: T, checkpointSeq: number) => Promise<Reconciled>,
): Promise<Reconciled> {
  return underCheckpoint(env, tenant, nowMs, read, work);
}

/** Excludes what entries between the checkpoint and the state changed. */
async function settle(
  { source }: Slice,
  found: readonly Discrepancy[],
  checkpointSeq: number,
  stateSeq: number,
): Promise<{ settled: readonly Discrepancy[]; unsettled: number }> {
  if (found.length === 0 || stateSeq === checkpointSeq) return { settled: found, unsettled: 0 };
  const { entries } = await source.primary.readLog({ after: checkpointSeq, limit: MAX_LOG_PAGE_ENTRIES });
  if ((entries.at(-1)?.seq ?? 0) < stateSeq) return { settled: [], unsettled: found.length };
  const moving = new Set(entries.map(({ header }) => parseHeader(header).subject));
  const settled = found.filter(({ subject }) => !moving.has(subject));
  return { settled, unsettled: found.length - settled.length };
}

async function repairing(
  { repair }: Slice,
  found: readonly Discrepancy[],
  put: (keys: readonly string[]) => Promise<void>,
): Promise<void> {
  if (repair && found.length > 0) await put(found.map(({ key }) => key));
}

function reconciled(
  { repair }: Slice,
  compared: number,
  discrepancies: readonly Discrepancy[],
  unsettled: number,
  { table, next }: Pick<Reconciled, "table" | "next">,
): Reconciled {
  return { table, compared, discrepancies, repaired: repair && discrepancies.length > 0, unsettled, next };
}

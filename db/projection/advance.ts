/**
 * Advances a tenant's read model. Each batch of entries is one transaction that first locks the tenant's row, so concurrent
 * consumers take turns. Entries up to the checkpoint are skipped, so applying a batch twice changes nothing. An entry that
 * cannot be applied blocks its successors until it has failed MAX_ENTRY_ATTEMPTS times; then it is parked.
 */
import { and, eq, sql } from "drizzle-orm";
import { timestamp } from "../../registry/record-view.ts";
import { type DatabaseAccess, DatabaseUnreachable, inTransaction, sqlState, type Transaction } from "../client.ts";
import { entryFailures } from "../tables.ts";
import { foldEntries, type ProjectedEntry } from "./changes.ts";
import { lockCheckpoint, moveCheckpoint } from "./checkpoint.ts";
import { logEntryRow } from "./rows.ts";
import { writeChanges, writeLogEntries } from "./write.ts";

/** Attempts before an entry is parked. */
export const MAX_ENTRY_ATTEMPTS = 5;
/** Delay before the first retry; doubles each time, so a fault that clears within 30 s never parks an entry. */
export const FIRST_RETRY_MS = 2_000;
const MAX_ERROR_CHARACTERS = 1_000;

export type Advance =
  /** `seq` is the new checkpoint; `parked` lists entries parked in this batch. */
  | { outcome: "advanced"; seq: number; applied: number; parked: readonly ParkedEntry[] }
  /** The entry after `seq` failed and will be retried. */
  | {
      outcome: "failing";
      seq: number;
      applied: number;
      parked: readonly ParkedEntry[];
      retryAfterMs: number;
      error: string;
    }
  /** The entries do not start after `seq`, the checkpoint. */
  | { outcome: "elsewhere"; seq: number }
  /** A rebuild is emptying the read model; nothing may be written meanwhile. */
  | { outcome: "emptying" }
  /** The read model was derived from another log; only a rebuild helps. */
  | { outcome: "diverged"; seq: number };

type ParkedEntry = { seq: number; type: string; error: string };

/** Applies consecutive entries until one fails. Throws DatabaseUnreachable if none could be tried. */
export async function advance(
  access: DatabaseAccess,
  tenant: string,
  entries: readonly ProjectedEntry[],
  nowMs: number,
): Promise<Advance> {
  try {
    return await inTransaction(access, (transaction) => advanceIn(transaction, tenant, entries, nowMs, applyAll));
  } catch (error) {
    if (isAway(error)) throw error;
  }
  // Some entry failed. Finding it needs savepoints, which the normal path avoids.
  return inTransaction(access, (transaction) => advanceIn(transaction, tenant, entries, nowMs, applyUntilFailure));
}

type Failure = { entry: ProjectedEntry; error: string };
type ApplyEntries = (
  transaction: Transaction,
  tenant: string,
  entries: readonly ProjectedEntry[],
) => Promise<Failure | undefined>;

async function advanceIn(
  transaction: Transaction,
  tenant: string,
  entries: readonly ProjectedEntry[],
  nowMs: number,
  apply: ApplyEntries,
): Promise<Advance> {
  const epoch = entries[0]?.header.epoch ?? 0;
  const checkpoint = await lockCheckpoint(transaction, tenant, epoch, nowMs);
  if (checkpoint.rebuild === "emptying") return { outcome: "emptying" };
  const remaining = entries.filter(({ entry }) => entry.seq > checkpoint.seq);
  const [first] = remaining;
  if (!first) return { outcome: "advanced", seq: checkpoint.seq, applied: 0, parked: [] };
  if (first.entry.seq !== checkpoint.seq + 1) return { outcome: "elsewhere", seq: checkpoint.seq };
  const follows =
    checkpoint.seq === 0 || (checkpoint.epoch === epoch && first.header.prev_hash === checkpoint.leafHash);
  if (!follows) return { outcome: "diverged", seq: checkpoint.seq };

  const waiting = apply === applyAll ? undefined : await waitingMs(transaction, tenant, first.entry.seq, nowMs);
  if (waiting) return { outcome: "failing", seq: checkpoint.seq, applied: 0, parked: [], ...waiting };
  const parked: ParkedEntry[] = [];
  let failing: { retryAfterMs: number; error: string } | undefined;
  let done = 0;
  while (done < remaining.length && !failing) {
    const failure = await apply(transaction, tenant, remaining.slice(done));
    done = failure ? remaining.indexOf(failure.entry) : remaining.length;
    if (!failure) break;
    const attempts = await countFailure(transaction, tenant, failure, nowMs);
    if (attempts < MAX_ENTRY_ATTEMPTS) failing = { retryAfterMs: retryAfterMs(attempts), error: failure.error };
    else {
      parked.push(await park(transaction, tenant, failure));
      done += 1;
    }
  }
  const last = remaining[done - 1];
  if (last) await moveCheckpoint(transaction, tenant, last, nowMs);
  const progress = { seq: last?.entry.seq ?? checkpoint.seq, applied: done - parked.length, parked };
  return failing ? { outcome: "failing", ...progress, ...failing } : { outcome: "advanced", ...progress };
}

/** Its log_entries row is still written, unless that row is what failed. */
async function park(transaction: Transaction, tenant: string, { entry, error }: Failure): Promise<ParkedEntry> {
  try {
    await transaction.transaction((savepoint) =>
      writeLogEntries(savepoint, tenant, [logEntryRow(entry.entry, entry.header)]),
    );
  } catch (unwritable) {
    if (isAway(unwritable)) throw unwritable;
  }
  return { seq: entry.entry.seq, type: entry.header.type, error };
}

/** The normal path: all entries in one transaction. An error aborts the transaction. */
const applyAll: ApplyEntries = async (transaction, tenant, entries) => {
  await writeChanges(transaction, tenant, foldEntries(entries));
  return undefined;
};

/** Applies the entries before the first failing one and returns that one. Bisects, so finding one among 500 takes ten attempts. */
const applyUntilFailure: ApplyEntries = async (transaction, tenant, entries) => {
  const [only] = entries;
  try {
    await transaction.transaction(async (savepoint) => writeChanges(savepoint, tenant, foldEntries(entries)));
    return undefined;
  } catch (error) {
    if (isAway(error)) throw error;
    if (entries.length === 1) return { entry: only!, error: describeCause(error) };
  }
  const half = Math.ceil(entries.length / 2);
  return (
    (await applyUntilFailure(transaction, tenant, entries.slice(0, half))) ??
    (await applyUntilFailure(transaction, tenant, entries.slice(half)))
  );
};

/** The delay left before an entry that failed may be retried. Only called after a failure. */
async function waitingMs(
  transaction: Transaction,
  tenant: string,
  seq: number,
  nowMs: number,
): Promise<{ retryAfterMs: number; error: string } | undefined> {
  const [row] = await transaction
    .select()
    .from(entryFailures)
    .where(and(eq(entryFailures.tenant, tenant), eq(entryFailures.seq, seq)));
  if (!row) return undefined;
  const leftMs = new Date(row.lastFailedAt).getTime() + retryAfterMs(row.attempts) - nowMs;
  return leftMs > 0 ? { retryAfterMs: leftMs, error: row.error } : undefined;
}

function retryAfterMs(attempts: number): number {
  return FIRST_RETRY_MS * 2 ** (attempts - 1);
}

async function countFailure(
  transaction: Transaction,
  tenant: string,
  { entry, error }: Failure,
  nowMs: number,
): Promise<number> {
  const now = timestamp(nowMs);
  const attempts = sql`${entryFailures.attempts} + 1`;
  const [row] = await transaction
    .insert(entryFailures)
    .values({ tenant, seq: entry.entry.seq, attempts: 1, parked: false, error, firstFailedAt: now, lastFailedAt: now })
    .onConflictDoUpdate({
      target: [entryFailures.tenant, entryFailures.seq],
      set: { attempts, error, lastFailedAt: now, parked: sql`${attempts} >= ${MAX_ENTRY_ATTEMPTS}` },
    })
    .returning({ attempts: entryFailures.attempts });
  return row?.attempts ?? 1;
}

/**
 * SQLSTATE classes that do not implicate the entry: connection, transaction state, authorization, rollback (deadlocks),
 * access and missing tables, resources, object state, operator, system
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html).
 */
const NOT_THE_ENTRY = /^(?:08|25|28|3D|40|42|53|55|57|58)/;

function isAway(error: unknown): boolean {
  if (error instanceof DatabaseUnreachable) return true;
  const state = sqlState(error);
  return state !== undefined && NOT_THE_ENTRY.test(state);
}

/** The innermost cause: outer errors repeat the whole statement. */
function describeCause(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return String(inner instanceof Error ? inner.message : inner).slice(0, MAX_ERROR_CHARACTERS);
}

/** Finds entries of the log for the audit by index, and bounds how long the read model keeps entries. */
import { eq, type SQL, sql } from "drizzle-orm";
import type { AuditFilter } from "../registry/audit.ts";
import { timestamp } from "../registry/record-view.ts";
import { type DatabaseAccess, inTransaction, readDatabase, type Transaction } from "./client.ts";
import { keyList } from "./projection/write.ts";
import { tenants } from "./tables.ts";

/** Rows deleted per transaction: well below a second's work. */
export const ENTRIES_PER_DELETE = 5_000;

export type FoundEntries = {
  seqs: readonly number[];
  /** Everything that matches up to the checkpoint has been found, unless there is more. */
  checkpointSeq: number;
  more: boolean;
};

type FoundRow = { seq: string; complete: boolean; seqs: number[] };

/** Undefined if the read model does not have all entries after `after`. */
export async function findAuditEntries(
  access: DatabaseAccess,
  tenant: string,
  { filter, after, limit }: { filter: Omit<AuditFilter, "changeSet">; after: number; limit: number },
): Promise<FoundEntries | undefined> {
  const { rows } = await readDatabase(access, (db) =>
    db.execute<FoundRow>(sql`SELECT seq,
        rebuild IS NULL AND entries_after <= ${after}
          AND NOT EXISTS (SELECT FROM entry_failures f WHERE f.tenant = tenants.tenant AND f.parked) AS complete,
        (SELECT coalesce(json_agg(found.seq ORDER BY found.seq), '[]') FROM (
          SELECT e.seq FROM log_entries e
            WHERE e.tenant = tenants.tenant AND e.seq > ${after} AND e.seq <= tenants.seq ${conditions(filter)}
            ORDER BY e.seq LIMIT ${limit + 1}) AS found) AS seqs
      FROM tenants WHERE tenant = ${tenant}`),
  );
  const [row] = rows;
  if (row === undefined || !row.complete) return undefined;
  return { seqs: row.seqs.slice(0, limit), checkpointSeq: Number(row.seq), more: row.seqs.length > limit };
}

function conditions({ actor, subject, types, fromMs, untilMs }: AuditFilter): SQL {
  const all = [
    actor === undefined ? undefined : sql`AND e.actor = ${actor}`,
    subject === undefined ? undefined : sql`AND e.subject = ${subject}`,
    types === undefined
      ? undefined
      : sql`AND e.type IN (${sql.join(
          types.map((type) => sql`${type}`),
          sql`, `,
        )})`,
    fromMs === undefined ? undefined : sql`AND e.at >= ${timestamp(fromMs)}::timestamptz`,
    untilMs === undefined ? undefined : sql`AND e.at < ${timestamp(untilMs)}::timestamptz`,
  ];
  return sql.join(
    all.filter((condition) => condition !== undefined),
    sql` `,
  );
}

/** The last entry that was deleted for its age; 0 if none was. */
export async function readEntriesAfter(transaction: Transaction, tenant: string): Promise<number> {
  const [row] = await transaction
    .select({ entriesAfter: tenants.entriesAfter })
    .from(tenants)
    .where(eq(tenants.tenant, tenant));
  return row?.entriesAfter ?? 0;
}

/**
 * Deletes one batch of the oldest entries, as long as they are older than a time; returns whether more may be left. The
 * log keeps them.
 */
export async function deleteOldEntries(access: DatabaseAccess, tenant: string, beforeMs: number): Promise<boolean> {
  return inTransaction(access, async (transaction) => {
    const [locked] = await transaction
      .select({ rebuild: tenants.rebuild })
      .from(tenants)
      .where(eq(tenants.tenant, tenant))
      .for("update");
    // A rebuild fills from the start of the log.
    if (locked === undefined || locked.rebuild !== null) return false;
    const { rows } = await transaction.execute<{ seq: string; at: string }>(
      sql`SELECT seq, (extract(epoch FROM at) * 1000)::float8 AS at FROM log_entries WHERE tenant = ${tenant}
        ORDER BY seq LIMIT ${ENTRIES_PER_DELETE}`,
    );
    const young = rows.findIndex(({ at }) => Number(at) >= beforeMs);
    const old = (young === -1 ? rows : rows.slice(0, young)).map(({ seq }) => Number(seq));
    const last = old.at(-1);
    if (last === undefined) return false;
    await transaction.execute(
      sql`DELETE FROM log_entries WHERE tenant = ${tenant} AND seq = ANY(${keyList(old)}::bigint[])`,
    );
    await transaction.update(tenants).set({ entriesAfter: last }).where(eq(tenants.tenant, tenant));
    return young === -1 && rows.length === ENTRIES_PER_DELETE;
  });
}

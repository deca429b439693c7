/**
 * Empties a tenant's read model step by step, so that it fills again from the start of the log. The progress is stored in
 * the tenant's row, so any invocation can continue. Nothing else writes while it is being emptied.
 */
import { eq, sql } from "drizzle-orm";
import { timestamp } from "../../registry/record-view.ts";
import { type DatabaseAccess, inTransaction } from "../client.ts";
import {
  entryFailures,
  fields,
  logEntries,
  scopes,
  subjects,
  tenants,
  versionReferences,
  versions,
  versionTags,
} from "../tables.ts";
import { lockCheckpoint } from "./checkpoint.ts";
import { PROJECTION_VERSION } from "./derive.ts";

/** Rows deleted from one table per transaction: at most a second's work. */
export const ROWS_PER_DELETE = 5_000;
/** Largest tables first, and tables that others are derived from last. */
export const EMPTIED_TABLES = [
  fields,
  versionReferences,
  versionTags,
  versions,
  subjects,
  scopes,
  entryFailures,
  logEntries,
] as const;

/** Starts a rebuild, or restarts one in progress. */
export async function beginRebuild(
  access: DatabaseAccess,
  tenant: string,
  { epoch, nowMs }: { epoch: number; nowMs: number },
): Promise<void> {
  await inTransaction(access, async (transaction) => {
    await lockCheckpoint(transaction, tenant, epoch, nowMs);
    await transaction
      .update(tenants)
      .set({
        rebuild: "emptying",
        rebuildStartedAt: timestamp(nowMs),
        rebuildUpToSeq: null,
        updatedAt: timestamp(nowMs),
      })
      .where(eq(tenants.tenant, tenant));
  });
}

/** Deletes one batch of rows. When none are left, the read model starts filling up to `upToSeq`. */
export async function emptySome(
  access: DatabaseAccess,
  tenant: string,
  { epoch, upToSeq, nowMs }: { epoch: number; upToSeq: number; nowMs: number },
): Promise<{ phase: "emptying" | "filling" | null; deleted: number }> {
  return inTransaction(access, async (transaction) => {
    const { rebuild } = await lockCheckpoint(transaction, tenant, epoch, nowMs);
    if (rebuild !== "emptying") return { phase: rebuild, deleted: 0 };
    for (const table of EMPTIED_TABLES) {
      // DELETE has no LIMIT; rows are addressed by their physical location (ctid).
      const { rowCount } = await transaction
        .delete(table)
        .where(
          sql`ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${table.tenant} = ${tenant} LIMIT ${ROWS_PER_DELETE}))`,
        );
      if (rowCount) return { phase: "emptying", deleted: rowCount };
    }
    // An empty log has nothing to fill from: the rebuild is over.
    const phase = upToSeq > 0 ? ("filling" as const) : null;
    await transaction
      .update(tenants)
      .set({
        rebuild: phase,
        rebuildUpToSeq: upToSeq,
        seq: 0,
        leafHash: null,
        entriesAfter: 0,
        entryAt: null,
        epoch,
        projectionVersion: PROJECTION_VERSION,
        updatedAt: timestamp(nowMs),
      })
      .where(eq(tenants.tenant, tenant));
    return { phase, deleted: 0 };
  });
}

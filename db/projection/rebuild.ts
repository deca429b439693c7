/**
 * Empties a tenant's copy, piece by piece, and lets it be filled again from the beginning of the log. How far that is lies in the
 * tenant's row, so whoever goes on need not be who began. While it is being emptied nobody writes to it.
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

/** Rows of one table that one transaction deletes: a second's work or less. */
export const ROWS_PER_DELETE = 5_000;
/** Those with most rows first, and those that others are derived from last. */
const EMPTIED_TABLES = [
  fields,
  versionReferences,
  versionTags,
  versions,
  subjects,
  scopes,
  entryFailures,
  logEntries,
] as const;

/** Begins a rebuild, also where one is under way: it then begins anew. */
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

/** Deletes some rows of a copy that is being emptied; with none left it is to be filled, up to `upToSeq`. */
export async function emptySome(
  access: DatabaseAccess,
  tenant: string,
  { epoch, upToSeq, nowMs }: { epoch: number; upToSeq: number; nowMs: number },
): Promise<{ phase: "emptying" | "filling" | null; deleted: number }> {
  return inTransaction(access, async (transaction) => {
    const { rebuild } = await lockCheckpoint(transaction, tenant, epoch, nowMs);
    if (rebuild !== "emptying") return { phase: rebuild, deleted: 0 };
    for (const table of EMPTIED_TABLES) {
      // DELETE has no LIMIT; rows are named by where they lie.
      const { rowCount } = await transaction
        .delete(table)
        .where(
          sql`ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${table.tenant} = ${tenant} LIMIT ${ROWS_PER_DELETE}))`,
        );
      if (rowCount) return { phase: "emptying", deleted: rowCount };
    }
    // An empty log has nothing to fill from.
    const phase = upToSeq > 0 ? ("filling" as const) : null;
    await transaction
      .update(tenants)
      .set({
        rebuild: phase,
        rebuildUpToSeq: upToSeq,
        seq: 0,
        leafHash: null,
        entryAt: null,
        epoch,
        projectionVersion: PROJECTION_VERSION,
        updatedAt: timestamp(nowMs),
      })
      .where(eq(tenants.tenant, tenant));
    return { phase, deleted: 0 };
  });
}

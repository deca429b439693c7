/**
 * Empties a tenant's copy, piece by piece, and lets it be filled again from the beginning of the log. How far that is lies in the
 * tenant's row, so whoever goes on need not be who began. While it is being emptied nobody writes to it.
 */
import { sql } from "drizzle-orm";
import { timestamp } from "../../registry/record-view.ts";
import { type DatabaseAccess, inTransaction } from "../client.ts";
import { lockCheckpoint } from "./checkpoint.ts";
import { PROJECTION_VERSION } from "./derive.ts";

/** Rows of one table that one transaction deletes: a second's work or less. */
export const ROWS_PER_DELETE = 5_000;
/** Those with most rows first, and those that others are derived from last. */
const EMPTIED_TABLES = [
  "fields",
  "version_references",
  "version_tags",
  "versions",
  "subjects",
  "scopes",
  "entry_failures",
  "log_entries",
] as const;

/** Begins a rebuild, also where one is under way: it then begins anew. */
export async function beginRebuild(
  access: DatabaseAccess,
  tenant: string,
  { epoch, nowMs }: { epoch: number; nowMs: number },
): Promise<void> {
  await inTransaction(access, async (transaction) => {
    await lockCheckpoint(transaction, tenant, epoch, nowMs);
    await transaction.execute(sql`UPDATE tenants SET rebuild = 'emptying', rebuild_started_at = ${timestamp(nowMs)},
      rebuild_up_to_seq = NULL, updated_at = ${timestamp(nowMs)} WHERE tenant = ${tenant}`);
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
      const name = sql.identifier(table);
      const { rowCount } = await transaction.execute(sql`DELETE FROM ${name}
        WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${name} WHERE tenant = ${tenant} LIMIT ${ROWS_PER_DELETE}))`);
      if (rowCount) return { phase: "emptying", deleted: rowCount };
    }
    // An empty log has nothing to fill from.
    const phase = upToSeq > 0 ? ("filling" as const) : null;
    await transaction.execute(sql`UPDATE tenants SET rebuild = ${phase}, rebuild_up_to_seq = ${upToSeq},
      seq = 0, leaf_hash = NULL, entry_at = NULL, epoch = ${epoch}, projection_version = ${PROJECTION_VERSION},
      updated_at = ${timestamp(nowMs)} WHERE tenant = ${tenant}`);
    return { phase, deleted: 0 };
  });
}

/** Deletes a deleted tenant's rows from Postgres, in steps. */
import { eq, sql } from "drizzle-orm";
import { type DatabaseAccess, inTransaction } from "./client.ts";
import { EMPTIED_TABLES, ROWS_PER_DELETE } from "./projection/rebuild.ts";
import { denialMessages, denials, searchWords, tenants } from "./tables.ts";

/** The tenant's own row is deleted last: while it exists, other rows may remain. */
const PURGED_TABLES = [...EMPTIED_TABLES, searchWords, denials, denialMessages, tenants] as const;

/** Deletes one batch of rows of one table; 0 if nothing is left. */
export async function purgeSomeRows(access: DatabaseAccess, tenant: string): Promise<number> {
  return inTransaction(access, async (transaction) => {
    await transaction.select().from(tenants).where(eq(tenants.tenant, tenant)).for("update");
    for (const table of PURGED_TABLES) {
      const { rowCount } = await transaction
        .delete(table)
        .where(
          sql`ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${table.tenant} = ${tenant} LIMIT ${ROWS_PER_DELETE}))`,
        );
      if (rowCount) return rowCount;
    }
    return 0;
  });
}

/** How far a tenant's read model has applied the log. Every transaction that writes the tenant's rows locks this row first. */
import { and, eq, lte, not, sql } from "drizzle-orm";
import { timestamp } from "../../registry/record-view.ts";
import { type DatabaseAccess, readDatabase, type Transaction } from "../client.ts";
import { entryFailures, tenants } from "../tables.ts";
import type { ProjectedEntry } from "./changes.ts";
import { PROJECTION_VERSION } from "./derive.ts";
import { bytea } from "./rows.ts";

type Checkpoint = {
  /** The last entry that was applied or parked; 0 before the first. */
  seq: number;
  epoch: number;
  /** Lower-case hex; null at 0. */
  leafHash: string | null;
  rebuild: "emptying" | "filling" | null;
  projectionVersion: number;
};

/** Locks the tenant's row until the transaction ends, and inserts it if it is missing. */
export async function lockCheckpoint(
  transaction: Transaction,
  tenant: string,
  epoch: number,
  nowMs: number,
): Promise<Checkpoint> {
  const locked = await selectCheckpoint(transaction, tenant);
  if (locked) return locked;
  await transaction
    .insert(tenants)
    .values({ tenant, epoch, seq: 0, updatedAt: timestamp(nowMs), projectionVersion: PROJECTION_VERSION })
    .onConflictDoNothing();
  const made = await selectCheckpoint(transaction, tenant);
  if (!made) throw new Error(`The checkpoint of tenant ${tenant} was deleted meanwhile.`);
  return made;
}

async function selectCheckpoint(transaction: Transaction, tenant: string): Promise<Checkpoint | undefined> {
  const [row] = await transaction
    .select({
      seq: tenants.seq,
      epoch: tenants.epoch,
      leafHash: sql<string | null>`encode(${tenants.leafHash}, 'hex')`,
      rebuild: tenants.rebuild,
      projectionVersion: tenants.projectionVersion,
    })
    .from(tenants)
    .where(eq(tenants.tenant, tenant))
    .for("update");
  return row;
}

/** Moves the checkpoint to an entry. Earlier failures that are not parked have been applied since; a rebuild that reaches its end is over. */
export async function moveCheckpoint(
  transaction: Transaction,
  tenant: string,
  last: ProjectedEntry,
  nowMs: number,
): Promise<void> {
  const { seq, leafHash } = last.entry;
  const passed = transaction.$with("passed").as(
    transaction
      .delete(entryFailures)
      .where(and(eq(entryFailures.tenant, tenant), lte(entryFailures.seq, seq), not(entryFailures.parked)))
      .returning({ seq: entryFailures.seq }),
  );
  await transaction
    .with(passed)
    .update(tenants)
    .set({
      seq,
      epoch: last.header.epoch,
      leafHash: bytea(leafHash),
      entryAt: timestamp(last.header.at),
      updatedAt: timestamp(nowMs),
      rebuild: sql`CASE WHEN ${tenants.rebuildUpToSeq} <= ${seq} THEN NULL ELSE ${tenants.rebuild} END`,
    })
    .where(eq(tenants.tenant, tenant));
}

/** Where the read model stood a moment ago, for a caller about to pull what follows. */
export async function readCheckpoint(
  access: DatabaseAccess,
  tenant: string,
): Promise<Pick<Checkpoint, "seq" | "rebuild">> {
  const [row] = await readDatabase(access, (db) =>
    db.select({ seq: tenants.seq, rebuild: tenants.rebuild }).from(tenants).where(eq(tenants.tenant, tenant)),
  );
  return row ?? { seq: 0, rebuild: null };
}

/**
 * The checkpoint of a tenant's read model: the last log entry it has applied. Every transaction that writes the tenant's
 * rows locks this row first.
 */
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

/** Locks the tenant's row until the transaction ends, inserting it if it is missing. */
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
  if (!made) throw new Error(`The checkpoint of tenant ${tenant} was deleted in the meantime.`);
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

/**
 * Moves the checkpoint to an entry. Failures before it that are not parked have since been applied, and a rebuild that has
 * reached its end is over.
 */
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

/** The current checkpoint, for a caller about to read the entries after it. */
export async function readCheckpoint(
  access: DatabaseAccess,
  tenant: string,
): Promise<Pick<Checkpoint, "seq" | "rebuild">> {
  const [row] = await readDatabase(access, (db) =>
    db.select({ seq: tenants.seq, rebuild: tenants.rebuild }).from(tenants).where(eq(tenants.tenant, tenant)),
  );
  return row ?? { seq: 0, rebuild: null };
}

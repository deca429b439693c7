/** How far a tenant's copy is: the row that every transaction locks which writes the tenant's other rows. */
import { sql } from "drizzle-orm";
import { timestamp } from "../../registry/record-view.ts";
import { type DatabaseAccess, readDatabase, type Transaction } from "../client.ts";
import type { ProjectedEntry } from "./changes.ts";
import { PROJECTION_VERSION } from "./derive.ts";
import { bytea } from "./rows.ts";

export type Checkpoint = {
  /** The last entry that is applied or was passed over; 0 before the first. */
  seq: number;
  epoch: number;
  /** Lower-case hex; null at 0. */
  leafHash: string | null;
  rebuild: "emptying" | "filling" | null;
  projectionVersion: number;
};

/** Locks the tenant's row until the transaction ends, and makes it where there is none. */
export async function lockCheckpoint(
  transaction: Transaction,
  tenant: string,
  epoch: number,
  nowMs: number,
): Promise<Checkpoint> {
  const locked = await selectCheckpoint(transaction, tenant);
  if (locked) return locked;
  await transaction.execute(sql`INSERT INTO tenants (tenant, epoch, seq, updated_at, projection_version)
    VALUES (${tenant}, ${epoch}, 0, ${timestamp(nowMs)}, ${PROJECTION_VERSION}) ON CONFLICT (tenant) DO NOTHING`);
  const made = await selectCheckpoint(transaction, tenant);
  if (!made) throw new Error(`The checkpoint of tenant ${tenant} is gone again.`);
  return made;
}

type CheckpointRow = {
  seq: string;
  epoch: number;
  leaf_hash: string | null;
  rebuild: Checkpoint["rebuild"];
  projection_version: number;
};

async function selectCheckpoint(transaction: Transaction, tenant: string): Promise<Checkpoint | undefined> {
  const { rows } = await transaction.execute<CheckpointRow>(
    sql`SELECT seq, epoch, encode(leaf_hash, 'hex') AS leaf_hash, rebuild, projection_version
      FROM tenants WHERE tenant = ${tenant} FOR UPDATE`,
  );
  const [row] = rows;
  return (
    row && {
      seq: Number(row.seq),
      epoch: row.epoch,
      leafHash: row.leaf_hash,
      rebuild: row.rebuild,
      projectionVersion: row.projection_version,
    }
  );
}

/** Moves the checkpoint to an entry; what failed before it and is not parked has been applied since. A rebuild that gets to its end is over. */
export async function moveCheckpoint(
  transaction: Transaction,
  tenant: string,
  last: ProjectedEntry,
  nowMs: number,
): Promise<void> {
  const { seq, leafHash } = last.entry;
  await transaction.execute(sql`WITH passed AS
      (DELETE FROM entry_failures WHERE tenant = ${tenant} AND seq <= ${seq} AND NOT parked)
    UPDATE tenants SET seq = ${seq}, epoch = ${last.header.epoch}, leaf_hash = ${bytea(leafHash)}::bytea,
      entry_at = ${timestamp(last.header.at)}, updated_at = ${timestamp(nowMs)},
      rebuild = CASE WHEN rebuild_up_to_seq <= ${seq} THEN NULL ELSE rebuild END
    WHERE tenant = ${tenant}`);
}

/** Where the copy stood a moment ago, for whoever is about to pull what follows. */
export async function readCheckpoint(
  access: DatabaseAccess,
  tenant: string,
): Promise<Pick<Checkpoint, "seq" | "rebuild">> {
  const { rows } = await readDatabase(access, (db) =>
    db.execute<Pick<CheckpointRow, "seq" | "rebuild">>(sql`SELECT seq, rebuild FROM tenants WHERE tenant = ${tenant}`),
  );
  const [row] = rows;
  return row ? { seq: Number(row.seq), rebuild: row.rebuild } : { seq: 0, rebuild: null };
}

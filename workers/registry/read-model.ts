/** How far the searchable copy of the log is (docs/replication.md). */
import { eq, sql } from "drizzle-orm";
import { readDatabase } from "../../db/client";
import { PROJECTION_VERSION } from "../../db/projection/derive";
import { entryFailures, tenants } from "../../db/tables";
import { parseHeader } from "../../durable-objects/log";
import { primaryOf } from "../../durable-objects/primary-client";
import type { Bindings } from "../edge";

export type ReadModelStatus = {
  /** Whether there is a copy at all: without DATABASE_URL there is none, and all below is as of an empty one. */
  configured: boolean;
  tenant: string;
  /** The last log entry the copy holds. */
  seq: number;
  /** The last log entry there is. */
  primarySeq: number;
  lagEntries: number;
  /** How long ago the oldest entry that the copy lacks was written; 0 where it lacks none. */
  lagSeconds: number;
  /** When the copy last moved, null before it ever did. */
  updatedAtMs: number | null;
  rebuild: "emptying" | "filling" | null;
  /** An older build derived the rows: a rebuild makes them as this one does. */
  rebuildRecommended: boolean;
  /** Entries that were passed over after they had failed too often, oldest first, at most MAX_LISTED_FAILURES. */
  parked: readonly FailedEntry[];
  parkedCount: number;
};

export type FailedEntry = { seq: number; attempts: number; error: string; lastFailedAtMs: number };

export const MAX_LISTED_FAILURES = 100;

/** Asks the primary and Postgres; throws DatabaseUnreachable or PrimaryUnreachable where one of them does not answer. */
export async function readModelStatus(env: Bindings, tenant: string, nowMs: number): Promise<ReadModelStatus> {
  const primary = primaryOf(env, tenant);
  const copy = env.DATABASE_URL ? await readCopy(env, tenant) : { seq: 0, parked: [] };
  // One entry after the copy's last is the oldest that it lacks.
  const { entries, asOf } = await primary.readLog({ after: copy.seq, limit: 1 });
  const oldest = entries[0];
  return {
    configured: Boolean(env.DATABASE_URL),
    tenant,
    primarySeq: asOf.seq,
    lagEntries: Math.max(0, asOf.seq - copy.seq),
    lagSeconds: oldest === undefined ? 0 : Math.max(0, (nowMs - atMsOf(oldest.header)) / 1_000),
    updatedAtMs: null,
    rebuild: null,
    rebuildRecommended: false,
    parkedCount: copy.parked.length,
    ...copy,
  };
}

type Copy = Pick<ReadModelStatus, "seq" | "parked"> & Partial<ReadModelStatus>;

async function readCopy(env: Bindings, tenant: string): Promise<Copy> {
  return readDatabase(env, async (db) => {
    const [[row], failures, [count]] = await Promise.all([
      db.select().from(tenants).where(eq(tenants.tenant, tenant)),
      db
        .select()
        .from(entryFailures)
        .where(sql`${entryFailures.tenant} = ${tenant} AND ${entryFailures.parked}`)
        .orderBy(entryFailures.seq)
        .limit(MAX_LISTED_FAILURES),
      db
        .select({ parked: sql<number>`count(*)::int` })
        .from(entryFailures)
        .where(sql`${entryFailures.tenant} = ${tenant} AND ${entryFailures.parked}`),
    ]);
    return {
      seq: row?.seq ?? 0,
      updatedAtMs: row?.updatedAt.getTime() ?? null,
      rebuild: row?.rebuild ?? null,
      rebuildRecommended: row !== undefined && row.projectionVersion < PROJECTION_VERSION,
      parkedCount: count?.parked ?? 0,
      parked: failures.map(({ seq, attempts, error, lastFailedAt }) => ({
        seq,
        attempts,
        error,
        lastFailedAtMs: lastFailedAt.getTime(),
      })),
    };
  });
}

function atMsOf(header: Uint8Array): number {
  return parseHeader(header).at;
}

/** The status of the read model (docs/replication.md). */
import { sql } from "drizzle-orm";
import { readDatabase } from "../../../db/client.ts";
import { PROJECTION_VERSION } from "../../../db/projection/derive.ts";
import { openPrimary } from "../../../durable-objects/primary/client.ts";
import { parseHeader, toHex } from "../../../registry/log-entry.ts";
import type { Bindings } from "../../edge.ts";

type ReadModelStatus = {
  /** Whether there is a database. Without DATABASE_URL everything below describes an empty read model. */
  configured: boolean;
  tenant: string;
  /** The last log entry applied to the read model. */
  seq: number;
  /** The last log entry. */
  primarySeq: number;
  lagEntries: number;
  /** Age of the oldest entry not yet applied; 0 if there is none. */
  lagSeconds: number;
  /** When the read model last advanced; null if never. */
  updatedAtMs: number | null;
  rebuild: "emptying" | "filling" | null;
  /** The read model was derived from another log; only a rebuild helps. */
  diverged: boolean;
  /** An older build derived the rows; a rebuild updates them. */
  rebuildRecommended: boolean;
  /** Parked entries, oldest first, at most MAX_LISTED_FAILURES. */
  parked: readonly FailedEntry[];
  parkedCount: number;
};

type FailedEntry = { seq: number; attempts: number; error: string; lastFailedAtMs: number };

const MAX_LISTED_FAILURES = 100;

/** Queries the primary and Postgres; throws DatabaseUnreachable or PrimaryUnreachable. */
export async function readModelStatus(env: Bindings, tenant: string, nowMs: number): Promise<ReadModelStatus> {
  const primary = openPrimary(env, tenant);
  const copy = env.DATABASE_URL ? await readReadModel(env, tenant) : { seq: 0, parked: [] };
  // The last applied entry, as the log has it, and the oldest one not yet applied.
  const after = Math.max(0, copy.seq - 1);
  const { entries, asOf } = await primary.readLog({ after, limit: 2 });
  const last = entries.find(({ seq }) => seq === copy.seq);
  const diverged = copy.seq > 0 && (last === undefined || toHex(last.leafHash) !== copy.leafHash);
  const oldest = diverged ? entries[0] : entries.find(({ seq }) => seq > copy.seq);
  const { leafHash: _, ...shown } = copy;
  return {
    configured: Boolean(env.DATABASE_URL),
    tenant,
    primarySeq: asOf.seq,
    lagEntries: diverged ? asOf.seq : Math.max(0, asOf.seq - copy.seq),
    lagSeconds: oldest === undefined ? 0 : Math.max(0, (nowMs - readEntryTime(oldest.header)) / 1_000),
    updatedAtMs: null,
    rebuild: null,
    diverged,
    rebuildRecommended: false,
    parkedCount: copy.parked.length,
    ...shown,
  };
}

type Copy = Pick<ReadModelStatus, "seq" | "parked"> & Partial<ReadModelStatus> & { leafHash?: string | null };

/** A single request, because metrics call this often. */
async function readReadModel(env: Bindings, tenant: string): Promise<Copy> {
  const { rows } = await readDatabase(env, (db) =>
    db.execute<CopyRow>(sql`SELECT seq, encode(leaf_hash, 'hex') AS leaf_hash, floor(extract(epoch FROM updated_at) * 1000)::float8 AS updated_at_ms, rebuild,
        projection_version,
        (SELECT count(*)::int FROM entry_failures WHERE entry_failures.tenant = tenants.tenant AND parked) AS parked_count,
        (SELECT coalesce(json_agg(listed), '[]') FROM (
          SELECT seq, attempts, error, floor(extract(epoch FROM last_failed_at) * 1000)::float8 AS "lastFailedAtMs"
            FROM entry_failures WHERE entry_failures.tenant = tenants.tenant AND parked
            ORDER BY seq LIMIT ${MAX_LISTED_FAILURES}) AS listed) AS parked
      FROM tenants WHERE tenant = ${tenant}`),
  );
  const [row] = rows;
  if (row === undefined) return { seq: 0, parked: [] };
  return {
    seq: Number(row.seq),
    leafHash: row.leaf_hash,
    updatedAtMs: row.updated_at_ms,
    rebuild: row.rebuild,
    rebuildRecommended: row.projection_version < PROJECTION_VERSION,
    parkedCount: row.parked_count,
    parked: row.parked,
  };
}

type CopyRow = {
  seq: string;
  leaf_hash: string | null;
  updated_at_ms: number;
  rebuild: ReadModelStatus["rebuild"];
  projection_version: number;
  parked_count: number;
  parked: FailedEntry[];
};

function readEntryTime(header: Uint8Array): number {
  return parseHeader(header).at;
}

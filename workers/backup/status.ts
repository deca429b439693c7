/** How far the backup is, for people and metrics. Kept in KV: it must be readable, and a failure sayable, while R2 is away. */
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { Bindings } from "../edge.ts";

export type BackupFailure = { atMs: number; message: string };

export type BackupStatus = {
  /** The last entry that lies in the bucket; 0: none does. */
  lastSeq: number;
  /** When an entry was last added to the bucket; null: never. */
  exportedAtMs: number | null;
  /** When a run last found nothing left to do; null: never. */
  levelAtMs: number | null;
  /** Entries of the log that the bucket lacks. */
  lagEntries: number;
  /** Why the newest run failed; null once a run has succeeded. */
  lastFailure: BackupFailure | null;
};

/** What runs leave behind. */
export type RunReport = Omit<BackupStatus, "lagEntries"> & {
  /** When the bucket was last searched for what no manifest names. */
  sweptAtMs: number;
};

const NO_RUN: RunReport = { lastSeq: 0, exportedAtMs: null, levelAtMs: null, lastFailure: null, sweptAtMs: 0 };

/** What the newest run reported, against the end of the log at `tipSeq`. KV may lag a minute behind. */
export async function backupStatus(
  env: Pick<Bindings, "CACHE">,
  tenant: string,
  tipSeq: number,
): Promise<BackupStatus> {
  const { sweptAtMs: _, ...report } = await readReport(env, tenant);
  return { ...report, lagEntries: Math.max(0, tipSeq - report.lastSeq) };
}

export async function readReport(env: Pick<Bindings, "CACHE">, tenant: string): Promise<RunReport> {
  return (await env.CACHE.get<RunReport>(statusKey(tenant), "json")) ?? NO_RUN;
}

/** A status that cannot be kept is no reason to fail a backup. */
export async function writeReport(env: Pick<Bindings, "CACHE">, tenant: string, report: RunReport): Promise<void> {
  try {
    await env.CACHE.put(statusKey(tenant), JSON.stringify(report));
  } catch (error) {
    logLine("error", "The backup's status could not be kept.", { tenant, ...errorFields(error) });
  }
}

function statusKey(tenant: string): string {
  return `backup/${tenant}/status`;
}

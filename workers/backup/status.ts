/** Backup status for humans and metrics. Kept in KV so that it can be read and written while R2 is unavailable. */
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { Bindings } from "../edge.ts";

type BackupFailure = { atMs: number; message: string };

type BackupStatus = {
  /** Last entry in the bucket; 0 if none. */
  lastSeq: number;
  /** When an entry was last added; null if never. */
  exportedAtMs: number | null;
  /** When a run last caught up with the log; null if never. */
  levelAtMs: number | null;
  /** Log entries missing from the bucket. */
  lagEntries: number;
  /** The reason the latest run failed; null after a success. */
  lastFailure: BackupFailure | null;
};

/** What a run stores. */
export type RunReport = Omit<BackupStatus, "lagEntries"> & {
  /** When the bucket was last searched for unlisted objects. */
  sweptAtMs: number;
};

const NO_RUN: RunReport = { lastSeq: 0, exportedAtMs: null, levelAtMs: null, lastFailure: null, sweptAtMs: 0 };

/** The latest run's report against the log's end at `tipSeq`. KV may lag by a minute. */
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

/** For a tenant that has been deleted. */
export async function forgetReport(env: Pick<Bindings, "CACHE">, tenant: string): Promise<void> {
  await env.CACHE.delete(statusKey(tenant));
}

/** A status that cannot be stored must not fail the backup. */
export async function writeReport(env: Pick<Bindings, "CACHE">, tenant: string, report: RunReport): Promise<void> {
  try {
    await env.CACHE.put(statusKey(tenant), JSON.stringify(report));
  } catch (error) {
    logLine("error", "The backup's status could not be saved.", { tenant, ...errorFields(error) });
  }
}

function statusKey(tenant: string): string {
  return `backup/${tenant}/status`;
}

/** The cron trigger, every five minutes: independent jobs, none of which may delay another. */
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { Bindings } from "../edge.ts";
import { deleteOldAccessRecords } from "./access-record.ts";
import { backUpTenants } from "./backup.ts";
import { purgeDeletedTenants } from "./deleted-tenants.ts";
import { nudgeLaggards } from "./laggards.ts";
import { deleteOldReadModelEntries } from "./log-entries.ts";
import { lintAgain } from "./portability.ts";
import { sweepTexts } from "./texts.ts";

type Job = { name: string; run(env: Bindings, nowMs: number): Promise<void> };

const JOBS: readonly Job[] = [
  { name: "nudge-laggards", run: nudgeLaggards },
  { name: "back-up", run: backUpTenants },
  { name: "sweep-texts", run: sweepTexts },
  { name: "purge-deleted-tenants", run: purgeDeletedTenants },
  { name: "delete-old-read-model-entries", run: deleteOldReadModelEntries },
  { name: "delete-old-access-records", run: deleteOldAccessRecords },
  { name: "lint-again", run: lintAgain },
];

/** Runs every job; throws after all have run if any failed. */
export async function runScheduled(env: Bindings, nowMs: number, jobs: readonly Job[] = JOBS): Promise<void> {
  const results = await Promise.allSettled(jobs.map(async ({ run }) => run(env, nowMs)));
  const failed: string[] = [];
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") continue;
    const { name } = jobs[index]!;
    failed.push(name);
    logLine("error", "A cron job failed.", { job: name, ...errorFields(result.reason) });
  }
  if (failed.length > 0) throw new Error(`Cron jobs failed: ${failed.join(", ")}.`);
}

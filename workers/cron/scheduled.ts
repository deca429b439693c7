/** What the cron trigger asks for, every five minutes: jobs that know nothing of each other, of which none may hold up another. */
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { Bindings } from "../edge.ts";
import { backUpTenants } from "./backup.ts";
import { nudgeLaggards } from "./laggards.ts";

type Job = { name: string; run(env: Bindings, nowMs: number): Promise<void> };

const JOBS: readonly Job[] = [
  { name: "nudge-laggards", run: nudgeLaggards },
  { name: "back-up", run: backUpTenants },
];

/** Runs every job; throws once all have run if one of them failed. */
export async function runScheduled(env: Bindings, nowMs: number, jobs: readonly Job[] = JOBS): Promise<void> {
  const results = await Promise.allSettled(jobs.map(async ({ run }) => run(env, nowMs)));
  const failed: string[] = [];
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") continue;
    const { name } = jobs[index]!;
    failed.push(name);
    logLine("error", "A job of the cron trigger failed.", { job: name, ...errorFields(result.reason) });
  }
  if (failed.length > 0) throw new Error(`Jobs of the cron trigger failed: ${failed.join(", ")}.`);
}

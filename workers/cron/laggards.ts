/** Nudges may be lost and queue messages expire; this finds followers that lag behind the log and nudges them. */

import { openPrimary } from "../../durable-objects/primary/client.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { EPOCH } from "../../registry/log-entry.ts";
import type { Bindings } from "../edge.ts";
import { followUp } from "../queue/changes.ts";
import { retryParked } from "../registry/read-model/parked.ts";
import { knownTenants } from "../tenants.ts";

/** Throws after all tenants were tried if any failed. */
export async function nudgeLaggards(env: Bindings, nowMs: number): Promise<void> {
  let failed = 0;
  for (const tenant of await knownTenants(env)) {
    try {
      await nudgeLaggard(env, tenant, nowMs);
    } catch (error) {
      failed += 1;
      logLine("error", "A tenant's followers could not catch up with its log.", { tenant, ...errorFields(error) });
    }
  }
  if (failed > 0) throw new Error(`The followers of ${failed} tenants could not catch up with their logs.`);
}

async function nudgeLaggard(env: Bindings, tenant: string, nowMs: number): Promise<void> {
  const answer = await openPrimary(env, tenant).read("head", {});
  if (!answer.ok) throw new Error(answer.refusal.detail);
  const upToSeq = answer.value.asOf.seq;
  if (upToSeq === 0) return;
  // Each follower knows its checkpoint; one that does not lag does nothing.
  await followUp({ tenant, epoch: EPOCH, upToSeq }, env);
  if (env.DATABASE_URL) await retryParked(env, tenant, nowMs);
}

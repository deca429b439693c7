/** Deletes denied attempts after their retention, some in each run. */
import { deleteOldDenials } from "../../db/denials.ts";
import { timestamp } from "../../registry/record-view.ts";
import { deleteOldBatches } from "../access-record/batches.ts";
import type { Bindings } from "../edge.ts";
import { parseSettings } from "../settings.ts";
import { knownTenants } from "../tenants.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** A run deletes at most this many rows, times DENIALS_PER_DELETE. */
const MAX_DELETES_IN_RUN = 10;

export async function deleteOldAccessRecords(env: Bindings, nowMs: number): Promise<void> {
  const beforeMs = nowMs - parseSettings(env).accessRecordRetentionDays * DAY_MS;
  const beforeDay = timestamp(beforeMs).slice(0, "2026-01-01".length);
  for (const tenant of await knownTenants(env)) await deleteOldBatches(env, tenant, beforeDay);
  if (!env.DATABASE_URL) return;
  for (let deletes = 0; deletes < MAX_DELETES_IN_RUN; deletes += 1) {
    if (!(await deleteOldDenials(env, beforeMs, nowMs))) return;
  }
}

/** Deletes entries from the read model after their retention, some in each run. The log keeps them. */
import { deleteOldEntries } from "../../db/audit.ts";
import type { Bindings } from "../edge.ts";
import { parseSettings } from "../settings.ts";
import { knownTenants } from "../tenants.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Batches of one tenant in one run, times ENTRIES_PER_DELETE. */
const MAX_DELETES_IN_RUN = 10;

export async function deleteOldReadModelEntries(env: Bindings, nowMs: number): Promise<void> {
  const days = parseSettings(env).readModelAuditDays;
  if (days === undefined || !env.DATABASE_URL) return;
  for (const tenant of await knownTenants(env)) {
    for (let deletes = 0; deletes < MAX_DELETES_IN_RUN; deletes += 1) {
      if (!(await deleteOldEntries(env, tenant, nowMs - days * DAY_MS))) break;
    }
  }
}

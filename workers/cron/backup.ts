/** Exports every tenant's log to R2. What one run does not reach, the next one does. */
import { backUp } from "../backup/run.ts";
import type { Bindings } from "../edge.ts";
import { knownTenants } from "../tenants.ts";

/** Throws once every tenant had its turn if one of them could not be backed up; why is in its status and in the log. */
export async function backUpTenants(env: Bindings, _nowMs: number): Promise<void> {
  const failed: string[] = [];
  for (const tenant of await knownTenants(env)) {
    // A run takes time, and its bound is counted on the clock that goes on.
    const run = await backUp({ env, now: () => Date.now() }, tenant);
    if (!run.ok) failed.push(`${tenant}: ${run.message}`);
  }
  if (failed.length > 0) throw new Error(`Backups failed: ${failed.join("; ")}`);
}

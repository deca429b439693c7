/** Backs up every tenant's log to R2. The next run continues where this one stops. */
import { backUp } from "../backup/run.ts";
import type { Bindings } from "../edge.ts";
import { knownTenants } from "../tenants.ts";

/** Throws after all tenants were tried if any failed; the reason is in its status and in the log. */
export async function backUpTenants(env: Bindings, _nowMs: number): Promise<void> {
  const failed: string[] = [];
  for (const tenant of await knownTenants(env)) {
    // A run takes time, and its limit is measured on the real clock.
    const run = await backUp({ env, now: () => Date.now() }, tenant);
    if (!run.ok) failed.push(`${tenant}: ${run.refusal}`);
  }
  if (failed.length > 0) throw new Error(`Backups failed: ${failed.join("; ")}`);
}

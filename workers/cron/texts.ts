/** Finds and deletes texts in R2 whose commit never arrived, some of every tenant's in each run. */
import { openPrimary } from "../../durable-objects/primary/client.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { Bindings } from "../edge.ts";
import { knownTenants } from "../tenants.ts";

/** Throws after all tenants were tried if any failed. */
export async function sweepTexts(env: Bindings, _nowMs: number): Promise<void> {
  let failed = 0;
  for (const tenant of await knownTenants(env)) {
    try {
      const { found } = await openPrimary(env, tenant).sweepTexts();
      if (found > 0) logLine("info", "Texts that no commit has named are deleted from R2.", { tenant, found });
    } catch (error) {
      failed += 1;
      logLine("error", "A tenant's texts in R2 could not be swept.", { tenant, ...errorFields(error) });
    }
  }
  if (failed > 0) throw new Error(`The texts of ${failed} tenants could not be swept.`);
}

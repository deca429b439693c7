/**
 * The list of tenants. Until administrators can create tenants there is exactly one; this is the only place that lists
 * them.
 */
import type { Bindings } from "./edge.ts";

export async function knownTenants(_env: Bindings): Promise<readonly string[]> {
  return ["default"];
}

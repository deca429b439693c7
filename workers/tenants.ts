/** The tenants there are. Until administrators create them there is one; this is the only place that lists them. */
import type { Bindings } from "./edge.ts";

export async function knownTenants(_env: Bindings): Promise<readonly string[]> {
  return ["default"];
}

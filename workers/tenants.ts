/** The list of tenants, and the location of their objects. */
import { callDirectory } from "../durable-objects/directory/client.ts";
import { DIRECTORY_VERSION, MAX_LISTED } from "../durable-objects/directory/protocol.ts";
import { openPrimary } from "../durable-objects/primary/client.ts";
import type { Tenant } from "../registry/tenant.ts";
import type { Bindings } from "./edge.ts";

/** All except deleted ones; for work over every tenant, such as the cron's. */
export async function knownTenants(env: Bindings): Promise<readonly string[]> {
  const names: string[] = [];
  let after = "";
  for (;;) {
    const args = { after, limit: MAX_LISTED };
    const page = await callDirectory(env, (directory) =>
      directory.ask({ v: DIRECTORY_VERSION, name: "tenants", args }),
    );
    // During a deployment edge and directory may be different builds for a few minutes; the next run sees all of them.
    if (!page.ok) return names;
    names.push(...page.value.flatMap(({ name, state }) => (state === "deleted" ? [] : [name])));
    if (page.value.length < MAX_LISTED) return names;
    after = page.value.at(-1)!.name;
  }
}

/** Creates a new tenant's primary near its location hint; it stays where it was first addressed. */
export async function settleTenant(env: Bindings, { name, locationHint }: Tenant): Promise<void> {
  await openPrimary(env, name, { locationHint }).read("head", {});
}

/** Where a tenant's objects are: in the jurisdiction that its name says, under the tenant and the epoch. */
import { EPOCH } from "../registry/log-entry.ts";
import { type Jurisdiction, jurisdictionOf, type LocationHint } from "../registry/tenant.ts";

/** A binding of an object class. Bindings that know no jurisdictions, as tests have, take every tenant. */
export type ObjectNamespace = {
  getByName(name: string, options?: { locationHint?: LocationHint }): unknown;
  jurisdiction?(jurisdiction: Jurisdiction): ObjectNamespace;
};

/** The tenant's object of a class; naming it creates it. */
export function objectOf(
  namespace: ObjectNamespace,
  tenant: string,
  locationHint: LocationHint | null = null,
): unknown {
  const jurisdiction = jurisdictionOf(tenant);
  const placed = jurisdiction === null ? namespace : (namespace.jurisdiction?.(jurisdiction) ?? namespace);
  const name = `${tenant}/${EPOCH}`;
  return locationHint === null ? placed.getByName(name) : placed.getByName(name, { locationHint });
}

/** The location of a tenant's objects: in the jurisdiction that its name contains, named by tenant and epoch. */
import { EPOCH } from "../registry/log-entry.ts";
import { type Jurisdiction, type LocationHint, readJurisdiction } from "../registry/tenant.ts";

/** A binding of an object class. Bindings without jurisdictions, as in tests, accept every tenant. */
export type ObjectNamespace = {
  getByName(name: string, options?: { locationHint?: LocationHint }): unknown;
  jurisdiction?(jurisdiction: Jurisdiction): ObjectNamespace;
};

/** The tenant's object of a class; addressing it creates it. */
export function openObject(
  namespace: ObjectNamespace,
  tenant: string,
  locationHint: LocationHint | null = null,
): unknown {
  const jurisdiction = readJurisdiction(tenant);
  const placed = jurisdiction === null ? namespace : (namespace.jurisdiction?.(jurisdiction) ?? namespace);
  const name = `${tenant}/${EPOCH}`;
  return locationHint === null ? placed.getByName(name) : placed.getByName(name, { locationHint });
}

/** Whether the platform keeps objects in a jurisdiction; a runtime on one's own machine keeps them where it is. */
export function offersJurisdiction(namespace: ObjectNamespace, jurisdiction: Jurisdiction): boolean {
  try {
    namespace.jurisdiction?.(jurisdiction);
    return true;
  } catch {
    return false;
  }
}

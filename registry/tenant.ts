/** Tenants: created by administrators; every object, key and row of a tenant is named after it. */

/** Where a tenant's objects may run and store (https://developers.cloudflare.com/durable-objects/reference/data-location/). */
const JURISDICTIONS = ["eu", "fedramp"] as const;
export type Jurisdiction = (typeof JURISDICTIONS)[number];

/** Where a tenant's objects are first created; a hint, unlike a jurisdiction. */
const LOCATION_HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type LocationHint = (typeof LOCATION_HINTS)[number];

type TenantState = "active" | "suspended" | "deleted";

/** A tenant's quotas; null if the tenant has none. */
export type Quotas = {
  /** Registered versions, including soft-deleted ones. */
  versions: number | null;
  /** Bytes in the primary's storage. */
  bytes: number | null;
  requestsPerMinute: number | null;
  /** KiB of schema text compared per minute. */
  comparedKibPerMinute: number | null;
};

export const NO_QUOTAS: Quotas = { versions: null, bytes: null, requestsPerMinute: null, comparedKibPerMinute: null };

export type Tenant = {
  name: string;
  state: TenantState;
  jurisdiction: Jurisdiction | null;
  locationHint: LocationHint | null;
  quotas: Quotas;
  createdAtMs: number;
  createdBy: string;
  /** When the last of a deleted tenant's data was deleted; null before. */
  purgedAtMs: number | null;
};

/** 40 characters keep object names, R2 paths and KV keys short. */
export const MAX_TENANT_CHARACTERS = 40;

/** No underscore, because it separates the parts of an API key. */
const TENANT_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.(?:eu|fedramp))?$/;

export function isTenantName(text: string): boolean {
  return text.length <= MAX_TENANT_CHARACTERS && TENANT_NAME.test(text);
}

/**
 * The jurisdiction is part of the name, as in `acme.eu`. A tenant's name therefore suffices to address its objects in
 * the right place, and a failed lookup can never create them in another.
 */
export function tenantName(name: string, jurisdiction: Jurisdiction | null): string {
  return jurisdiction === null ? name : `${name}.${jurisdiction}`;
}

export function readJurisdiction(tenant: string): Jurisdiction | null {
  const end = tenant.slice(tenant.indexOf(".") + 1);
  return tenant.includes(".") ? (JURISDICTIONS.find((jurisdiction) => jurisdiction === end) ?? null) : null;
}

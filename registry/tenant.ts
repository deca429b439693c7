/** Tenants: what an administrator creates, and what every object, key and row of a tenant is named after. */

/** Where a tenant's objects may run and store (https://developers.cloudflare.com/durable-objects/reference/data-location/). */
export const JURISDICTIONS = ["eu", "fedramp"] as const;
export type Jurisdiction = (typeof JURISDICTIONS)[number];

/** Where a tenant's objects are first created; a wish, unlike a jurisdiction. */
export const LOCATION_HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type LocationHint = (typeof LOCATION_HINTS)[number];

export type TenantState = "active" | "suspended" | "deleted";

/** What a tenant may hold and use; null: no bound of its own. */
export type Quotas = {
  /** Registered versions, soft-deleted ones included. */
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
};

/** 40 characters keep object names, R2 paths and KV keys short. */
export const MAX_TENANT_CHARACTERS = 40;

/** No underscore, which separates the parts of an API key. */
const TENANT_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.(?:eu|fedramp))?$/;

export function isTenantName(text: string): boolean {
  return text.length <= MAX_TENANT_CHARACTERS && TENANT_NAME.test(text);
}

/**
 * The jurisdiction is part of the name, as in `acme.eu`. So whoever has a tenant's name reaches its objects in the right
 * place without asking, and no lost lookup can create them in another.
 */
export function tenantName(name: string, jurisdiction: Jurisdiction | null): string {
  return jurisdiction === null ? name : `${name}.${jurisdiction}`;
}

export function jurisdictionOf(tenant: string): Jurisdiction | null {
  const end = tenant.slice(tenant.indexOf(".") + 1);
  return tenant.includes(".") ? (JURISDICTIONS.find((jurisdiction) => jurisdiction === end) ?? null) : null;
}

/** Access control: grants of roles to keys and to identities of an OIDC issuer. */
import type { Permission } from "./permission.ts";
import type { LifecycleState } from "./record.ts";

/** A role within a scope. Null: unrestricted in this dimension. */
export type Grant = {
  role: string;
  context: string | null;
  subject: { exact: string } | { prefix: string } | null;
  states: readonly LifecycleState[] | null;
  /** A CEL expression over the request and the schema; the grant applies only if it is true. */
  condition: string | null;
};

/** A grant with its role's permissions at the time of the query. */
export type ResolvedGrant = Grant & { permissions: readonly Permission[] };

export const MAX_GRANTS = 32;
export const MAX_ROLES = 100;
export const MAX_KEYS = 10_000;
export const MAX_NAME_CHARACTERS = 128;

/** Whether a grant covers all subjects of its tenant. */
export function isTenantWide({ context, subject, states }: Grant): boolean {
  return context === null && subject === null && states === null;
}

/** An API key without its secrets. */
export type ApiKey = {
  id: string;
  tenant: string;
  name: string;
  grants: readonly Grant[];
  /** Caps the permissions; null: the grants alone decide. */
  scopes: readonly Permission[] | null;
  /** Null: the default of its roles. */
  requestsPerMinute: number | null;
  createdAtMs: number;
  createdBy: string;
  expiresAtMs: number | null;
  revokedAtMs: number | null;
  /** Accurate to two minutes. */
  lastUsedAtMs: number | null;
  /** The current secret last; earlier ones are valid until `endsAtMs`. */
  secrets: readonly { createdAtMs: number; endsAtMs: number | null }[];
};

/** The grants of an identity: `group:<claim value>` or `user:<sub>`. */
export type PrincipalGrants = { principal: string; grants: readonly Grant[] };

export type CustomRole = { name: string; permissions: readonly Permission[] };

/** A change of access control, in order. */
export type AccessChange = {
  seq: number;
  atMs: number;
  tenant: string;
  actor: string;
  requestId: string;
  type: AccessChangeType;
  /** The changed key, role, principal or tenant. */
  about: string;
};

export type AccessChangeType =
  | "key.created"
  | "key.updated"
  | "key.rotated"
  | "key.revoked"
  | "role.changed"
  | "role.deleted"
  | "grant.changed"
  | "grant.deleted"
  | "tenant.created"
  | "tenant.changed"
  | "tenant.deleted"
  | "tenant.purged"
  | "person.erased";

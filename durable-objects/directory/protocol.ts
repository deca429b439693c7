/** RPC between the edge and the DirectoryObject, which holds the deployment's tenants and their access control. */
import type { Refusal } from "../../contract/errors.ts";
import type { AccessChange, ApiKey, CustomRole, Grant, PrincipalGrants, ResolvedGrant } from "../../registry/grant.ts";
import { EPOCH } from "../../registry/log-entry.ts";
import type { Permission } from "../../registry/permission.ts";
import type { Caller } from "../../registry/rpc.ts";
import type { Jurisdiction, LocationHint, Quotas, Tenant } from "../../registry/tenant.ts";
import type { Result } from "../../schema/result.ts";

export const DIRECTORY_VERSION = 1;
/** One object per deployment: keys are read once per minute and isolate, and rarely changed. */
export const DIRECTORY_NAME = `directory/${EPOCH}`;

/** How long an Idempotency-Key is remembered. */
export const REPEAT_MS = 24 * 60 * 60 * 1_000;
/** How long a previous secret may stay valid next to its successor. */
export const MAX_OVERLAP_SECONDS = 7 * 24 * 60 * 60;
export const MAX_TENANTS = 10_000;
export const MAX_LISTED = 1_000;

/** The edge's knowledge of a valid credential. */
export type Resolved = {
  type: "found";
  tenant: Pick<Tenant, "name" | "state" | "quotas">;
  grants: readonly ResolvedGrant[];
};

export type ResolvedKey = Resolved & {
  key: Pick<ApiKey, "id" | "name" | "scopes" | "requestsPerMinute" | "expiresAtMs"> & {
    /** Expiry of the presented secret; null: that of the key. */
    secretEndsAtMs: number | null;
  };
};

/** `unknown` does not reveal whether the key, its secret, its expiry or its tenant is the reason. */
export type Unresolved = { type: "unknown" } | { type: "version" };

/** The person behind the pseudonym has been erased, so a new pseudonym is needed. */
export type Erased = { type: "erased" };

export type NewKey = Pick<ApiKey, "id" | "name" | "grants" | "scopes" | "requestsPerMinute" | "expiresAtMs"> & {
  /** Hex of the secret's keyed hash. */
  hash: string;
};

export type DirectoryCommand =
  | { type: "createKey"; key: NewKey }
  | {
      type: "updateKey";
      id: string;
      changes: Partial<Pick<ApiKey, "name" | "grants" | "scopes" | "requestsPerMinute" | "expiresAtMs">>;
    }
  | { type: "rotateKey"; id: string; hash: string; overlapSeconds: number }
  | { type: "revokeKey"; id: string }
  | { type: "putRole"; name: string; permissions: readonly Permission[] }
  | { type: "deleteRole"; name: string }
  | { type: "putGrants"; principal: string; grants: readonly Grant[] }
  | { type: "deleteGrants"; principal: string }
  | {
      type: "createTenant";
      name: string;
      jurisdiction: Jurisdiction | null;
      locationHint: LocationHint | null;
      quotas: Quotas;
      /** The tenant's first administrator. */
      firstKey: NewKey;
    }
  | { type: "updateTenant"; name: string; state: "active" | "suspended" | null; quotas: Partial<Quotas> }
  | { type: "deleteTenant"; name: string }
  | { type: "erasePerson"; pseudonym: string };

export type DirectoryChange = {
  v: number;
  caller: Caller;
  /** Together with its digest, makes a repeat return the first outcome. */
  idempotency: { key: string; digest: string } | undefined;
  command: DirectoryCommand;
};

export type DirectoryOutcome =
  | { type: "key"; key: ApiKey; repeated: boolean }
  | { type: "role"; role: CustomRole; repeated: boolean }
  | { type: "grants"; grants: PrincipalGrants; repeated: boolean }
  | { type: "tenant"; tenant: Tenant; repeated: boolean }
  | { type: "person"; person: KnownPerson | ErasedPerson; repeated: boolean };

/** name → [arguments, result]. */
export type DirectoryQueries = {
  keys: [{ tenant: string; after: string; limit: number }, ApiKey[]];
  key: [{ tenant: string; id: string }, ApiKey | null];
  roles: [{ tenant: string }, CustomRole[]];
  grants: [{ tenant: string; after: string; limit: number }, PrincipalGrants[]];
  grantsOf: [{ tenant: string; principal: string }, PrincipalGrants | null];
  tenants: [{ after: string; limit: number }, Tenant[]];
  tenant: [{ name: string }, Tenant | null];
  /** Deleted before a time and not completely purged, the oldest deletion first. */
  tenantsToPurge: [{ deletedBeforeMs: number; limit: number }, { name: string; isStarted: boolean }[]];
  /** For the audit: the changes in a tenant after a seq. */
  changes: [{ tenant: string; after: number; limit: number }, AccessChange[]];
  /** Changes that an actor has made, or that are about it. */
  changesBy: [{ tenant: string; actor: string; after: number; limit: number }, AccessChange[]];
  people: [{ tenant: string; after: string; limit: number }, (KnownPerson | ErasedPerson)[]];
  person: [{ tenant: string; pseudonym: string }, KnownPerson | ErasedPerson | null];
};

/** What one run of the cron deleted of a deleted tenant. */
export type PurgeStep = { tenant: string; objects: number; rows: number; isDone: boolean };

/** The person behind a pseudonym in the log, stored outside of it. */
export type Person = { pseudonym: string; issuer: string; subject: string; name: string | null };

export type KnownPerson = Person & { lastSeenAtMs: number; erasedAtMs: null };
/** The remaining data of an erased person. */
export type ErasedPerson = { pseudonym: string; erasedAtMs: number };

export type Directory = {
  resolveKey(args: { v: number; keyId: string; hash: string }): Promise<ResolvedKey | Unresolved>;
  resolveIdentity(args: {
    v: number;
    tenant: string;
    /** Roles that the deployment's settings derive from the identity's claims. */
    roles: readonly string[];
    principals: readonly string[];
    person: Person;
  }): Promise<Resolved | Unresolved | Erased>;
  notePurge(step: { v: number } & PurgeStep): Promise<Result<null, Refusal>>;
  change(change: DirectoryChange): Promise<Result<DirectoryOutcome, Refusal>>;
  ask<K extends keyof DirectoryQueries>(question: {
    v: number;
    name: K;
    args: DirectoryQueries[K][0];
  }): Promise<Result<DirectoryQueries[K][1], Refusal>>;
};

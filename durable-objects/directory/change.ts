/** Decides and applies a change of the directory, in a synchronous block of its caller. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { type AccessChangeType, type ApiKey, type Grant, MAX_KEYS, MAX_ROLES } from "../../registry/grant.ts";
import { DEFAULT_TENANT, isBuiltInRole } from "../../registry/permission.ts";
import type { Caller } from "../../registry/rpc.ts";
import { type Tenant, tenantName } from "../../registry/tenant.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import {
  type DirectoryChange,
  type DirectoryCommand,
  type DirectoryOutcome,
  MAX_TENANTS,
  type NewKey,
  REPEAT_MS,
} from "./protocol.ts";
import type { DirectoryStore, StoredKey, StoredSecret } from "./store.ts";

/** Every rotation adds one; expired ones are dropped. */
const MAX_SECRETS = 3;

type Changed = Result<DirectoryOutcome, Refusal>;

/** Applied once per Idempotency-Key. */
export function changeOnce(store: DirectoryStore, change: DirectoryChange, nowMs: number): Changed {
  const { caller, idempotency, command } = change;
  if (idempotency === undefined) return applyChange(store, caller, command, nowMs);
  store.dropRepeats(nowMs - REPEAT_MS);
  const repeated = store.repeated(caller, idempotency.key);
  if (repeated !== undefined) {
    if (repeated.digest === idempotency.digest) return ok({ ...repeated.outcome, repeated: true });
    return conflict("This Idempotency-Key was used for another request. Use a fresh key for each change.");
  }
  const changed = applyChange(store, caller, command, nowMs);
  if (changed.ok) {
    store.putRepeat(caller, { ...idempotency, outcome: changed.value, atMs: nowMs });
  }
  return changed;
}

function applyChange(store: DirectoryStore, caller: Caller, command: DirectoryCommand, nowMs: number): Changed {
  const changes = new Changes(store, caller, nowMs);
  switch (command.type) {
    case "createKey":
      return changes.createKey(command.key);
    case "updateKey":
      return changes.updateKey(command);
    case "rotateKey":
      return changes.rotateKey(command);
    case "revokeKey":
      return changes.revokeKey(command.id);
    case "putRole":
      return changes.putRole(command);
    case "deleteRole":
      return changes.deleteRole(command.name);
    case "putGrants":
      return changes.putGrants(command);
    case "deleteGrants":
      return changes.deleteGrants(command.principal);
    case "createTenant":
      return changes.createTenant(command);
    case "updateTenant":
      return changes.updateTenant(command);
    case "deleteTenant":
      return changes.deleteTenant(command.name);
    case "erasePerson":
      return changes.erasePerson(command.pseudonym);
  }
}

type CommandOf<Type extends DirectoryCommand["type"]> = Extract<DirectoryCommand, { type: Type }>;

class Changes {
  readonly #store: DirectoryStore;
  readonly #caller: Caller;
  readonly #nowMs: number;

  constructor(store: DirectoryStore, caller: Caller, nowMs: number) {
    this.#store = store;
    this.#caller = caller;
    this.#nowMs = nowMs;
  }

  get #tenant(): string {
    return this.#caller.tenant;
  }

  createKey(wanted: NewKey): Changed {
    if (this.#store.countKeys(this.#tenant) >= MAX_KEYS) {
      return conflict(`A tenant may have at most ${MAX_KEYS} keys. Revoke some first.`);
    }
    return this.#addKey(this.#tenant, wanted);
  }

  updateKey({ id, changes }: CommandOf<"updateKey">): Changed {
    const key = this.#liveKey(id);
    if (!key.ok) return key;
    const unknown = this.#unknownRole(changes.grants ?? []);
    if (unknown !== undefined) return unknown;
    return this.#putKey({ ...key.value, ...changes }, "key.updated");
  }

  rotateKey({ id, hash, overlapSeconds }: CommandOf<"rotateKey">): Changed {
    const key = this.#liveKey(id);
    if (!key.ok) return key;
    const endsAtMs = this.#nowMs + overlapSeconds * 1_000;
    const previous = key.value.secrets
      .map((secret) => ({ ...secret, endsAtMs: Math.min(secret.endsAtMs ?? endsAtMs, endsAtMs) }))
      .filter((secret) => secret.endsAtMs > this.#nowMs);
    if (previous.length >= MAX_SECRETS) {
      return conflict(
        `The key ${id} has ${previous.length} secrets that are still valid. Wait until one has expired, or rotate with overlap_seconds 0.`,
      );
    }
    const secrets: StoredSecret[] = [...previous, { hash, createdAtMs: this.#nowMs, endsAtMs: null }];
    return this.#putKey({ ...key.value, secrets }, "key.rotated");
  }

  revokeKey(id: string): Changed {
    const key = this.#liveKey(id);
    if (!key.ok) return key;
    return this.#putKey({ ...key.value, revokedAtMs: this.#nowMs, secrets: [] }, "key.revoked");
  }

  putRole({ name, permissions }: CommandOf<"putRole">): Changed {
    const isNew = !this.#store.roles(this.#tenant).some((role) => role.name === name);
    if (isNew && this.#store.countRoles(this.#tenant) >= MAX_ROLES) {
      return conflict(`A tenant may have at most ${MAX_ROLES} roles of its own.`);
    }
    const role = { name, permissions };
    this.#store.putRole(this.#tenant, role);
    this.#record("role.changed", name);
    return ok({ type: "role", role, repeated: false });
  }

  deleteRole(name: string): Changed {
    const role = this.#store.roles(this.#tenant).find((known) => known.name === name);
    if (role === undefined) return notFound("ROLE_NOT_FOUND", name, `There is no role "${name}" in this tenant.`);
    if (this.#store.isGranted(this.#tenant, name)) {
      return conflict(`The role "${name}" is granted to a key or an identity. Change those grants first.`);
    }
    this.#store.deleteRole(this.#tenant, name);
    this.#record("role.deleted", name);
    return ok({ type: "role", role, repeated: false });
  }

  putGrants({ principal, grants }: CommandOf<"putGrants">): Changed {
    const unknown = this.#unknownRole(grants);
    if (unknown !== undefined) return unknown;
    const isNew = this.#store.grantsOf(this.#tenant, principal) === undefined;
    if (isNew && this.#store.countPrincipals(this.#tenant) >= MAX_KEYS) {
      return conflict(`A tenant may have grants for at most ${MAX_KEYS} identities and groups.`);
    }
    this.#store.putGrants(this.#tenant, { principal, grants });
    this.#record("grant.changed", principal);
    return ok({ type: "grants", grants: { principal, grants }, repeated: false });
  }

  deleteGrants(principal: string): Changed {
    const grants = this.#store.grantsOf(this.#tenant, principal);
    if (grants === undefined) {
      return notFound("GRANT_NOT_FOUND", principal, `"${principal}" has no grants in this tenant.`);
    }
    this.#store.deleteGrants(this.#tenant, principal);
    this.#record("grant.deleted", principal);
    return ok({ type: "grants", grants, repeated: false });
  }

  createTenant(command: CommandOf<"createTenant">): Changed {
    const { jurisdiction, locationHint, quotas } = command;
    const name = tenantName(command.name, jurisdiction);
    if (this.#store.tenant(name) !== undefined) {
      return conflict(`A tenant "${name}" exists or existed. Names of tenants are never reused.`);
    }
    if (this.#store.countTenants() >= MAX_TENANTS)
      return conflict(`A deployment may have at most ${MAX_TENANTS} tenants.`);
    const tenant: Tenant = {
      name,
      state: "active",
      jurisdiction,
      locationHint,
      quotas,
      createdAtMs: this.#nowMs,
      createdBy: this.#caller.actor,
      purgedAtMs: null,
    };
    const added = this.#addKey(name, command.firstKey);
    if (!added.ok) return added;
    this.#store.putTenant(tenant);
    this.#record("tenant.created", name, name);
    return ok({ type: "tenant", tenant, repeated: false });
  }

  updateTenant({ name, state, quotas }: CommandOf<"updateTenant">): Changed {
    const tenant = this.#existingTenant(name);
    if (!tenant.ok) return tenant;
    if (name === DEFAULT_TENANT && state === "suspended") {
      return conflict("The default tenant administers the others, so it cannot be suspended.");
    }
    const changed = {
      ...tenant.value,
      state: state ?? tenant.value.state,
      quotas: { ...tenant.value.quotas, ...quotas },
    };
    this.#store.putTenant(changed);
    this.#record("tenant.changed", name, name);
    return ok({ type: "tenant", tenant: changed, repeated: false });
  }

  deleteTenant(name: string): Changed {
    const tenant = this.#existingTenant(name);
    if (!tenant.ok) return tenant;
    if (name === DEFAULT_TENANT) return conflict("The default tenant administers the others, so it cannot be deleted.");
    if (tenant.value.state !== "suspended") {
      return conflict(`The tenant "${name}" is active. Suspend it first; a deleted tenant cannot be restored.`);
    }
    const deleted: Tenant = { ...tenant.value, state: "deleted" };
    this.#store.putTenant(deleted);
    this.#store.deleteAccess(name);
    this.#record("tenant.deleted", name, name);
    return ok({ type: "tenant", tenant: deleted, repeated: false });
  }

  /** Erasing an erased person changes nothing. */
  erasePerson(pseudonym: string): Changed {
    const { people } = this.#store;
    const person = people.get(this.#tenant, pseudonym);
    if (person === undefined) {
      return notFound(
        "PERSON_NOT_FOUND",
        pseudonym,
        `No person with the pseudonym "${pseudonym}" has signed in to this tenant.`,
      );
    }
    if (person.erasedAtMs !== null) return ok({ type: "person", person, repeated: false });
    people.erase(this.#tenant, person, this.#nowMs);
    this.#record("person.erased", pseudonym);
    return ok({ type: "person", person: { pseudonym, erasedAtMs: this.#nowMs }, repeated: false });
  }

  #addKey(tenant: string, { hash, ...wanted }: NewKey): Changed {
    if (this.#store.key(wanted.id) !== undefined) return conflict(`The key id ${wanted.id} is taken.`);
    const unknown = this.#unknownRole(wanted.grants, tenant);
    if (unknown !== undefined) return unknown;
    const key: StoredKey = {
      ...wanted,
      tenant,
      secrets: [{ hash, createdAtMs: this.#nowMs, endsAtMs: null }],
      createdAtMs: this.#nowMs,
      createdBy: this.#caller.actor,
      revokedAtMs: null,
      lastUsedAtMs: null,
    };
    return this.#putKey(key, "key.created");
  }

  #putKey(key: StoredKey, type: AccessChangeType): Changed {
    this.#store.putKey(key);
    this.#record(type, key.id, key.tenant);
    return ok({ type: "key", key: withoutHashes(key), repeated: false });
  }

  #liveKey(id: string): Result<StoredKey, Refusal> {
    const key = this.#store.key(id);
    if (key === undefined || key.tenant !== this.#tenant || key.revokedAtMs !== null) {
      return notFound("KEY_NOT_FOUND", id, `There is no key ${id} in this tenant, or it has been revoked.`);
    }
    return ok(key);
  }

  #existingTenant(name: string): Result<Tenant, Refusal> {
    const tenant = this.#store.tenant(name);
    if (tenant === undefined || tenant.state === "deleted") {
      return notFound("TENANT_NOT_FOUND", name, `There is no tenant "${name}".`);
    }
    return ok(tenant);
  }

  #unknownRole(grants: readonly Grant[], tenant = this.#tenant): { ok: false; refusal: Refusal } | undefined {
    const known = new Set(this.#store.roles(tenant).map(({ name }) => name));
    const index = grants.findIndex(({ role }) => !isBuiltInRole(role) && !known.has(role));
    if (index === -1) return undefined;
    const detail = `There is no role "${grants[index]!.role}": grant reader, service, developer, admin, or a role of this tenant.`;
    const items = [{ pointer: `/grants/${index}/role`, rule: "role", message: detail }];
    return refuse(makeRefusal("BAD_REQUEST", [detail], detail, { items }));
  }

  #record(type: AccessChangeType, about: string, tenant = this.#tenant): void {
    const { actor, requestId } = this.#caller;
    this.#store.addChange({ atMs: this.#nowMs, tenant, actor, requestId, type, about });
  }
}

/** A key in the form shown outside the directory. */
export function withoutHashes({ secrets, ...key }: StoredKey): ApiKey {
  return { ...key, secrets: secrets.map(({ createdAtMs, endsAtMs }) => ({ createdAtMs, endsAtMs })) };
}

function conflict(detail: string): { ok: false; refusal: Refusal } {
  return refuse(makeRefusal("CONFLICT", [detail], detail));
}

function notFound(
  error: "KEY_NOT_FOUND" | "ROLE_NOT_FOUND" | "GRANT_NOT_FOUND" | "TENANT_NOT_FOUND" | "PERSON_NOT_FOUND",
  name: string,
  detail: string,
): { ok: false; refusal: Refusal } {
  return refuse(makeRefusal(error, [name], detail));
}

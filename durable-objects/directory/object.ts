/**
 * The deployment's directory: tenants, keys, roles and grants. Credentials are resolved here once per minute and
 * isolate. Secrets never arrive here, only their keyed hashes.
 */
import { DurableObject } from "cloudflare:workers";
import { timingSafeEqual } from "node:crypto";
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { Grant, ResolvedGrant } from "../../registry/grant.ts";
import { permissionsOfRole } from "../../registry/permission.ts";
import type { Tenant } from "../../registry/tenant.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { changeOnce, withoutHashes } from "./change.ts";
import {
  DIRECTORY_VERSION,
  type Directory,
  type DirectoryChange,
  type DirectoryOutcome,
  type DirectoryQueries,
  type Erased,
  MAX_LISTED,
  type PurgeStep,
  type Resolved,
  type ResolvedKey,
  type Unresolved,
} from "./protocol.ts";
import { DirectoryStore, type StoredKey } from "./store.ts";
import { TABLES } from "./tables.ts";

/** The use of a key is recorded at most once in this time. */
const LAST_USED_EVERY_MS = 60_000;

export class DirectoryObject extends DurableObject implements Directory {
  /** A field, so that no caller can reach it over RPC; tests replace it. */
  now = () => Date.now();
  readonly #store: DirectoryStore;

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never);
    ctx.storage.sql.exec(TABLES);
    this.#store = new DirectoryStore(ctx.storage.sql);
  }

  async resolveKey({ v, keyId, hash }: Parameters<Directory["resolveKey"]>[0]): Promise<ResolvedKey | Unresolved> {
    if (v !== DIRECTORY_VERSION) return { type: "version" };
    const nowMs = this.now();
    const key = this.#store.key(keyId);
    const secret = key && workingSecret(key, hash, nowMs);
    const tenant = key && this.#store.tenant(key.tenant);
    if (key === undefined || secret === undefined || tenant === undefined || tenant.state === "deleted") {
      return { type: "unknown" };
    }
    if (nowMs - (key.lastUsedAtMs ?? 0) >= LAST_USED_EVERY_MS) this.#store.touchKey(key.id, nowMs);
    const { id, name, scopes, requestsPerMinute, expiresAtMs } = key;
    return {
      type: "found",
      tenant: shownTenant(tenant),
      grants: this.#resolved(tenant.name, key.grants),
      key: { id, name, scopes, requestsPerMinute, expiresAtMs, secretEndsAtMs: secret.endsAtMs },
    };
  }

  async resolveIdentity(asked: Parameters<Directory["resolveIdentity"]>[0]): Promise<Resolved | Unresolved | Erased> {
    if (asked.v !== DIRECTORY_VERSION) return { type: "version" };
    const tenant = this.#store.tenant(asked.tenant);
    if (tenant === undefined || tenant.state === "deleted") return { type: "unknown" };
    if (this.#store.people.isErased(tenant.name, asked.person.pseudonym)) return { type: "erased" };
    this.#store.people.put(tenant.name, asked.person, this.now());
    const granted = asked.principals.flatMap((principal) => [
      ...(this.#store.grantsOf(tenant.name, principal)?.grants ?? []),
    ]);
    const mapped = asked.roles.map((role) => ({ role, context: null, subject: null, states: null, condition: null }));
    return { type: "found", tenant: shownTenant(tenant), grants: this.#resolved(tenant.name, [...mapped, ...granted]) };
  }

  async change(change: DirectoryChange): Promise<Result<DirectoryOutcome, Refusal>> {
    if (change.v !== DIRECTORY_VERSION) return otherVersion();
    return this.ctx.storage.transactionSync(() => changeOnce(this.#store, change, this.now()));
  }

  async notePurge({ v, ...step }: { v: number } & PurgeStep): Promise<Result<null, Refusal>> {
    if (v !== DIRECTORY_VERSION) return otherVersion();
    this.ctx.storage.transactionSync(() => this.#store.notePurge(step, this.now()));
    return ok(null);
  }

  async ask<K extends keyof DirectoryQueries>({
    v,
    name,
    args,
  }: {
    v: number;
    name: K;
    args: DirectoryQueries[K][0];
  }): Promise<Result<DirectoryQueries[K][1], Refusal>> {
    if (v !== DIRECTORY_VERSION) return otherVersion();
    return ok(this.#answers[name](args));
  }

  readonly #answers: { [K in keyof DirectoryQueries]: (args: DirectoryQueries[K][0]) => DirectoryQueries[K][1] } = {
    keys: ({ tenant, after, limit }) => this.#store.keys(tenant, after, bounded(limit)).map(withoutHashes),
    key: ({ tenant, id }) => {
      const key = this.#store.key(id);
      return key?.tenant === tenant ? withoutHashes(key) : null;
    },
    roles: ({ tenant }) => this.#store.roles(tenant),
    grants: ({ tenant, after, limit }) => this.#store.grants(tenant, after, bounded(limit)),
    grantsOf: ({ tenant, principal }) => this.#store.grantsOf(tenant, principal) ?? null,
    tenants: ({ after, limit }) => this.#store.tenants(after, bounded(limit)),
    tenant: ({ name }) => this.#store.tenant(name) ?? null,
    changesBy: ({ tenant, actor, after, limit }) => this.#store.people.changesBy(tenant, actor, after, bounded(limit)),
    people: ({ tenant, after, limit }) => this.#store.people.list(tenant, after, bounded(limit)),
    person: ({ tenant, pseudonym }) => this.#store.people.get(tenant, pseudonym) ?? null,
    tenantsToPurge: ({ deletedBeforeMs, limit }) => this.#store.tenantsToPurge(deletedBeforeMs, bounded(limit)),
    changes: ({ tenant, after, limit }) => this.#store.changes(tenant, after, bounded(limit)),
  };

  #resolved(tenant: string, grants: readonly Grant[]): ResolvedGrant[] {
    const roles = Object.fromEntries(this.#store.roles(tenant).map(({ name, permissions }) => [name, permissions]));
    return grants.map((grant) => ({ ...grant, permissions: permissionsOfRole(tenant, grant.role, roles) }));
  }
}

/** The secret with this hash, if it and its key are valid at `nowMs`. */
function workingSecret(key: StoredKey, hash: string, nowMs: number) {
  const shown = Buffer.from(hash, "hex");
  const matching = key.secrets.filter((secret) => {
    const kept = Buffer.from(secret.hash, "hex");
    return kept.length === shown.length && timingSafeEqual(kept, shown);
  });
  const isOver = (endsAtMs: number | null) => endsAtMs !== null && endsAtMs <= nowMs;
  if (key.revokedAtMs !== null || isOver(key.expiresAtMs)) return undefined;
  return matching.find(({ endsAtMs }) => !isOver(endsAtMs));
}

function shownTenant({ name, state, quotas }: Tenant): Resolved["tenant"] {
  return { name, state, quotas };
}

function bounded(limit: number): number {
  return Math.max(1, Math.min(limit, MAX_LISTED));
}

function otherVersion(): { ok: false; refusal: Refusal } {
  const detail = "A deployment is in progress: edge and directory run different versions. Retry the request.";
  return refuse(makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: 1 }));
}

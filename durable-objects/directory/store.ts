/** Converts rows of the directory to domain objects. */
import type { AccessChange, ApiKey, CustomRole, Grant, PrincipalGrants } from "../../registry/grant.ts";
import type { Permission } from "../../registry/permission.ts";
import { DEFAULT_TENANT } from "../../registry/permission.ts";
import type { Caller } from "../../registry/rpc.ts";
import { NO_QUOTAS, type Tenant } from "../../registry/tenant.ts";
import { People } from "./people.ts";
import type { DirectoryOutcome, PurgeStep } from "./protocol.ts";

/** A stored secret: its keyed hash, and its expiry if a newer one exists. */
export type StoredSecret = { hash: string; createdAtMs: number; endsAtMs: number | null };
export type StoredKey = Omit<ApiKey, "secrets"> & { secrets: readonly StoredSecret[] };

type KeyRow = {
  id: string;
  tenant: string;
  name: string;
  secrets: string;
  grants: string;
  scopes: string | null;
  requests_per_minute: number | null;
  created_at: number;
  created_by: string;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
};

type TenantRow = {
  name: string;
  state: string;
  jurisdiction: string | null;
  location_hint: string | null;
  quotas: string;
  created_at: number;
  created_by: string;
  purged_at: number | null;
};

const TENANTS =
  "SELECT tenants.*, completed_at AS purged_at FROM tenants LEFT JOIN purges ON purges.tenant = tenants.name";

type ChangeRow = {
  seq: number;
  at: number;
  tenant: string;
  actor: string;
  request_id: string;
  type: string;
  about: string;
};

export class DirectoryStore {
  readonly #sql: SqlStorage;
  readonly people: People;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.people = new People(sql);
  }

  /** The default tenant exists without having been created. */
  tenant(name: string): Tenant | undefined {
    const [row] = this.#sql.exec<TenantRow>(`${TENANTS} WHERE name = ?`, name).toArray();
    if (row !== undefined) return toTenant(row);
    return name === DEFAULT_TENANT ? DEFAULT : undefined;
  }

  tenants(after: string, limit: number): Tenant[] {
    const rows = this.#sql
      .exec<TenantRow>(`${TENANTS} WHERE name > ? ORDER BY name LIMIT ?`, after, limit)
      .toArray()
      .map(toTenant);
    const hasDefault = rows.some(({ name }) => name === DEFAULT_TENANT);
    if (hasDefault || after >= DEFAULT_TENANT || this.#isStored(DEFAULT_TENANT)) return rows;
    return [...rows, DEFAULT].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit);
  }

  putTenant(tenant: Tenant): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO tenants (name, state, jurisdiction, location_hint, quotas, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
      tenant.name,
      tenant.state,
      tenant.jurisdiction,
      tenant.locationHint,
      JSON.stringify(tenant.quotas),
      tenant.createdAtMs,
      tenant.createdBy,
    );
  }

  tenantsToPurge(deletedBeforeMs: number, limit: number): { name: string; isStarted: boolean }[] {
    return this.#sql
      .exec<{ name: string; started: number }>(
        `SELECT t.name, p.tenant IS NOT NULL AS started FROM tenants t LEFT JOIN purges p ON p.tenant = t.name
           JOIN changes c ON c.tenant = t.name AND c.type = 'tenant.deleted'
         WHERE t.state = 'deleted' AND p.completed_at IS NULL AND c.at <= ? ORDER BY c.at, t.name LIMIT ?`,
        deletedBeforeMs,
        limit,
      )
      .toArray()
      .map(({ name, started }) => ({ name, isStarted: started === 1 }));
  }

  /** Adds what a run has deleted; the completion is a change like any other, so that the audit shows it. */
  notePurge({ tenant, objects, rows, isDone }: PurgeStep, nowMs: number): void {
    if (this.tenant(tenant)?.state !== "deleted") throw new Error("Only a deleted tenant is purged.");
    const completedAtMs = isDone ? nowMs : null;
    this.#sql.exec(
      `INSERT INTO purges (tenant, started_at, completed_at, objects, rows) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (tenant) DO UPDATE SET completed_at = excluded.completed_at, objects = purges.objects + excluded.objects,
         rows = purges.rows + excluded.rows`,
      tenant,
      nowMs,
      completedAtMs,
      objects,
      rows,
    );
    if (!isDone) return;
    // In the default tenant, whose auditors remain.
    const by = { atMs: nowMs, tenant: DEFAULT_TENANT, actor: "registry", requestId: "purge" };
    this.addChange({ ...by, type: "tenant.purged", about: tenant });
  }

  key(id: string): StoredKey | undefined {
    const [row] = this.#sql.exec<KeyRow>("SELECT * FROM keys WHERE id = ?", id).toArray();
    return row && toKey(row);
  }

  keys(tenant: string, after: string, limit: number): StoredKey[] {
    return this.#sql
      .exec<KeyRow>("SELECT * FROM keys WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?", tenant, after, limit)
      .toArray()
      .map(toKey);
  }

  countKeys(tenant: string): number {
    return this.#count("SELECT count(*) AS count FROM keys WHERE tenant = ? AND revoked_at IS NULL", tenant);
  }

  countTenants(): number {
    return this.#count("SELECT count(*) AS count FROM tenants WHERE state <> 'deleted'");
  }

  countRoles(tenant: string): number {
    return this.#count("SELECT count(*) AS count FROM roles WHERE tenant = ?", tenant);
  }

  countPrincipals(tenant: string): number {
    return this.#count("SELECT count(*) AS count FROM grants WHERE tenant = ?", tenant);
  }

  putKey(key: StoredKey): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO keys (id, tenant, name, secrets, grants, scopes, requests_per_minute, created_at, created_by,
        expires_at, revoked_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      key.id,
      key.tenant,
      key.name,
      JSON.stringify(key.secrets),
      JSON.stringify(key.grants),
      key.scopes === null ? null : JSON.stringify(key.scopes),
      key.requestsPerMinute,
      key.createdAtMs,
      key.createdBy,
      key.expiresAtMs,
      key.revokedAtMs,
      key.lastUsedAtMs,
    );
  }

  touchKey(id: string, atMs: number): void {
    this.#sql.exec("UPDATE keys SET last_used_at = ? WHERE id = ?", atMs, id);
  }

  /** For a deleted tenant: its name is never reused, but its grants are removed. */
  deleteAccess(tenant: string): void {
    for (const table of ["keys", "roles", "grants", "people", "erased_people", "repeats"]) {
      this.#sql.exec(`DELETE FROM ${table} WHERE tenant = ?`, tenant);
    }
  }

  roles(tenant: string): CustomRole[] {
    return this.#sql
      .exec<{ name: string; permissions: string }>(
        "SELECT name, permissions FROM roles WHERE tenant = ? ORDER BY name",
        tenant,
      )
      .toArray()
      .map(({ name, permissions }) => ({ name, permissions: JSON.parse(permissions) as Permission[] }));
  }

  putRole(tenant: string, { name, permissions }: CustomRole): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO roles (tenant, name, permissions) VALUES (?, ?, ?)",
      tenant,
      name,
      JSON.stringify(permissions),
    );
  }

  deleteRole(tenant: string, name: string): void {
    this.#sql.exec("DELETE FROM roles WHERE tenant = ? AND name = ?", tenant, name);
  }

  /** Whether a valid key or an identity is granted the role. */
  isGranted(tenant: string, role: string): boolean {
    const granted = (table: string, more: string) =>
      this.#count(
        `SELECT count(*) AS count FROM ${table} AS t, json_each(t.grants) AS g
         WHERE t.tenant = ? AND json_extract(g.value, '$.role') = ? ${more}`,
        tenant,
        role,
      ) > 0;
    return granted("keys", "AND t.revoked_at IS NULL") || granted("grants", "");
  }

  grantsOf(tenant: string, principal: string): PrincipalGrants | undefined {
    const [row] = this.#sql
      .exec<{ grants: string }>("SELECT grants FROM grants WHERE tenant = ? AND principal = ?", tenant, principal)
      .toArray();
    return row && { principal, grants: JSON.parse(row.grants) as Grant[] };
  }

  grants(tenant: string, after: string, limit: number): PrincipalGrants[] {
    return this.#sql
      .exec<{ principal: string; grants: string }>(
        "SELECT principal, grants FROM grants WHERE tenant = ? AND principal > ? ORDER BY principal LIMIT ?",
        tenant,
        after,
        limit,
      )
      .toArray()
      .map(({ principal, grants }) => ({ principal, grants: JSON.parse(grants) as Grant[] }));
  }

  putGrants(tenant: string, { principal, grants }: PrincipalGrants): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO grants (tenant, principal, grants) VALUES (?, ?, ?)",
      tenant,
      principal,
      JSON.stringify(grants),
    );
  }

  deleteGrants(tenant: string, principal: string): void {
    this.#sql.exec("DELETE FROM grants WHERE tenant = ? AND principal = ?", tenant, principal);
  }

  addChange(change: Omit<AccessChange, "seq">): void {
    this.#sql.exec(
      "INSERT INTO changes (at, tenant, actor, request_id, type, about) VALUES (?, ?, ?, ?, ?, ?)",
      change.atMs,
      change.tenant,
      change.actor,
      change.requestId,
      change.type,
      change.about,
    );
  }

  changes(tenant: string, after: number, limit: number): AccessChange[] {
    return this.#sql
      .exec<ChangeRow>("SELECT * FROM changes WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?", tenant, after, limit)
      .toArray()
      .map(({ at, request_id, type, ...row }) => ({
        ...row,
        atMs: at,
        requestId: request_id,
        type: type as AccessChange["type"],
      }));
  }

  repeated({ tenant, actor }: Caller, key: string): { digest: string; outcome: DirectoryOutcome } | undefined {
    const [row] = this.#sql
      .exec<{ digest: string; outcome: string }>(
        "SELECT digest, outcome FROM repeats WHERE tenant = ? AND actor = ? AND key = ?",
        tenant,
        actor,
        key,
      )
      .toArray();
    return row && { digest: row.digest, outcome: JSON.parse(row.outcome) as DirectoryOutcome };
  }

  putRepeat(caller: Caller, repeat: { key: string; digest: string; outcome: DirectoryOutcome; atMs: number }): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO repeats (tenant, actor, key, digest, outcome, at) VALUES (?, ?, ?, ?, ?, ?)",
      caller.tenant,
      caller.actor,
      repeat.key,
      repeat.digest,
      JSON.stringify(repeat.outcome),
      repeat.atMs,
    );
  }

  dropRepeats(beforeMs: number): void {
    this.#sql.exec("DELETE FROM repeats WHERE at < ?", beforeMs);
  }

  #isStored(tenant: string): boolean {
    return this.#count("SELECT count(*) AS count FROM tenants WHERE name = ?", tenant) > 0;
  }

  #count(query: string, ...bindings: string[]): number {
    return this.#sql.exec<{ count: number }>(query, ...bindings).one().count;
  }
}

const DEFAULT: Tenant = {
  name: DEFAULT_TENANT,
  state: "active",
  jurisdiction: null,
  locationHint: null,
  quotas: NO_QUOTAS,
  createdAtMs: 0,
  createdBy: "system",
  purgedAtMs: null,
};

function toTenant(row: TenantRow): Tenant {
  return {
    name: row.name,
    state: row.state as Tenant["state"],
    jurisdiction: row.jurisdiction as Tenant["jurisdiction"],
    locationHint: row.location_hint as Tenant["locationHint"],
    quotas: JSON.parse(row.quotas) as Tenant["quotas"],
    createdAtMs: row.created_at,
    createdBy: row.created_by,
    purgedAtMs: row.purged_at,
  };
}

function toKey(row: KeyRow): StoredKey {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    secrets: JSON.parse(row.secrets) as StoredSecret[],
    grants: JSON.parse(row.grants) as Grant[],
    scopes: row.scopes === null ? null : (JSON.parse(row.scopes) as Permission[]),
    requestsPerMinute: row.requests_per_minute,
    createdAtMs: row.created_at,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at,
    revokedAtMs: row.revoked_at,
    lastUsedAtMs: row.last_used_at,
  };
}

/** Administration of keys, roles, grants and tenants. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { callDirectory, DirectoryUnreachable } from "../../durable-objects/directory/client.ts";
import {
  DIRECTORY_VERSION,
  type DirectoryCommand,
  type DirectoryOutcome,
  type DirectoryQueries,
  type NewKey,
} from "../../durable-objects/directory/protocol.ts";
import { KEY_ID_BYTES, printApiKey, SECRET_BYTES } from "../../registry/api-key.ts";
import type { Grant } from "../../registry/grant.ts";
import { DEFAULT_TENANT, isBuiltInRole, type Permission, permissionsOfRole } from "../../registry/permission.ts";
import type { Caller } from "../../registry/rpc.ts";
import { sha256Hex } from "../../schema/content-hash.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { Actor, Edge } from "../edge.ts";
import { compileCondition } from "./conditions.ts";
import { hashSecret } from "./key-hash.ts";
import { exceeds } from "./within.ts";

export type Administrator = { edge: Edge; actor: Actor; caller: Caller; idempotencyKey: string | undefined };

type WantedKey = Pick<NewKey, "name" | "grants" | "scopes" | "requestsPerMinute" | "expiresAtMs">;
export type KeyChanges = Partial<WantedKey>;
type NewTenant = Omit<Extract<DirectoryCommand, { type: "createTenant" }>, "type" | "firstKey">;

type Outcome<Type extends DirectoryOutcome["type"]> = Extract<DirectoryOutcome, { type: Type }>;
/** `text` is the key itself, for a change that was made just now. */
type WithText<Type extends DirectoryOutcome["type"]> = Outcome<Type> & { text: string | undefined };

export async function createKey(by: Administrator, wanted: WantedKey): Promise<Result<WithText<"key">, Refusal>> {
  const problem = (await grantProblem(by, wanted.grants)) ?? expiryProblem(by.edge, wanted.expiresAtMs);
  if (problem !== undefined) return refuse(problem);
  const made = makeSecret(by.edge, by.caller.tenant, randomHex(KEY_ID_BYTES));
  if (!made.ok) return made;
  const { keyId, hash, text } = made.value;
  const changed = await change(by, { type: "createKey", key: { ...wanted, id: keyId, hash } }, wanted);
  return withText<"key">(changed, text);
}

export async function updateKey(
  by: Administrator,
  id: string,
  changes: KeyChanges,
): Promise<Result<Outcome<"key">, Refusal>> {
  const problem =
    (changes.grants && (await grantProblem(by, changes.grants))) ?? expiryProblem(by.edge, changes.expiresAtMs ?? null);
  if (problem !== undefined) return refuse(problem);
  const within = await requireKeyWithin(by, id);
  if (!within.ok) return within;
  return change<"key">(by, { type: "updateKey", id, changes });
}

export async function rotateKey(
  by: Administrator,
  id: string,
  overlapSeconds: number,
): Promise<Result<WithText<"key">, Refusal>> {
  const within = await requireKeyWithin(by, id);
  if (!within.ok) return within;
  const made = makeSecret(by.edge, by.caller.tenant, id);
  if (!made.ok) return made;
  const { hash, text } = made.value;
  const changed = await change(by, { type: "rotateKey", id, hash, overlapSeconds }, { id, overlapSeconds });
  return withText<"key">(changed, text);
}

export function revokeKey(by: Administrator, id: string): Promise<Result<Outcome<"key">, Refusal>> {
  return change<"key">(by, { type: "revokeKey", id });
}

export async function putRole(
  by: Administrator,
  name: string,
  permissions: readonly Permission[],
): Promise<Result<Outcome<"role">, Refusal>> {
  if (isBuiltInRole(name)) {
    return refused("CONFLICT", `The role "${name}" is built in. Choose another name for a role of your own.`);
  }
  const missing = permissions.find(
    (permission) => !by.actor.permissions.has(permission) || by.actor.narrowed?.has(permission),
  );
  if (missing !== undefined) {
    return refused("FORBIDDEN", `Adding "${missing}" to a role requires that permission in the whole tenant.`);
  }
  if (permissions.includes("admin:tenants") && by.caller.tenant !== DEFAULT_TENANT) {
    return refused("FORBIDDEN", `Only roles of the tenant "${DEFAULT_TENANT}" can administer tenants.`);
  }
  return change<"role">(by, { type: "putRole", name, permissions });
}

export function deleteRole(by: Administrator, name: string): Promise<Result<Outcome<"role">, Refusal>> {
  return change<"role">(by, { type: "deleteRole", name });
}

export async function putGrants(
  by: Administrator,
  principal: string,
  grants: readonly Grant[],
): Promise<Result<Outcome<"grants">, Refusal>> {
  const problem = await grantProblem(by, grants);
  if (problem !== undefined) return refuse(problem);
  return change<"grants">(by, { type: "putGrants", principal, grants });
}

export function deleteGrants(by: Administrator, principal: string): Promise<Result<Outcome<"grants">, Refusal>> {
  return change<"grants">(by, { type: "deleteGrants", principal });
}

/** Creates the tenant's objects near its location hint; the caller then addresses its primary. */
export async function createTenant(
  by: Administrator,
  tenant: NewTenant & { fullName: string },
): Promise<Result<WithText<"tenant">, Refusal>> {
  const { fullName, ...wanted } = tenant;
  const made = makeSecret(by.edge, fullName, randomHex(KEY_ID_BYTES));
  if (!made.ok) return made;
  const { keyId, hash, text } = made.value;
  const admin: Grant = { role: "admin", context: null, subject: null, states: null, condition: null };
  const firstKey: NewKey = {
    id: keyId,
    hash,
    name: "first administrator",
    grants: [admin],
    scopes: null,
    requestsPerMinute: null,
    expiresAtMs: null,
  };
  const changed = await change(by, { type: "createTenant", ...wanted, firstKey }, wanted);
  return withText<"tenant">(changed, text);
}

export function updateTenant(
  by: Administrator,
  changes: Omit<Extract<DirectoryCommand, { type: "updateTenant" }>, "type">,
): Promise<Result<Outcome<"tenant">, Refusal>> {
  return change<"tenant">(by, { type: "updateTenant", ...changes });
}

export function deleteTenant(by: Administrator, name: string): Promise<Result<Outcome<"tenant">, Refusal>> {
  return change<"tenant">(by, { type: "deleteTenant", name });
}

export function erasePerson(by: Administrator, pseudonym: string): Promise<Result<Outcome<"person">, Refusal>> {
  return change<"person">(by, { type: "erasePerson", pseudonym });
}

export async function askDirectory<K extends keyof DirectoryQueries>(
  edge: Pick<Edge, "env">,
  name: K,
  args: DirectoryQueries[K][0],
): Promise<Result<DirectoryQueries[K][1], Refusal>> {
  return reachable(() => callDirectory(edge.env, (directory) => directory.ask({ v: DIRECTORY_VERSION, name, args })));
}

/** `digested` identifies a repeated request; a fresh secret does not make it a different one. */
async function change<Type extends DirectoryOutcome["type"]>(
  { edge, caller, idempotencyKey }: Administrator,
  command: DirectoryCommand,
  digested: unknown = command,
): Promise<Result<Outcome<Type>, Refusal>> {
  const idempotency =
    idempotencyKey === undefined
      ? undefined
      : { key: idempotencyKey, digest: sha256Hex(JSON.stringify([command.type, digested])) };
  const changed = await reachable(() =>
    callDirectory(edge.env, (directory) => directory.change({ v: DIRECTORY_VERSION, caller, idempotency, command })),
  );
  edge.forgetCredentials();
  return changed as Result<Outcome<Type>, Refusal>;
}

async function reachable<T>(call: () => Promise<Result<T, Refusal>>): Promise<Result<T, Refusal>> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof DirectoryUnreachable) return refuse(error.refusal);
    throw error;
  }
}

function withText<Type extends DirectoryOutcome["type"]>(
  changed: Result<DirectoryOutcome, Refusal>,
  text: string,
): Result<WithText<Type>, Refusal> {
  if (!changed.ok) return changed;
  return ok({ ...changed.value, text: changed.value.repeated ? undefined : text } as WithText<Type>);
}

function makeSecret(
  { settings }: Edge,
  tenant: string,
  keyId: string,
): Result<{ keyId: string; hash: string; text: string }, Refusal> {
  const { hashKey } = settings.access;
  if (hashKey === undefined) {
    return refused(
      "NOT_CONFIGURED",
      "This deployment cannot create keys: ACCESS_HASH_KEY is not set (docs/deploy.md).",
    );
  }
  const secret = randomHex(SECRET_BYTES);
  return ok({ keyId, hash: hashSecret(hashKey, { keyId, secret }), text: printApiKey({ tenant, keyId, secret }) });
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}

function expiryProblem(edge: Edge, expiresAtMs: number | null): Refusal | undefined {
  if (expiresAtMs === null || expiresAtMs > edge.now()) return undefined;
  const detail = "expires_at must be in the future.";
  return makeRefusal("BAD_REQUEST", [detail], detail, {
    items: [{ pointer: "/expires_at", rule: "expiry", message: detail }],
  });
}

/** Callers cannot grant permissions that they do not hold, nor a condition that does not compile. */
async function grantProblem(
  { edge, actor, caller }: Administrator,
  grants: readonly Grant[],
): Promise<Refusal | undefined> {
  for (const [index, { condition }] of grants.entries()) {
    const compiled = condition === null ? undefined : compileCondition(condition);
    if (compiled === undefined || compiled.ok) continue;
    const detail = `The condition cannot be evaluated: ${compiled.refusal}`;
    const items = [{ pointer: `/grants/${index}/condition`, rule: "condition", message: detail }];
    return makeRefusal("BAD_REQUEST", [detail], detail, { items });
  }
  const roles = await askDirectory(edge, "roles", { tenant: caller.tenant });
  if (!roles.ok) return roles.refusal;
  const custom = Object.fromEntries(roles.value.map(({ name, permissions }) => [name, permissions]));
  for (const [index, grant] of grants.entries()) {
    const missing = exceeds(actor, grant, permissionsOfRole(caller.tenant, grant.role, custom));
    if (missing === undefined) continue;
    const detail = `A grant cannot exceed the caller's permissions: the role "${grant.role}" includes "${missing}" there, which this credential lacks.`;
    const items = [{ pointer: `/grants/${index}`, rule: "escalation", message: detail }];
    return makeRefusal("FORBIDDEN", [detail], detail, { items });
  }
  return undefined;
}

/**
 * The caller who receives a key's new secret can do what the key can, so the key must not exceed the caller's own permissions.
 */
async function requireKeyWithin(by: Administrator, id: string): Promise<Result<null, Refusal>> {
  const key = await askDirectory(by.edge, "key", { tenant: by.caller.tenant, id });
  if (!key.ok) return key;
  const problem = key.value === null ? undefined : await grantProblem(by, key.value.grants);
  return problem === undefined ? ok(null) : refuse(problem);
}

function refused(error: "CONFLICT" | "FORBIDDEN" | "NOT_CONFIGURED", detail: string): { ok: false; refusal: Refusal } {
  return refuse(makeRefusal(error, [detail], detail));
}

/**
 * Authenticates every request first. A credential that was resolved within the last minute is found by its text, so a
 * hot read does not wait here; the lookup's hash is seeded per isolate, and only a caller with the whole text finds an
 * entry. Any other credential is hashed, compared in constant time, and resolved by the directory.
 */
import { makeRefusal } from "../../../contract/errors.ts";
import { callDirectory, DirectoryUnreachable } from "../../../durable-objects/directory/client.ts";
import { DIRECTORY_VERSION, type Resolved, type ResolvedKey } from "../../../durable-objects/directory/protocol.ts";
import { BUILT_IN_ROLES, DEFAULT_TENANT, PERMISSIONS } from "../../../registry/permission.ts";
import { NO_QUOTAS } from "../../../registry/tenant.ts";
import { combineGrants } from "../../access/access.ts";
import { hashSecret, isSameHash, personPseudonym } from "../../access/key-hash.ts";
import type { AccessSettings } from "../../access/settings.ts";
import { IssuerUnreachable, TokenVerifier, type VerifiedToken } from "../../access/tokens.ts";
import type { Actor, Bindings } from "../../edge.ts";
import { ADMIN_REQUESTS_PER_MINUTE, requestsPerMinute } from "../../limits/limits.ts";
import { localActor } from "../actor.ts";
import { RegistryError } from "../errors.ts";
import { type Credential, credentialText, parseCredential } from "./credential.ts";

/** How long an isolate that has just resolved a revoked key may still accept it. */
export const FRESH_MS = 60_000;
/** How long confirmed keys keep working while the directory is unreachable. */
export const STALE_MS = 10 * 60_000;
/** About 1 KiB each. */
const MAX_REMEMBERED = 4_096;

/** One call of the directory each. People erased more often than that are not admitted again. */
export const MAX_ERASURES = 16;

type Remembered = { actor: Actor; freshUntilMs: number; staleUntilMs: number };

/** A resolved credential; `endsAtMs` is its own expiry. */
type Admitted = { actor: Actor; endsAtMs: number | null };

type Asked = { env: Bindings; settings: AccessSettings; nowMs: number };

export class Admission {
  readonly #remembered = new Map<string, Remembered>();
  readonly #tokens = new TokenVerifier();

  /** The actor of a credential that was resolved within the last minute. */
  known(request: Request, nowMs: number): Actor | undefined {
    const text = credentialText(request.headers);
    const known = text === undefined ? undefined : this.#remembered.get(text);
    return known !== undefined && nowMs < known.freshUntilMs ? known.actor : undefined;
  }

  /** Called after a change of keys, roles or grants, so that this isolate queries again. */
  forget(): void {
    this.#remembered.clear();
  }

  /** Throws the refusal of a caller without access. */
  async resolve(request: Request, asked: Asked): Promise<Actor> {
    const text = credentialText(request.headers);
    const known = text === undefined ? undefined : this.#remembered.get(text);
    const { nowMs } = asked;
    let admitted: Admitted | undefined;
    try {
      admitted = await resolveCredential(parseCredential(request.headers), asked, this.#tokens);
    } catch (error) {
      if (!(error instanceof DirectoryUnreachable || error instanceof IssuerUnreachable)) throw error;
      if (known !== undefined && nowMs < known.staleUntilMs) return known.actor;
      throw new RegistryError(error.refusal);
    }
    if (admitted === undefined) {
      if (text !== undefined) this.#remembered.delete(text);
      throw unauthorized("The credential is not valid: it is unknown, expired or revoked.");
    }
    if (text !== undefined) this.#remember(text, admitted, nowMs);
    return admitted.actor;
  }

  #remember(text: string, { actor, endsAtMs }: Admitted, nowMs: number): void {
    const end = endsAtMs ?? Number.POSITIVE_INFINITY;
    this.#remembered.delete(text);
    this.#remembered.set(text, {
      actor,
      freshUntilMs: Math.min(nowMs + FRESH_MS, end),
      staleUntilMs: Math.min(nowMs + STALE_MS, end),
    });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(oldest!);
  }
}

async function resolveCredential(
  credential: Credential,
  asked: Asked,
  tokens: TokenVerifier,
): Promise<Admitted | undefined> {
  switch (credential.type) {
    case "none":
      throw unauthorized("This registry requires a credential: an API key or a token.");
    case "malformed":
      throw unauthorized(credential.detail);
    case "key":
      return resolveKey(credential, asked);
    case "token":
      return resolveToken(credential.token, asked, tokens);
  }
}

type KeyCredential = Extract<Credential, { type: "key" }>;

async function resolveKey(credential: KeyCredential, { env, settings }: Asked): Promise<Admitted | undefined> {
  const { keyId } = credential;
  const hash = hashSecret(settings.hashKey!, credential);
  const first = settings.firstAdministrator;
  if (first?.keyId === keyId) {
    const isFirst = isSameHash(first.hash, hash) && (credential.tenant ?? DEFAULT_TENANT) === DEFAULT_TENANT;
    return isFirst ? { actor: firstAdministrator(keyId), endsAtMs: null } : undefined;
  }
  const resolved = await callDirectory(env, (directory) => directory.resolveKey({ v: DIRECTORY_VERSION, keyId, hash }));
  if (resolved.type === "version") throw new DirectoryUnreachable();
  if (resolved.type === "unknown" || resolved.tenant.name !== (credential.tenant ?? resolved.tenant.name)) {
    return undefined;
  }
  requireActive(resolved.tenant);
  return { actor: keyActor(resolved), endsAtMs: earliest(resolved.key.expiresAtMs, resolved.key.secretEndsAtMs) };
}

/** The first key of a deployment: it administers, and works without the directory. */
function firstAdministrator(keyId: string): Actor {
  const grant = { role: "admin", context: null, subject: null, states: null, condition: null };
  const identity = {
    type: "key" as const,
    name: "first administrator",
    grants: [{ ...grant, permissions: BUILT_IN_ROLES.admin }],
    expiresAtMs: null,
  };
  const actor = `key:${keyId}`;
  const limits = toLimits({ name: DEFAULT_TENANT, quotas: NO_QUOTAS }, actor, ADMIN_REQUESTS_PER_MINUTE);
  return { tenant: DEFAULT_TENANT, actor, permissions: new Set(PERMISSIONS), clientId: keyId, limits, identity };
}

function keyActor({ tenant, grants, key }: ResolvedKey): Actor {
  const { permissions, narrowed } = combineGrants(grants, key.scopes);
  return {
    tenant: tenant.name,
    actor: `key:${key.id}`,
    permissions,
    ...(narrowed === undefined ? {} : { narrowed }),
    clientId: key.id,
    limits: toLimits(tenant, `key:${key.id}`, key.requestsPerMinute ?? requestsPerMinute(grants)),
    identity: { type: "key", name: key.name, grants, expiresAtMs: key.expiresAtMs },
  };
}

async function resolveToken(
  token: string,
  { env, settings, nowMs }: Asked,
  tokens: TokenVerifier,
): Promise<Admitted | undefined> {
  const verified = await tokens.verify(token, settings.issuers, nowMs);
  if (!verified.ok) throw unauthorized(verified.refusal);
  const { issuer, subject, name, tenant, roles, principals, expiresAtMs } = verified.value;
  // An erased person who signs in again is another one to the log.
  for (let erasures = 0; erasures <= MAX_ERASURES; erasures += 1) {
    const pseudonym = personPseudonym(settings.hashKey!, { issuer, subject }, erasures);
    const person = { pseudonym, issuer, subject, name };
    const resolved = await callDirectory(env, (directory) =>
      directory.resolveIdentity({ v: DIRECTORY_VERSION, tenant, roles, principals, person }),
    );
    if (resolved.type === "version") throw new DirectoryUnreachable();
    if (resolved.type === "unknown") return undefined;
    if (resolved.type === "erased") continue;
    requireActive(resolved.tenant);
    return { actor: tokenActor(verified.value, pseudonym, resolved), endsAtMs: expiresAtMs };
  }
  return undefined;
}

function tokenActor(
  { name, clientId, expiresAtMs, needsSecondFactor }: VerifiedToken,
  pseudonym: string,
  { tenant, grants }: Resolved,
): Actor {
  const { permissions, narrowed } = combineGrants(grants, null);
  return {
    tenant: tenant.name,
    actor: pseudonym,
    permissions,
    ...(narrowed === undefined ? {} : { narrowed }),
    clientId,
    limits: toLimits(tenant, pseudonym, requestsPerMinute(grants)),
    identity: { type: "token", name, grants, expiresAtMs },
    ...(needsSecondFactor === undefined ? {} : { needsSecondFactor }),
  };
}

function toLimits(
  { name, quotas }: Pick<Resolved["tenant"], "name" | "quotas">,
  actor: string,
  perMinute: number,
): NonNullable<Actor["limits"]> {
  return { name: `${name}/${actor}`, requestsPerMinute: perMinute, quotas };
}

function requireActive({ name, state }: { name: string; state: string }): void {
  if (state === "active") return;
  const detail = `The tenant "${name}" is suspended. Its data is kept; an administrator of the deployment can reactivate it.`;
  throw new RegistryError(makeRefusal("FORBIDDEN", [detail], detail));
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** Names both schemes, for clients that send their credential only when challenged. */
function unauthorized(detail: string): RegistryError {
  return new RegistryError(makeRefusal("UNAUTHORIZED", [], detail), {
    "WWW-Authenticate": 'Bearer realm="schema registry", Basic realm="schema registry", charset="UTF-8"',
  });
}

const CLOSED_RETRY_SECONDS = 60;

/** Throws the reason why this deployment serves nothing. */
export function requireOpen({ closedBecause: reason }: AccessSettings): void {
  if (reason === undefined) return;
  throw new RegistryError(makeRefusal("CLOSED", [reason], reason, { retryAfterSeconds: CLOSED_RETRY_SECONDS }));
}

const VISITOR: Actor = { tenant: DEFAULT_TENANT, actor: "visitor", permissions: new Set() };

/** The actor of requests that need no credential. */
export function visitor({ isRequired }: AccessSettings): Actor {
  return isRequired ? VISITOR : localActor();
}

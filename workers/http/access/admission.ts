/**
 * Authenticates every request first. A credential that was resolved within the last minute is found by its text, so a
 * hot read does not wait here; the lookup's hash is seeded per isolate, and only a caller with the whole text finds an
 * entry. Any other credential is hashed, compared in constant time, and resolved by the directory.
 */
import { makeRefusal } from "../../../contract/errors.ts";
import { callDirectory, DirectoryUnreachable } from "../../../durable-objects/directory/client.ts";
import { DIRECTORY_VERSION, type ResolvedKey } from "../../../durable-objects/directory/protocol.ts";
import { BUILT_IN_ROLES, DEFAULT_TENANT, PERMISSIONS } from "../../../registry/permission.ts";
import { combineGrants } from "../../access/access.ts";
import { hashSecret, isSameHash } from "../../access/key-hash.ts";
import type { AccessSettings } from "../../access/settings.ts";
import type { Actor, Bindings } from "../../edge.ts";
import { localActor } from "../actor.ts";
import { RegistryError } from "../errors.ts";
import { type Credential, credentialText, parseCredential } from "./credential.ts";

/** How long an isolate that has just resolved a revoked key may still accept it. */
export const FRESH_MS = 60_000;
/** How long confirmed keys keep working while the directory is unreachable. */
export const STALE_MS = 10 * 60_000;
/** About 1 KiB each. */
export const MAX_REMEMBERED = 4_096;

type Remembered = { actor: Actor; freshUntilMs: number; staleUntilMs: number };

/** A resolved credential; `endsAtMs` is its own expiry. */
export type Admitted = { actor: Actor; endsAtMs: number | null };

type Asked = { env: Bindings; settings: AccessSettings; nowMs: number };

export class Admission {
  readonly #remembered = new Map<string, Remembered>();

  /** The actor, synchronously if it is cached. Throws the refusal of an unauthenticated caller. */
  admit(request: Request, asked: Asked): Actor | Promise<Actor> {
    const { settings, nowMs } = asked;
    if (!settings.isRequired) return localActor();
    const text = credentialText(request.headers);
    const known = text === undefined ? undefined : this.#remembered.get(text);
    if (known !== undefined && nowMs < known.freshUntilMs) return known.actor;
    return this.#resolve(parseCredential(request.headers), text, known, asked);
  }

  /** Called after a change of keys, roles or grants, so that this isolate queries again. */
  forget(): void {
    this.#remembered.clear();
  }

  async #resolve(
    credential: Credential,
    text: string | undefined,
    known: Remembered | undefined,
    asked: Asked,
  ): Promise<Actor> {
    const { nowMs } = asked;
    let admitted: Admitted | undefined;
    try {
      admitted = await resolveCredential(credential, asked);
    } catch (error) {
      if (!(error instanceof DirectoryUnreachable)) throw error;
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

async function resolveCredential(credential: Credential, asked: Asked): Promise<Admitted | undefined> {
  switch (credential.type) {
    case "none":
      throw unauthorized("This registry requires a credential: an API key or a token.");
    case "malformed":
      throw unauthorized(credential.detail);
    case "key":
      return resolveKey(credential, asked);
    case "token":
      throw unauthorized("This registry does not accept tokens.");
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
  return { tenant: DEFAULT_TENANT, actor, permissions: new Set(PERMISSIONS), clientId: keyId, identity };
}

function keyActor({ tenant, grants, key }: ResolvedKey): Actor {
  const { permissions, narrowed } = combineGrants(grants, key.scopes);
  return {
    tenant: tenant.name,
    actor: `key:${key.id}`,
    permissions,
    ...(narrowed === undefined ? {} : { narrowed }),
    clientId: key.id,
    identity: { type: "key", name: key.name, grants, expiresAtMs: key.expiresAtMs },
  };
}

export function requireActive({ name, state }: { name: string; state: string }): void {
  if (state === "active") return;
  const detail = `The tenant "${name}" is suspended. Its data is kept; an administrator of the deployment can reactivate it.`;
  throw new RegistryError(makeRefusal("FORBIDDEN", [detail], detail));
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** Names both schemes, for clients that send their credential only when challenged. */
export function unauthorized(detail: string): RegistryError {
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

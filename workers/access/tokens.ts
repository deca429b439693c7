/**
 * Tokens of OIDC issuers. jose verifies them; this file decides which keys to use and for how long. Keys are kept as
 * plain data, because a promise created by one request must not be awaited by another.
 */
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { withinDeadline } from "../../registry/deadline.ts";
import { isTenantName } from "../../registry/tenant.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { Issuer } from "./settings.ts";

/** How long an issuer's keys are trusted: the maximum time that a withdrawn key is still accepted. */
export const KEYS_FRESH_MS = 10 * 60_000;
/**
 * A token may name a key that is newer than the cached ones; this interval limits how often such tokens trigger a
 * fetch.
 */
export const KEYS_RETRY_MS = 30_000;
const KEYS_DEADLINE_MS = 3_000;
/** Ten times the size of a large issuer's documents. */
export const MAX_KEYS_BYTES = 128 * 1024;
/** Maximum number of values of the roles claim; each is looked up. */
export const MAX_CLAIM_VALUES = 100;
const MAX_CLAIM_VALUE_CHARACTERS = 256;

/** The identity in a verified token. */
export type VerifiedToken = {
  issuer: string;
  subject: string;
  name: string | null;
  tenant: string;
  clientId: string;
  /** Roles that the settings assign to the claim's values. */
  roles: readonly string[];
  /** For grants: `group:` with each value, and `user:` with the subject. */
  principals: readonly string[];
  expiresAtMs: number;
  /** The reason it must not be used for administration; undefined if it may. */
  needsSecondFactor: string | undefined;
};

/** The issuer's keys are currently unavailable. */
export class IssuerUnreachable extends Error {
  readonly refusal: Refusal;

  constructor(issuer: string, cause?: unknown) {
    super("The issuer's keys cannot be read.", { cause });
    const detail = `The keys of the token's issuer ${issuer} cannot be read at the moment. Repeat the request.`;
    this.refusal = makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: 5 });
  }
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type KnownKeys = { keys: JSONWebKeySet; readAtMs: number };

export class TokenVerifier {
  readonly #known = new Map<string, KnownKeys>();
  readonly #fetch: Fetch;

  constructor(fetchKeys: Fetch = (url, init) => fetch(url, init)) {
    this.#fetch = fetchKeys;
  }

  /**
   * The token's claims as the registry reads them, or the reason for the refusal. Throws if the issuer's keys cannot be
   * read.
   */
  async verify(token: string, issuers: readonly Issuer[], nowMs: number): Promise<Result<VerifiedToken, string>> {
    const issuer = findIssuer(token, issuers);
    if (issuer === undefined) return refuse("The token's issuer is not one that this registry takes tokens from.");
    try {
      return readClaims(await this.#verified(token, issuer, nowMs), issuer);
    } catch (error) {
      if (error instanceof errors.JOSEError) return refuse(describeError(error));
      throw error;
    }
  }

  async #verified(token: string, issuer: Issuer, nowMs: number): Promise<JWTPayload> {
    const known = await this.#keysOf(issuer, nowMs, KEYS_FRESH_MS);
    try {
      return await verifyWith(known, token, issuer, nowMs);
    } catch (error) {
      const isUnknownKey = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknownKey) throw error;
      const newer = await this.#keysOf(issuer, nowMs, KEYS_RETRY_MS);
      if (newer === known) throw error;
      return verifyWith(newer, token, issuer, nowMs);
    }
  }

  async #keysOf(issuer: Issuer, nowMs: number, maxAgeMs: number): Promise<JSONWebKeySet> {
    const known = this.#known.get(issuer.issuer);
    if (known !== undefined && nowMs - known.readAtMs < maxAgeMs) return known.keys;
    try {
      const keys = await withinDeadline(KEYS_DEADLINE_MS, this.#readKeys(issuer), () => {
        throw new Error("The issuer does not answer.");
      });
      this.#known.set(issuer.issuer, { keys, readAtMs: nowMs });
      return keys;
    } catch (error) {
      throw new IssuerUnreachable(issuer.issuer, error);
    }
  }

  async #readKeys(issuer: Issuer): Promise<JSONWebKeySet> {
    const address = issuer.jwksUri ?? (await this.#discover(issuer.issuer));
    const { keys } = (await this.#readJson(address)) as Partial<JSONWebKeySet>;
    if (!Array.isArray(keys)) throw new Error("The issuer's key set has no keys.");
    return { keys };
  }

  /**
   * OpenID Connect Discovery 1.0 §4: the document must name this issuer, and its keys must be served as securely as the
   * issuer.
   */
  async #discover(issuer: string): Promise<string> {
    const found = (await this.#readJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)) as {
      issuer?: unknown;
      jwks_uri?: unknown;
    };
    const address = URL.parse(String(found.jwks_uri));
    if (found.issuer !== issuer || address?.protocol !== new URL(issuer).protocol) {
      throw new Error("The issuer's discovery document is not about this issuer.");
    }
    return address.href;
  }

  async #readJson(address: string): Promise<unknown> {
    const response = await this.#fetch(address, { redirect: "manual", headers: { Accept: "application/json" } });
    if (response.status !== 200) throw new Error(`The issuer answers ${response.status}.`);
    return JSON.parse(await readAtMost(response, MAX_KEYS_BYTES));
  }
}

async function readAtMost(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`The issuer's document is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function verifyWith(keys: JSONWebKeySet, token: string, issuer: Issuer, nowMs: number): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer: issuer.issuer,
    audience: [...issuer.audiences],
    algorithms: [...issuer.algorithms],
    clockTolerance: issuer.clockSkewSeconds,
    currentDate: new Date(nowMs),
    requiredClaims: ["sub", "exp"],
  });
  return payload;
}

/** The unverified claim, used only to choose the keys. */
function findIssuer(token: string, issuers: readonly Issuer[]): Issuer | undefined {
  try {
    const { iss } = decodeJwt(token);
    return issuers.find(({ issuer }) => issuer === iss);
  } catch {
    return undefined;
  }
}

function readClaims(claims: JWTPayload, issuer: Issuer): Result<VerifiedToken, string> {
  const tenant = "name" in issuer.tenant ? issuer.tenant.name : claimAt(claims, issuer.tenant.claim);
  if (typeof tenant !== "string" || !isTenantName(tenant)) return refuse("The token does not name a tenant.");
  const values = toTexts(claimAt(claims, issuer.rolesClaim));
  if (values.length > MAX_CLAIM_VALUES) {
    return refuse(`The token's roles claim has more than ${MAX_CLAIM_VALUES} values.`);
  }
  const subject = claims.sub!;
  const client = [claims.azp, claims.client_id].find((value) => typeof value === "string");
  const name = [claims.email, claims.preferred_username, claims.name].find((value) => typeof value === "string");
  return ok({
    issuer: issuer.issuer,
    subject,
    name: (name as string | undefined)?.slice(0, MAX_CLAIM_VALUE_CHARACTERS) ?? null,
    tenant,
    clientId: (client as string | undefined) ?? "",
    roles: values.flatMap((value) => (Object.hasOwn(issuer.roles, value) ? [issuer.roles[value]!] : [])),
    principals: issuer.takesGrants ? [...values.map((value) => `group:${value}`), `user:${subject}`] : [],
    expiresAtMs: claims.exp! * 1_000,
    needsSecondFactor: secondFactorProblem(claims, issuer),
  });
}

/** RFC 8176 (`amr`) and OpenID Connect Core §2 (`acr`). */
function secondFactorProblem(claims: JWTPayload, { administratorsNeed }: Issuer): string | undefined {
  if (administratorsNeed === undefined) return undefined;
  const { amr, acr } = administratorsNeed;
  const methods = toTexts(claims.amr);
  if (amr.some((method) => methods.includes(method)) || acr.some((level) => claims.acr === level)) return undefined;
  const accepted = [...amr.map((method) => `amr "${method}"`), ...acr.map((level) => `acr "${level}"`)];
  return `Administration needs a token of a stronger sign-in: ${accepted.join(" or ")}.`;
}

/**
 * A nested member, as in `realm_access.roles`. A name that contains dots, as in URLs of some issuers, is tried first.
 */
function claimAt(claims: JWTPayload, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function toTexts(value: unknown): string[] {
  const values = Array.isArray(value) ? value : [value];
  return values.filter(
    (item): item is string => typeof item === "string" && item !== "" && item.length <= MAX_CLAIM_VALUE_CHARACTERS,
  );
}

/** Describes the problem without repeating the token's contents. */
function describeError(error: InstanceType<typeof errors.JOSEError>): string {
  if (error instanceof errors.JWTExpired) return "The token has expired.";
  if (error instanceof errors.JWTClaimValidationFailed) return `The token's claim "${error.claim}" is not acceptable.`;
  return "The token's signature cannot be verified.";
}

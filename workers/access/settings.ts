/** Operator settings for authentication. */

import { isKeyId } from "../../registry/api-key.ts";
import { DEFAULT_TENANT } from "../../registry/permission.ts";
import { isTenantName } from "../../registry/tenant.ts";
import { parseHashKey } from "./key-hash.ts";

export type AccessVars = {
  /** `required`, or `none` if ENVIRONMENT is local. Absent: `none` there, `required` elsewhere. */
  AUTH?: string;
  /** A secret: base64 of at least 32 random bytes, which keys the hashes of API keys and the pseudonyms of people. */
  ACCESS_HASH_KEY?: string;
  /**
   * `<key id>:<keyed hash of its secret>` of an administrator's key that works without the directory (npm run
   * key:first).
   */
  FIRST_ADMINISTRATOR_KEY?: string;
  /** JSON: the accepted OIDC issuers (docs/security.md). */
  OIDC_ISSUERS?: string;
  /** Upstash Redis, for limits shared by all isolates. Absent: each isolate limits separately. */
  UPSTASH_REDIS_REST_URL?: string;
  UPSTASH_REDIS_REST_TOKEN?: string;
  /** Comma-separated origins whose pages may call the API from a browser. Absent: none. */
  CORS_ORIGINS?: string;
  /** The header in which the proxy writes the caller's address. Absent: Cloudflare's, or none if ENVIRONMENT is local. */
  CLIENT_ADDRESS_HEADER?: string;
};

/** The same names, for code that passes on an operator's environment. */
export const ACCESS_VAR_NAMES = Object.keys({
  AUTH: true,
  ACCESS_HASH_KEY: true,
  FIRST_ADMINISTRATOR_KEY: true,
  OIDC_ISSUERS: true,
  UPSTASH_REDIS_REST_URL: true,
  UPSTASH_REDIS_REST_TOKEN: true,
  CORS_ORIGINS: true,
  CLIENT_ADDRESS_HEADER: true,
} satisfies Record<keyof AccessVars, true>) as readonly (keyof AccessVars)[];

export type AccessSettings = {
  isRequired: boolean;
  /** The reason no request is served: callers must authenticate, and no method is configured. */
  closedBecause: string | undefined;
  hashKey: Uint8Array | undefined;
  firstAdministrator: { keyId: string; hash: string } | undefined;
  issuers: readonly Issuer[];
  corsOrigins: ReadonlySet<string>;
  /** The header with the caller's address; undefined if none can be trusted. */
  addressHeader: string | undefined;
};

/**
 * Signature algorithms with a public key. `none` and symmetric ones are never accepted: a public key must not serve as
 * a shared one.
 */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

export type Issuer = {
  /** As in `iss`. */
  issuer: string;
  audiences: readonly string[];
  /** Undefined: from the issuer's discovery document. */
  jwksUri: string | undefined;
  algorithms: readonly string[];
  clockSkewSeconds: number;
  /** The tenant of every token of this issuer, or the claim that names it. */
  tenant: { name: string } | { claim: string };
  /** Path of the claim with a role or group, or a list of them, such as `realm_access.roles`. */
  rolesClaim: string;
  /** The roles of the claim's values. Any other value is a group, which grants may name. */
  roles: Readonly<Record<string, string>>;
  /** Whether grants to groups and users apply. They name no issuer, so one that may choose them must not get them. */
  takesGrants: boolean;
  /** One of these must be in `amr`, or be the `acr`, before administrative changes; undefined: no requirement. */
  administratorsNeed: { amr: readonly string[]; acr: readonly string[] } | undefined;
};

const MAX_ISSUERS = 8;
const DEFAULT_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const DEFAULT_CLOCK_SKEW_SECONDS = 60;
/** More would let tokens remain valid noticeably beyond their expiry. */
const MAX_CLOCK_SKEW_SECONDS = 300;

export function parseAccessSettings(vars: AccessVars, environment: string): AccessSettings {
  const isLocal = environment === "local";
  const auth = vars.AUTH || (isLocal ? "none" : "required");
  if (auth !== "none" && auth !== "required") throw new Error(`AUTH must be one of none, required, got "${auth}".`);
  const hashKey = parseHashKey(vars.ACCESS_HASH_KEY);
  const firstAdministrator = parseFirstAdministrator(vars.FIRST_ADMINISTRATOR_KEY);
  const issuers = parseIssuers(vars.OIDC_ISSUERS, isLocal);
  return {
    isRequired: auth === "required",
    closedBecause: closedBecause({ auth, isLocal, hashKey }),
    hashKey,
    firstAdministrator,
    issuers,
    corsOrigins: parseOrigins(vars.CORS_ORIGINS),
    addressHeader: parseAddressHeader(vars.CLIENT_ADDRESS_HEADER, isLocal),
  };
}

function closedBecause(given: { auth: string; isLocal: boolean; hashKey: Uint8Array | undefined }): string | undefined {
  const { auth, isLocal, hashKey } = given;
  if (auth === "none") {
    return isLocal ? undefined : 'AUTH = "none" is only allowed if ENVIRONMENT is "local": remove it (docs/deploy.md).';
  }
  return hashKey === undefined
    ? "Authentication is not configured: set the secrets ACCESS_HASH_KEY and FIRST_ADMINISTRATOR_KEY (docs/deploy.md)."
    : undefined;
}

/** Cloudflare overwrites its header, so a caller cannot forge it there; on other servers any caller could send it. */
function parseAddressHeader(name: string | undefined, isLocal: boolean): string | undefined {
  if (name === undefined || name === "") return isLocal ? undefined : "CF-Connecting-IP";
  if (/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name)) return name;
  throw new Error(`CLIENT_ADDRESS_HEADER must be the name of a header such as X-Real-IP, got "${name}".`);
}

function parseFirstAdministrator(text: string | undefined): AccessSettings["firstAdministrator"] {
  if (text === undefined || text === "") return undefined;
  const [keyId = "", hash = "", ...rest] = text.trim().split(":");
  if (rest.length > 0 || !isKeyId(keyId) || !/^[0-9a-f]{64}$/.test(hash)) {
    throw new Error("FIRST_ADMINISTRATOR_KEY must be a key id, a colon and a hash, as `npm run key:first` prints it.");
  }
  return { keyId, hash };
}

function parseOrigins(text: string | undefined): ReadonlySet<string> {
  const origins = (text ?? "").split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  for (const origin of origins) {
    const url = URL.parse(origin);
    if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) {
      throw new Error(`CORS_ORIGINS must list origins such as https://pages.example.com, got "${origin}".`);
    }
  }
  return new Set(origins);
}

function parseIssuers(text: string | undefined, isLocal: boolean): Issuer[] {
  if (text === undefined || text === "") return [];
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch {
    throw new Error("OIDC_ISSUERS must be a JSON array of issuers.");
  }
  if (!Array.isArray(listed) || listed.length > MAX_ISSUERS) {
    throw new Error(`OIDC_ISSUERS must be a JSON array of at most ${MAX_ISSUERS} issuers.`);
  }
  const issuers = listed.map((item, index) => parseIssuer(item, `OIDC_ISSUERS[${index}]`, isLocal));
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length) {
    throw new Error("OIDC_ISSUERS lists an issuer twice.");
  }
  return issuers;
}

function parseIssuer(item: unknown, place: string, isLocal: boolean): Issuer {
  if (typeof item !== "object" || item === null) throw new Error(`${place} must be an object.`);
  const fields = item as Record<string, unknown>;
  const unknown = Object.keys(fields).find((name) => !ISSUER_FIELDS.includes(name));
  if (unknown !== undefined) {
    throw new Error(`${place} has an unknown member "${unknown}"; known: ${ISSUER_FIELDS.join(", ")}.`);
  }
  const algorithms =
    fields.algorithms === undefined ? DEFAULT_ALGORITHMS : strings(fields.algorithms, `${place}.algorithms`);
  const refused = algorithms.find((algorithm) => !ALGORITHMS.some((known) => known === algorithm));
  if (refused !== undefined)
    throw new Error(`${place}.algorithms must be of ${ALGORITHMS.join(", ")}, got "${refused}".`);
  return {
    issuer: url(fields.issuer, `${place}.issuer`, isLocal),
    audiences: typeof fields.audience === "string" ? [fields.audience] : strings(fields.audience, `${place}.audience`),
    jwksUri: fields.jwks_uri === undefined ? undefined : url(fields.jwks_uri, `${place}.jwks_uri`, isLocal),
    algorithms,
    clockSkewSeconds: skew(fields.clock_skew_seconds, place),
    tenant: parseTenant(fields, place),
    rolesClaim: fields.roles_claim === undefined ? "roles" : text(fields.roles_claim, `${place}.roles_claim`),
    roles: parseRoles(fields.roles, place),
    takesGrants: takesGrants(fields.grants, place),
    administratorsNeed: administratorsNeed(fields.administrators_need, place),
  };
}

const ISSUER_FIELDS = [
  "issuer",
  "audience",
  "jwks_uri",
  "algorithms",
  "clock_skew_seconds",
  "tenant",
  "tenant_claim",
  "roles_claim",
  "roles",
  "grants",
  "administrators_need",
];

function parseTenant({ tenant, tenant_claim: claim }: Record<string, unknown>, place: string): Issuer["tenant"] {
  if (claim !== undefined) {
    if (tenant !== undefined) throw new Error(`${place} has both tenant and tenant_claim (expected one of them).`);
    return { claim: text(claim, `${place}.tenant_claim`) };
  }
  const name = tenant === undefined ? DEFAULT_TENANT : text(tenant, `${place}.tenant`);
  if (!isTenantName(name)) throw new Error(`${place}.tenant "${name}" is not the name of a tenant.`);
  return { name };
}

function parseRoles(value: unknown, place: string): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${place}.roles must be an object from claim values to roles.`);
  }
  return Object.fromEntries(Object.entries(value).map(([name, role]) => [name, text(role, `${place}.roles.${name}`)]));
}

function takesGrants(value: unknown, place: string): boolean {
  if (value === undefined) return true;
  if (typeof value === "boolean") return value;
  throw new Error(`${place}.grants must be true or false.`);
}

function administratorsNeed(value: unknown, place: string): Issuer["administratorsNeed"] {
  if (value === undefined) return undefined;
  const { amr = [], acr = [] } = value as { amr?: unknown; acr?: unknown };
  const needed = {
    amr: strings(amr, `${place}.administrators_need.amr`, 0),
    acr: strings(acr, `${place}.administrators_need.acr`, 0),
  };
  if (needed.amr.length + needed.acr.length === 0) {
    throw new Error(`${place}.administrators_need must list at least one value of amr or acr.`);
  }
  return needed;
}

function skew(value: unknown, place: string): number {
  if (value === undefined) return DEFAULT_CLOCK_SKEW_SECONDS;
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_CLOCK_SKEW_SECONDS) {
    throw new Error(`${place}.clock_skew_seconds must be from 0 to ${MAX_CLOCK_SKEW_SECONDS}.`);
  }
  return value as number;
}

function text(value: unknown, place: string): string {
  if (typeof value !== "string" || value === "") throw new Error(`${place} must be a string.`);
  return value;
}

function strings(value: unknown, place: string, atLeast = 1): string[] {
  if (!Array.isArray(value) || value.length < atLeast) throw new Error(`${place} must be a list of strings.`);
  return value.map((item) => text(item, place));
}

/** Signature keys are fetched over https, except for an issuer on the developer's own machine. */
function url(value: unknown, place: string, isLocal: boolean): string {
  const given = text(value, place);
  const parsed = URL.parse(given);
  const isSafe = parsed?.protocol === "https:" || (isLocal && parsed?.protocol === "http:");
  if (!isSafe) throw new Error(`${place} must be an https URL, got "${given}".`);
  return given;
}

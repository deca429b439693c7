import fc from "fast-check";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { type Issuer, parseAccessSettings } from "../../../workers/access/settings.ts";
import {
  IssuerUnreachable,
  KEYS_FRESH_MS,
  KEYS_RETRY_MS,
  MAX_CLAIM_VALUES,
  MAX_KEYS_BYTES,
  TokenVerifier,
} from "../../../workers/access/tokens.ts";

const ISSUER = "https://id.example.com/";
const NOW_MS = Date.parse("2026-06-01T12:00:00Z");
const NOW = NOW_MS / 1_000;
const SKEW = 60;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let pair: Pair;
let other: Pair;

beforeAll(async () => {
  [pair, other] = await Promise.all([
    generateKeyPair("ES256", { extractable: true }),
    generateKeyPair("ES256", { extractable: true }),
  ]);
});

function issuers(more: Record<string, unknown> = {}): readonly Issuer[] {
  const issuer = {
    issuer: ISSUER,
    audience: "registry",
    tenant: "acme",
    roles_claim: "realm.roles",
    roles: { engineers: "developer" },
    clock_skew_seconds: SKEW,
    ...more,
  };
  return parseAccessSettings({ OIDC_ISSUERS: JSON.stringify([issuer]) }, "local").issuers;
}

/** An issuer that serves these keys and counts the requests for them. */
async function serving(pairs: readonly Pair[], overrides: Record<string, () => Response> = {}) {
  const keys = await Promise.all(
    pairs.map(async ({ publicKey }, index) => ({ ...(await exportJWK(publicKey)), kid: `k${index}`, alg: "ES256" })),
  );
  const asked: string[] = [];
  const answers: Record<string, () => Response> = {
    "/.well-known/openid-configuration": () => Response.json({ issuer: ISSUER, jwks_uri: `${ISSUER}keys` }),
    "/keys": () => Response.json({ keys }),
    ...overrides,
  };
  const verifier = new TokenVerifier(async (url) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    return answers[pathname]!();
  });
  return { verifier, asked, answers };
}

const CLAIMS: JWTPayload = {
  iss: ISSUER,
  aud: "registry",
  sub: "ana",
  exp: NOW + 300,
  realm: { roles: ["engineers", "tea"] },
};

function sign(claims: JWTPayload = {}, { by = pair, kid = "k0", alg = "ES256" } = {}): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg, kid }).sign(by.privateKey);
}

describe("TokenVerifier", () => {
  it("reads tenant, roles, groups and client from a token with a valid signature", async () => {
    const { verifier } = await serving([pair]);

    const verified = await verifier.verify(await sign({ email: "ana@example.com", azp: "console" }), issuers(), NOW_MS);

    expect(verified).toEqual({
      ok: true,
      value: {
        issuer: ISSUER,
        subject: "ana",
        name: "ana@example.com",
        tenant: "acme",
        clientId: "console",
        roles: ["developer"],
        principals: ["group:engineers", "group:tea", "user:ana"],
        expiresAtMs: (NOW + 300) * 1_000,
        needsSecondFactor: undefined,
      },
    });
  });

  it.each<[string, JWTPayload]>([
    ["is for another audience", { aud: "other" }],
    ["has expired, the skew included", { exp: NOW - SKEW }],
    ["is not valid yet, the skew included", { nbf: NOW + SKEW + 1 }],
    ["never expires", { exp: undefined } as unknown as JWTPayload],
    ["has no subject", { sub: undefined } as unknown as JWTPayload],
    ["is of another issuer", { iss: "https://evil.example.com" }],
  ])("refuses a token that %s", async (_what, claims) => {
    const { verifier } = await serving([pair]);

    expect((await verifier.verify(await sign(claims), issuers(), NOW_MS)).ok).toBe(false);
  });

  it.each<[string, JWTPayload]>([
    ["expired within the skew", { exp: NOW - SKEW + 1 }],
    ["begins within the skew", { nbf: NOW + SKEW }],
    ["is for several audiences", { aud: ["other", "registry"] }],
  ])("accepts a token that %s", async (_what, claims) => {
    const { verifier } = await serving([pair]);

    expect((await verifier.verify(await sign(claims), issuers(), NOW_MS)).ok).toBe(true);
  });

  it("refuses a token without a signature, with a foreign one, and with a public key used as a shared secret", async () => {
    const { verifier } = await serving([pair]);
    const unsecured = new UnsecuredJWT(CLAIMS).encode();
    const publicKey = new TextEncoder().encode(JSON.stringify(await exportJWK(pair.publicKey)));
    const shared = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256", kid: "k0" }).sign(publicKey);
    const [head, , signature] = (await sign()).split(".");
    const swapped = [
      head,
      Buffer.from(JSON.stringify({ ...CLAIMS, sub: "eve" })).toString("base64url"),
      signature,
    ].join(".");

    for (const token of [unsecured, shared, swapped, await sign({}, { by: other }), "a.b.c", ""]) {
      expect((await verifier.verify(token, issuers(), NOW_MS)).ok).toBe(false);
    }
  });

  it("refuses an algorithm that is not on the issuer's list", async () => {
    const { verifier } = await serving([pair]);

    expect((await verifier.verify(await sign(), issuers({ algorithms: ["RS256"] }), NOW_MS)).ok).toBe(false);
  });

  it("fetches the keys once while they are fresh, and newer ones when a token names them", async () => {
    const { verifier, asked, answers } = await serving([pair]);
    for (let turn = 0; turn < 3; turn += 1) await verifier.verify(await sign(), issuers(), NOW_MS);
    expect(asked.filter((path) => path === "/keys")).toHaveLength(1);

    const keys = [{ ...(await exportJWK(other.publicKey)), kid: "k1", alg: "ES256" }];
    answers["/keys"] = () => Response.json({ keys });
    const rotated = await sign({}, { by: other, kid: "k1" });
    const early = await verifier.verify(rotated, issuers(), NOW_MS + KEYS_RETRY_MS - 1);
    const later = await verifier.verify(rotated, issuers(), NOW_MS + KEYS_RETRY_MS);

    expect([early.ok, later.ok]).toEqual([false, true]);
    expect(asked.filter((path) => path === "/keys")).toHaveLength(2);
    expect((await verifier.verify(await sign(), issuers(), NOW_MS + KEYS_RETRY_MS)).ok).toBe(false);
  });

  it("stops trusting old keys when the issuer is unreachable", async () => {
    const { verifier, answers } = await serving([pair]);
    await verifier.verify(await sign(), issuers(), NOW_MS);
    answers["/keys"] = () => new Response("", { status: 502 });

    expect((await verifier.verify(await sign(), issuers(), NOW_MS + KEYS_FRESH_MS - 1)).ok).toBe(false);
    expect((await verifier.verify(await sign({ exp: NOW + 9_999 }), issuers(), NOW_MS + KEYS_FRESH_MS - 1)).ok).toBe(
      true,
    );
    await expect(verifier.verify(await sign(), issuers(), NOW_MS + KEYS_FRESH_MS)).rejects.toThrow(IssuerUnreachable);
  });

  it.each<[string, Record<string, () => Response>]>([
    [
      "a redirect",
      { "/keys": () => new Response(null, { status: 302, headers: { Location: "https://evil.example.com" } }) },
    ],
    ["a page", { "/keys": () => new Response("<html>") }],
    ["no keys", { "/keys": () => Response.json({}) }],
    ["too much", { "/keys": () => new Response(`"${"k".repeat(MAX_KEYS_BYTES)}"`) }],
    [
      "a discovery of another issuer",
      {
        "/.well-known/openid-configuration": () =>
          Response.json({ issuer: "https://evil.example.com", jwks_uri: `${ISSUER}keys` }),
      },
    ],
    [
      "keys over http",
      {
        "/.well-known/openid-configuration": () =>
          Response.json({ issuer: ISSUER, jwks_uri: "http://id.example.com/keys" }),
      },
    ],
  ])("accepts no keys from %s", async (_what, overrides) => {
    const { verifier } = await serving([pair], overrides);

    await expect(verifier.verify(await sign(), issuers(), NOW_MS)).rejects.toThrow(IssuerUnreachable);
  });

  it("requires a second factor if the issuer's settings do", async () => {
    const { verifier } = await serving([pair]);
    const strict = issuers({ administrators_need: { amr: ["mfa"], acr: ["urn:strong"] } });
    const need = async (claims: JWTPayload) => {
      const verified = await verifier.verify(await sign(claims), strict, NOW_MS);
      return verified.ok && verified.value.needsSecondFactor;
    };

    expect(await need({})).toContain('amr "mfa"');
    expect(await need({ amr: ["pwd"] })).toContain('acr "urn:strong"');
    expect(await need({ amr: ["pwd", "mfa"] })).toBeUndefined();
    expect(await need({ acr: "urn:strong" })).toBeUndefined();
  });

  it("names no group and no user for grants if the issuer gets none", async () => {
    const { verifier } = await serving([pair]);
    const without = issuers({ grants: false });
    const token = await sign({ realm: { roles: ["engineers", "tea"] } });

    const verified = await verifier.verify(token, without, NOW_MS);

    expect(verified).toMatchObject({ ok: true, value: { roles: ["developer"], principals: [] } });
    expect(() => issuers({ grants: "no" })).toThrow("OIDC_ISSUERS[0].grants must be true or false.");
  });

  it("takes the tenant only from the configured claim", async () => {
    const { verifier } = await serving([pair]);
    const byClaim = issuers({ tenant: undefined, tenant_claim: "https://example.com/tenant" });

    const named = await verifier.verify(await sign({ "https://example.com/tenant": "acme.eu" }), byClaim, NOW_MS);

    expect(named).toMatchObject({ ok: true, value: { tenant: "acme.eu" } });
    for (const tenant of [undefined, "", "../other", "a_b", 17]) {
      const token = await sign({ "https://example.com/tenant": tenant });
      expect((await verifier.verify(token, byClaim, NOW_MS)).ok).toBe(false);
    }
  });

  it("looks up at most the allowed number of values of the roles claim", async () => {
    const { verifier } = await serving([pair]);
    const roles = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);
    const withRoles = async (count: number) =>
      verifier.verify(await sign({ realm: { roles: roles(count) } }), issuers(), NOW_MS);

    expect((await withRoles(MAX_CLAIM_VALUES)).ok).toBe(true);
    expect((await withRoles(MAX_CLAIM_VALUES + 1)).ok).toBe(false);
  });

  it("refuses arbitrary text that resembles a token, and never throws", async () => {
    const { verifier } = await serving([pair]);
    const part = fc.oneof(
      fc.base64String().map((text) => text.replace(/[+/=]/g, "")),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
      fc.constant(Buffer.from(JSON.stringify(CLAIMS)).toString("base64url")),
      fc.constant(Buffer.from(JSON.stringify({ alg: "ES256", kid: "k0" })).toString("base64url")),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (parts) => {
        expect((await verifier.verify(parts.join("."), issuers(), NOW_MS)).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseApiKey, printApiKey } from "../../../registry/api-key.ts";
import { isTenantName, MAX_TENANT_CHARACTERS, readJurisdiction, tenantName } from "../../../registry/tenant.ts";
import { isInRange } from "../../../workers/access/address-range.ts";
import { credentialText, MAX_CREDENTIAL_CHARACTERS, parseCredential } from "../../../workers/http/access/credential.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const keys = fc.record({
  tenant: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.eu)?$/),
  keyId: hex(16),
  secret: hex(64),
});

describe("parseApiKey", () => {
  it("parses every printed key", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(parseApiKey(printApiKey(key))).toEqual(key);
      }),
    );
  });

  it("rejects a key with a changed, added or missing character, unless the result is its own printed form", () => {
    fc.assert(
      fc.property(keys, fc.nat(), fc.string({ maxLength: 2 }), (key, at, text) => {
        const printed = printApiKey(key);
        const position = at % printed.length;
        const changed = printed.slice(0, position) + text + printed.slice(position + 1);
        const parsed = parseApiKey(changed);
        if (parsed !== undefined) expect(printApiKey(parsed)).toBe(changed);
      }),
    );
  });

  it("rejects arbitrary text, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `llmsr_${text}`),
        ),
        (text) => {
          expect(parseApiKey(text)).toBeUndefined();
        },
      ),
    );
  });
});

describe("parseCredential", () => {
  it("never throws, and accepts only credentials that contain a key", () => {
    const authorization = fc.oneof(
      fc.string(),
      fc.string().map((text) => `Bearer ${text}`),
      fc.string().map((text) => `Basic ${Buffer.from(text).toString("base64")}`),
      fc.base64String().map((text) => `Basic ${text}`),
    );
    fc.assert(
      fc.property(authorization, (text) => {
        const headers = new Headers();
        try {
          headers.set("Authorization", text);
        } catch {
          return;
        }
        expect(["none", "malformed", "token"]).toContain(parseCredential(headers).type);
      }),
    );
  });

  it("reads the same key from every form, with or without its tenant", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const text = printApiKey(key);
        const basic = (user: string, password: string) =>
          `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
        const read = (authorization: string) => parseCredential(new Headers({ Authorization: authorization }));

        expect(read(`Bearer ${text}`)).toEqual({ type: "key", ...key });
        expect(read(basic(key.keyId, key.secret))).toEqual({ type: "key", ...key, tenant: undefined });
        expect(read(basic(text, ""))).toEqual({ type: "key", ...key });
        expect(read(basic(key.keyId, text))).toEqual({ type: "key", ...key });
      }),
    );
  });

  it("refuses a Basic credential with two keys", () => {
    fc.assert(
      fc.property(keys, keys, (one, two) => {
        fc.pre(one.keyId !== two.keyId);
        const text = Buffer.from(`${one.keyId}:${printApiKey(two)}`).toString("base64");
        expect(parseCredential(new Headers({ Authorization: `Basic ${text}` })).type).toBe("malformed");
      }),
    );
  });

  it("refuses a credential over the limit", () => {
    const typeOf = (length: number) =>
      parseCredential(new Headers({ Authorization: `Bearer ${"a.b.".padEnd(length - 7, "c")}` })).type;

    expect(typeOf(MAX_CREDENTIAL_CHARACTERS)).toBe("token");
    expect(typeOf(MAX_CREDENTIAL_CHARACTERS + 1)).toBe("malformed");
  });

  it("does not mistake an API key header for an Authorization", () => {
    expect(credentialText(new Headers({ "X-API-Key": "Bearer x" }))).not.toBe("Bearer x");
  });
});

describe("isTenantName", () => {
  it("accepts names that are safe in keys, paths and object names, up to the limit", () => {
    expect(isTenantName("a".repeat(MAX_TENANT_CHARACTERS))).toBe(true);
    expect(isTenantName("a".repeat(MAX_TENANT_CHARACTERS + 1))).toBe(false);
    for (const name of ["", "-a", "a-", "a_b", "a/b", "a.b", "A", "a..eu", ".eu", "é"])
      expect(isTenantName(name), name).toBe(false);
  });

  it("keeps the jurisdiction in the name", () => {
    expect(readJurisdiction(tenantName("acme", "eu"))).toBe("eu");
    expect(readJurisdiction("acme")).toBeNull();
    expect(readJurisdiction("eu")).toBeNull();
  });
});

describe("isInRange", () => {
  it.each([
    ["192.0.2.7", "192.0.2.0/24", true],
    ["192.0.3.7", "192.0.2.0/24", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "0.0.0.0/0", true],
    ["2001:db8::1", "2001:db8::/32", true],
    ["2001:db9::1", "2001:db8::/32", false],
    ["::ffff:192.0.2.7", "192.0.2.0/24", true],
    ["192.0.2.7", "2001:db8::/32", false],
    ["", "192.0.2.0/24", false],
    ["not an address", "192.0.2.0/24", false],
    ["192.0.2.7", "192.0.2.0/33", undefined],
    ["192.0.2.7", "192.0.2.256/24", undefined],
    ["192.0.2.7", "2001:db8::/129", undefined],
    ["192.0.2.7", "range", undefined],
    ["192.0.2.7", "192.0.2.0/24/8", undefined],
  ])("answers for %s in %s: %s", (address, range, expected) => {
    expect(isInRange(address, range)).toBe(expected);
  });
});

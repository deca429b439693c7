import { createHmac, createPublicKey, verify } from "node:crypto";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { KEY_OVERLAP_MS, signingKeys } from "../../../durable-objects/webhooks/keys.ts";
import {
  ed25519PublicKey,
  hmacSecret,
  MIN_SIGNING_KEY_BYTES,
  parseSigningKey,
  signedHeaders,
} from "../../../durable-objects/webhooks/signing.ts";
import type { HeardEndpoint, KeyGeneration, SignatureAlgorithm } from "../../../registry/webhook.ts";
import { DEFAULTS } from "./webhooks-under-test.ts";

const SIGNING_KEY = new Uint8Array(32).fill(7);
const TENANT = "acme";
const ID = "0192d4e0-0000-7000-8000-000000000001";
const owner = { tenant: TENANT, webhookId: ID, generation: 1 };

function endpoint(algorithms: readonly SignatureAlgorithm[], keys: readonly KeyGeneration[]): HeardEndpoint {
  return { ...DEFAULTS, id: ID, seq: 1, disabledBy: null, algorithms, keys };
}

async function headersFor(algorithms: readonly SignatureAlgorithm[], keys: readonly KeyGeneration[], body: string) {
  const headers = await signedHeaders(SIGNING_KEY, TENANT, endpoint(algorithms, keys), {
    id: "msg_1",
    body,
    nowMs: Date.now(),
  });
  return headers as unknown as Record<string, string>;
}

describe("signedHeaders", () => {
  const keys = [{ generation: 1, createdAtMs: Date.now() }];

  it("signs with HMAC so that the reference library verifies it", async () => {
    const body = JSON.stringify({ text: "Ünïcode ☃ \u0000" });
    const headers = await headersFor(["hmac-sha256"], keys, body);
    const receiver = new Webhook(hmacSecret(SIGNING_KEY, owner));

    expect(receiver.verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => receiver.verify(`${body} `, headers)).toThrow(WebhookVerificationError);
    expect(() => receiver.verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow(WebhookVerificationError);
  });

  it("dates a message in whole seconds, rounded down, and signs that text", async () => {
    const nowMs = 1_764_000_000_999;
    const keysThen = [{ generation: 1, createdAtMs: nowMs }];
    const message = { id: "msg_1", body: "{}", nowMs };

    const headers = await signedHeaders(SIGNING_KEY, TENANT, endpoint(["hmac-sha256"], keysThen), message);

    expect(headers["webhook-timestamp"]).toBe("1764000000");
    const secret = Buffer.from(hmacSecret(SIGNING_KEY, owner).slice("whsec_".length), "base64");
    const signature = createHmac("sha256", secret).update("msg_1.1764000000.{}").digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
  });

  it("signs with Ed25519 so that only the published key verifies it", async () => {
    const body = "{}";
    const headers = await headersFor(["ed25519"], keys, body);
    const published = await ed25519PublicKey(SIGNING_KEY, owner);

    const raw = Buffer.from(published.slice("whpk_".length), "base64");
    const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") } });
    const signature = Buffer.from(headers["webhook-signature"]!.slice("v1a,".length), "base64");
    const isSigned = (text: string) =>
      verify(null, Buffer.from(`msg_1.${headers["webhook-timestamp"]}.${text}`), key, signature);

    expect(headers["webhook-signature"]).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
    expect(raw).toHaveLength(32);
    expect(isSigned(body)).toBe(true);
    expect(isSigned("[]")).toBe(false);
  });

  it("signs with every active key, newest first", async () => {
    const nowMs = Date.now();
    const rotated = [
      { generation: 1, createdAtMs: nowMs - KEY_OVERLAP_MS },
      { generation: 2, createdAtMs: nowMs - 1_000 },
    ];

    const headers = await headersFor(["hmac-sha256", "ed25519"], rotated, "{}");

    const signatures = headers["webhook-signature"]!.split(" ");
    expect(signatures.map((signature) => signature.split(",")[0])).toEqual(["v1", "v1a", "v1", "v1a"]);
    for (const generation of [1, 2]) {
      expect(new Webhook(hmacSecret(SIGNING_KEY, { ...owner, generation })).verify("{}", headers)).toEqual({});
    }
  });

  it("is not verified by a key of another tenant, endpoint, generation or operator", async () => {
    const headers = await headersFor(["hmac-sha256"], keys, "{}");

    const others = [
      hmacSecret(SIGNING_KEY, { ...owner, tenant: "other" }),
      hmacSecret(SIGNING_KEY, { ...owner, webhookId: "other" }),
      hmacSecret(SIGNING_KEY, { ...owner, generation: 2 }),
      hmacSecret(new Uint8Array(32).fill(8), owner),
    ];

    for (const secret of others) {
      expect(() => new Webhook(secret).verify("{}", headers)).toThrow(WebhookVerificationError);
    }
    expect(new Set([...others, hmacSecret(SIGNING_KEY, owner)]).size).toBe(5);
  });
});

describe("signingKeys", () => {
  const keys = [
    { generation: 1, createdAtMs: 0 },
    { generation: 2, createdAtMs: 1_000 },
    { generation: 3, createdAtMs: 2_000 },
  ];

  it("keeps a key signing for exactly 24 hours after the next was created", () => {
    const generations = (nowMs: number) => signingKeys({ keys }, nowMs).map(({ generation }) => generation);

    expect(generations(1_000 + KEY_OVERLAP_MS - 1)).toEqual([3, 2, 1]);
    expect(generations(1_000 + KEY_OVERLAP_MS)).toEqual([3, 2]);
    expect(generations(2_000 + KEY_OVERLAP_MS)).toEqual([3]);
    expect(generations(Number.MAX_SAFE_INTEGER)).toEqual([3]);
  });
});

describe("parseSigningKey", () => {
  it("accepts at least as many bytes as the hash and refuses fewer", () => {
    const ofBytes = (count: number) => Buffer.alloc(count, 1).toString("base64");

    expect(parseSigningKey(ofBytes(MIN_SIGNING_KEY_BYTES))).toHaveLength(32);
    expect(() => parseSigningKey(ofBytes(MIN_SIGNING_KEY_BYTES - 1))).toThrow("WEBHOOK_SIGNING_KEY");
    expect(() => parseSigningKey("not base64 at all, and long enough to be a key!")).toThrow("WEBHOOK_SIGNING_KEY");
    expect(parseSigningKey("")).toBeUndefined();
    expect(parseSigningKey(undefined)).toBeUndefined();
  });
});

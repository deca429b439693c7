/**
 * Signatures of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 * Keys are derived from the operator's secret, so the registry stores none.
 */
import { createHmac, hkdfSync } from "node:crypto";
import type { HeardEndpoint, SignatureAlgorithm } from "../../registry/webhook.ts";
import { signingKeys } from "./keys.ts";

/** The hash's output size; deriving from less would weaken the keys. */
export const MIN_SIGNING_KEY_BYTES = 32;
const DERIVED_BYTES = 32;
/** RFC 8410 §7: the PKCS #8 prefix of an Ed25519 seed. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Parses WEBHOOK_SIGNING_KEY; undefined if it is not set. */
export function parseSigningKey(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || text === "") return undefined;
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  const bytes = Buffer.from(text, "base64");
  if (isBase64 && bytes.length >= MIN_SIGNING_KEY_BYTES) return new Uint8Array(bytes);
  throw new Error(`WEBHOOK_SIGNING_KEY must be base64 of at least ${MIN_SIGNING_KEY_BYTES} random bytes.`);
}

/** Owner of a key: keys differ by tenant, endpoint and generation. */
type KeyOwner = { tenant: string; webhookId: string; generation: number };

/** The symmetric secret in the form a receiver is given. */
export function hmacSecret(signingKey: Uint8Array, owner: KeyOwner): string {
  return `whsec_${Buffer.from(derived(signingKey, owner, "hmac-sha256")).toString("base64")}`;
}

/** The public key, for receivers that must not be able to sign. */
export async function ed25519PublicKey(signingKey: Uint8Array, owner: KeyOwner): Promise<string> {
  const { x } = (await crypto.subtle.exportKey("jwk", await ed25519Key(signingKey, owner))) as JsonWebKey;
  return `whpk_${Buffer.from(x!, "base64url").toString("base64")}`;
}

type SignedHeaders = { "webhook-id": string; "webhook-timestamp": string; "webhook-signature": string };

/** The three headers of one attempt, with a signature per algorithm and active key, newest first. */
export async function signedHeaders(
  signingKey: Uint8Array,
  tenant: string,
  webhook: HeardEndpoint,
  { id, body, nowMs }: { id: string; body: string; nowMs: number },
): Promise<SignedHeaders> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signed = Buffer.from(`${id}.${timestamp}.${body}`, "utf8");
  const signatures: string[] = [];
  for (const { generation } of signingKeys(webhook, nowMs)) {
    const owner = { tenant, webhookId: webhook.id, generation };
    for (const algorithm of webhook.algorithms) signatures.push(await SIGN[algorithm](signingKey, owner, signed));
  }
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

const SIGN: Record<
  SignatureAlgorithm,
  (signingKey: Uint8Array, owner: KeyOwner, signed: Uint8Array<ArrayBuffer>) => Promise<string> | string
> = {
  "hmac-sha256": (signingKey, owner, signed) =>
    `v1,${createHmac("sha256", derived(signingKey, owner, "hmac-sha256"))
      .update(signed)
      .digest("base64")}`,
  ed25519: async (signingKey, owner, signed) => {
    const signature = await crypto.subtle.sign("Ed25519", await ed25519Key(signingKey, owner), signed);
    return `v1a,${Buffer.from(signature).toString("base64")}`;
  },
};

function ed25519Key(signingKey: Uint8Array, owner: KeyOwner): Promise<CryptoKey> {
  const pkcs8 = Uint8Array.from([...PKCS8_PREFIX, ...derived(signingKey, owner, "ed25519")]);
  return crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
}

/** HKDF (RFC 5869). The info is JSON, so two owners never share one. */
function derived(signingKey: Uint8Array, owner: KeyOwner, algorithm: SignatureAlgorithm): Uint8Array {
  const info = JSON.stringify(["webhook", algorithm, owner.tenant, owner.webhookId, owner.generation]);
  return new Uint8Array(hkdfSync("sha256", signingKey, "", info, DERIVED_BYTES));
}

/** Keyed hashes: of API keys' secrets, and of persons for the log. Both use one secret of the deployment. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The hash's output size; a shorter key would weaken it. */
export const MIN_HASH_KEY_BYTES = 32;
/** 128 bits distinguish all users, and keep a log line short. */
const PSEUDONYM_CHARACTERS = 32;

/** Parses ACCESS_HASH_KEY; undefined if it is not set. */
export function parseHashKey(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && bytes.length >= MIN_HASH_KEY_BYTES) return new Uint8Array(bytes);
  throw new Error(`ACCESS_HASH_KEY must be base64 of at least ${MIN_HASH_KEY_BYTES} random bytes.`);
}

/** Hex, as in the directory. The id is hashed too, so that a hash cannot be moved to another key. */
export function hashSecret(hashKey: Uint8Array, { keyId, secret }: { keyId: string; secret: string }): string {
  return createHmac("sha256", hashKey).update(`api-key\n${keyId}\n${secret}`).digest("hex");
}

/** The pseudonym of a person in the log; `erasures`: how often the person has been erased. */
export function personPseudonym(
  hashKey: Uint8Array,
  { issuer, subject }: { issuer: string; subject: string },
  erasures = 0,
): string {
  const hash = createHmac("sha256", hashKey)
    .update(JSON.stringify(["person", issuer, subject, ...(erasures === 0 ? [] : [erasures])]))
    .digest("hex");
  return `user:${hash.slice(0, PSEUDONYM_CHARACTERS)}`;
}

/** The pseudonym of a caller's address in the access record. */
export function addressPseudonym(hashKey: Uint8Array, address: string): string {
  const hash = createHmac("sha256", hashKey)
    .update(JSON.stringify(["address", address]))
    .digest("hex");
  return `address:${hash.slice(0, PSEUDONYM_CHARACTERS)}`;
}

/** Constant-time comparison. */
export function isSameHash(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a, "hex"), Buffer.from(b, "hex")];
  return first.length > 0 && first.length === second.length && timingSafeEqual(first, second);
}

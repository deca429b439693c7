/**
 * The hash functions of content. These run in any JavaScript runtime; a server may pass its platform's functions, which are faster
 * (docs/decisions/0026).
 */
import { md5 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** A text is hashed as its UTF-8 bytes, with U+FFFD for unpaired surrogates. */
export type HashPart = string | Uint8Array;

/** Lower-case hex of the hash over the concatenated parts. */
export type Hashes = {
  sha256(parts: readonly HashPart[]): string;
  md5(parts: readonly HashPart[]): string;
};

const UTF8 = new TextEncoder();

export const PORTABLE_HASHES: Hashes = {
  sha256: (parts) => digest(sha256.create(), parts),
  md5: (parts) => digest(md5.create(), parts),
};

function digest(
  hash: { update(bytes: Uint8Array): unknown; digest(): Uint8Array },
  parts: readonly HashPart[],
): string {
  for (const part of parts) hash.update(typeof part === "string" ? UTF8.encode(part) : part);
  return bytesToHex(hash.digest());
}

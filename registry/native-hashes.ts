/**
 * Hashes of whole texts by the platform's native code: several times as fast as the portable implementation, on the
 * primary's only thread (docs/decisions/0026).
 */
import { createHash, type Hash } from "node:crypto";
import type { Hashes, HashPart } from "../schema/hashes.ts";

export const NATIVE_HASHES: Hashes = {
  sha256: (parts) => digest(createHash("sha256"), parts),
  md5: (parts) => digest(createHash("md5"), parts),
};

function digest(hash: Hash, parts: readonly HashPart[]): string {
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

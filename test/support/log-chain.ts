import { createHash } from "node:crypto";
import type { LogEntryView } from "./native-client.ts";

const GENESIS = "0".repeat(64);

/**
 * Verifies a log as docs/storage.md describes it, independently of the product's code: gapless numbers, leaf hashes over
 * the exact headers, headers linked to the previous leaf, payloads that match their digests. Returns the first flaw.
 */
export function firstFlaw(entries: readonly LogEntryView[]): string | undefined {
  let previous = GENESIS;
  for (const [at, { seq, header, leaf_hash, payload }] of entries.entries()) {
    const said = JSON.parse(header) as { seq: number; prev_hash: string; payload_digest: string };
    if (seq !== at + 1 || said.seq !== seq) return `entry ${at + 1} has seq ${seq}, its header ${said.seq}`;
    if (said.prev_hash !== previous) return `entry ${seq} does not link to the entry before it`;
    const leaf = sha256(Uint8Array.of(0), Buffer.from(header, "utf8"));
    if (leaf !== leaf_hash) return `entry ${seq} does not match its leaf hash`;
    if (
      payload !== null &&
      sha256(Buffer.from(payload.salt, "base64"), Buffer.from(payload.text, "utf8")) !== said.payload_digest
    ) {
      return `entry ${seq} has a payload that does not match its header`;
    }
    previous = leaf;
  }
  return undefined;
}

function sha256(...parts: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

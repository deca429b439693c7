import { createHash } from "node:crypto";
import type { LogEntryView } from "./native-client.ts";

const GENESIS = "0".repeat(64);

/**
 * What a stranger who has only docs/storage.md would check: numbers without gaps, every leaf hash over the exact header,
 * every header naming the leaf before it, every payload what its header says. Gives the first thing that is wrong.
 */
export function firstFlaw(entries: readonly LogEntryView[]): string | undefined {
  let previous = GENESIS;
  for (const [at, { seq, header, leaf_hash, payload }] of entries.entries()) {
    const said = JSON.parse(header) as { seq: number; prev_hash: string; payload_digest: string };
    if (seq !== at + 1 || said.seq !== seq) return `entry ${at + 1} calls itself ${seq} and ${said.seq}`;
    if (said.prev_hash !== previous) return `entry ${seq} does not follow the entry before it`;
    const leaf = sha256(Uint8Array.of(0), Buffer.from(header, "utf8"));
    if (leaf !== leaf_hash) return `entry ${seq} does not have the hash it is filed under`;
    if (
      payload !== null &&
      sha256(Buffer.from(payload.salt, "base64"), Buffer.from(payload.text, "utf8")) !== said.payload_digest
    ) {
      return `entry ${seq} has another payload than its header says`;
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

import { type LogEntry, type LogTip, leafHash, parseHeader, payloadDigest, toHex } from "../../registry/log-entry.ts";

/** The first problem of a run of entries that follows `tip`, or undefined. Missing payloads are allowed, because hard deletes remove them. */
export function chainProblem(tip: LogTip, entries: readonly LogEntry[]): string | undefined {
  let { seq, leafHash: previous } = tip;
  for (const entry of entries) {
    const header = parseHeader(entry.header);
    const leaf = leafHash(entry.header);
    if (entry.seq !== seq + 1 || header.seq !== entry.seq) return `Entry ${entry.seq} does not follow ${seq}.`;
    if (header.prev_hash !== previous) return `Entry ${entry.seq} does not link to its predecessor.`;
    if (toHex(leaf) !== toHex(entry.leafHash)) return `Entry ${entry.seq} does not match the leaf hash stored with it.`;
    if (entry.payload && payloadDigest(entry.payload.salt, entry.payload.bytes) !== header.payload_digest) {
      return `The payload of entry ${entry.seq} does not match the digest in its header.`;
    }
    seq = entry.seq;
    previous = toHex(leaf);
  }
  return undefined;
}

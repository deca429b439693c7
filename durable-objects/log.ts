/**
 * The append-only log (DESIGN §2): headers as the exact bytes that were hashed, payloads salted beside them, so that a
 * payload can be erased and the chain still verifies. Hashes are synchronous: nothing here may await.
 */
import { createHash, randomBytes } from "node:crypto";
import type { EntryType, LogEntry, LogHeader } from "./protocol.ts";

export const SALT_BYTES = 16;
/** `prev_hash` of the first entry. */
export const GENESIS_HASH = "0".repeat(64);

/** The last entry of the log, or where an empty one begins. */
export type LogTip = { seq: number; leafHash: string };

/** SHA-256(salt ‖ payload), lower-case hex. */
export function payloadDigest(salt: Uint8Array, payload: Uint8Array): string {
  return createHash("sha256").update(salt).update(payload).digest("hex");
}

/** RFC 6962 §2.1: the hash of a leaf is SHA-256(0x00 ‖ entry). */
export function leafHash(header: Uint8Array): Uint8Array {
  return createHash("sha256").update(Uint8Array.of(0)).update(header).digest();
}

/** The bytes of a header: compact JSON in this key order, UTF-8. */
export function headerBytes(header: LogHeader): Uint8Array {
  const { v, epoch, seq, at, type, tenant, actor, request_id, subject, payload_digest, prev_hash } = header;
  return new TextEncoder().encode(
    JSON.stringify({ v, epoch, seq, at, type, tenant, actor, request_id, subject, payload_digest, prev_hash }),
  );
}

export function parseHeader(bytes: Uint8Array): LogHeader {
  return JSON.parse(new TextDecoder().decode(bytes)) as LogHeader;
}

export type EntryToAppend = {
  type: EntryType;
  subject: string | null;
  payload: unknown;
};

export type EntryContext = { epoch: number; at: number; tenant: string; actor: string; requestId: string };

/** Writes one entry after the tip and gives its header; state is untouched. */
export function append(
  sql: SqlStorage,
  tip: LogTip,
  { type, subject, payload }: EntryToAppend,
  { epoch, at, tenant, actor, requestId }: EntryContext,
  salt: Uint8Array = randomBytes(SALT_BYTES),
): { header: LogHeader; tip: LogTip } {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  const header: LogHeader = {
    v: 1,
    epoch,
    seq: tip.seq + 1,
    at,
    type,
    tenant,
    actor,
    request_id: requestId,
    subject,
    payload_digest: payloadDigest(salt, bytes),
    prev_hash: tip.leafHash,
  };
  const encoded = headerBytes(header);
  const leaf = leafHash(encoded);
  sql.exec("INSERT INTO log (seq, header, leaf_hash) VALUES (?, ?, ?)", header.seq, encoded, leaf);
  sql.exec("INSERT INTO payloads (seq, salt, bytes) VALUES (?, ?, ?)", header.seq, salt, bytes);
  return { header, tip: { seq: header.seq, leafHash: toHex(leaf) } };
}

/** Writes an entry that has been written before, such as one of a backup, as it was. */
export function appendAsIs(sql: SqlStorage, { seq, header, leafHash: leaf, payload }: LogEntry): LogTip {
  sql.exec("INSERT INTO log (seq, header, leaf_hash) VALUES (?, ?, ?)", seq, header, leaf);
  if (payload) sql.exec("INSERT INTO payloads (seq, salt, bytes) VALUES (?, ?, ?)", seq, payload.salt, payload.bytes);
  return { seq, leafHash: toHex(leaf) };
}

/** Where the log stood after an entry that it holds, or before the first. */
export function tipAt(sql: SqlStorage, seq: number): LogTip {
  if (seq === 0) return { seq, leafHash: GENESIS_HASH };
  const { leaf_hash } = sql.exec<{ leaf_hash: ArrayBuffer }>("SELECT leaf_hash FROM log WHERE seq = ?", seq).one();
  return { seq, leafHash: toHex(new Uint8Array(leaf_hash)) };
}

export function readTip(sql: SqlStorage): LogTip {
  const [row] = sql
    .exec<{ seq: number; leaf_hash: ArrayBuffer }>("SELECT seq, leaf_hash FROM log ORDER BY seq DESC LIMIT 1")
    .toArray();
  return row ? { seq: row.seq, leafHash: toHex(new Uint8Array(row.leaf_hash)) } : { seq: 0, leafHash: GENESIS_HASH };
}

/** Entries after a seq, in order, up to a count and a number of bytes; at least one if there is one. */
export function readEntries(sql: SqlStorage, after: number, maxEntries: number, maxBytes: number): LogEntry[] {
  type Row = {
    seq: number;
    header: ArrayBuffer;
    leaf_hash: ArrayBuffer;
    salt: ArrayBuffer | null;
    bytes: ArrayBuffer | null;
  };
  const entries: LogEntry[] = [];
  let size = 0;
  const rows = sql.exec<Row>(
    `SELECT log.seq, log.header, log.leaf_hash, payloads.salt, payloads.bytes
       FROM log LEFT JOIN payloads USING (seq) WHERE log.seq > ? ORDER BY log.seq LIMIT ?`,
    after,
    maxEntries,
  );
  for (const row of rows) {
    size += row.header.byteLength + (row.bytes?.byteLength ?? 0);
    if (size > maxBytes && entries.length > 0) break;
    entries.push({
      seq: row.seq,
      header: new Uint8Array(row.header),
      leafHash: new Uint8Array(row.leaf_hash),
      payload: row.salt && row.bytes ? { salt: new Uint8Array(row.salt), bytes: new Uint8Array(row.bytes) } : null,
    });
  }
  return entries;
}

/** The first thing that is wrong with a run of entries that follows `tip`, or undefined. An erased payload is not wrong. */
export function chainProblem(tip: LogTip, entries: readonly LogEntry[]): string | undefined {
  let { seq, leafHash: previous } = tip;
  for (const entry of entries) {
    const header = parseHeader(entry.header);
    const leaf = leafHash(entry.header);
    if (entry.seq !== seq + 1 || header.seq !== entry.seq) return `Entry ${entry.seq} does not follow ${seq}.`;
    if (header.prev_hash !== previous) return `Entry ${entry.seq} does not name its predecessor.`;
    if (toHex(leaf) !== toHex(entry.leafHash))
      return `Entry ${entry.seq} does not have the leaf hash stored beside it.`;
    if (entry.payload && payloadDigest(entry.payload.salt, entry.payload.bytes) !== header.payload_digest) {
      return `Entry ${entry.seq} has another payload than its header says.`;
    }
    seq = entry.seq;
    previous = toHex(leaf);
  }
  return undefined;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

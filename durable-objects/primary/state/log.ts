/**
 * The append-only log (docs/architecture.md): headers as the exact bytes that were hashed, payloads salted and stored
 * separately, so that a payload can be erased while the chain still verifies. Hashes are synchronous: nothing here may
 * await.
 */
import { randomBytes } from "node:crypto";
import type { EntryType, LogEntry, LogHeader } from "../../../registry/log-entry.ts";
import {
  GENESIS_HASH,
  headerBytes,
  type LogTip,
  leafHash,
  payloadDigest,
  SALT_BYTES,
  toHex,
} from "../../../registry/log-entry.ts";

type EntryToAppend = {
  type: EntryType;
  subject: string | null;
  payload: unknown;
};

/** The text that an entry registers: deflated, or null if it is in R2. */
type EntryText = { deflated: Uint8Array | null; textBytes: number };

type EntryContext = { epoch: number; at: number; tenant: string; actor: string; requestId: string };

/** Appends one entry and returns its header; state is untouched. */
export function append(
  sql: SqlStorage,
  tip: LogTip,
  { type, subject, payload }: EntryToAppend,
  { epoch, at, tenant, actor, requestId }: EntryContext,
  text?: EntryText,
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
  sql.exec(
    "INSERT INTO log (seq, header, leaf_hash, salt, payload, deflated, text_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
    header.seq,
    encoded,
    leaf,
    salt,
    bytes,
    text?.deflated ?? null,
    text?.textBytes ?? null,
  );
  return { header, tip: { seq: header.seq, leafHash: toHex(leaf) } };
}

/** Appends an existing entry unchanged, such as one from a backup. */
export function appendAsIs(sql: SqlStorage, { seq, header, leafHash: leaf, payload }: LogEntry): LogTip {
  sql.exec(
    "INSERT INTO log (seq, header, leaf_hash, salt, payload) VALUES (?, ?, ?, ?, ?)",
    seq,
    header,
    leaf,
    payload?.salt ?? null,
    payload?.bytes ?? null,
  );
  return { seq, leafHash: toHex(leaf) };
}

/** Stores a content's text with the entry that registered the content. */
export function storeText(sql: SqlStorage, contentKey: number, { deflated, textBytes }: EntryText): void {
  sql.exec("UPDATE log SET deflated = ?, text_bytes = ? WHERE seq = ?", deflated, textBytes, contentKey);
}

/** Removes payload and salt of all entries about a record; the hashed bytes stay. */
export function erasePayloads(sql: SqlStorage, recordKey: number): void {
  const said = "(seq = ?1 OR seq IN (SELECT seq FROM amendments WHERE record_key = ?1))";
  sql.exec(`UPDATE log SET salt = NULL, payload = NULL WHERE ${said}`, recordKey);
  sql.exec(`DELETE FROM payloads WHERE ${said}`, recordKey);
}

/** Removes the text of a deleted content, and returns whether it is in R2. */
export function eraseText(sql: SqlStorage, contentKey: number, contentHash: ArrayBuffer): { inR2: boolean } {
  const isLarge = (rows: { in_r2: number }[]) => rows.some(({ in_r2 }) => in_r2 === 1);
  const own = sql.exec<{ in_r2: number }>(
    "SELECT deflated IS NULL AS in_r2 FROM log WHERE seq = ? AND text_bytes IS NOT NULL",
    contentKey,
  );
  const older = sql.exec<{ in_r2: number }>(
    "SELECT deflated IS NULL AS in_r2 FROM texts WHERE content_hash = ?",
    contentHash,
  );
  const inR2 = isLarge(own.toArray()) || isLarge(older.toArray());
  sql.exec("UPDATE log SET deflated = NULL, text_bytes = NULL WHERE seq = ?", contentKey);
  sql.exec("DELETE FROM texts WHERE content_hash = ?", contentHash);
  return { inR2 };
}

/** The log's tip after an entry that it holds, or before the first. */
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

/** Entries after a seq, in order, up to a count and a number of bytes; at least one if there is any. */
export function readEntries(sql: SqlStorage, after: number, maxEntries: number, maxBytes: number): LogEntry[] {
  type Row = {
    seq: number;
    header: ArrayBuffer;
    leaf_hash: ArrayBuffer;
    salt: ArrayBuffer | null;
    payload: ArrayBuffer | null;
  };
  const entries: LogEntry[] = [];
  let size = 0;
  const rows = sql.exec<Row>(
    "SELECT seq, header, leaf_hash, salt, payload FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
    after,
    maxEntries,
  );
  for (const row of rows) {
    size += row.header.byteLength + (row.payload?.byteLength ?? 0);
    if (size > maxBytes && entries.length > 0) break;
    entries.push({
      seq: row.seq,
      header: new Uint8Array(row.header),
      leafHash: new Uint8Array(row.leaf_hash),
      payload: row.salt && row.payload ? { salt: new Uint8Array(row.salt), bytes: new Uint8Array(row.payload) } : null,
    });
  }
  return entries;
}

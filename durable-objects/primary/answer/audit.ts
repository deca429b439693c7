/** Log entries for the audit. Each page reads a bounded part of the log, regardless of the filter. */
import type { AuditEntry, AuditFilter, AuditPage } from "../../../registry/audit.ts";
import { type LogHeader, parseHeader } from "../../../registry/log-entry.ts";
import type { Queries } from "../../../registry/questions.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { readChangeSet, readChangeSetAt } from "../state/change-sets.ts";

/** Entries examined for one page: 10 to 20 ms of the primary. */
export const MAX_SCANNED_ENTRIES = 5_000;
/** A page ends after the payload that exceeds this. With a payload of 2 MB it stays below the size of an RPC. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

type Row = { seq: number; header: ArrayBuffer; payload_deleted: number; payload: ArrayBuffer | null };

export function answerAuditEntries(
  sql: SqlStorage,
  { filter, after, limit, payloads = false }: Queries["auditEntries"][0],
  maxScanned = MAX_SCANNED_ENTRIES,
): AuditPage {
  const range = findRange(sql, filter, after);
  const most = Math.min(limit, MAX_QUERY_ROWS);
  const entries: AuditEntry[] = [];
  let through = range.after;
  let scanned = 0;
  let bytes = 0;
  const rows = sql.exec<Row>(
    `SELECT seq, header, payload IS NULL AS payload_deleted, ${payloads ? "payload" : "NULL"} AS payload
       FROM entries WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    range.after,
    range.last,
    maxScanned + 1,
  );
  for (const { seq, header: headerBytes, payload_deleted, payload } of rows) {
    const isFull = scanned === maxScanned || entries.length === most || bytes > MAX_PAYLOAD_BYTES;
    if (isFull) return { entries, through, more: true };
    scanned += 1;
    through = seq;
    const header = parseHeader(new Uint8Array(headerBytes));
    if (!passes(header, filter)) continue;
    bytes += payload?.byteLength ?? 0;
    const shown = toAuditEntry(sql, seq, header, payload_deleted === 1);
    entries.push(payload === null ? shown : { ...shown, payload: new TextDecoder().decode(payload) });
  }
  return { entries, through, more: false };
}

/** Entries that the read model has found; what may have changed since is read here. */
export function answerAuditEntriesAt(sql: SqlStorage, { filter, seqs }: Queries["auditEntriesAt"][0]): AuditEntry[] {
  const asked = JSON.stringify(seqs.slice(0, MAX_QUERY_ROWS));
  return sql
    .exec<Row>(
      `SELECT seq, header, payload IS NULL AS payload_deleted, NULL AS payload
         FROM entries WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq`,
      asked,
    )
    .toArray()
    .flatMap(({ seq, header: bytes, payload_deleted }) => {
      const header = parseHeader(new Uint8Array(bytes));
      return passes(header, filter) ? [toAuditEntry(sql, seq, header, payload_deleted === 1)] : [];
    });
}

function toAuditEntry(sql: SqlStorage, seq: number, header: LogHeader, payloadDeleted: boolean): AuditEntry {
  const { at: atMs, type, subject, actor, request_id: requestId } = header;
  return {
    seq,
    atMs,
    type,
    subject,
    actor,
    requestId,
    changeSet: readChangeSetAt(sql, seq)?.id ?? null,
    payloadDeleted,
  };
}

/** A change set is one contiguous range of the log. */
function findRange(sql: SqlStorage, { changeSet }: AuditFilter, after: number): { after: number; last: number } {
  if (changeSet === undefined) return { after, last: Number.MAX_SAFE_INTEGER };
  const known = readChangeSet(sql, changeSet);
  return known ? { after: Math.max(after, known.firstSeq - 1), last: known.lastSeq } : { after, last: 0 };
}

function passes(header: LogHeader, { actor, subject, types, fromMs, untilMs }: AuditFilter): boolean {
  return (
    (actor === undefined || header.actor === actor) &&
    (subject === undefined || header.subject === subject) &&
    (types === undefined || types.includes(header.type)) &&
    (fromMs === undefined || header.at >= fromMs) &&
    (untilMs === undefined || header.at < untilMs)
  );
}

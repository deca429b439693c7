/** The primary's part of a backup: the contents of a segment, and digests of its state. */
import { createHash } from "node:crypto";
import type { LogEntry } from "../../../registry/log-entry.ts";
import { fromHex } from "../../../registry/log-entry.ts";
import type { SegmentSource, SegmentText, StateDigests, TableDigest } from "../../../registry/rpc.ts";
import { contentNamedBy, MAX_SEGMENT_CONTENT_BYTES, MAX_SEGMENT_ENTRIES } from "../../../registry/segment.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import { printable } from "../restore/replay.ts";
import { readEntries, tipAt } from "../state/log.ts";
import { MIGRATIONS, STATE_TABLE_ORDER, selectStateTable } from "../state/migrations.ts";

/**
 * The entries after `after`, at most up to `upTo`, that fit into one segment, with their texts; at least one entry if
 * there is any.
 */
export function readSegment(sql: SqlStorage, after: number, upTo: number): SegmentSource {
  if (upTo <= after) return { before: tipAt(sql, after), entries: [], texts: [], more: false };
  const page = readEntries(sql, after, MAX_SEGMENT_ENTRIES + 1, MAX_SEGMENT_CONTENT_BYTES);
  const entries: LogEntry[] = [];
  const texts = new Map<ContentHash, SegmentText>();
  let bytes = 0;
  let more = false;
  for (const entry of page) {
    if (entry.seq > upTo) break;
    const hash = contentNamedBy(entry);
    const text = hash === undefined || texts.has(hash) ? undefined : storedText(sql, hash);
    bytes += entry.header.byteLength + (entry.payload?.bytes.byteLength ?? 0) + (text?.textBytes ?? 0);
    more = entries.length === MAX_SEGMENT_ENTRIES || (bytes > MAX_SEGMENT_CONTENT_BYTES && entries.length > 0);
    if (more) break;
    entries.push(entry);
    if (hash !== undefined && text !== undefined) texts.set(hash, { contentHash: hash, deflated: text.deflated });
  }
  const last = entries.at(-1)?.seq ?? after;
  if (!more) more = sql.exec("SELECT 1 FROM log WHERE seq > ? AND seq <= ? LIMIT 1", last, upTo).toArray().length > 0;
  return { before: tipAt(sql, after), entries, texts: [...texts.values()], more };
}

function storedText(
  sql: SqlStorage,
  hash: ContentHash,
): { deflated: Uint8Array | null; textBytes: number } | undefined {
  const [row] = sql
    .exec<{ deflated: ArrayBuffer | null; text_bytes: number }>(
      "SELECT deflated, text_bytes FROM stored_texts WHERE content_hash = ?",
      fromHex(hash),
    )
    .toArray();
  return row && { deflated: row.deflated && new Uint8Array(row.deflated), textBytes: row.text_bytes };
}

/** The number of payloads that each range of entries has lost to hard deletes. */
export function erasedIn(sql: SqlStorage, ranges: readonly { first: number; last: number }[]): number[] {
  return ranges.map(
    ({ first, last }) =>
      sql
        .exec<{ erased: number }>(
          "SELECT count(*) AS erased FROM entries WHERE seq BETWEEN ? AND ? AND salt IS NULL",
          first,
          last,
        )
        .one().erased,
  );
}

/**
 * The rows of every state table in the order of their keys, one line of JSON each: columns by name, without null
 * columns, blobs as hex. A column added by a later build therefore does not change the digest of rows in which it is
 * null.
 */
export function stateDigests(sql: SqlStorage): StateDigests {
  const tables = Object.keys(STATE_TABLE_ORDER).map((table) => [table, tableDigest(sql, table)] as const);
  return { version: MIGRATIONS.length, tables: Object.fromEntries(tables) };
}

/** Characters hashed per call, because a call costs as much as hashing a row. */
const HASHED_CHARACTERS = 64 * 1024;

function tableDigest(sql: SqlStorage, table: string): TableDigest {
  const cursor = sql.exec(selectStateTable(table));
  // The sorted columns, computed once for all rows, because all writers wait while this runs.
  const columns = cursor.columnNames
    .map((name, index) => ({ name, index, key: `${JSON.stringify(name)}:` }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const hash = createHash("sha256");
  let rows = 0;
  let lines = "";
  for (const row of cursor.raw()) {
    const members: string[] = [];
    for (const { index, key } of columns) {
      const value = row[index]!;
      if (value !== null) members.push(key + JSON.stringify(printable(value)));
    }
    lines += `{${members.join(",")}}\n`;
    rows += 1;
    if (lines.length < HASHED_CHARACTERS) continue;
    hash.update(lines);
    lines = "";
  }
  return { rows, sha256: hash.update(lines).digest("hex") };
}

/** The first table in which two digests differ, and how. */
export function findDigestDifference(expected: StateDigests, found: StateDigests): string | undefined {
  for (const [table, { rows, sha256 }] of Object.entries(expected.tables)) {
    const here = found.tables[table];
    if (here === undefined) return `there is no table "${table}"`;
    if (here.rows !== rows) return `table "${table}" has ${here.rows} rows instead of ${rows}`;
    if (here.sha256 !== sha256) return `table "${table}" has other rows`;
  }
  return undefined;
}

/** Proof that state is a function of the log: the same entries, applied to empty tables, give the same rows. */
import { apply } from "./apply";
import { parseHeader, readEntries } from "./log";
import { STATE_TABLE_ORDER } from "./migrations";
import { MAX_LOG_PAGE_BYTES, MAX_LOG_PAGE_ENTRIES } from "./protocol";

/** Rows by table, in the order of their keys, blobs as hex. */
export type StateTables = Record<string, Record<string, string | number | null>[]>;

export function readStateTables(sql: SqlStorage): StateTables {
  return Object.fromEntries(
    Object.entries(STATE_TABLE_ORDER).map(([table, order]) => [
      table,
      sql
        .exec(`SELECT * FROM ${table} ORDER BY ${order}`)
        .toArray()
        .map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, printable(value)]))),
    ]),
  );
}

/** Empties the state tables, applies the whole log, reads them, and takes all of it back. */
export function replay(storage: DurableObjectStorage): StateTables {
  const { sql } = storage;
  let replayed: StateTables | undefined;
  try {
    storage.transactionSync(() => {
      for (const table of Object.keys(STATE_TABLE_ORDER)) sql.exec(`DELETE FROM ${table}`);
      applyLog(sql);
      replayed = readStateTables(sql);
      throw new RollBack();
    });
  } catch (error) {
    if (!(error instanceof RollBack)) throw error;
  }
  return replayed!;
}

/** Applies every entry of the log, oldest first. */
export function applyLog(sql: SqlStorage): void {
  let after = 0;
  for (;;) {
    const entries = readEntries(sql, after, MAX_LOG_PAGE_ENTRIES, MAX_LOG_PAGE_BYTES);
    for (const { header, payload } of entries) {
      apply(sql, parseHeader(header), payload === null ? null : JSON.parse(new TextDecoder().decode(payload.bytes)));
    }
    const last = entries.at(-1);
    if (!last) return;
    after = last.seq;
  }
}

class RollBack extends Error {}

function printable(value: SqlStorageValue): string | number | null {
  return value instanceof ArrayBuffer ? Buffer.from(value).toString("hex") : value;
}

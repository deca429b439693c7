/** Verifies that state is a function of the log: the same entries, applied to empty tables, give the same rows. */

import { parseHeader } from "../../../registry/log-entry.ts";
import { MAX_LOG_PAGE_BYTES, MAX_LOG_PAGE_ENTRIES } from "../../../registry/rpc.ts";
import { apply } from "../state/apply.ts";
import { readEntries } from "../state/log.ts";
import { STATE_TABLE_ORDER, selectStateTable } from "../state/migrations.ts";

/** Rows by table, in the order of their keys, blobs as hex. */
export type StateTables = Record<string, Record<string, string | number | null>[]>;

export function readStateTables(sql: SqlStorage): StateTables {
  return Object.fromEntries(Object.keys(STATE_TABLE_ORDER).map((table) => [table, [...rowsOfTable(sql, table)]]));
}

/** One table's rows, one at a time. */
function* rowsOfTable(sql: SqlStorage, table: string): Generator<StateTables[string][number]> {
  for (const row of sql.exec(selectStateTable(table))) {
    yield Object.fromEntries(Object.entries(row).map(([column, value]) => [column, printable(value)]));
  }
}

/** Empties the state tables, applies the whole log, runs the given reads, and rolls everything back. */
export function replay<T = StateTables>(
  storage: DurableObjectStorage,
  read: (sql: SqlStorage) => T = readStateTables as (sql: SqlStorage) => T,
): T {
  const { sql } = storage;
  let replayed: T | undefined;
  try {
    storage.transactionSync(() => {
      for (const table of Object.keys(STATE_TABLE_ORDER)) sql.exec(`DELETE FROM ${table}`);
      applyLog(sql);
      replayed = read(sql);
      throw new RollBack();
    });
  } catch (error) {
    if (!(error instanceof RollBack)) throw error;
  }
  return replayed!;
}

/** Applies every entry of the log, oldest first. */
function applyLog(sql: SqlStorage): void {
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

/** A value in JSON form: blobs as hex. */
export function printable(value: SqlStorageValue): string | number | null {
  return value instanceof ArrayBuffer ? Buffer.from(value).toString("hex") : value;
}

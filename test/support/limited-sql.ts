/**
 * SQLite in an object with production's limits that the simulator lacks: 2 MB for a string, a blob and a row
 * (https://developers.cloudflare.com/durable-objects/platform/limits/). The simulator itself has the other limits: 100
 * bound parameters, 100 KB for a statement, 100 columns.
 */
export const MAX_SQL_VALUE_BYTES = 2_000_000;
/** The maximum size of a number or NULL. */
const NUMBER_BYTES = 8;
const WRITES = /^\s*(INSERT|UPDATE|REPLACE|WITH)\b/i;

/** Makes every statement of this database refuse values, and written rows, of more than 2 MB. */
export function limitSql(sql: SqlStorage): void {
  const exec = sql.exec.bind(sql) as (query: string, ...bindings: unknown[]) => unknown;
  Object.defineProperty(sql, "exec", {
    configurable: true,
    value: (query: string, ...bindings: unknown[]) => {
      const sizes = bindings.map(bytesOf);
      const largest = Math.max(0, ...sizes);
      if (largest > MAX_SQL_VALUE_BYTES) throw tooBig(`a value of ${largest} bytes`, query);
      // Bound values are nearly the whole row; statements that write many rows bind them as one value.
      const row = sizes.reduce((sum, size) => sum + size, 0);
      if (row > MAX_SQL_VALUE_BYTES && WRITES.test(query)) throw tooBig(`a row of ${row} bytes`, query);
      return exec(query, ...bindings);
    },
  });
}

function bytesOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value, "utf8");
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  return NUMBER_BYTES;
}

function tooBig(what: string, query: string): Error {
  return new Error(`${what} where 2 MB are allowed: SQLITE_TOOBIG (${query.trim().slice(0, 80)})`);
}

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MAX_SQL_VALUE_BYTES } from "../support/limited-sql.ts";
import { primaryWith } from "./primary/commands.ts";

/** The database of the tests' objects, through the Worker that runs beside them. */
async function inDatabase(work: (sql: SqlStorage) => void): Promise<void> {
  await runInDurableObject(await primaryWith(), (_, { storage: { sql } }) => {
    sql.exec("CREATE TABLE things (a, b)");
    work(sql);
  });
}

describe("the SQLite of the tests' objects", () => {
  it.each([
    ["blob", (bytes: number) => new Uint8Array(bytes)],
    ["string", (bytes: number) => "x".repeat(bytes)],
    ["string of two-byte characters", (bytes: number) => "é".repeat(bytes / 2) + "x".repeat(bytes % 2)],
  ])("accepts a %s of 2 MB and no more", async (_, make) => {
    await inDatabase((sql) => {
      const insert = (bytes: number) => sql.exec("INSERT INTO things (a) VALUES (?)", make(bytes));

      expect(() => insert(MAX_SQL_VALUE_BYTES)).not.toThrow();
      expect(() => insert(MAX_SQL_VALUE_BYTES + 1)).toThrow("SQLITE_TOOBIG");
      expect(() => sql.exec("SELECT ?", make(MAX_SQL_VALUE_BYTES + 1))).toThrow("SQLITE_TOOBIG");
    });
  });

  it("accepts a row of 2 MB and no more", async () => {
    await inDatabase((sql) => {
      const half = new Uint8Array(MAX_SQL_VALUE_BYTES / 2);
      const insert = (more: number) =>
        sql.exec("INSERT INTO things (a, b) VALUES (?, ?)", half, new Uint8Array(half.length + more));

      expect(() => insert(0)).not.toThrow();
      expect(() => insert(1)).toThrow("a row of 2000001 bytes");
    });
  });

  it("accepts 100 bound parameters and not one more", async () => {
    await inDatabase((sql) => {
      const select = (count: number) =>
        sql.exec(`SELECT 1 WHERE 1 IN (${Array(count).fill("?").join()})`, ...Array(count).fill(1)).toArray();

      expect(select(100)).toHaveLength(1);
      expect(() => select(101)).toThrow("too many SQL variables");
    });
  });
});

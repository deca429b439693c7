import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseUnreachable, inTransaction, readDatabase, sqlState, withConnection } from "../../db/client.ts";
import { DATABASES, PGLITE, type TestDatabase } from "../support/databases.ts";

describe.each(DATABASES)("database access on $name", ({ name, open, available }) => {
  describe.skipIf(!available)("through the proxy", () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await open();
      await withConnection(database.access, 10_000, (client) =>
        client.query("CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL, CHECK (value < 1000))"),
      );
    });

    afterAll(() => database?.close());

    const counterOf = async (name: string) => {
      const { rows } = await readDatabase(database.access, (db) =>
        db.execute<{ value: number }>(sql`SELECT value FROM counters WHERE name = ${name}`),
      );
      return rows[0]?.value;
    };

    it("reads every kind of value with the driver's types", async () => {
      const { rows } = await readDatabase(database.access, (db) =>
        db.execute(sql`SELECT ${41}::int + 1 AS number, ${"ü'\";--\\ 漢"}::text AS text, NULL::text AS nothing, true AS truth,
          ARRAY['a', 'b,"c'] AS list, '{"a": [1]}'::jsonb AS json, '2026-01-02T03:04:05Z'::timestamptz AS at`),
      );

      expect(rows).toEqual([
        {
          number: 42,
          text: "ü'\";--\\ 漢",
          nothing: null,
          truth: true,
          list: ["a", 'b,"c'],
          json: { a: [1] },
          at: expect.stringMatching(/^2026-01-02 03:04:05/),
        },
      ]);
    });

    it("commits a transaction, and returns its result", async () => {
      const answer = await inTransaction(database.access, async (transaction) => {
        await transaction.execute(sql`INSERT INTO counters VALUES ('committed', 1)`);
        return "done";
      });

      expect(answer).toBe("done");
      expect(await counterOf("committed")).toBe(1);
    });

    it("treats missing tables as an unavailable database", async () => {
      const reading = readDatabase(database.access, (db) => db.execute(sql`SELECT 1 FROM not_migrated`));

      await expect(reading).rejects.toBeInstanceOf(DatabaseUnreachable);
    });

    // PGlite has no timers inside a statement.
    it.skipIf(name === PGLITE.name)("treats a statement that times out as an unavailable database", async () => {
      const reading = readDatabase(database.access, (db) =>
        db.batch([
          db.execute(sql`SELECT set_config('statement_timeout', '20', true)`),
          db.execute(sql`SELECT count(*) FROM generate_series(1, 100000000)`),
        ]),
      );

      await expect(reading).rejects.toBeInstanceOf(DatabaseUnreachable);
    });

    it("rolls back a transaction whose work throws", async () => {
      const failing = inTransaction(database.access, async (transaction) => {
        await transaction.execute(sql`INSERT INTO counters VALUES ('thrown', 1)`);
        throw new Error("changed my mind");
      });

      await expect(failing).rejects.toThrow("changed my mind");
      expect(await counterOf("thrown")).toBeUndefined();
    });

    it("reports the SQLSTATE of a refused statement, by HTTP and in a transaction, and stays usable", async () => {
      const statement = sql`INSERT INTO counters VALUES ('refused', 1000)`;
      const byHttp = await readDatabase(database.access, (db) => db.execute(statement)).catch(sqlState);
      const inside = await inTransaction(database.access, (transaction) => transaction.execute(statement)).catch(
        sqlState,
      );

      expect([byHttp, inside]).toEqual(["23514", "23514"]);
      expect(await counterOf("refused")).toBeUndefined();
    });

    it("serialises concurrent transactions on one row without losing an update", async () => {
      await readDatabase(database.access, (db) => db.execute(sql`INSERT INTO counters VALUES ('shared', 0)`));

      await Promise.all(
        Array.from({ length: 20 }, () =>
          inTransaction(database.access, async (transaction) => {
            const { rows } = await transaction.execute<{ value: number }>(
              sql`SELECT value FROM counters WHERE name = 'shared' FOR UPDATE`,
            );
            await transaction.execute(sql`UPDATE counters SET value = ${rows[0]!.value + 1} WHERE name = 'shared'`);
          }),
        ),
      );

      expect(await counterOf("shared")).toBe(20);
    });

    it("transfers a value of a megabyte in both directions", async () => {
      const large = "schema ".repeat(150_000);

      const { rows } = await inTransaction(database.access, (transaction) =>
        transaction.execute<{ length: number; back: string }>(
          sql`SELECT length(${large}::text) AS length, ${large}::text AS back`,
        ),
      );

      expect(rows[0]!.length).toBe(large.length);
      expect(rows[0]!.back === large).toBe(true);
    });
  });
});

describe("DatabaseUnreachable", () => {
  const nobody = { DATABASE_URL: "postgres://a:b@127.0.0.1:1/c", DATABASE_PROXY: "127.0.0.1:1" };

  it("reports that no database is configured", async () => {
    const reading = readDatabase({}, (db) => db.execute(sql`SELECT 1`));

    await expect(reading).rejects.toMatchObject({ name: "DatabaseUnreachable", reason: "not_configured" });
  });

  it("is thrown by reads and transactions if no server listens", async () => {
    const reading = readDatabase(nobody, (db) => db.execute(sql`SELECT 1`));
    const writing = inTransaction(nobody, (transaction) => transaction.execute(sql`SELECT 1`));

    await expect(reading).rejects.toMatchObject({ name: "DatabaseUnreachable", reason: "unreachable" });
    await expect(writing).rejects.toBeInstanceOf(DatabaseUnreachable);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { btree_gin } from "@electric-sql/pglite/contrib/btree_gin";
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { PgTable, pgTable, text } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrateDatabase } from "../../db/migrate.ts";
import * as tables from "../../db/tables.ts";

const META = "db/migrations/meta";

/** drizzle-kit's snapshot of the tables after the newest migration. */
function newestSnapshot() {
  const newest = readdirSync(META)
    .filter((file) => file.endsWith("_snapshot.json"))
    .sort()
    .at(-1)!;
  return JSON.parse(readFileSync(`${META}/${newest}`, "utf8")) as ReturnType<typeof generateDrizzleJson>;
}

describe("db/tables.ts", () => {
  it("needs no further drizzle-kit migration", async () => {
    const before = newestSnapshot();

    expect(await generateMigration(before, generateDrizzleJson(tables, before.id))).toEqual([]);
  });

  it("makes drizzle-kit generate a migration once it changes", async () => {
    const before = newestSnapshot();
    const changed = { ...tables, added: pgTable("added", { tenant: text("tenant").notNull() }) };

    const statements = await generateMigration(before, generateDrizzleJson(changed, before.id));

    expect(statements.join("\n")).toContain('CREATE TABLE "added"');
  });
});

describe("the migrated database", () => {
  let database: PGlite;
  beforeAll(async () => {
    database = await PGlite.create({ extensions: { pg_trgm, btree_gin } });
    await migrateDatabase(database);
  });
  afterAll(() => database.close());

  const described = Object.values(tables).filter((value) => is(value, PgTable)) as PgTable[];

  it.each(described.map((table) => [getTableName(table), table] as const))(
    "has the described columns of %s",
    async (name, table) => {
      const { rows } = await database.query<{ column_name: string; data_type: string; is_nullable: string }>(
        `SELECT attname AS column_name, format_type(atttypid, atttypmod) AS data_type,
            CASE WHEN attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable
          FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
        [name],
      );

      const expected = Object.values(getTableColumns(table))
        .map((column) => ({
          column_name: column.name,
          data_type: column.getSQLType().replace(/^timestamp \(/, "timestamp("),
          is_nullable: column.notNull ? "NO" : "YES",
        }))
        .sort((a, b) => (a.column_name < b.column_name ? -1 : 1));
      expect(rows).toEqual(expected);
    },
  );
});

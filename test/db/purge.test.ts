import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDatabase } from "../../db/client.ts";
import { countDenials } from "../../db/denials.ts";
import { purgeSomeRows } from "../../db/purge.ts";
import type { Denial } from "../../registry/denial.ts";
import { PGLITE, type TestDatabase } from "../support/databases.ts";
import { avroText, writeSearchable } from "../support/read-model.ts";

describe("purgeSomeRows", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await PGLITE.open();
  });
  afterAll(() => database.close());

  /** Every table that has tenants, and the rows of one. */
  async function rowsOf(tenant: string): Promise<Record<string, number>> {
    const { rows: tables } = await readDatabase(database.access, (db) =>
      db.execute<{
        name: string;
      }>(sql`SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'tenant' AND c.relnamespace = 'public'::regnamespace`),
    );
    const counted: Record<string, number> = {};
    for (const { name } of tables) {
      const { rows } = await readDatabase(database.access, (db) =>
        db.execute<{ count: number }>(
          sql`SELECT count(*)::int AS count FROM ${sql.raw(name)} WHERE tenant = ${tenant}`,
        ),
      );
      counted[name] = rows[0]!.count;
    }
    return counted;
  }

  async function fill(tenant: string): Promise<void> {
    const text = avroText("Orders", { id: "an identifier" });
    await writeSearchable(database.access, tenant, [{ subject: "orders", text, tags: ["pii"] }]);
    const times = { minuteMs: 0, firstAtMs: 0, lastAtMs: 0 };
    const caller = { subject: null, actor: null, credential: null, address: null, network: null };
    const attempt = { status: 401, code: "unauthorized", method: "GET", route: "/subjects", count: 1, requestId: "r" };
    const denial: Denial = { tenant, ...times, ...caller, ...attempt };
    await countDenials(database.access, tenant, [{ id: "m", denials: [denial] }], 0);
  }

  it("leaves no row of the tenant in any table, and every row of another", async () => {
    await fill("gone");
    await fill("kept");
    const kept = await rowsOf("kept");

    let steps = 0;
    while ((await purgeSomeRows(database.access, "gone")) > 0) steps += 1;

    expect(steps).toBeGreaterThan(5);
    expect(Object.values(await rowsOf("gone")).every((count) => count === 0)).toBe(true);
    expect(await rowsOf("kept")).toEqual(kept);
    expect(Object.entries(kept).filter(([, count]) => count > 0).length).toBeGreaterThan(7);
  });
});

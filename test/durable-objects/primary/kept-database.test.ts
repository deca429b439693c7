import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { MIGRATIONS } from "../../../durable-objects/primary/state/migrations.ts";
import { fromHex, GENESIS_HASH } from "../../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { chainProblem } from "../../support/log-entries.ts";
import { expectReplayEqualsState, primaryWith, register } from "./commands.ts";
import kept from "./kept/v1.json";

/**
 * The database of release 0.1.0 as it was written then, table by table: blobs are `{hex}`. A stored database is never
 * edited; a new release adds one.
 */
type Kept = { ddl: string[]; tables: Record<string, Record<string, string | number | null | { hex: string }>[]> };

async function openKept(database: Kept) {
  const primary = await primaryWith();
  await runInDurableObject(primary, (_object: PrimaryObject, ctx) => {
    const { sql } = ctx.storage;
    const existing = sql
      .exec<{ type: string; name: string }>(
        `SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE '\\_cf%' ESCAPE '\\'
           AND name NOT LIKE 'sqlite%' ORDER BY type DESC`,
      )
      .toArray();
    for (const { type, name } of existing) sql.exec(`DROP ${type} ${name}`);
    for (const statement of database.ddl) sql.exec(statement);
    for (const [table, rows] of Object.entries(database.tables)) {
      for (const row of rows) {
        const values = Object.values(row).map((value) =>
          typeof value === "object" && value !== null ? fromHex(value.hex) : value,
        );
        sql.exec(`INSERT INTO ${table} VALUES (${values.map(() => "?").join(", ")})`, ...values);
      }
    }
  });
  // The next call runs this build's constructor over the old tables.
  await evictDurableObject(primary);
  return primary;
}

describe("the database of release 0.1.0, opened by this build", () => {
  it("is migrated, and its log still verifies and replays into the same rows", async () => {
    const primary = await openKept(kept as Kept);

    const { entries } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 500 });
    const applied = await runInDurableObject(primary, (_object: PrimaryObject, ctx) =>
      ctx.storage.sql.exec<{ applied: number }>("SELECT applied FROM migrations").one(),
    );

    expect(applied.applied).toBe(MIGRATIONS.length);
    expect(entries).toHaveLength(kept.tables.log.length);
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toBeUndefined();
    await expectReplayEqualsState(primary);
  });

  it("continues where it stopped", async () => {
    const primary = await openKept(kept as Kept);
    // Eviction has restored the real formats; the stored texts are Avro.
    const { record } = await register(primary, "kept", '"string"');

    expect(record).toMatchObject({ versionNumber: 4, seq: kept.tables.log.length + 1 });
  });
});

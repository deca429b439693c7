import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { Command } from "../../../registry/commands.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { commit, type PrimaryStub, primaryWith, register, registerCommand } from "./commands.ts";
import { type Counted, countStatements } from "./counted.ts";

/** The cost of one commit whose facts were all predicted. */
async function costOf(primary: PrimaryStub, command: Command): Promise<Counted> {
  return await countStatements(primary, async (restart) => {
    expect(await commit(primary, command, { before: restart })).toMatchObject({ ok: true, value: { type: "done" } });
  });
}

/**
 * Rows written are most of a registration's price. A higher number is a regression; a lower one is a saving, and is
 * recorded here and in docs/capacity.md.
 */
describe("commit", () => {
  it("writes a subject's first version with 14 rows in 15 statements", async () => {
    const primary = await primaryWith();
    await register(primary, "another", "z");

    const { statements, rowsRead, rowsWritten } = await costOf(primary, registerCommand("s", "a"));

    expect({ statements, rowsWritten }).toEqual({ statements: 15, rowsWritten: 14 });
    expect(rowsRead).toBeLessThanOrEqual(20);
  });

  it("writes a next version at NONE with 12 rows in 16 statements", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a", { compatibilityLevel: "NONE" });

    const { statements, rowsRead, rowsWritten } = await costOf(primary, registerCommand("s", "a\nb"));

    expect({ statements, rowsWritten }).toEqual({ statements: 16, rowsWritten: 12 });
    expect(rowsRead).toBeLessThanOrEqual(33);
  });

  it("writes and compares a next version with 12 rows in 18 statements", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a", { compatibilityLevel: "BACKWARD" });

    const { statements, rowsRead, rowsWritten } = await costOf(primary, registerCommand("s", "a\nb?"));

    expect({ statements, rowsWritten }).toEqual({ statements: 18, rowsWritten: 12 });
    expect(rowsRead).toBeLessThanOrEqual(36);
  });

  it("answers a known version with 6 statements and writes nothing", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a", { compatibilityLevel: "NONE" });

    const { statements, rowsWritten } = await costOf(primary, registerCommand("s", "a"));

    expect({ statements, rowsWritten }).toEqual({ statements: 6, rowsWritten: 0 });
  });

  it("writes a change of config with 3 rows in 8 statements", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a");
    const command: Command = {
      type: "setConfig",
      scope: parseSubjectName("s"),
      changes: { compatibilityLevel: "FULL" },
    };

    const { statements, rowsWritten } = await costOf(primary, command);

    expect({ statements, rowsWritten }).toEqual({ statements: 8, rowsWritten: 3 });
  });

  it("reads no more rows for a subject with many versions", async () => {
    const primary = await primaryWith();
    await register(primary, "few", "a", { compatibilityLevel: "BACKWARD" });
    await register(primary, "many", "b", { compatibilityLevel: "BACKWARD" });
    for (let n = 0; n < 30; n += 1) await register(primary, "many", `b\nc${n}?`);

    const few = await costOf(primary, registerCommand("few", "a\nd?"));
    const many = await costOf(primary, registerCommand("many", "b\nd?"));

    expect(many.rowsRead).toBeLessThanOrEqual(few.rowsRead + 3);
  });

  it("uses no bare parameter that would make SQLite prepare the statement again", async () => {
    const primary = await primaryWith();
    await register(primary, "s", "a", { compatibilityLevel: "BACKWARD" });

    const { texts } = await costOf(primary, registerCommand("s", "a\nb?"));

    const reads = texts.filter((text) => text.trimStart().startsWith("SELECT"));
    expect(reads.length).toBeGreaterThan(5);
    expect(reads.filter((text) => /[=<>] \?/.test(text))).toEqual([]);
  });

  it("has no index that makes SQLite prepare statements again at each binding", async () => {
    const primary = await primaryWith();

    const indexes = await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) =>
      sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'records' AND sql LIKE '%WHERE%NOT NULL%'",
        )
        .toArray(),
    );

    expect(indexes).toEqual([]);
  });
});

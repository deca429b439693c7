import { runInDurableObject } from "cloudflare:test";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { PrimaryStub } from "./commands.ts";

export type Counted = { statements: number; rowsRead: number; rowsWritten: number; texts: string[] };

/**
 * An object's use of its database while `work` runs, counted as the platform bills it; `restart` resets the counts.
 */
export async function countStatements(
  primary: PrimaryStub,
  work: (restart: () => Promise<void>) => Promise<unknown>,
): Promise<Counted> {
  const own = (value: SqlStorage["exec"]) => ({ configurable: true, value });
  let uncounted: SqlStorage["exec"];
  let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  let texts: string[] = [];
  await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) => {
    uncounted = sql.exec.bind(sql) as SqlStorage["exec"];
    const counting = (text: string, ...bindings: unknown[]) => {
      const cursor = uncounted(text, ...bindings);
      cursors.push(cursor);
      texts.push(text);
      return cursor;
    };
    Object.defineProperty(sql, "exec", own(counting as SqlStorage["exec"]));
  });
  await work(async () => {
    cursors = [];
    texts = [];
  });
  return await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) => {
    Object.defineProperty(sql, "exec", own(uncounted));
    const sum = (count: "rowsRead" | "rowsWritten") => cursors.reduce((total, cursor) => total + cursor[count], 0);
    return { statements: cursors.length, rowsRead: sum("rowsRead"), rowsWritten: sum("rowsWritten"), texts };
  });
}

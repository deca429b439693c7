/**
 * Migrates a database from any earlier build to this one. Runs in Node (`npm run db:migrate`, `npm start`, tests); a Worker
 * never changes tables.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Migration = { name: string; statements: readonly string[] };

/** The part of a connection that the clients of pg, PGlite and Neon's driver share. */
type Connection = { query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> };

/** Key of the advisory lock that lets only one process migrate a database at a time. */
const MIGRATION_LOCK = 7_346_012;
const STATEMENT_END = "--> statement-breakpoint";
/** Relative to a folder below the root, which is true of this file and of a bundle. */
const FOLDER = join(import.meta.dirname, "..", "db", "migrations");

/** The committed migrations, oldest first. */
function readMigrations(folder: string = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => ({
      name: file.replace(/\.sql$/, ""),
      statements: readFileSync(join(folder, file), "utf8").split(STATEMENT_END),
    }));
}

/** Applies missing migrations in one transaction and returns their names. Refuses a database of a newer build. */
export async function migrateDatabase(
  connection: Connection,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
  await connection.query("BEGIN");
  try {
    const applied = await applyMissing(connection, migrations);
    await connection.query("COMMIT");
    return applied;
  } catch (error) {
    await connection.query("ROLLBACK");
    throw error;
  }
}

async function applyMissing(connection: Connection, migrations: readonly Migration[]): Promise<string[]> {
  await connection.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  await connection.query(
    "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  const { rows } = await connection.query("SELECT name FROM migrations");
  const applied = new Set((rows as { name: string }[]).map(({ name }) => name));
  const unknown = [...applied].filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new Error(`The database has migrations this build does not know (${unknown.join(", ")}): use a newer build.`);
  }
  const missing = migrations.filter(({ name }) => !applied.has(name));
  for (const { name, statements } of missing) {
    for (const statement of statements) await connection.query(statement);
    await connection.query("INSERT INTO migrations (name) VALUES ($1)", [name]);
  }
  return missing.map(({ name }) => name);
}

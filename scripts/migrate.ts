// `npm run db:migrate`: migrates the database in DATABASE_URL to this build. Run before each deploy; repeating it is
// harmless.
import pg from "pg";
import { migrateDatabase } from "../db/migrate.ts";

const url = process.env.DATABASE_URL;
if (!url) {
  console.error("Set DATABASE_URL to the database to migrate: postgres://user:password@host/name");
  process.exit(1);
}
const client = new pg.Client({ connectionString: url });
try {
  await client.connect();
  const applied = await migrateDatabase(client);
  console.log(applied.length === 0 ? "The tables are up to date." : `Applied ${applied.join(", ")}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await client.end().catch(() => undefined);
}

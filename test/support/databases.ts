/**
 * The two kinds of Postgres that the registry supports, each behind the proxy and migrated, for suites that must pass
 * on both.
 */
import { randomBytes } from "node:crypto";
import { type DatabaseAccess, withConnection } from "../../db/client.ts";
import { migrateDatabase } from "../../db/migrate.ts";
import type { Backend } from "../../scripts/database/backend.ts";
import { openPglite } from "../../scripts/database/pglite.ts";
import { openPostgresql } from "../../scripts/database/postgresql.ts";
import { startDatabaseProxy } from "../../scripts/database/proxy.ts";
import { type PostgresqlServer, postgresqlBin, startPostgresql } from "./postgresql.ts";

const MIGRATED_WITHIN_MS = 60_000;

export type TestDatabase = {
  access: DatabaseAccess;
  /** Absent for PGlite. */
  server?: PostgresqlServer;
  close(): Promise<void>;
};

export type DatabaseKind = { name: string; available: boolean; open(): Promise<TestDatabase> };

/** For `describe.skipIf(!available)`: a missing database is reported as skipped tests. */
export const PGLITE: DatabaseKind = {
  name: "PGlite",
  available: true,
  open: async () => behindProxy(await openPglite()),
};

export const POSTGRESQL: DatabaseKind = {
  name: "PostgreSQL",
  available: postgresqlBin() !== undefined,
  async open() {
    const server = await startPostgresql();
    const database = await behindProxy(await openPostgresql(await server.createDatabase()));
    return {
      ...database,
      server,
      async close() {
        await database.close();
        await server.remove();
      },
    };
  },
};

export const DATABASES: readonly DatabaseKind[] = [PGLITE, POSTGRESQL];

async function behindProxy(backend: Backend): Promise<TestDatabase> {
  const proxy = await startDatabaseProxy({ backend, password: randomBytes(12).toString("hex") });
  const access = { DATABASE_URL: proxy.url, DATABASE_PROXY: proxy.address };
  await withConnection(access, MIGRATED_WITHIN_MS, (connection) => migrateDatabase(connection));
  return {
    access,
    async close() {
      await proxy.close();
      await backend.close();
    },
  };
}

// Database thread: opens the database, migrates it, and serves it through the proxy.
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { migrateDatabase } from "../../db/migrate.ts";
import type { Backend, SessionListener } from "./backend.ts";
import { openPglite } from "./pglite.ts";
import { openPostgresql } from "./postgresql.ts";
import { startDatabaseProxy } from "./proxy.ts";
import { connectTo } from "./queries.ts";

/** Servers vacuum automatically, PGlite does not. */
const TIDY_EVERY_MS = 30 * 60_000;

export type ThreadOptions = {
  stateDir: string;
  /** A server's; without one the files are in the state folder. */
  url: string | undefined;
  /** Of the proxy. */
  password: string;
};

/** Messages of the thread to its parent. */
export type Said =
  | { type: "listening"; address: string }
  | { type: "ready"; restarted: boolean }
  | { type: "failed"; message: string };

/** Admits clients only once the tables are migrated. A failed migration is retried for the next client. */
class MigratedBackend implements Backend {
  readonly #opening: Promise<Backend>;
  #migrated: Promise<Backend> | undefined;

  constructor(opening: Promise<Backend>) {
    this.#opening = opening;
  }

  ready(): Promise<Backend> {
    this.#migrated ??= this.#migrate().catch((error) => {
      this.#migrated = undefined;
      throw error;
    });
    return this.#migrated;
  }

  parameters(): ReadonlyMap<string, string> {
    return this.#parameters;
  }

  async open(listener: SessionListener, applicationName?: string) {
    return (await this.ready()).open(listener, applicationName);
  }

  async close(): Promise<void> {
    await (await this.#opening).close();
  }

  #parameters: ReadonlyMap<string, string> = new Map();

  async #migrate(): Promise<Backend> {
    const backend = await this.#opening;
    const connection = await connectTo(backend);
    try {
      await migrateDatabase(connection);
    } finally {
      connection.close();
    }
    this.#parameters = backend.parameters();
    return backend;
  }
}

async function run({ stateDir, url, password }: ThreadOptions): Promise<void> {
  const say = (said: Said) => parentPort!.postMessage(said);
  let restarted = false;
  const opening =
    url === undefined
      ? openPglite(join(stateDir, "postgres")).then((opened) => {
          restarted = opened.restarted;
          return opened;
        })
      : openPostgresql(url);
  const backend = new MigratedBackend(opening);
  const proxy = await startDatabaseProxy({ backend, password });
  say({ type: "listening", address: proxy.address });
  parentPort!.once("message", async () => {
    await proxy.close();
    await backend.close().catch(() => undefined);
    process.exit(0);
  });
  await backend.ready().then(
    () => {
      say({ type: "ready", restarted });
      if (url === undefined) setInterval(() => void tidy(backend), TIDY_EVERY_MS).unref();
    },
    (error: Error) => say({ type: "failed", message: error.message }),
  );
}

async function tidy(backend: Backend): Promise<void> {
  const connection = await connectTo(backend);
  await connection.query("VACUUM ANALYZE").catch((error) => console.warn(`Vacuuming the read model: ${error}`));
  connection.close();
}

await run(workerData as ThreadOptions);

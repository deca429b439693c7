// Database thread: opens the database, migrates it, and serves it through the proxy.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { Backend, SessionListener } from "./backend.ts";
import type { LocalDatabase } from "./local.ts";
import { startDatabaseProxy } from "./proxy.ts";
import { connectTo } from "./queries.ts";

/** Servers vacuum automatically, PGlite does not. */
const TIDY_EVERY_MS = 30 * 60_000;

export type ThreadOptions = {
  stateDir: string;
  /** A server's; without one the files are in the state folder. */
  url: string | undefined;
  /** Whether the database is opened for its first client instead of at once. */
  openForFirstClient?: boolean;
};

/** Messages of the thread to its parent. */
export type Said =
  | { type: "listening"; vars: LocalDatabase["vars"] }
  | { type: "ready"; restarted: boolean }
  | { type: "failed"; message: string };

/** Admits clients only once the tables are migrated. A failed migration is retried for the next client. */
class MigratedBackend implements Backend {
  readonly #openFiles: () => Promise<Backend>;
  #opening: Promise<Backend> | undefined;
  #migrated: Promise<Backend> | undefined;
  readonly #wanted = Promise.withResolvers<void>();

  constructor(openFiles: () => Promise<Backend>) {
    this.#openFiles = openFiles;
  }

  /** Resolves when the first client arrives. */
  get wanted(): Promise<void> {
    return this.#wanted.promise;
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
    this.#wanted.resolve();
    return (await this.ready()).open(listener, applicationName);
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }

  #parameters: ReadonlyMap<string, string> = new Map();

  async #migrate(): Promise<Backend> {
    this.#opening ??= this.#openFiles().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    const backend = await this.#opening;
    const { migrateDatabase } = await import("../../db/migrate.ts");
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

async function run({ stateDir, url, openForFirstClient = false }: ThreadOptions): Promise<void> {
  const say = (said: Said) => parentPort!.postMessage(said);
  let restarted = false;
  const backend = new MigratedBackend(async () => {
    // Code is loaded when it is needed: until then this thread should take as little memory as it can.
    if (url !== undefined) return (await import("./postgresql.ts")).openPostgresql(url);
    const opened = await (await import("./pglite.ts")).openPglite(join(stateDir, "postgres"));
    restarted = opened.restarted;
    return opened;
  });
  const proxy = await startDatabaseProxy({ backend, password: randomBytes(24).toString("hex") });
  say({ type: "listening", vars: { DATABASE_URL: proxy.url, DATABASE_PROXY: proxy.address } });
  parentPort!.once("message", async () => {
    await proxy.close();
    await backend.close().catch(() => undefined);
    process.exit(0);
  });
  if (openForFirstClient) await backend.wanted;
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

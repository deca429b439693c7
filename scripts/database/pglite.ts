// Postgres inside this process, for machines without a server.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { btree_gin } from "@electric-sql/pglite/contrib/btree_gin";
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm";
import type { Backend, Session, SessionListener } from "./backend.ts";
import {
  type BackendMessage,
  errorResponse,
  lastStatus,
  MessageReader,
  simpleQuery,
  type TransactionStatus,
} from "./wire.ts";

/** Clients that wait longer for a turn are refused, so a stuck client does not block the others. */
const TURN_WAIT_MS = 30_000;
/** An open transaction that is idle for longer is rolled back, because it holds the only session. */
const IDLE_IN_TRANSACTION_MS = 15_000;

/** A server answers after these messages; earlier ones are buffered. */
const ANSWERED = new Set(["Q", "S", "H", "F", "d", "c", "f"]);

/**
 * One process with one session needs no memory for others: with initdb's settings, which are those of a server, the files
 * open with twice the memory.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: "32MB",
  wal_buffers: "512kB",
  temp_buffers: "1MB",
  maintenance_work_mem: "16MB",
  max_connections: "10",
};

type Timings = { turnWaitMs?: number; idleInTransactionMs?: number };

/** Opens the files in `dataDir`, or a database in memory. Files that do not open are deleted, because the log can refill them. */
export async function openPglite(dataDir?: string, timings: Timings = {}): Promise<Backend & { restarted: boolean }> {
  const { database, restarted } = await openFiles(dataDir);
  const { rows } = await database.query<{ version: string }>("SELECT current_setting('server_version') AS version");
  const parameters = new Map([
    ["server_version", rows[0]!.version],
    ["server_encoding", "UTF8"],
    ["client_encoding", "UTF8"],
    ["DateStyle", "ISO, MDY"],
    ["TimeZone", "UTC"],
    ["integer_datetimes", "on"],
    ["standard_conforming_strings", "on"],
  ]);
  const turns = new Turns(timings.turnWaitMs ?? TURN_WAIT_MS);
  return {
    restarted,
    parameters: () => parameters,
    open: async (listener) =>
      new PgliteSession(database, turns, listener, timings.idleInTransactionMs ?? IDLE_IN_TRANSACTION_MS),
    close: () => database.close(),
  };
}

async function openFiles(dataDir: string | undefined): Promise<{ database: PGlite; restarted: boolean }> {
  const open = () =>
    PGlite.create({
      ...(dataDir === undefined ? {} : { dataDir }),
      extensions: { btree_gin, pg_trgm },
      startParams: [
        ...PGlite.defaultStartParams,
        ...Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
    });
  if (dataDir === undefined) return { database: await open(), restarted: false };
  mkdirSync(dirname(dataDir), { recursive: true });
  try {
    return { database: await open(), restarted: false };
  } catch (error) {
    if (!existsSync(dataDir)) throw error;
    rmSync(dataDir, { recursive: true });
    return { database: await open(), restarted: true };
  }
}

/** Grants turns on the only session, in the order of requests. */
class Turns {
  #taken = false;
  readonly #waiting: { give: () => void }[] = [];
  readonly waitMs: number;

  constructor(waitMs: number) {
    this.waitMs = waitMs;
  }

  /** Resolves to false on timeout or after `giveUp`. */
  take(): { given: Promise<boolean>; giveUp: () => void } {
    if (!this.#taken) {
      this.#taken = true;
      return { given: Promise.resolve(true), giveUp: () => undefined };
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const giveUp = () => {
      clearTimeout(timer);
      const at = this.#waiting.indexOf(place);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      resolve(false);
    };
    const timer = setTimeout(giveUp, this.waitMs);
    const place = {
      give: () => {
        clearTimeout(timer);
        resolve(true);
      },
    };
    this.#waiting.push(place);
    return { given: promise, giveUp };
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken = false;
    else next.give();
  }
}

/**
 * A client that shares the session: it has turns that last until its transaction ends. What outlives a transaction (SET,
 * named statements, temporary tables) is therefore visible to all clients; the registry uses none of it.
 */
class PgliteSession implements Session {
  readonly #database: PGlite;
  readonly #turns: Turns;
  readonly #listener: SessionListener;
  readonly #idleInTransactionMs: number;
  readonly #reader = new MessageReader();
  #collected: BackendMessage[] = [];
  #working: Promise<void> = Promise.resolve();
  #holds = false;
  #status: TransactionStatus = "I";
  #over = false;
  #giveUp: () => void = () => undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(database: PGlite, turns: Turns, listener: SessionListener, idleInTransactionMs: number) {
    this.#database = database;
    this.#turns = turns;
    this.#listener = listener;
    this.#idleInTransactionMs = idleInTransactionMs;
  }

  send(bytes: Uint8Array): void {
    if (this.#over) return;
    clearTimeout(this.#idleTimer);
    this.#reader.push(bytes);
    let batch: BackendMessage[] = [];
    try {
      for (const message of this.#reader.messages()) {
        if (message.type === "X") {
          this.close();
          this.#listener.ended();
          return;
        }
        this.#collected.push(message);
        if (ANSWERED.has(message.type)) {
          batch = [...batch, ...this.#collected];
          this.#collected = [];
        }
      }
    } catch (error) {
      this.#end("08P01", (error as Error).message);
      return;
    }
    if (batch.length === 0) return;
    const sent = Buffer.concat(batch.map((message) => message.bytes));
    this.#working = this.#working.then(() => this.#answer(sent)).catch((error) => this.#end("XX000", String(error)));
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#idleTimer);
    this.#giveUp();
    void this.#working.then(() => this.#leave());
  }

  async #answer(sent: Buffer): Promise<void> {
    if (this.#over) return;
    if (!this.#holds) {
      const { given, giveUp } = this.#turns.take();
      this.#giveUp = giveUp;
      if (!(await given)) {
        return this.#end(
          "53300",
          `No turn within ${this.#turns.waitMs} ms: the database has one session and it is taken.`,
        );
      }
      this.#holds = true;
      if (this.#over) return;
    }
    // Copied, because the next call reuses the buffer, perhaps before a slow socket has read it.
    const answers = Buffer.from(await this.#database.execProtocolRaw(sent));
    this.#status = lastStatus(answers) ?? this.#status;
    clearTimeout(this.#idleTimer);
    if (this.#status === "I") this.#release();
    else this.#idleTimer = setTimeout(() => this.#idleTooLong(), this.#idleInTransactionMs);
    if (!this.#over) this.#listener.receive(answers);
  }

  #idleTooLong(): void {
    this.#end("25P03", `The transaction was idle for ${this.#idleInTransactionMs} ms.`);
  }

  #end(code: string, reason: string): void {
    if (this.#over) return;
    this.#listener.receive(errorResponse("FATAL", code, reason));
    this.close();
    this.#listener.ended();
  }

  async #leave(): Promise<void> {
    if (!this.#holds) return;
    try {
      if (this.#status !== "I") await this.#database.execProtocolRaw(simpleQuery("ROLLBACK"));
    } finally {
      this.#status = "I";
      this.#release();
    }
  }

  #release(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#turns.release();
  }
}

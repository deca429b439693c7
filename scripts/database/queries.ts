// Runs the queries of one HTTP request on a session.
import type { Backend, Session } from "./backend.ts";
import {
  type BackendMessage,
  MessageReader,
  readCommand,
  readError,
  readRow,
  readRowFields,
  type ServerError,
  type StatementResult,
  SYNC,
  simpleQuery,
  statement,
  type TransactionStatus,
} from "./wire.ts";

export type SqlQuery = { query: string; params: readonly (string | null)[] };
export type BatchOptions = { isolationLevel?: string | undefined; readOnly?: boolean; deferrable?: boolean };

/** A statement the server refused. */
export class StatementError extends Error {
  readonly fields: ServerError;

  constructor(fields: ServerError) {
    super(fields.message);
    this.fields = fields;
  }
}

/** The session ended before answering. */
class SessionLost extends Error {}

/** Idle sessions kept so that a request need not connect. */
const MAX_IDLE_SESSIONS = 8;

const ISOLATION_LEVELS: Readonly<Record<string, string>> = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

/** Runs queries, each request on one of the kept sessions. */
export class QueryRunner {
  readonly #backend: Backend;
  readonly #idle: QuerySession[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async run(query: SqlQuery): Promise<StatementResult> {
    return this.#withSession(async (session) => (await session.run([query]))[0]!);
  }

  /** Runs all queries in one transaction. */
  async runBatch(queries: readonly SqlQuery[], options: BatchOptions): Promise<StatementResult[]> {
    const batch = [{ query: beginStatement(options), params: [] }, ...queries, { query: "COMMIT", params: [] }];
    return this.#withSession(async (session) => (await session.run(batch)).slice(1, -1));
  }

  close(): void {
    for (const session of this.#idle.splice(0)) session.close();
  }

  async #withSession<T>(work: (session: QuerySession) => Promise<T>): Promise<T> {
    const session = this.#idle.pop() ?? (await QuerySession.open(this.#backend));
    try {
      return await work(session);
    } finally {
      await session.settle().catch(() => session.close());
      if (!session.usable || this.#idle.length >= MAX_IDLE_SESSIONS) session.close();
      else this.#idle.push(session);
    }
  }
}

function beginStatement({ isolationLevel, readOnly, deferrable }: BatchOptions): string {
  const level = isolationLevel === undefined ? undefined : ISOLATION_LEVELS[isolationLevel];
  if (isolationLevel !== undefined && level === undefined) {
    throw new StatementError({ message: `Unknown isolation level "${isolationLevel}".`, code: "22023" });
  }
  const modes = [
    ...(level === undefined ? [] : [`ISOLATION LEVEL ${level}`]),
    ...(readOnly ? ["READ ONLY"] : []),
    ...(deferrable ? ["DEFERRABLE"] : []),
  ];
  return `BEGIN ${modes.join(", ")}`;
}

/** A session in the form migrations use. */
export async function connectTo(backend: Backend) {
  const session = await QuerySession.open(backend);
  return {
    async query(text: string, values: unknown[] = []): Promise<{ rows: Record<string, string | null>[] }> {
      const [result] = await session.run([{ query: text, params: values.map(String) }]);
      const { fields, rows } = result!;
      return { rows: rows.map((row) => Object.fromEntries(row.map((value, at) => [fields[at]!.name, value]))) };
    },
    close: () => session.close(),
  };
}

class QuerySession {
  usable = true;
  #status: TransactionStatus = "I";
  #session: Session | undefined;
  readonly #reader = new MessageReader();
  #waiting:
    | { seen: BackendMessage[]; answered: (messages: BackendMessage[]) => void; lost: (error: Error) => void }
    | undefined;

  static async open(backend: Backend): Promise<QuerySession> {
    const opened = new QuerySession();
    opened.#session = await backend.open({
      receive: (bytes) => opened.#receive(bytes),
      ended: () => opened.#ended(),
    });
    return opened;
  }

  /** One round trip; stops at the first failure. */
  async run(queries: readonly SqlQuery[]): Promise<StatementResult[]> {
    return readResults(
      await this.#exchange(Buffer.concat([...queries.map(({ query, params }) => statement(query, params)), SYNC])),
    );
  }

  /** Ends what a request left open. */
  async settle(): Promise<void> {
    if (this.#status !== "I" && this.usable) await this.#exchange(simpleQuery("ROLLBACK"));
  }

  close(): void {
    this.usable = false;
    this.#session?.close();
  }

  #exchange(bytes: Buffer): Promise<BackendMessage[]> {
    const { promise, resolve, reject } = Promise.withResolvers<BackendMessage[]>();
    if (!this.usable) return Promise.reject(new SessionLost("The session is over."));
    this.#waiting = { seen: [], answered: resolve, lost: reject };
    this.#session!.send(bytes);
    return promise;
  }

  #receive(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (const message of this.#reader.messages()) {
      this.#waiting?.seen.push(message);
      if (message.type !== "Z") continue;
      this.#status = String.fromCharCode(message.bytes[5]!) as TransactionStatus;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.answered(waiting.seen);
    }
  }

  #ended(): void {
    this.usable = false;
    const why = this.#waiting?.seen.findLast(({ type }) => type === "E");
    this.#waiting?.lost(
      why === undefined ? new SessionLost("The session ended.") : new StatementError(readError(why.bytes)),
    );
    this.#waiting = undefined;
  }
}

function readResults(messages: readonly BackendMessage[]): StatementResult[] {
  const results: StatementResult[] = [];
  let current: StatementResult = { command: "", rowCount: null, fields: [], rows: [] };
  for (const { type, bytes } of messages) {
    if (type === "E") throw new StatementError(readError(bytes));
    if (type === "T") current.fields = readRowFields(bytes);
    else if (type === "D") current.rows.push(readRow(bytes));
    else if (type === "C" || type === "I") {
      results.push({ ...current, ...(type === "C" ? readCommand(bytes) : {}) });
      current = { command: "", rowCount: null, fields: [], rows: [] };
    }
  }
  return results;
}

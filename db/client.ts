/**
 * The one way to Postgres, from a Worker, a test and a script alike: Neon's driver under Drizzle. A read is one HTTP request; a
 * transaction is a WebSocket that is opened and closed inside the call. Nothing is kept between calls: a Worker may not use a
 * socket of another request.
 */
import { Client, neon, neonConfig } from "@neondatabase/serverless";
import { drizzle as drizzleHttp, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { drizzle as drizzleClient, type NeonDatabase } from "drizzle-orm/neon-serverless";
import type { PgTransactionConfig } from "drizzle-orm/pg-core";

/** One query may take this long, network included: a caller waits for it. */
const READ_DEADLINE_MS = 8_000;
/** Opening a connection, a sleeping Neon compute included. */
const CONNECT_DEADLINE_MS = 10_000;
/** Closing it. What was to be done is done by then. */
const CLOSE_DEADLINE_MS = 1_000;
/** One transaction from its connection to its commit, below what a queue consumer may take. */
const TRANSACTION_DEADLINE_MS = 120_000;

/** Where the database is. */
export type DatabaseAccess = {
  /** `postgres://user:password@host/name`, as Neon shows it. */
  DATABASE_URL?: string;
  /** `host:port` of what speaks Neon's HTTP and WebSocket protocol in front of another Postgres; absent: the URL's host does. */
  DATABASE_PROXY?: string;
  /** What the database is told of whose transaction it is, such as a trace; at most 63 bytes are kept of it. */
  APPLICATION_NAME?: string;
};

const APPLICATION_NAME = "registry";

export type ReadDatabase = NeonHttpDatabase;
export type Transaction = Parameters<Parameters<NeonDatabase["transaction"]>[0]>[0];

/** There is no database, or it cannot be asked now. What was asked may have been done, if it was a commit. */
export class DatabaseUnreachable extends Error {
  override readonly name = "DatabaseUnreachable";
  readonly reason: "not_configured" | "unreachable" | "deadline";

  constructor(reason: DatabaseUnreachable["reason"], detail: string, cause?: unknown) {
    super(detail, { cause });
    this.reason = reason;
  }
}

/** Runs one or more reads, each a request of its own. */
export async function readDatabase<T>(access: DatabaseAccess, read: (db: ReadDatabase) => Promise<T>): Promise<T> {
  const url = requireUrl(access);
  const fetchOptions: RouteOptions = { databaseProxy: access.DATABASE_PROXY };
  return typedFailure(() => read(drizzleHttp({ client: neon<false, false>(url, { fetchOptions }) })));
}

/** Runs `work` in one transaction, on a connection of its own. If `work` throws, nothing has happened. */
export async function inTransaction<T>(
  access: DatabaseAccess,
  work: (transaction: Transaction) => Promise<T>,
  config?: PgTransactionConfig,
): Promise<T> {
  return withConnection(access, TRANSACTION_DEADLINE_MS, (client) =>
    drizzleClient({ client }).transaction(work, config),
  );
}

/** Gives `work` a connection of its own, for as long as it takes; only what migrates tables needs more than a transaction. */
export async function withConnection<T>(
  access: DatabaseAccess,
  deadlineMs: number,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString: requireUrl(access),
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
    application_name: access.APPLICATION_NAME ?? APPLICATION_NAME,
  });
  routeClient(client, access.DATABASE_PROXY);
  const lost = Promise.withResolvers<never>();
  // The client tells of a broken connection here as well as to whoever waits; unheard, it would end the process.
  client.on("error", (error) => lost.reject(new DatabaseUnreachable("unreachable", "The connection broke.", error)));
  lost.promise.catch(() => undefined);
  const timer = setTimeout(
    () => lost.reject(new DatabaseUnreachable("deadline", `No end within ${deadlineMs} ms.`)),
    deadlineMs,
  );
  try {
    return await typedFailure(() => Promise.race([lost.promise, connectAnd(client, work)]));
  } finally {
    clearTimeout(timer);
    await close(client);
  }
}

/**
 * Waited for, since an invocation is not over while a socket of it is open; but not for long, since one that is broken may never
 * say that it is closed.
 */
async function close(client: Client): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_DEADLINE_MS);
  });
  await Promise.race([late, client.end().catch(() => undefined)]);
  clearTimeout(timer);
}

async function connectAnd<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseUnreachable("unreachable", `No connection: ${reasonOf(error)}.`, error);
  }
  return work(client);
}

function requireUrl({ DATABASE_URL }: DatabaseAccess): string {
  if (DATABASE_URL) return DATABASE_URL;
  throw new DatabaseUnreachable("not_configured", "No database is configured: DATABASE_URL is not set.");
}

// ---- Where requests go

/** Rides in the options of one client's requests, for the driver knows a single endpoint for all of them. */
type RouteOptions = { databaseProxy: string | undefined };

/**
 * The driver's settings are the module's, not the client's, where HTTP is concerned, so they are set once and never again:
 * to a function that keeps nothing and sends each request where its own client says.
 */
neonConfig.fetchFunction = fetchRouted;

async function fetchRouted(endpoint: string, options: RequestInit & Partial<RouteOptions>): Promise<Response> {
  const { databaseProxy, ...init } = options;
  const url = databaseProxy === undefined ? endpoint : `http://${databaseProxy}/sql`;
  const signal = AbortSignal.timeout(READ_DEADLINE_MS);
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal });
    if (response.status === 200 || response.status === 400) return response;
  } catch (error) {
    if (signal.aborted) {
      throw new DatabaseUnreachable("deadline", `No answer within ${READ_DEADLINE_MS} ms.`, error);
    }
    throw new DatabaseUnreachable("unreachable", `No answer: ${reasonOf(error)}.`, error);
  }
  const text = await response.text();
  throw new DatabaseUnreachable("unreachable", `The database's endpoint answers ${response.status}: ${text}`);
}

/** Neon's own endpoint needs no setting. */
function routeClient(client: Client, databaseProxy: string | undefined): void {
  if (databaseProxy === undefined) return;
  client.neonConfig.wsProxy = () => `${databaseProxy}/v2`;
  client.neonConfig.useSecureWebSocket = false;
}

// ---- Failures

/** Gives every failure that is the database's absence one type, however deep the driver and Drizzle have wrapped it. */
async function typedFailure<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unreachableIn(error) ?? error;
  }
}

/**
 * SQLSTATE classes 08 (connection), 28 (authorization), 3D (no such database), 53 (resources) and 57 (operator intervention, which
 * a statement that took too long counts as), and 42P01 and 42703: tables or columns are missing, for migrations were not applied yet (https://www.postgresql.org/docs/15/errcodes-appendix.html).
 */
const AWAY = /^(?:08|28|3D|53|57|42P01|42703)/;
const MAX_CAUSES = 8;

function unreachableIn(error: unknown): DatabaseUnreachable | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof DatabaseUnreachable) return cause;
    const { code, sourceError } = cause as { code?: unknown; sourceError?: unknown };
    if (typeof code === "string" && AWAY.test(code)) {
      return new DatabaseUnreachable("unreachable", `The database says ${code}: ${cause.message}`, error);
    }
    // The deadline may pass after the answer has begun: then its body ends with this.
    if (cause.name === "TimeoutError") {
      return new DatabaseUnreachable("deadline", `No whole answer within ${READ_DEADLINE_MS} ms.`, error);
    }
    // What the driver says of a query whose socket closed under it has no code.
    if (/^Connection terminated/.test(cause.message)) {
      return new DatabaseUnreachable("unreachable", "The connection broke.", error);
    }
    cause = cause.cause ?? sourceError;
  }
  return undefined;
}

/** The SQLSTATE of a failed query, such as 23505 for a duplicate key; undefined where it is another kind of error. */
export function sqlState(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) return code;
    cause = cause.cause;
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error);
}

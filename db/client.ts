/**
 * The only access to Postgres, shared by Workers, tests and scripts: Neon's driver under Drizzle. A read is one HTTP
 * request; a transaction is a WebSocket opened and closed within the call. Nothing is kept between calls, because a Worker
 * may not use another request's socket.
 */
import { Client, neon, neonConfig } from "@neondatabase/serverless";
import { drizzle as drizzleHttp, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { drizzle as drizzleClient, type NeonDatabase } from "drizzle-orm/neon-serverless";
import type { PgTransactionConfig } from "drizzle-orm/pg-core";
import { withinDeadline } from "../registry/deadline.ts";

/** Timeout of one query including the network: a caller is waiting. */
const READ_DEADLINE_MS = 8_000;
/** Timeout for opening a connection, long enough to wake a sleeping Neon compute. */
const CONNECT_DEADLINE_MS = 10_000;
/** Timeout for closing a connection; by then the work is committed. */
const CLOSE_DEADLINE_MS = 1_000;
/** Timeout of a transaction from connect to commit, shorter than a queue consumer's. */
const TRANSACTION_DEADLINE_MS = 120_000;

/** The database's connection settings. */
export type DatabaseAccess = {
  /** `postgres://user:password@host/name`, as Neon shows it. */
  DATABASE_URL?: string;
  /** `host:port` of a proxy that speaks Neon's HTTP and WebSocket protocol for another Postgres; absent: the URL's host speaks it. */
  DATABASE_PROXY?: string;
  /** `application_name` of the connection, such as a trace id; Postgres keeps 63 bytes. */
  APPLICATION_NAME?: string;
};

const APPLICATION_NAME = "registry";

export type ReadDatabase = NeonHttpDatabase;
export type Transaction = Parameters<Parameters<NeonDatabase["transaction"]>[0]>[0];

/** No database is configured or it cannot be reached. A commit in flight may have succeeded. */
export class DatabaseUnreachable extends Error {
  override readonly name = "DatabaseUnreachable";
  readonly reason: "not_configured" | "unreachable" | "deadline";

  constructor(reason: DatabaseUnreachable["reason"], detail: string, cause?: unknown) {
    super(detail, { cause });
    this.reason = reason;
  }
}

/** Runs reads, each in a separate HTTP request. */
export async function readDatabase<T>(access: DatabaseAccess, read: (db: ReadDatabase) => Promise<T>): Promise<T> {
  const url = requireUrl(access);
  const fetchOptions: RouteOptions = { databaseProxy: access.DATABASE_PROXY };
  return typedFailure(() => read(drizzleHttp({ client: neon<false, false>(url, { fetchOptions }) })));
}

/** Runs `work` in one transaction on its own connection, and rolls back if `work` throws. */
export async function inTransaction<T>(
  access: DatabaseAccess,
  work: (transaction: Transaction) => Promise<T>,
  config?: PgTransactionConfig,
): Promise<T> {
  return withConnection(access, TRANSACTION_DEADLINE_MS, (client) =>
    drizzleClient({ client }).transaction(work, config),
  );
}

/** Runs `work` on its own connection. Only migrations need more than a transaction. */
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
  // The client emits a broken connection as an event too; without a listener it would end the process.
  client.on("error", (error) => lost.reject(new DatabaseUnreachable("unreachable", "The connection broke.", error)));
  lost.promise.catch(() => undefined);
  const late = () => {
    throw new DatabaseUnreachable("deadline", `The query did not finish within ${deadlineMs} ms.`);
  };
  try {
    return await typedFailure(() =>
      withinDeadline(deadlineMs, Promise.race([lost.promise, connectAnd(client, work)]), late),
    );
  } finally {
    await close(client);
  }
}

/**
 * Waits for the socket to close, because an invocation does not end while one is open, but only briefly: a broken socket may
 * never report its end.
 */
async function close(client: Client): Promise<void> {
  await withinDeadline(
    CLOSE_DEADLINE_MS,
    client.end().catch(() => undefined),
    () => undefined,
  );
}

async function connectAnd<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseUnreachable("unreachable", `No connection: ${describeCause(error)}.`, error);
  }
  return work(client);
}

function requireUrl({ DATABASE_URL }: DatabaseAccess): string {
  if (DATABASE_URL) return DATABASE_URL;
  throw new DatabaseUnreachable("not_configured", "No database is configured: DATABASE_URL is not set.");
}

// ---- Where requests go

/** Passed in the options of each request, because the driver has one global endpoint setting. */
type RouteOptions = { databaseProxy: string | undefined };

/** The driver's HTTP settings are global, so they are set once, to a stateless function that sends each request to its own client's endpoint. */
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
      throw new DatabaseUnreachable("deadline", `No response within ${READ_DEADLINE_MS} ms.`, error);
    }
    throw new DatabaseUnreachable("unreachable", `No answer: ${describeCause(error)}.`, error);
  }
  const text = await response.text();
  throw new DatabaseUnreachable("unreachable", `The database's endpoint answered ${response.status}: ${text}`);
}

/** Neon's own endpoint needs no proxy settings. */
function routeClient(client: Client, databaseProxy: string | undefined): void {
  if (databaseProxy === undefined) return;
  client.neonConfig.wsProxy = () => `${databaseProxy}/v2`;
  client.neonConfig.useSecureWebSocket = false;
}

// ---- Failures

/** Turns every failure that means "database unreachable" into one type, however deeply the driver and Drizzle wrapped it. */
async function typedFailure<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unreachableIn(error) ?? error;
  }
}

/**
 * SQLSTATE classes 08 (connection), 28 (authorization), 3D (no such database), 53 (resources) and 57 (operator intervention,
 * including statement timeouts), and 42P01 and 42703: missing tables or columns, because migrations were not applied yet
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html).
 */
const AWAY = /^(?:08|28|3D|53|57|42P01|42703)/;
const MAX_CAUSES = 8;

function unreachableIn(error: unknown): DatabaseUnreachable | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof DatabaseUnreachable) return cause;
    const { code, sourceError } = cause as { code?: unknown; sourceError?: unknown };
    if (typeof code === "string" && AWAY.test(code)) {
      return new DatabaseUnreachable("unreachable", `The database reported ${code}: ${cause.message}`, error);
    }
    // The deadline may pass while the body is being read; reading it then fails with this error.
    if (cause.name === "TimeoutError") {
      return new DatabaseUnreachable("deadline", `No complete response within ${READ_DEADLINE_MS} ms.`, error);
    }
    // The driver's error for a query whose socket closed has no code.
    if (/^Connection terminated/.test(cause.message)) {
      return new DatabaseUnreachable("unreachable", "The connection broke.", error);
    }
    cause = cause.cause ?? sourceError;
  }
  return undefined;
}

/** The SQLSTATE of a failed query, such as 23505 for a duplicate key; undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) return code;
    cause = cause.cause;
  }
  return undefined;
}

function describeCause(error: unknown): string {
  return error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error);
}

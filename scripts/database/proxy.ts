// Neon's two protocols (POST /sql, WebSocket /v2) in front of any Postgres.
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Backend, Session } from "./backend.ts";
import { type BatchOptions, QueryRunner, type SqlQuery, StatementError } from "./queries.ts";
import {
  AUTHENTICATION_CLEARTEXT,
  AUTHENTICATION_OK,
  backendKeyData,
  errorResponse,
  MAX_BACKEND_MESSAGE_BYTES,
  MessageReader,
  PROTOCOL_3,
  parameterStatus,
  readPassword,
  readyForQuery,
  type StatementResult,
} from "./wire.ts";

export type DatabaseProxy = {
  /** `host:port`, for DATABASE_PROXY. */
  address: string;
  /** For DATABASE_URL, with the proxy's password. */
  url: string;
  /** Currently open WebSockets. */
  openSockets(): number;
  close(): Promise<void>;
};

type ProxyOptions = {
  backend: Backend | Promise<Backend>;
  /** Required from every client, because other users of this machine can reach the proxy. */
  password: string;
  port?: number;
};

/** The backend may still be opening: early clients wait for it, or get its error. */
export async function startDatabaseProxy({ backend, password, port = 0 }: ProxyOptions): Promise<DatabaseProxy> {
  const arriving = Promise.resolve(backend);
  // Waiting clients handle the rejection; without a handler it would end the process.
  arriving.catch(() => undefined);
  const runner = arriving.then((arrived) => new QueryRunner(arrived));
  runner.catch(() => undefined);

  const server = createServer((request, response) => {
    answerQueries(runner, password, request, response).catch((error: Error) =>
      sendJson(response, 503, { message: `The database cannot be reached: ${error.message}` }),
    );
  });
  const sockets = new WebSocketServer({ server, path: "/v2", maxPayload: MAX_BACKEND_MESSAGE_BYTES });
  sockets.on("connection", (socket) => new SocketClient(socket, arriving, password));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    url: `postgres://registry:${encodeURIComponent(password)}@${address}/registry`,
    openSockets: () => sockets.clients.size,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await runner.then(
        (running) => running.close(),
        () => undefined,
      );
    },
  };
}

// ---- HTTP

async function answerQueries(
  arriving: Promise<QueryRunner>,
  password: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "POST" || request.url !== "/sql") {
    return sendJson(response, 404, { message: "Only POST /sql and the WebSocket /v2 are here." });
  }
  if (!isPassword(passwordInUrl(request.headers["neon-connection-string"]), password)) {
    return sendJson(response, 400, { message: "password authentication failed", code: "28P01", severity: "FATAL" });
  }
  const body = await readBody(request);
  const runner = await arriving;
  const asArrays = request.headers["neon-array-mode"] === "true";
  try {
    if (isBatch(body)) {
      const results = await runner.runBatch(body.queries.map(readQuery), batchOptions(request));
      return sendJson(response, 200, { results: results.map((result) => resultJson(result, asArrays)) });
    }
    sendJson(response, 200, resultJson(await runner.run(readQuery(body as RequestedQuery)), asArrays));
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    sendJson(response, 400, { ...error.fields });
  }
}

type RequestedQuery = { query: string; params?: readonly unknown[] };

function isBatch(body: unknown): body is { queries: RequestedQuery[] } {
  return Array.isArray((body as { queries?: unknown }).queries);
}

function readQuery({ query, params = [] }: RequestedQuery): SqlQuery {
  return { query, params: params.map((value) => (value === null || value === undefined ? null : String(value))) };
}

function batchOptions({ headers }: IncomingMessage): BatchOptions {
  return {
    isolationLevel: headers["neon-batch-isolation-level"] as string | undefined,
    readOnly: headers["neon-batch-read-only"] === "true",
    deferrable: headers["neon-batch-deferrable"] === "true",
  };
}

/** Values are text, as the driver requests (`Neon-Raw-Text-Output`). */
function resultJson({ command, rowCount, fields, rows }: StatementResult, asArrays: boolean) {
  return {
    command,
    rowCount,
    fields,
    rows: asArrays
      ? rows
      : rows.map((row) => Object.fromEntries(row.map((value, column) => [fields[column]!.name, value]))),
    rowAsArray: asArrays,
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BACKEND_MESSAGE_BYTES) throw new Error("The request is too large.");
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

// ---- WebSocket

/** A client of /v2: performs the startup of a Postgres server, then passes bytes through. */
class SocketClient {
  readonly #socket: WebSocket;
  readonly #backend: Promise<Backend>;
  readonly #password: string;
  readonly #reader = new MessageReader();
  #state: "startup" | "password" | "opening" | "open" | "over" = "startup";
  #session: Session | undefined;
  #applicationName: string | undefined;
  #early: Buffer[] = [];

  constructor(socket: WebSocket, backend: Promise<Backend>, password: string) {
    this.#socket = socket;
    this.#backend = backend;
    this.#password = password;
    socket.on("message", (data) => this.#receive(data as Buffer));
    socket.on("close", () => this.#leave());
    socket.on("error", () => this.#leave());
  }

  #receive(bytes: Buffer): void {
    if (this.#state === "over") return;
    if (this.#state === "open") {
      this.#session!.send(bytes);
      return;
    }
    if (this.#state === "opening") {
      this.#early.push(bytes);
      return;
    }
    this.#reader.push(bytes);
    try {
      if (this.#state === "startup" && !this.#readStartup()) return;
      for (const message of this.#reader.messages()) {
        if (this.#state === "opening") {
          this.#early.push(message.bytes);
        } else if (message.type !== "p" || !isPassword(readPassword(message), this.#password)) {
          this.#refuse("28P01", "password authentication failed");
          return;
        } else {
          this.#state = "opening";
          void this.#open();
        }
      }
      if ((this.#state as string) === "opening") this.#early.push(this.#reader.takeRest());
    } catch (error) {
      this.#refuse("08P01", (error as Error).message);
    }
  }

  /** True once the client may be asked for its password. */
  #readStartup(): boolean {
    for (;;) {
      const startup = this.#reader.startup();
      if (startup === undefined) return false;
      if (startup.type === "encryption") {
        this.#socket.send("N");
        continue;
      }
      if (startup.version !== PROTOCOL_3) {
        this.#refuse("0A000", "Only protocol 3.0 is spoken here.");
        return false;
      }
      this.#applicationName = startup.parameters.get("application_name");
      this.#state = "password";
      this.#socket.send(AUTHENTICATION_CLEARTEXT);
      return true;
    }
  }

  async #open(): Promise<void> {
    try {
      const backend = await this.#backend;
      const listener = { receive: (bytes: Uint8Array) => this.#socket.send(bytes), ended: () => this.#end() };
      const session = await backend.open(listener, this.#applicationName);
      if ((this.#state as string) === "over") return session.close();
      this.#session = session;
      const greeting = [...backend.parameters()].map(([name, value]) => parameterStatus(name, value));
      this.#socket.send(Buffer.concat([AUTHENTICATION_OK, ...greeting, backendKeyData(), readyForQuery("I")]));
      this.#state = "open";
      for (const bytes of this.#early) session.send(bytes);
      this.#early = [];
    } catch (error) {
      this.#refuse("08006", `The database cannot be reached: ${(error as Error).message}`);
    }
  }

  #refuse(code: string, reason: string): void {
    if (this.#state === "over") return;
    this.#socket.send(errorResponse("FATAL", code, reason));
    this.#end();
  }

  #end(): void {
    this.#leave();
    this.#socket.close();
  }

  #leave(): void {
    this.#state = "over";
    this.#session?.close();
  }
}

// ---- Passwords

function passwordInUrl(url: string | string[] | undefined): string | undefined {
  if (typeof url !== "string" || !URL.canParse(url)) return undefined;
  return decodeURIComponent(new URL(url).password);
}

function isPassword(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

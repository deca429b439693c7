/**
 * A load generator on raw sockets. On a machine with two cores, the client's CPU time is missing from the server, and a
 * full HTTP client uses more than a read does. It understands only keep-alive, Content-Length and chunked bodies.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

type Load = {
  port: number;
  connections: number;
  /** The n-th request's bytes. */
  request(n: number): Buffer;
  /** The kind under which `latenciesMs` lists the n-th request. */
  kindOf?(n: number): string;
} & ({ forMs: number } | { count: number });

export type Measured = {
  requests: number;
  /** Responses other than 2xx and 304; the first one is kept for the report. */
  refused: number;
  firstRefusal: string | undefined;
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Sorted, by the kind of request. */
  latenciesMs: ReadonlyMap<string, readonly number[]>;
};

/** Formats a request once, so that sending it is only a copy. */
export function requestBytes(
  method: string,
  path: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const lines = Object.entries({
    Host: "127.0.0.1",
    ...(body === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`);
}

/** Sends requests over keep-alive connections, each waiting for its response before the next. */
export async function applyLoad(load: Load): Promise<Measured> {
  const latenciesMs: number[] = [];
  const byKind = new Map<string, number[]>();
  let next = 0;
  let refused = 0;
  let firstRefusal: string | undefined;
  const began = performance.now();
  const isOver = () => ("forMs" in load ? performance.now() - began >= load.forMs : next >= load.count);

  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const connection = await openConnection(load.port);
      while (!isOver()) {
        const kind = load.kindOf?.(next);
        const bytes = load.request(next);
        next += 1;
        const sent = performance.now();
        const { status, text } = await connection.exchange(bytes);
        const tookMs = performance.now() - sent;
        latenciesMs.push(tookMs);
        if (kind !== undefined)
          byKind
            .set(kind, byKind.get(kind) ?? [])
            .get(kind)!
            .push(tookMs);
        if ((status < 200 || status > 299) && status !== 304) {
          refused += 1;
          firstRefusal ??= `${status} ${text.slice(0, 300)}`;
        }
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  for (const latencies of [latenciesMs, ...byKind.values()]) latencies.sort((a, b) => a - b);
  return {
    requests: latenciesMs.length,
    refused,
    firstRefusal,
    perSecond: latenciesMs.length / seconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p95Ms: quantile(latenciesMs, 0.95),
    p99Ms: quantile(latenciesMs, 0.99),
    latenciesMs: byKind,
  };
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

type Connection = { exchange(bytes: Buffer): Promise<{ status: number; text: string }>; close(): void };

async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let waiting: { resolve(answer: { status: number; text: string }): void; reject(error: Error): void } | undefined;
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = completeAnswer(received);
    if (answer === undefined) return;
    received = Buffer.alloc(0);
    waiting?.resolve(answer);
  });
  const fail = () => waiting?.reject(new Error("The server closed the connection."));
  socket.on("error", fail);
  socket.on("close", fail);
  return {
    exchange: (bytes) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(bytes);
      }),
    close: () => {
      waiting = undefined;
      socket.destroy();
    },
  };
}

const HEADER_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

function completeAnswer(bytes: Buffer): { status: number; text: string } | undefined {
  const end = bytes.indexOf(HEADER_END);
  if (end === -1) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    return bytes.length < end + 4 + Number(length) ? undefined : answerOf(status, bytes, end);
  }
  if (status === 204 || status === 304) return { status, text: "" };
  return bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) ? answerOf(status, bytes, end) : undefined;
}

/** Only the text of a reported refusal is decoded. */
function answerOf(status: number, bytes: Buffer, end: number): { status: number; text: string } {
  return { status, text: status < 300 ? "" : bytes.subarray(end + 4).toString("utf8") };
}

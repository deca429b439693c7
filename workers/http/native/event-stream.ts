/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from a feed's socket. Only what
 * the reader has consumed is acknowledged, so a slow reader holds back the feed instead of filling this Worker's
 * memory.
 */

import type { ControlMessage } from "../../../durable-objects/feed/protocol.ts";
import type { CloudEvent } from "../../../registry/cloud-event.ts";

/** Proxies close connections that are silent for half a minute or more. */
export const HEARTBEAT_MS = 15_000;
/**
 * After this time the stream ends and the reader reconnects and resumes, so no stream outlives a deployment by much.
 */
export const STREAM_LIFETIME_MS = 5 * 60_000;
/** The reconnect delay. It is randomised, because streams that began together end together. */
const MIN_RETRY_MS = 500;
const RETRY_SPREAD_MS = 2_000;
/** The maximum size of one chunk. */
const CHUNK_CHARACTERS = 64 * 1024;
const TICK_MS = 1_000;

/**
 * Ends when the reader disconnects, the socket closes or the lifetime is over; in the last two cases with a retry hint.
 */
export function eventStream(
  socket: WebSocket,
  now: () => number,
  random: () => number = Math.random,
): ReadableStream<Uint8Array> {
  return new ReadableStream(new EventSource(socket, now, random));
}

/** Messages from the socket that the reader has not consumed yet. The feed's credit limits their size. */
class EventSource implements UnderlyingSource<Uint8Array> {
  readonly #socket: WebSocket;
  readonly #now: () => number;
  readonly #retryMs: number;
  readonly #encoder = new TextEncoder();
  readonly #startedAtMs: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Kept as received: parsed, each would take several times the memory. */
  #waiting: string[] = [];
  #wroteAtMs: number;
  #isOver = false;
  /** Set while the reader waits for more data. */
  #more: (() => void) | undefined;

  constructor(socket: WebSocket, now: () => number, random: () => number) {
    this.#socket = socket;
    this.#now = now;
    this.#retryMs = MIN_RETRY_MS + Math.floor(random() * RETRY_SPREAD_MS);
    this.#startedAtMs = now();
    this.#wroteAtMs = this.#startedAtMs;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#socket.addEventListener("message", ({ data }) => {
      this.#waiting.push(String(data));
      this.#more?.();
    });
    this.#socket.addEventListener("close", () => this.#end());
    this.#socket.addEventListener("error", () => this.#end());
    this.#socket.accept();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  async pull(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
      this.#more = undefined;
    }
    if (this.#waiting.length > 0) this.#writeWaiting();
    else if (this.#isOver) this.#close();
  }

  cancel(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    closeQuietly(this.#socket);
  }

  #writeWaiting(): void {
    let text = "";
    let taken = 0;
    let acknowledged: number | undefined;
    while (taken < this.#waiting.length && text.length < CHUNK_CHARACTERS) {
      const sent = this.#waiting[taken]!;
      const message = JSON.parse(sent) as CloudEvent | ControlMessage;
      text += printEvent(message, sent, this.#retryMs);
      acknowledged = acknowledgedBy(message) ?? acknowledged;
      taken += 1;
    }
    this.#waiting.splice(0, taken);
    this.#write(text);
    if (acknowledged !== undefined && !this.#isOver) {
      try {
        this.#socket.send(JSON.stringify({ ack: acknowledged }));
      } catch {
        this.#end();
      }
    }
  }

  #tick(): void {
    const nowMs = this.#now();
    if (nowMs - this.#startedAtMs >= STREAM_LIFETIME_MS) this.#end();
    // Sent only to a waiting reader; a reader that is behind does not need a sign of life.
    else if (nowMs - this.#wroteAtMs >= HEARTBEAT_MS && this.#more !== undefined) this.#write(": heartbeat\n\n");
  }

  /** Delivers what has been received, then ends the stream. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    closeQuietly(this.#socket);
    this.#more?.();
  }

  #close(): void {
    this.#write(`retry: ${this.#retryMs}\n\n`);
    this.#controller?.close();
  }

  #write(text: string): void {
    this.#wroteAtMs = this.#now();
    this.#controller?.enqueue(this.#encoder.encode(text));
  }
}

/** An id without data updates the reader's Last-Event-ID without dispatching an event. */
function printEvent(message: CloudEvent | ControlMessage, sent: string, retryMs: number): string {
  if (!("control" in message)) return `id: ${message.id}\ndata: ${sent}\n\n`;
  if (message.control === "started") {
    return `: from ${message.after} on\nretry: ${retryMs}\nid: ${message.epoch}.${message.after}\n\n`;
  }
  return `id: ${message.epoch}.${message.seq}\n\n`;
}

function acknowledgedBy(message: CloudEvent | ControlMessage): number | undefined {
  if (!("control" in message)) return message.data.seq as number;
  return message.control === "position" ? message.seq : undefined;
}

function closeQuietly(socket: WebSocket): void {
  try {
    socket.close(1000, "done");
  } catch {
    // The socket is already closed.
  }
}

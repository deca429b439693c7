/** A client that follows the feed over a real socket and reconnects as the documentation says. */
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { CloudEvent } from "../../registry/cloud-event.ts";

const RECONNECT_MS = 100;
const ACKNOWLEDGED_EVERY = 50;

export class FeedFollower {
  /** In the order of arrival, over all connections. */
  readonly seqs: number[] = [];
  readonly closings: number[] = [];
  connections = 0;
  readonly #url: string;
  #after: number;
  #socket: WebSocket | undefined;
  #isOver = false;

  constructor(url: string, after: number, filter = "") {
    this.#url = `${url.replace("http", "ws")}/api/v1/events?${filter}`;
    this.#after = after;
    void this.#follow();
  }

  stop(): void {
    this.#isOver = true;
    this.#socket?.terminate();
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      await this.#connection();
      await pause(RECONNECT_MS);
    }
  }

  #connection(): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`${this.#url}&after=${this.#after}`);
      this.#socket = socket;
      socket.on("open", () => {
        this.connections += 1;
      });
      socket.on("message", (data: Buffer) => this.#take(socket, data.toString()));
      // A refused connection is followed by a close as well.
      socket.on("error", () => undefined);
      socket.on("close", (code) => {
        this.closings.push(code);
        resolve();
      });
    });
  }

  #take(socket: WebSocket, text: string): void {
    const message = JSON.parse(text) as CloudEvent | { control: string; seq: number };
    if ("control" in message) {
      if (message.control === "position") this.#after = message.seq;
      return;
    }
    this.#after = message.data.seq as number;
    this.seqs.push(this.#after);
    if (this.seqs.length % ACKNOWLEDGED_EVERY === 0) socket.send(JSON.stringify({ ack: this.#after }));
  }
}

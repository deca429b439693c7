/** A test subscriber of a feed: the messages received so far, and waiting for more. */

import { type ControlMessage, type Subscription, subscriptionRequest } from "../../durable-objects/feed/protocol.ts";
import type { CloudEvent } from "../../registry/cloud-event.ts";

/** Allows for a loaded machine; a test that waits this long has failed. */
const WITHIN_MS = 20_000;
const ACKNOWLEDGED_EVERY = 50;

export class FeedClient {
  readonly events: CloudEvent[] = [];
  readonly controls: ControlMessage[] = [];
  readonly others: string[] = [];
  closed: { code: number; reason: string } | undefined;
  /** Acknowledges immediately, like a client that keeps up. */
  acknowledges = false;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    socket.accept();
  }

  /** Subscribes at the object itself, or returns its response instead. */
  static async subscribe(
    feed: Pick<Fetcher, "fetch">,
    { after = null, filter = { subjects: null, types: null } }: Partial<Subscription> = {},
  ): Promise<FeedClient> {
    const response = await feed.fetch(subscriptionRequest({ filter, after }));
    if (response.webSocket === null) throw new Error(`${response.status}: ${await response.text()}`);
    return new FeedClient(response.webSocket);
  }

  get seqs(): number[] {
    return this.events.map(seqOf);
  }

  send(message: string | ArrayBuffer): void {
    this.#socket.send(message);
  }

  acknowledge(seq: number): void {
    this.send(JSON.stringify({ ack: seq }));
  }

  close(): void {
    this.#socket.close(1000, "done");
  }

  /** Waits for this number of events in total. */
  async received(count: number): Promise<CloudEvent[]> {
    await this.until(
      () => this.events.length >= count,
      () => `${this.events.length} of ${count} events came`,
    );
    return this.events;
  }

  /** Waits for the event of this seq. */
  async reached(seq: number): Promise<CloudEvent[]> {
    await this.until(
      () => this.#lastSeq() >= seq,
      () => `the last event is ${this.#lastSeq()}, not ${seq}`,
    );
    return this.events;
  }

  async until(happened: () => boolean, instead: () => string = () => "it did not happen"): Promise<void> {
    const giveUpAtMs = Date.now() + WITHIN_MS;
    while (!happened()) {
      if (Date.now() > giveUpAtMs) throw new Error(`${instead()}; closed: ${JSON.stringify(this.closed)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #lastSeq(): number {
    const last = this.events.at(-1);
    return last === undefined ? 0 : seqOf(last);
  }

  #take(text: string): void {
    if (!text.startsWith("{")) {
      this.others.push(text);
      return;
    }
    const message = JSON.parse(text) as CloudEvent | ControlMessage;
    if ("control" in message) this.controls.push(message);
    else {
      this.events.push(message);
      if (this.acknowledges && this.events.length % ACKNOWLEDGED_EVERY === 0) this.acknowledge(seqOf(message));
    }
  }
}

export function seqOf(event: CloudEvent): number {
  return event.data.seq as number;
}

/** Every seq in a range. */
export function seqsBetween(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

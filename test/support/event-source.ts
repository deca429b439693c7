/** A test client for server-sent events: the contents of each block of the stream, and the id to resume with. */
import type { CloudEvent } from "../../registry/cloud-event.ts";

const WITHIN_MS = 20_000;

export class EventReader {
  readonly events: CloudEvent[] = [];
  readonly comments: string[] = [];
  lastEventId = "";
  retryMs: number | undefined;
  ended = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(response: Response) {
    if (response.headers.get("Content-Type") !== "text/event-stream" || response.body === null) {
      throw new Error(`${response.status} is not an event stream`);
    }
    this.#reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  get seqs(): number[] {
    return this.events.map((event) => event.data.seq as number);
  }

  /** Reads on until this is true. */
  async until(happened: () => boolean): Promise<void> {
    const giveUpAtMs = Date.now() + WITHIN_MS;
    while (!happened()) {
      if (this.ended) throw new Error(`The stream ended with ${this.events.length} events.`);
      const left = giveUpAtMs - Date.now();
      const timeout = new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error(`Only ${this.events.length} events came, to ${this.lastEventId}.`)), left),
      );
      const read = await Promise.race([this.#reader.read(), timeout]);
      if (read.done) this.ended = true;
      else this.#take(this.#decoder.decode(read.value, { stream: true }));
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop()!;
    for (const block of blocks) this.#takeBlock(block);
  }

  #takeBlock(block: string): void {
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      const field = line.slice(0, colon);
      const value = line.slice(colon + 1).replace(/^ /, "");
      if (field === "") this.comments.push(value);
      else if (field === "id") this.lastEventId = value;
      else if (field === "retry") this.retryMs = Number(value);
      else if (field === "data") this.events.push(JSON.parse(value) as CloudEvent);
      else throw new Error(`An unexpected line: ${line}`);
    }
  }
}

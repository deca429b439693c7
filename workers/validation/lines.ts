/**
 * Validates NDJSON while it streams in, with constant memory. Lines are validated in groups, and between two groups the
 * isolate serves other requests.
 */
import { type DataVerdict, unreadable } from "../../schema/data.ts";
import { giveTurn } from "../registry/turns.ts";
import { MAX_MESSAGE_BYTES } from "./validate.ts";

/** Bytes validated without a pause: a few milliseconds of the interpreter. */
const LINE_GROUP_BYTES = 256 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** `line` counts from 1. A line that is too long has an error instead of its bytes. */
export type Line = { line: number } & ({ bytes: Uint8Array } | { unreadable: DataVerdict });

/**
 * Groups of lines, in order. Empty lines are counted and skipped; a line that is too long is skipped and reported as an
 * error.
 */
export async function* readLineGroups(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[], void, undefined> {
  const splitter = new LineSplitter();
  let bytes = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += LINE_GROUP_BYTES) {
      // The chunk belongs to the stream, which may reuse its memory; one copy is cheaper than one per line.
      const part = chunk.slice(at, at + LINE_GROUP_BYTES);
      splitter.push(part);
      bytes += part.length;
      if (bytes < LINE_GROUP_BYTES) continue;
      bytes = 0;
      yield splitter.take();
      await giveTurn();
    }
  }
  splitter.end();
  yield splitter.take();
}

class LineSplitter {
  #lines: Line[] = [];
  #number = 0;
  /** The part of an incomplete line that has arrived. */
  #parts: Uint8Array[] = [];
  #length = 0;

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#finish();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  end(): void {
    if (this.#length > 0) this.#finish();
  }

  take(): Line[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Of a line that is too long only the length is kept. */
  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > MAX_MESSAGE_BYTES) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #finish(): void {
    this.#number += 1;
    const parts = this.#parts;
    const length = this.#length;
    this.#parts = [];
    this.#length = 0;
    if (length > MAX_MESSAGE_BYTES) {
      const verdict = unreadable("too_large", `a line of at most ${MAX_MESSAGE_BYTES} bytes`, `${length} bytes`);
      this.#lines.push({ line: this.#number, unreadable: verdict });
      return;
    }
    const bytes = parts.length === 1 ? parts[0]! : joined(parts, length);
    if (!isBlank(bytes)) this.#lines.push({ line: this.#number, bytes });
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}

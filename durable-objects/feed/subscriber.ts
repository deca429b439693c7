/**
 * One subscriber's cursor and credit. An object cannot see how much of a socket's data is still buffered, so unacknowledged
 * events count as buffered, and past a limit nothing more is sent.
 */
import type { Filter } from "./filter.ts";

/** Events a subscriber may receive without acknowledging any. */
export const MAX_UNACKED_EVENTS = 1_000;
export const MAX_UNACKED_BYTES = 1024 * 1024;
/** Acknowledgements are tracked per eighth of the window; exact tracking would store every message. */
const MARKS = 8;

/** The socket's attachment: with it and the ring, a hibernated feed resumes where it stopped. */
export type Attachment = {
  v: 1;
  /** When the connection was accepted; absent in those that an earlier build accepted. */
  startedAtMs?: number;
  filter: Filter;
  cursor: number;
  told: number;
  sent: readonly [events: number, bytes: number];
  released: readonly [events: number, bytes: number];
  /** Three numbers each, in the order of SentTotals. */
  marks: readonly number[];
  stalledAtMs: number | null;
};

/** Totals after the message with this seq was sent. */
type SentTotals = { seq: number; events: number; bytes: number };

export class Subscriber {
  readonly filter: Filter;
  readonly startedAtMs: number;
  /** Every event up to here was sent or filtered out. */
  cursor: number;
  /** Since when an event has waited for credit; null if none is waiting. */
  stalledAtMs: number | null;
  /** Seq of the last message sent. */
  #lastSent: number;
  #sent: { events: number; bytes: number };
  #released: { events: number; bytes: number };
  #marks: SentTotals[];

  constructor({ startedAtMs = 0, filter, cursor, told, sent, released, marks, stalledAtMs }: Attachment) {
    this.startedAtMs = startedAtMs;
    this.filter = filter;
    this.cursor = cursor;
    this.stalledAtMs = stalledAtMs;
    this.#lastSent = told;
    this.#sent = { events: sent[0], bytes: sent[1] };
    this.#released = { events: released[0], bytes: released[1] };
    this.#marks = [];
    for (let at = 0; at < marks.length; at += 3) {
      this.#marks.push({ seq: marks[at]!, events: marks[at + 1]!, bytes: marks[at + 2]! });
    }
  }

  /** A subscriber that has received nothing yet. */
  static after(after: number, filter: Filter, startedAtMs: number): Subscriber {
    return new Subscriber({
      v: 1,
      startedAtMs,
      filter,
      cursor: after,
      told: after,
      sent: [0, 0],
      released: [0, 0],
      marks: [],
      stalledAtMs: null,
    });
  }

  attachment(): Attachment {
    return {
      v: 1,
      startedAtMs: this.startedAtMs,
      filter: this.filter,
      cursor: this.cursor,
      told: this.#lastSent,
      sent: [this.#sent.events, this.#sent.bytes],
      released: [this.#released.events, this.#released.bytes],
      marks: this.#marks.flatMap(({ seq, events, bytes }) => [seq, events, bytes]),
      stalledAtMs: this.stalledAtMs,
    };
  }

  /** The last position the subscriber was sent, so that it can be refreshed before it is too old to resume from. */
  get silentFor(): number {
    return this.cursor - this.#lastSent;
  }

  /** Whether one more message may be sent. With nothing outstanding, a message of any size may. */
  hasCredit(bytes: number, windowBytes: number): boolean {
    const events = this.#sent.events - this.#released.events;
    const waiting = this.#sent.bytes - this.#released.bytes;
    return events === 0 || (events < MAX_UNACKED_EVENTS && waiting + bytes <= windowBytes);
  }

  noteSent(seq: number, bytes: number, windowBytes: number): void {
    this.#lastSent = seq;
    this.#sent = { events: this.#sent.events + 1, bytes: this.#sent.bytes + bytes };
    const last = this.#marks.at(-1) ?? this.#released;
    const isDue =
      this.#sent.events - last.events >= MAX_UNACKED_EVENTS / MARKS ||
      this.#sent.bytes - last.bytes >= windowBytes / MARKS;
    if (isDue && this.#marks.length < MARKS) this.#marks.push({ seq, ...this.#sent });
  }

  /** False for a seq that was never sent. */
  acknowledge(seq: number): boolean {
    if (seq > this.#lastSent) return false;
    if (seq === this.#lastSent) {
      this.#released = this.#sent;
      this.#marks = [];
      return true;
    }
    while (this.#marks.length > 0 && this.#marks[0]!.seq <= seq) {
      const { events, bytes } = this.#marks.shift()!;
      this.#released = { events, bytes };
    }
    return true;
  }
}

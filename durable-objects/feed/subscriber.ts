/**
 * One subscriber's place in the log and its credit. Objects cannot see how much of a socket's data still waits to be sent, so
 * what was not acknowledged counts as waiting, and beyond a bound nothing more is sent.
 */
import type { Filter } from "./filter.ts";

/** Events that a subscriber may have without having acknowledged one. */
export const MAX_UNACKED_EVENTS = 1_000;
export const MAX_UNACKED_BYTES = 1024 * 1024;
/** Acknowledged in eighths of the window: an exact account would remember every message. */
const MARKS = 8;

/** What a socket's attachment holds: with this and the ring, a feed that slept goes on where it was. */
export type Attachment = {
  v: 1;
  filter: Filter;
  cursor: number;
  told: number;
  sent: readonly [events: number, bytes: number];
  released: readonly [events: number, bytes: number];
  /** Of three numbers each, as Mark has them. */
  marks: readonly number[];
  stalledAtMs: number | null;
};

/** How much had been sent in all when the message with this seq had been. */
type Mark = { seq: number; events: number; bytes: number };

export class Subscriber {
  readonly filter: Filter;
  /** Every event up to here was sent, or is not asked for. */
  cursor: number;
  /** Since when an event waits for credit; null: none does. */
  stalledAtMs: number | null;
  /** The seq of the last message. */
  #told: number;
  #sent: { events: number; bytes: number };
  #released: { events: number; bytes: number };
  #marks: Mark[];

  constructor({ filter, cursor, told, sent, released, marks, stalledAtMs }: Attachment) {
    this.filter = filter;
    this.cursor = cursor;
    this.stalledAtMs = stalledAtMs;
    this.#told = told;
    this.#sent = { events: sent[0], bytes: sent[1] };
    this.#released = { events: released[0], bytes: released[1] };
    this.#marks = [];
    for (let at = 0; at < marks.length; at += 3) {
      this.#marks.push({ seq: marks[at]!, events: marks[at + 1]!, bytes: marks[at + 2]! });
    }
  }

  /** One that has heard of nothing yet. */
  static after(after: number, filter: Filter): Subscriber {
    return new Subscriber({
      v: 1,
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
      filter: this.filter,
      cursor: this.cursor,
      told: this.#told,
      sent: [this.#sent.events, this.#sent.bytes],
      released: [this.#released.events, this.#released.bytes],
      marks: this.#marks.flatMap(({ seq, events, bytes }) => [seq, events, bytes]),
      stalledAtMs: this.stalledAtMs,
    };
  }

  /** How far the subscriber can know it is: it may be told again where it is before this becomes long ago. */
  get silentFor(): number {
    return this.cursor - this.#told;
  }

  /** Whether one more message may be sent. One always may while nothing is outstanding, whatever its size. */
  hasCredit(bytes: number, windowBytes: number): boolean {
    const events = this.#sent.events - this.#released.events;
    const waiting = this.#sent.bytes - this.#released.bytes;
    return events === 0 || (events < MAX_UNACKED_EVENTS && waiting + bytes <= windowBytes);
  }

  noteSent(seq: number, bytes: number, windowBytes: number): void {
    this.#told = seq;
    this.#sent = { events: this.#sent.events + 1, bytes: this.#sent.bytes + bytes };
    const last = this.#marks.at(-1) ?? this.#released;
    const isDue =
      this.#sent.events - last.events >= MAX_UNACKED_EVENTS / MARKS ||
      this.#sent.bytes - last.bytes >= windowBytes / MARKS;
    if (isDue && this.#marks.length < MARKS) this.#marks.push({ seq, ...this.#sent });
  }

  /** False where that was never sent. */
  acknowledge(seq: number): boolean {
    if (seq > this.#told) return false;
    if (seq === this.#told) {
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

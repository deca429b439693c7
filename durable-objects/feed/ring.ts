/** A gapless ring of a tenant's newest events for reconnecting subscribers, and the feed's own progress. */
import type { EntryType } from "../../registry/log-entry.ts";

export const MAX_KEPT_EVENTS = 10_000;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** An event as sent, with the fields that filters match. */
export type FeedEvent = {
  seq: number;
  type: EntryType;
  subject: string | null;
  /** The CloudEvent. */
  text: string;
  bytes: number;
};

export type FeedMarks = {
  /** Null without subscribers. */
  tip: number | null;
  lastHardDelete: number;
  sent: number;
  droppedSlow: number;
};

export class Ring {
  readonly #sql: SqlStorage;
  readonly #most: { events: number; bytes: number };
  #first: number | null;
  #count: number;
  #bytes: number;

  constructor(sql: SqlStorage, most = { events: MAX_KEPT_EVENTS, bytes: MAX_KEPT_BYTES }) {
    this.#sql = sql;
    this.#most = most;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS events (
         seq     INTEGER PRIMARY KEY,
         type    TEXT NOT NULL,
         subject TEXT,
         text    TEXT NOT NULL,
         bytes   INTEGER NOT NULL
       );
       CREATE TABLE IF NOT EXISTS feed (
         id               INTEGER PRIMARY KEY CHECK (id = 1),
         tip              INTEGER,
         last_hard_delete INTEGER NOT NULL,
         sent             INTEGER NOT NULL,
         dropped_slow     INTEGER NOT NULL
       );
       INSERT OR IGNORE INTO feed VALUES (1, NULL, 0, 0, 0);`,
    );
    const { first, count, bytes } = sql
      .exec<{ first: number | null; count: number; bytes: number }>(
        "SELECT min(seq) AS first, count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM events",
      )
      .one();
    this.#first = first;
    this.#count = count;
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the ring holds the event after `seq`. */
  covers(seq: number): boolean {
    return this.#first !== null && seq + 1 >= this.#first;
  }

  after(seq: number, limit: number): FeedEvent[] {
    return this.#sql
      .exec<FeedEvent>(
        "SELECT seq, type, subject, text, bytes FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
        seq,
        limit,
      )
      .toArray();
  }

  /** The events must follow the last one in the ring without a gap. */
  append(events: readonly FeedEvent[]): void {
    for (const { seq, type, subject, text, bytes } of events) {
      this.#sql.exec("INSERT INTO events VALUES (?, ?, ?, ?, ?)", seq, type, subject, text, bytes);
      this.#first ??= seq;
      this.#count += 1;
      this.#bytes += bytes;
    }
    while (this.#count > this.#most.events || this.#bytes > this.#most.bytes) this.#removeFirst();
  }

  clear(): void {
    this.#sql.exec("DELETE FROM events");
    this.#first = null;
    this.#count = 0;
    this.#bytes = 0;
  }

  readMarks(): FeedMarks {
    const { tip, last_hard_delete, sent, dropped_slow } = this.#sql
      .exec<{ tip: number | null; last_hard_delete: number; sent: number; dropped_slow: number }>("SELECT * FROM feed")
      .one();
    return { tip, lastHardDelete: last_hard_delete, sent, droppedSlow: dropped_slow };
  }

  writeMarks({ tip, lastHardDelete, sent, droppedSlow }: FeedMarks): void {
    this.#sql.exec(
      "UPDATE feed SET tip = ?, last_hard_delete = ?, sent = ?, dropped_slow = ?",
      tip,
      lastHardDelete,
      sent,
      droppedSlow,
    );
  }

  #removeFirst(): void {
    const { bytes } = this.#sql
      .exec<{ bytes: number }>("DELETE FROM events WHERE seq = ? RETURNING bytes", this.#first)
      .one();
    this.#count -= 1;
    this.#bytes -= bytes;
    this.#first = this.#count === 0 ? null : this.#first! + 1;
  }
}

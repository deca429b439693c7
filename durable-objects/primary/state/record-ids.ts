/**
 * Ids of records: UUIDv7 (RFC 9562 §5.7), increasing within one object, even within one millisecond and if the clock is
 * set back.
 */
import { randomBytes } from "node:crypto";

/** The 12 bits after the version. */
const MAX_COUNTER = 0xfff;

export class RecordIds {
  #last = { ms: 0, counter: 0 };

  next(nowMs: number): string {
    const ms = Math.max(nowMs, this.#last.ms);
    const counter = ms === this.#last.ms ? this.#last.counter + 1 : 0;
    this.#last = counter > MAX_COUNTER ? { ms: ms + 1, counter: 0 } : { ms, counter };
    const time = this.#last.ms.toString(16).padStart(12, "0");
    const random = randomBytes(8);
    random[0] = (random[0]! & 0x3f) | 0x80;
    const sequence = `7${this.#last.counter.toString(16).padStart(3, "0")}`;
    const tail = random.toString("hex");
    return `${time.slice(0, 8)}-${time.slice(8)}-${sequence}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  }
}

/**
 * Limits of one comparison. Beyond them the result is a refusal with the location, never a wrong verdict. Work is
 * counted, not timed, so that the same schemas get the same result on every machine; the limits are calibrated on the
 * slowest core in use.
 */

/**
 * Steps of a comparison by the Confluent rules: pairs of schemas, and their properties. The largest known real pair
 * takes 3,500; the full budget takes about 0.3 seconds.
 */
export const MAX_CONFLUENT_WORK = 100_000;
/**
 * Steps of a semantic comparison, about four microseconds each: 0.4 seconds, which leaves the same time for repeating
 * the proof for witnesses.
 */
export const MAX_COMPARE_WORK = 100_000;
/** Bytes that a semantic comparison retains (states, proofs, differences), estimated where they are created. */
const MAX_COMPARE_BYTES = 32 * 1_048_576;
/** The time per step on the slowest core in use. */
const STEP_MICROS = 4;
/** Steps after which a comparison in slices pauses: about 40 milliseconds. */
const SLICE_WORK = 10_000;
/** The time to examine a listed value. */
export const LISTED_VALUE_MICROS = 1;
/** Nesting of schemas at one location: the stack overflows at about three times this depth. */
export const MAX_COMPARE_DEPTH = 300;
/**
 * From this depth on, parts of values are deferred and compared later from an empty stack, because recursive schemas
 * can nest deeply.
 */
export const DEFERRED_DEPTH = 100;
/** Listed differences; longer lists are not read. The total is counted. */
export const MAX_LISTED_DIFFERENCES = 500;
/** Regular expression states advanced in one comparison. */
export const MAX_PATTERN_WORK = 1_000_000;

/** Thrown inside a comparison, caught at its entry point. */
export class TooComplexComparison extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** Counts work, memory and depth of one comparison. */
export class WorkMeter {
  #work = 0;
  #bytes = 0;
  #depth = 0;
  #place = "";
  /** The part of the work already reported to the caller of the slices. */
  #taken = 0;
  #notedMicros = 0;

  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get depth(): number {
    return this.#depth;
  }

  /** Steps used so far. */
  get spent(): number {
    return this.#work;
  }

  /** Bytes retained so far. */
  get kept(): number {
    return this.#bytes;
  }

  /** `pointer` is the location of the work; if empty, the last location applies. */
  spend(amount: number, pointer: string): void {
    this.#work += amount;
    if (pointer !== "") this.#place = pointer;
    if (this.#work > this.limit) {
      throw new TooComplexComparison(
        this.#place,
        `The comparison takes more than ${this.limit} steps; it stopped at "${this.#place}".`,
      );
    }
  }

  /** Counts memory that stays in use until the comparison ends. */
  keep(bytes: number, pointer: string): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_COMPARE_BYTES) {
      const place = pointer === "" ? this.#place : pointer;
      throw new TooComplexComparison(
        place,
        `The comparison takes more than ${MAX_COMPARE_BYTES / 1_048_576} MiB; it stopped at "${place}".`,
      );
    }
  }

  /**
   * Work linear in the schemas' text, such as examining listed values: it counts towards the next pause, but towards no
   * limit.
   */
  note(micros: number): void {
    this.#notedMicros += micros;
  }

  /** Whether it is time to pause. */
  isSliceOver(): boolean {
    return (this.#work - this.#taken) * STEP_MICROS + this.#notedMicros >= SLICE_WORK * STEP_MICROS;
  }

  /** The work since the last call. */
  takeMicros(): number {
    const micros = (this.#work - this.#taken) * STEP_MICROS + this.#notedMicros;
    this.#taken = this.#work;
    this.#notedMicros = 0;
    return micros;
  }

  /** Grants a new amount of work, for steps after the comparison. */
  restart(): void {
    this.#work = 0;
    this.#taken = 0;
    this.#notedMicros = 0;
  }

  /** Enters a level. Pair every call with `leave`; a callback would use stack space. */
  enter(pointer: string): void {
    this.#depth += 1;
    if (this.#depth > MAX_COMPARE_DEPTH) {
      throw new TooComplexComparison(
        pointer,
        `Schemas are nested more than ${MAX_COMPARE_DEPTH} levels deep at "${pointer}".`,
      );
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}

/**
 * What one comparison may cost. Beyond it the answer is a refusal with the place, never a wrong verdict. Work is counted, not
 * timed, so that the same schemas get the same answer on every machine; the counts are calibrated on the slowest core in use.
 */

/** Steps of a comparison by the Confluent rules: pairs of schemas, and their properties. The largest real pair known takes 3,500; all of it some 0.3 seconds. */
export const MAX_CONFLUENT_WORK = 100_000;
/** Steps of a semantic comparison, some four microseconds each: 0.4 seconds, which leaves as much for proving it again for witnesses. */
export const MAX_COMPARE_WORK = 100_000;
/** Bytes of what a semantic comparison keeps (states, proofs, differences), estimated where they are made. */
const MAX_COMPARE_BYTES = 32 * 1_048_576;
/** Steps after which a comparison in slices pauses: some 40 milliseconds. */
const SLICE_WORK = 10_000;
/** Schemas of one place inside one another: a stack overflows at about three times as many. */
export const MAX_COMPARE_DEPTH = 300;
/** From this depth on, parts of values are put off and compared later from an empty stack: recursive schemas lead far down. */
export const DEFERRED_DEPTH = 100;
/** Listed differences: nobody reads a longer list. The total is counted. */
export const MAX_LISTED_DIFFERENCES = 500;
/** States of regular expressions advanced, in one comparison. */
export const MAX_PATTERN_WORK = 1_000_000;

/** Thrown inside a comparison, caught at its front. */
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
  #sliceEnd = SLICE_WORK;

  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get depth(): number {
    return this.#depth;
  }

  /** What has been spent so far. */
  get spent(): number {
    return this.#work;
  }

  /** What has been kept so far, in bytes. */
  get kept(): number {
    return this.#bytes;
  }

  /** `pointer` is where the work is done; empty where it is still done for the place named last. */
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

  /** Memory that stays in use until the comparison ends. */
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

  /** Whether it is time to pause. Asking starts the next slice. */
  isSliceOver(): boolean {
    if (this.#work < this.#sliceEnd) return false;
    this.#sliceEnd = this.#work + SLICE_WORK;
    return true;
  }

  /** Grants an amount of work anew, for what is done after the comparison. */
  restart(): void {
    this.#work = 0;
    this.#sliceEnd = SLICE_WORK;
  }

  /** One level deeper. Pair every call with `leave`; a callback would cost stack. */
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

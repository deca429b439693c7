/** What one comparison may cost. Beyond it the answer is a refusal with the place, never a wrong verdict. */

/** Steps of a comparison by the reference rules: pairs of schemas, and their properties. About two seconds. */
export const MAX_REFERENCE_WORK = 2_000_000;
/** Pairs of schemas, and steps inside them, that one semantic comparison looks at. The largest real pair known takes some 12,000; all of it takes two to three seconds. */
export const MAX_COMPARE_WORK = 500_000;
/** Schemas of one place inside one another: a stack overflows at about three times as many. */
export const MAX_COMPARE_DEPTH = 300;
/** From this depth on, parts of values are put off and compared later from an empty stack: recursive schemas lead far down. */
export const DEFERRED_DEPTH = 100;
/** Listed differences that break, and as many that do not: a longer list helps nobody. */
export const MAX_LISTED_DIFFERENCES = 1_000;
/** States of regular expressions advanced, in one comparison. */
export const MAX_PATTERN_WORK = 4_000_000;

/** Thrown inside a comparison, caught at its front. */
export class TooComplexComparison extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** Counts work and depth of one comparison. */
export class WorkMeter {
  #work = 0;
  #depth = 0;

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

  spend(amount: number, pointer: string): void {
    this.#work += amount;
    if (this.#work > this.limit) {
      throw new TooComplexComparison(
        pointer,
        `Comparing takes more than ${this.limit} steps; stopped at "${pointer}".`,
      );
    }
  }

  /** Grants the full amount of work once more, for what is done after the comparison. */
  restart(): void {
    this.#work = 0;
  }

  /** One level deeper; whoever enters leaves, also when something is thrown. No callback, which would cost stack. */
  enter(pointer: string): void {
    this.#depth += 1;
    if (this.#depth > MAX_COMPARE_DEPTH) {
      throw new TooComplexComparison(
        pointer,
        `Schemas are nested deeper than ${MAX_COMPARE_DEPTH} levels at "${pointer}".`,
      );
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}

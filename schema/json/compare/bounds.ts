/** What one comparison may cost. Beyond it the answer is a refusal with the place, never a wrong verdict. */

/** Pairs of schemas, and steps inside them, that one comparison looks at. The largest real pair known takes some 30,000. */
export const MAX_COMPARE_WORK = 1_000_000;
/** Schemas inside schemas, references followed: real schemas stay below 40, and each level takes several stack frames. */
export const MAX_COMPARE_DEPTH = 200;
/** Listed differences that break, and as many that do not: a longer list helps nobody. */
export const MAX_LISTED_DIFFERENCES = 1_000;
/** States of regular expressions advanced, in one comparison. */
export const MAX_PATTERN_WORK = 5_000_000;

/** Thrown inside a comparison, caught at its front. */
export class TooComplexComparison extends Error {
  constructor(
    readonly pointer: string,
    message: string,
  ) {
    super(message);
  }
}

/** Counts work and depth of one comparison. */
export class WorkMeter {
  #work = 0;
  #depth = 0;

  spend(amount: number, pointer: string): void {
    this.#work += amount;
    if (this.#work > MAX_COMPARE_WORK) {
      throw new TooComplexComparison(
        pointer,
        `Comparing takes more than ${MAX_COMPARE_WORK} steps; stopped at "${pointer}".`,
      );
    }
  }

  /** Runs one level deeper. */
  nested<T>(pointer: string, run: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_COMPARE_DEPTH) {
      throw new TooComplexComparison(
        pointer,
        `Schemas are nested deeper than ${MAX_COMPARE_DEPTH} levels at "${pointer}".`,
      );
    }
    try {
      return run();
    } finally {
      this.#depth -= 1;
    }
  }
}

/** The bound on what one comparison may cost, counted in fields, values and names looked at. */

/** The largest file of the corpus costs below 10,000; a hostile one is refused within a second or two. */
export const MAX_COMPARE_WORK = 2_000_000;

/** Thrown inside a comparison only, and turned into a refusal where the comparison began. */
export class WorkExceeded extends Error {
  readonly pointer: string;

  constructor(pointer: string) {
    super("The comparison exceeds its bound on work.");
    this.pointer = pointer;
  }
}

export class Work {
  #left: number;

  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
    this.#left = limit;
  }

  /** Counts one step, or more, at a place. */
  spend(pointer: string, steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new WorkExceeded(pointer);
  }
}

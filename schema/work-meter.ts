/** Limits the cost of a comparison by counting its work and remembers where the limit was reached. */

/** Thrown when the limit is reached; the comparison's entry point turns it into a refusal that names the place. */
export class WorkExceeded extends Error {
  readonly pointer: string;

  constructor(pointer: string) {
    super("The work limit is reached.");
    this.pointer = pointer;
  }
}

export class WorkMeter {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** Counts steps at a place, whose pointer is only computed when needed. */
  spend(steps: number, pointerOf: () => string): void {
    this.#left -= steps;
    if (this.#left < 0) throw new WorkExceeded(pointerOf());
  }
}

/** Bounds what one comparison may cost: work is counted as it is done, and the place where the bound is reached is kept. */

/** Thrown where the bound is reached; the front of the comparison turns it into a refusal that names the place. */
export class WorkExceeded extends Error {
  readonly pointer: string;

  constructor(pointer: string) {
    super("The bound on work is reached.");
    this.pointer = pointer;
  }
}

export class WorkMeter {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** Counts steps at a place, whose pointer is made only when it is needed. */
  spend(steps: number, pointerOf: () => string): void {
    this.#left -= steps;
    if (this.#left < 0) throw new WorkExceeded(pointerOf());
  }
}

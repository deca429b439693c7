/** Limits the cost of a comparison by counting its work and remembers where the limit was reached. */

/** Thrown when the limit is reached; the comparison's entry point turns it into a refusal that names the place. */
export class WorkExceeded extends Error {
  readonly pointer: string;

  constructor(pointer: string) {
    super("The work limit is reached.");
    this.pointer = pointer;
  }
}

/** The time per step on the slowest core in use. */
const STEP_MICROS = 0.5;
/** Steps after which a comparison in slices pauses: some 40 milliseconds. */
const SLICE_STEPS = 80_000;

export class WorkMeter {
  #steps = 0;
  #taken = 0;

  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Counts steps at a place, whose pointer is only computed when needed. */
  spend(steps: number, pointerOf: () => string): void {
    this.#steps += steps;
    if (this.#steps > this.limit) throw new WorkExceeded(pointerOf());
  }

  /** Whether it is time to pause. */
  isSliceOver(): boolean {
    return this.#steps - this.#taken >= SLICE_STEPS;
  }

  /** The work since the last call. */
  takeMicros(): number {
    const steps = this.#steps - this.#taken;
    this.#taken = this.#steps;
    return steps * STEP_MICROS;
  }
}

/** Limits the cost of a comparison by counting its work and remembers where the limit was reached. */

/** Thrown inside a comparison and caught at its entry point, which turns it into a refusal that names the location. */
export class TooComplexComparison extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** A pointer, or a function that computes it on demand. */
type Place = string | (() => string);

/** The time per step on the slowest supported core, for comparisons with cheap steps. */
const STEP_MICROS = 0.5;
/** The time after which a sliced comparison pauses. */
const SLICE_MICROS = 40_000;

export class WorkMeter {
  #steps = 0;
  /** The part of the steps already reported to the caller of the slices. */
  #taken = 0;
  #notedMicros = 0;
  #place: Place = "";

  readonly limit: number;
  readonly #stepMicros: number;

  constructor(limit: number, stepMicros: number = STEP_MICROS) {
    this.limit = limit;
    this.#stepMicros = stepMicros;
  }

  /** Counts steps at a location; an empty one means the last location. */
  spend(steps: number, place: Place): void {
    this.#steps += steps;
    if (place !== "") this.#place = place;
    if (this.#steps > this.limit) {
      const pointer = this.lastPointer();
      throw new TooComplexComparison(
        pointer,
        `The comparison takes more than ${this.limit} steps; it stopped at "${pointer}".`,
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
    return this.#untakenMicros() >= SLICE_MICROS;
  }

  /** The work since the last call. */
  takeMicros(): number {
    const micros = this.#untakenMicros();
    this.#taken = this.#steps;
    this.#notedMicros = 0;
    return micros;
  }

  /** Grants a new amount of work, for steps after the comparison. */
  restart(): void {
    this.#steps = 0;
    this.#taken = 0;
    this.#notedMicros = 0;
  }

  /** The location of the last work. */
  protected lastPointer(): string {
    return typeof this.#place === "string" ? this.#place : this.#place();
  }

  #untakenMicros(): number {
    return (this.#steps - this.#taken) * this.#stepMicros + this.#notedMicros;
  }
}

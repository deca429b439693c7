/**
 * Long computations in slices, so that callers can yield in between. Work is counted in microseconds of the
 * slowest core in use, by calibrated counts and never by a clock, so it is the same on every machine.
 */

/** A computation that pauses now and then and yields the work since its last pause. */
export type Sliced<T> = Generator<number, T, undefined>;

/** The time per character of one pass over a schema's text, or over its parsed form. */
const CHARACTER_MICROS = 0.06;

/** The work of several passes over a text. */
export function passesMicros(characters: number, passes = 1): number {
  return characters * passes * CHARACTER_MICROS;
}

/** Runs a computation to its end without pausing. */
export function runAtOnce<T>(sliced: Sliced<T>): T {
  for (;;) {
    const { done, value } = sliced.next();
    if (done) return value;
  }
}

/** Runs a computation to its end, awaiting `pause` after every slice. */
export async function runWithPauses<T>(sliced: Sliced<T>, pause: (workMicros: number) => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = sliced.next();
    if (done) return value;
    await pause(value);
  }
}

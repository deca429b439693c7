/** Long computations in slices, so that callers can yield in between. */

/** A computation that pauses now and then; the yielded values carry no information. */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Runs a computation to its end without pausing. */
export function runAtOnce<T>(sliced: Sliced<T>): T {
  for (;;) {
    const { done, value } = sliced.next();
    if (done) return value;
  }
}

/** Runs a computation to its end, awaiting `pause` after every slice. */
export async function runWithPauses<T>(sliced: Sliced<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = sliced.next();
    if (done) return value;
    await pause();
  }
}

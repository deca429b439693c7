/** Long computations in slices, so that whoever runs one can let others in between. */

/** A computation that pauses now and then; what it yields says nothing. */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Runs it to its end without a pause. */
export function runAtOnce<T>(sliced: Sliced<T>): T {
  for (;;) {
    const { done, value } = sliced.next();
    if (done) return value;
  }
}

/** Runs it to its end and waits for `pause` after every slice. */
export async function runWithPauses<T>(sliced: Sliced<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = sliced.next();
    if (done) return value;
    await pause();
  }
}

/** Concurrent requests to one registry. */
const CONCURRENCY = 8;

/** Results in the order of the items, a few at a time; `done` is called with the count after each batch. */
export async function inTurns<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  done: (count: number) => void = () => undefined,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += CONCURRENCY) {
    results.push(...(await Promise.all(items.slice(at, at + CONCURRENCY).map(act))));
    done(results.length);
  }
  return results;
}

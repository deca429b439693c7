/**
 * Merges concurrent reads of one key: the first caller's work serves all callers that arrive while it runs. Each caller
 * keeps its own
 * cancellation, and the work stops when the last of them has cancelled.
 */
type Flight = { work: Promise<unknown>; stop: AbortController; waiting: number };

export class Flights {
  readonly #flights = new Map<string, Flight>();

  async join<Value>(
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, start);
    flight.waiting += 1;
    try {
      return (await orAborted(flight.work, signal)) as Value;
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        flight.stop.abort();
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      }
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<unknown>): Flight {
    const stop = new AbortController();
    const flight: Flight = { work: start(stop.signal), stop, waiting: 0 };
    this.#flights.set(key, flight);
    const end = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.work.then(end, end);
    return flight;
  }
}

/** The result of the work, or the signal's reason if it aborts first; the work continues. */
export function orAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

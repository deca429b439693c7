/** Parsed schemas that data are checked against, kept in the isolate's memory: parsing one costs a hundred validations. */

/** A quarter of what the read cache has: models are derived and cheap to make again. */
export const MAX_MODEL_BYTES = 16 * 1024 * 1024;
/** What a model takes for each character of its schema's closure, measured over the corpus, with its checks and what they remember. */
const BYTES_PER_CHARACTER = 24;
/** What any model takes. */
const MODEL_OVERHEAD_BYTES = 2_048;

type Entry<Value> = { value: Value; bytes: number };

/** Bounded by an estimate in bytes; what was unused for longest goes first. Keys begin with the tenant. */
export class ModelCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number = MAX_MODEL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** A model larger than half the cache is not kept. */
  put(key: string, value: Value, characters: number): void {
    this.delete(key);
    const bytes = MODEL_OVERHEAD_BYTES + characters * BYTES_PER_CHARACTER;
    if (bytes > this.#maxBytes / 2) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/**
 * Parsed schemas for validation, cached in the isolate's memory: parsing one takes as long as a hundred validations.
 */

/** A quarter of the read cache's size, because models are derived and cheap to create again. */
const MAX_MODEL_BYTES = 16 * 1024 * 1024;
/**
 * The memory of a model per character of its schema's closure, measured over the corpus, including its checks and their
 * caches.
 */
const BYTES_PER_CHARACTER = 24;
/** The minimum memory of a model. */
const MODEL_OVERHEAD_BYTES = 2_048;

type Entry<Value> = { value: Value; bytes: number };

/** Limited by an estimate in bytes; the least recently used model is evicted. Keys begin with the tenant. */
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

  /** A model larger than half the cache is not cached. */
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

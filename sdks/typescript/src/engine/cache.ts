/** A bounded cache of answers that evicts the least recently used first. Ages are measured on the monotonic clock. */
import { MAX_CACHE_BYTES, MAX_CACHE_ENTRIES } from "./constants.js";
import { isBefore, type Token } from "./token.js";

export interface CacheEntry {
  value: unknown;
  etag: string | undefined;
  token: Token | undefined;
  storedAtMs: number;
  lifetimeMs: number;
  /** UTF-8 bytes of the answer it was made from. */
  bytes: number;
  /** The subjects, as `context subject` keys, whose changes remove it. */
  subject: string | undefined;
  /** No attempt is made before this moment; the stale entry is served until then. */
  staleUntilMs: number;
}

export interface CacheStats {
  hits: number;
  misses: number;
  revalidated: number;
  stale: number;
  entries: number;
  bytes: number;
}

export class Cache {
  readonly #entries = new Map<string, CacheEntry>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly stats = { hits: 0, misses: 0, revalidated: 0, stale: 0 };
  #bytes = 0;
  /** Raised by writes and by `clear`: a flight that began before does not store its result. */
  generation = 0;

  constructor(maxEntries: number = MAX_CACHE_ENTRIES, maxBytes: number = MAX_CACHE_BYTES) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  read(key: string): CacheEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Keeps an entry, unless one of a newer state is kept already. */
  store(key: string, entry: CacheEntry): void {
    const held = this.#entries.get(key)?.token;
    if (held !== undefined && entry.token !== undefined && isBefore(entry.token, held)) return;
    this.remove(key);
    if (entry.bytes > this.#maxBytes || this.#maxEntries < 1) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.remove(oldest);
    }
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  /**
   * Removes what depends on a subject: its head and version entries and its records. Content is kept, because it never
   * changes.
   */
  forgetSubject(subject: string): void {
    this.generation += 1;
    for (const [key, entry] of this.#entries) if (entry.subject === subject) this.remove(key);
  }

  clear(): void {
    this.generation += 1;
    this.#entries.clear();
    this.#bytes = 0;
  }

  describe(): CacheStats {
    return { ...this.stats, entries: this.#entries.size, bytes: this.#bytes };
  }
}

/**
 * The isolate's memory: bounded in bytes, keyed by tenant first, so that no tenant can push out more than its share or see
 * another's entries. Holds plain immutable data only. Nothing here is ever needed to be correct.
 */

/** A quarter of an isolate's 128 MB, shared with compiled formats and requests in flight. */
export const MAX_CACHE_BYTES = 32 * 1024 * 1024;
/** One entry never displaces more than 1/128 of the cache. */
export const MAX_ENTRY_BYTES = 256 * 1024;
/** Bookkeeping of an entry beside key and value: map slots and the entry object, rounded up. */
const ENTRY_OVERHEAD_BYTES = 128;

type Entry = { value: unknown; bytes: number };
type TenantEntries = { bytes: number; entries: Map<string, Entry> };

export class ReadCache {
  /** Misses in progress, by tenant and key (see misses.ts). */
  readonly inFlight = new Map<string, Promise<unknown>>();
  /** Entries that belong to the isolate rather than to a tenant. */
  readonly shared = new TenantCache(this, "");
  readonly #tenants = new Map<string, TenantEntries>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number = MAX_CACHE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The tenant's part of the cache. It is the only way to its entries, so code that holds one tenant's part cannot
   * reach another's.
   */
  of(tenant: string): TenantCache {
    return new TenantCache(this, tenant);
  }

  get(tenant: string, key: string): unknown {
    const entries = this.#tenants.get(tenant)?.entries;
    const entry = entries?.get(key);
    if (entries === undefined || entry === undefined) return undefined;
    // A Map iterates in order of insertion: the first entry is the one unused for longest.
    entries.delete(key);
    entries.set(key, entry);
    return entry.value;
  }

  /**
   * `bytes` is the size of the value; an entry over the limit is not stored. The value must never be mutated
   * afterwards.
   */
  put(tenant: string, key: string, value: unknown, bytes: number): void {
    const size = bytes + 2 * key.length + ENTRY_OVERHEAD_BYTES;
    this.delete(tenant, key);
    if (size > MAX_ENTRY_BYTES || size > this.#maxBytes / 2) return;
    let own = this.#tenants.get(tenant);
    if (own === undefined) {
      own = { bytes: 0, entries: new Map() };
      this.#tenants.set(tenant, own);
    }
    own.entries.set(key, { value, bytes: size });
    own.bytes += size;
    this.#bytes += size;
    while (own.bytes > this.#maxBytes / 2) this.#evictOldest(tenant, own);
    while (this.#bytes > this.#maxBytes) this.#evictFromLargest();
  }

  delete(tenant: string, key: string): void {
    const own = this.#tenants.get(tenant);
    const entry = own?.entries.get(key);
    if (own === undefined || entry === undefined) return;
    own.entries.delete(key);
    own.bytes -= entry.bytes;
    this.#bytes -= entry.bytes;
    if (own.entries.size === 0) this.#tenants.delete(tenant);
  }

  /** Drops every entry of the tenant that the predicate selects. Scans all entries, so it is for rare events only. */
  deleteWhere(tenant: string, matches: (key: string, value: unknown) => boolean): void {
    for (const [key, { value }] of this.#tenants.get(tenant)?.entries ?? []) {
      if (matches(key, value)) this.delete(tenant, key);
    }
  }

  #evictOldest(tenant: string, own: TenantEntries): void {
    const [oldest] = own.entries.keys();
    if (oldest !== undefined) this.delete(tenant, oldest);
  }

  /** Evicts from the tenant that holds most, so a small tenant keeps its few entries next to a busy one. */
  #evictFromLargest(): void {
    const [tenant, own] = [...this.#tenants].reduce((largest, next) =>
      next[1].bytes > largest[1].bytes ? next : largest,
    );
    this.#evictOldest(tenant, own);
  }
}

/** The cache as seen by one tenant. Stateless, so every request creates its own. */
export class TenantCache {
  readonly #cache: ReadCache;
  readonly #tenant: string;

  constructor(cache: ReadCache, tenant: string) {
    this.#cache = cache;
    this.#tenant = tenant;
  }

  get shared(): TenantCache {
    return this.#cache.shared;
  }

  get(key: string): unknown {
    return this.#cache.get(this.#tenant, key);
  }

  put(key: string, value: unknown, bytes: number): void {
    this.#cache.put(this.#tenant, key, value, bytes);
  }

  delete(key: string): void {
    this.#cache.delete(this.#tenant, key);
  }

  deleteWhere(matches: (key: string, value: unknown) => boolean): void {
    this.#cache.deleteWhere(this.#tenant, matches);
  }

  /** The miss in progress for a key in this isolate, if there is one. */
  missUnderWay(key: string): Promise<unknown> | undefined {
    return this.#cache.inFlight.get(this.#missKey(key));
  }

  /** Lets other readers join this miss until it has settled, or until a later one leads. */
  lead(key: string, miss: Promise<unknown>): void {
    this.#cache.inFlight.set(this.#missKey(key), miss);
  }

  endMiss(key: string, miss: Promise<unknown>): void {
    const missKey = this.#missKey(key);
    if (this.#cache.inFlight.get(missKey) === miss) this.#cache.inFlight.delete(missKey);
  }

  #missKey(key: string): string {
    return `${this.#tenant}\n${key}`;
  }
}

/** Counts how often schemas are used and how many run compiled, and so chooses between the two engines. */

/**
 * Validations of a schema within an hour, in one isolate, after which it is compiled: starting an isolate costs as much
 * as a few thousand lines.
 */
export const HOT_VALIDATIONS_PER_HOUR = 20;
/**
 * Maximum number of isolates that one isolate of the edge starts per day; each is billed. Beyond it, schemas are
 * interpreted.
 */
export const MAX_LOADED_ISOLATES_PER_DAY = 200;

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

/** How often a schema is used, per whole hour. Kept as long as its model. */
export class Heat {
  #hour = 0;
  #count = 0;
  #isRefused = false;

  add(validations: number, nowMs: number): void {
    const hour = Math.floor(nowMs / HOUR_MS);
    if (hour !== this.#hour) this.#count = 0;
    this.#hour = hour;
    this.#count += validations;
  }

  get isHot(): boolean {
    return this.#count >= HOT_VALIDATIONS_PER_HOUR && !this.#isRefused;
  }

  /** It cannot be compiled, or its isolate failed. */
  refuse(): void {
    this.#isRefused = true;
  }
}

/** The isolates started today, by key, at most as many as the budget allows. */
export class LoadedIsolates {
  #day = 0;
  readonly #keys = new Set<string>();

  get count(): number {
    return this.#keys.size;
  }

  /** Whether this isolate may be used, because it was started before or because the budget allows another. */
  admit(key: string, nowMs: number): boolean {
    const day = Math.floor(nowMs / DAY_MS);
    if (day !== this.#day) this.#keys.clear();
    this.#day = day;
    if (this.#keys.has(key)) return true;
    if (this.#keys.size >= MAX_LOADED_ISOLATES_PER_DAY) return false;
    this.#keys.add(key);
    return true;
  }
}

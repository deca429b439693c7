/**
 * Workers KV with production's behaviour that the simulator lacks: one write per second and key, and regions that keep
 * seeing what they have read, including absence, for up to a minute
 * (https://developers.cloudflare.com/kv/concepts/how-kv-works/).
 */
import type { Clock, Random } from "./clock.ts";

/** https://developers.cloudflare.com/kv/platform/limits/ */
const WRITES_PER_KEY_EVERY_MS = 1_000;
const MAX_KEY_BYTES = 512;
const MAX_VALUE_BYTES = 25 * 1024 * 1024;
const MIN_TTL_SECONDS = 60;
/** How long a region may keep answering with what it has read. */
export const MAX_REGIONAL_DELAY_MS = 60_000;

type Write = { value: string | null; visibleAtMs: number; expiresAtMs: number; colo: string };
type Seen = { value: string | null; untilMs: number; expiresAtMs: number };

export type EdgeKv = Pick<KVNamespace, "get" | "put" | "delete">;

export class HostileKv {
  /** While true, every call fails as if KV were unreachable. */
  away = false;
  /** Writes so far, including refused ones. */
  writes = 0;
  /** Refused writes so far. */
  refusedWrites = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #writes = new Map<string, Write[]>();
  readonly #lastWriteAtMs = new Map<string, number>();
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The namespace as seen by one region. */
  in(colo: string): EdgeKv {
    const get = async (key: string, options?: unknown) => {
      this.#requireReachable();
      requireKey(key);
      const text = this.#read(colo, key);
      const type = typeof options === "string" ? options : (options as { type?: string } | undefined)?.type;
      if (text === null || type === undefined || type === "text") return text;
      if (type === "json") return JSON.parse(text) as unknown;
      throw new Error(`HostileKv does not serve values as ${type}.`);
    };
    const put = async (key: string, value: unknown, options: { expirationTtl?: number } = {}) => {
      this.#requireReachable();
      requireKey(key);
      if (typeof value !== "string") throw new Error("HostileKv takes texts only.");
      if (new TextEncoder().encode(value).byteLength > MAX_VALUE_BYTES) {
        throw new Error(`KV PUT failed: 413 Value length exceeds limit of ${MAX_VALUE_BYTES}.`);
      }
      const { expirationTtl } = options;
      if (expirationTtl !== undefined && !(Number.isInteger(expirationTtl) && expirationTtl >= MIN_TTL_SECONDS)) {
        throw new Error(`KV PUT failed: 400 Invalid expiration_ttl of ${expirationTtl}. It must be at least 60.`);
      }
      this.#write(colo, key, value, expirationTtl);
    };
    const del = async (key: string) => {
      this.#requireReachable();
      requireKey(key);
      this.#write(colo, key, null, undefined);
    };
    return { get, put, delete: del } as unknown as EdgeKv;
  }

  #requireReachable(): void {
    if (this.away) throw new Error("KV GET failed: 503 Service Unavailable");
  }

  #read(colo: string, key: string): string | null {
    const now = this.#clock.now();
    const place = `${colo}\n${key}`;
    const seen = this.#seen.get(place);
    if (seen !== undefined && seen.untilMs > now) return seen.expiresAtMs > now ? seen.value : null;

    // The newest write visible in this region; its own writes are visible immediately.
    const reached = (this.#writes.get(key) ?? []).filter((write) => write.colo === colo || write.visibleAtMs <= now);
    const { value, expiresAtMs } = reached.at(-1) ?? { value: null, expiresAtMs: Number.POSITIVE_INFINITY };
    this.#seen.set(place, { value, expiresAtMs, untilMs: now + this.#delayMs() });
    return expiresAtMs > now ? value : null;
  }

  #write(colo: string, key: string, value: string | null, ttlSeconds: number | undefined): void {
    this.writes += 1;
    const now = this.#clock.now();
    if (now - (this.#lastWriteAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < WRITES_PER_KEY_EVERY_MS) {
      this.refusedWrites += 1;
      throw new Error("KV PUT failed: 429 Too Many Requests");
    }
    this.#lastWriteAtMs.set(key, now);
    const writes = this.#writes.get(key) ?? [];
    writes.push({
      value,
      colo,
      visibleAtMs: now + this.#delayMs(),
      expiresAtMs: ttlSeconds === undefined ? Number.POSITIVE_INFINITY : now + ttlSeconds * 1_000,
    });
    this.#writes.set(key, writes);
    // A region usually reads its own writes next; other regions keep what they have seen.
    this.#seen.delete(`${colo}\n${key}`);
  }

  #delayMs(): number {
    return this.#random() * MAX_REGIONAL_DELAY_MS;
  }
}

function requireKey(key: string): void {
  const bytes = new TextEncoder().encode(key).byteLength;
  if (bytes === 0 || bytes > MAX_KEY_BYTES || key === "." || key === "..") {
    throw new Error(`KV failed: 414 UTF-8 encoded length of ${bytes} exceeds key length limit of ${MAX_KEY_BYTES}.`);
  }
}

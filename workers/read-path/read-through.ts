/**
 * Memory, then KV, then the primary. A cached value carries when, and as of which seq, the primary answered; its age counts
 * from there through every layer, so staleness bounds never add up. A null from KV only means "ask the primary".
 */

import type { Refusal } from "../../contract/errors.ts";
import { PrimaryUnreachable } from "../../durable-objects/primary/client.ts";
import { withinDeadline } from "../../registry/deadline.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import { ok, type Result } from "../../schema/result.ts";
import type { Edge } from "../edge.ts";
import { kvKey, readGeneration } from "./kv-key.ts";
import { mergeMisses } from "./misses.ts";
import { isOlder } from "./token.ts";

export type Source = "memory" | "kv" | "primary";
export type Cached<T> = { readAtMs: number; asOf: AsOf; value: T };
export type Found<T> = Cached<T> & { source: Source; stale: boolean };
export type Absent = { absent: true; asOf: AsOf };

/** What may be served from a cache, and how old. */
export type CacheClass<T> = {
  freshMs: number;
  /** The same limit while the primary is unreachable. */
  staleMs: number;
  /** Whether values of this class are cached in KV as well as in memory. */
  inKv: boolean;
  satisfies(asOf: AsOf, token: AsOf | undefined): boolean;
  /** Size of the value in memory, in bytes. */
  bytes(value: T): number;
};

type ReadThrough<T> = {
  key: string;
  cacheClass: CacheClass<T>;
  token: AsOf | undefined;
  /** Whether an absence cached for up to five seconds is acceptable; a strict reader queries the primary instead. */
  allowCachedAbsence: boolean;
  /** Queries the primary; null means that the value does not exist. */
  ask(): Promise<Result<{ asOf: AsOf; value: T | null }, Refusal>>;
};

export const ABSENCE_MS = 5_000;
/** KV is local; if it takes longer than this, the primary is faster. */
export const KV_DEADLINE_MS = 500;
/** With a stale value available, how long to wait for the primary. */
export const STALE_PATIENCE_MS = 2_000;
/** Tolerated clock skew between edges; values from further in the future are not trusted. */
const MAX_CLOCK_SKEW_MS = 5_000;
/** KV accepts one write per second and key. */
const KV_WRITE_INTERVAL_MS = 1_100;
/** KV's minimum. */
const MIN_KV_TTL_SECONDS = 60;
/** Memory for a seq and its key. */
export const FLOOR_BYTES = 64;

export async function readThrough<T>(edge: Edge, read: ReadThrough<T>): Promise<Result<Found<T> | Absent, Refusal>> {
  const { key, cacheClass, token } = read;
  const usable = (cached: Cached<T> | undefined, maxAgeMs: number): cached is Cached<T> =>
    cached !== undefined && ageMs(edge, cached) <= maxAgeMs && cacheClass.satisfies(cached.asOf, token);

  const inMemory = edge.cache.get(key) as Cached<T> | undefined;
  if (usable(inMemory, cacheClass.freshMs)) return ok(found(inMemory, "memory"));

  const absence = edge.cache.get(absenceKey(key)) as Cached<null> | undefined;
  if (absence !== undefined && read.allowCachedAbsence && ageMs(edge, absence) <= ABSENCE_MS) {
    if (token === undefined || !isOlder(absence.asOf, token)) return ok({ absent: true, asOf: absence.asOf });
  }

  const inKv = cacheClass.inKv
    ? await readKv<T>(edge, key, edge.cache.get(floorKey(key)) as AsOf | undefined)
    : undefined;
  if (usable(inKv, cacheClass.freshMs)) {
    remember(edge, key, inKv, cacheClass.bytes(inKv.value));
    return ok(found(inKv, "kv"));
  }

  const fallback = newest<T>(
    usable(inMemory, cacheClass.staleMs) ? found(inMemory, "memory", true) : undefined,
    usable(inKv, cacheClass.staleMs) ? found(inKv, "kv", true) : undefined,
  );
  if (fallback === undefined) return askMerged(edge, read);
  try {
    return await withPatience(askMerged(edge, read));
  } catch (error) {
    if (!(error instanceof PrimaryUnreachable)) throw error;
    return ok(fallback);
  }
}

async function askMerged<T>(edge: Edge, read: ReadThrough<T>): Promise<Result<Found<T> | Absent, Refusal>> {
  const ask = () => askPrimary(edge, read);
  const { answer, merged } = await mergeMisses(edge, read.key, ask);
  if (!merged || acceptable(read, answer)) return answer;
  // The leader may have asked before this caller's token was issued.
  return ask();
}

function acceptable<T>(
  { token, cacheClass, allowCachedAbsence }: ReadThrough<T>,
  answer: Result<Found<T> | Absent, Refusal>,
): boolean {
  if (!answer.ok) return false;
  if ("absent" in answer.value)
    return allowCachedAbsence && (token === undefined || !isOlder(answer.value.asOf, token));
  return cacheClass.satisfies(answer.value.asOf, token);
}

async function askPrimary<T>(edge: Edge, read: ReadThrough<T>): Promise<Result<Found<T> | Absent, Refusal>> {
  const { key, cacheClass } = read;
  // The age counts from before the call, because the result is at least as new.
  const readAtMs = edge.now();
  const answer = await read.ask();
  if (!answer.ok) return answer;
  const { asOf, value } = answer.value;
  if (value === null) {
    forget(edge, key, asOf, cacheClass);
    edge.cache.put(absenceKey(key), { readAtMs, asOf, value: null } satisfies Cached<null>, 64);
    return ok({ absent: true, asOf });
  }
  const cached: Cached<T> = { readAtMs, asOf, value };
  if (keepInMemory(edge, key, cached, cacheClass) && cacheClass.inKv) fillKv(edge, key, cached, cacheClass);
  return ok(found(cached, "primary"));
}

/** Puts a value into this isolate's memory; false if a value of a later state is there. */
export function keepInMemory<T>(edge: Edge, key: string, cached: Cached<T>, cacheClass: CacheClass<T>): boolean {
  edge.cache.delete(absenceKey(key));
  return remember(edge, key, cached, cacheClass.bytes(cached.value));
}

function fillKv<T>(edge: Edge, key: string, cached: Cached<T>, cacheClass: CacheClass<T>): void {
  const expirationTtl = Math.max(MIN_KV_TTL_SECONDS, Math.ceil(cacheClass.staleMs / 1_000));
  edge.waitUntil(
    settled(async () => {
      const generation = await readGeneration(edge);
      if (generation === undefined) return;
      await edge.env.CACHE.put(kvKey(generation, edge.tenant, key), JSON.stringify(cached), { expirationTtl });
    }),
  );
}

/**
 * Drops a value from this isolate and from KV after a write that invalidated it. KV may refuse the delete or keep
 * serving its own cache, so this isolate also remembers to ignore values older than the write.
 */
export function forget(
  edge: Edge,
  key: string,
  writtenAsOf: AsOf,
  { inKv }: Pick<CacheClass<never>, "inKv">,
  { deletesFromKv = true }: { deletesFromKv?: boolean } = {},
): void {
  edge.cache.delete(key);
  if (!inKv) return;
  edge.cache.put(floorKey(key), writtenAsOf, FLOOR_BYTES);
  if (!deletesFromKv) return;
  edge.waitUntil(settled(() => deleteFromKv(edge, key)));
}

/** KV refuses to delete a key written within the last second, so the delete is retried once. */
async function deleteFromKv(edge: Edge, key: string): Promise<void> {
  const generation = await readGeneration(edge);
  // Without the generation the key is unknown; the value's age still bounds it.
  if (generation === undefined) return;
  const named = kvKey(generation, edge.tenant, key);
  try {
    await edge.env.CACHE.delete(named);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, KV_WRITE_INTERVAL_MS));
    await edge.env.CACHE.delete(named);
  }
}

export function ageMs({ now }: Pick<Edge, "now">, { readAtMs }: Cached<unknown>): number {
  const age = now() - readAtMs;
  return age >= 0 ? age : age >= -MAX_CLOCK_SKEW_MS ? 0 : Number.POSITIVE_INFINITY;
}

/** False if memory already holds a value of a later state. */
function remember<T>(edge: Edge, key: string, cached: Cached<T>, bytes: number): boolean {
  const known = edge.cache.get(key) as Cached<T> | undefined;
  if (known !== undefined && isOlder(cached.asOf, known.asOf)) return false;
  edge.cache.put(key, cached, bytes);
  return true;
}

/** A KV failure, timeout or value older than `floor` counts as a miss. */
async function readKv<T>(edge: Edge, key: string, floor: AsOf | undefined): Promise<Cached<T> | undefined> {
  try {
    const text = await withinDeadline(KV_DEADLINE_MS, readKvText(edge, key), () => null);
    if (text === null) return undefined;
    const cached = JSON.parse(text) as Cached<T>;
    return floor !== undefined && isOlder(cached.asOf, floor) ? undefined : cached;
  } catch {
    return undefined;
  }
}

async function readKvText(edge: Edge, key: string): Promise<string | null> {
  const generation = await readGeneration(edge);
  return generation === undefined ? null : edge.env.CACHE.get(kvKey(generation, edge.tenant, key), "text");
}

function found<T>({ readAtMs, asOf, value }: Cached<T>, source: Source, stale = false): Found<T> {
  return { readAtMs, asOf, value, source, stale };
}

function newest<T>(a: Found<T> | undefined, b: Found<T> | undefined): Found<T> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isOlder(a.asOf, b.asOf) || (!isOlder(b.asOf, a.asOf) && a.readAtMs < b.readAtMs) ? b : a;
}

/** The call continues after that and may still fill the cache. */
function withPatience<T>(asking: Promise<T>): Promise<T> {
  return withinDeadline(STALE_PATIENCE_MS, asking, () => {
    throw new PrimaryUnreachable("deadline");
  });
}

function floorKey(key: string): string {
  return `floor/${key}`;
}

function absenceKey(key: string): string {
  return `absent/${key}`;
}

async function settled(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch {
    // A failed cache write only costs a later miss.
  }
}

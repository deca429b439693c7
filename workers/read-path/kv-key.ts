/**
 * The key of a cached value in KV: generation, tenant, and the key that the cached class chooses (`contentKey`
 * in content.ts). The generation is the code's own number and one that a rebuild raises (docs/replication.md). It is stored
 * in KV and cached per isolate, so reads from memory never look it up and reads from KV look it up once a minute.
 */
import type { Edge } from "../edge.ts";

/** Raise it when the form of cached values changes: older entries are never read again. */
export const CACHE_GENERATION = 2;
/** How long an isolate caches the generation; KV may delay a raise by as much again. */
export const GENERATION_MEMORY_MS = 60_000;

const GENERATION_KEY = "generation";
const ENTRY_BYTES = 64;

type Known = { readAtMs: number; generation: string };
type GenerationSource = Pick<Edge, "cache" | "now"> & { env: Pick<Edge["env"], "CACHE"> };

/** Undefined if KV does not answer and nothing is cached; KV is then not used. */
export async function readGeneration({ cache, now, env }: GenerationSource): Promise<string | undefined> {
  const known = cache.shared.get(GENERATION_KEY) as Known | undefined;
  const readAtMs = now();
  if (known !== undefined && Math.abs(readAtMs - known.readAtMs) < GENERATION_MEMORY_MS) return known.generation;
  try {
    const raised = await env.CACHE.get(GENERATION_KEY, "text");
    const generation = raised === null ? String(CACHE_GENERATION) : `${CACHE_GENERATION}-${raised}`;
    cache.shared.put(GENERATION_KEY, { readAtMs, generation } satisfies Known, ENTRY_BYTES);
    return generation;
  } catch {
    return known?.generation;
  }
}

/** Invalidates everything in KV, everywhere within two minutes. */
export async function raiseGeneration(edge: GenerationSource): Promise<void> {
  // A timestamp always grows, so raising it needs no read of a possibly stale value.
  await edge.env.CACHE.put(GENERATION_KEY, String(edge.now()));
  edge.cache.shared.delete(GENERATION_KEY);
}

export function kvKey(generation: string, tenant: string, key: string): string {
  return `g${generation}/${tenant}/${key}`;
}

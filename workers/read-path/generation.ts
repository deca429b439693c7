/**
 * Which generation of KV's values counts: the code's own, and one that a rebuild raises (docs/replication.md). It lies in KV
 * itself and is remembered by an isolate, so a read from memory never asks for it and a minute of reads from KV asks once.
 */
import type { Edge } from "../edge.ts";

/** Raised when the form of cached values changes: older entries are then never read again. */
export const CACHE_GENERATION = 2;
/** An isolate goes on with the generation it knows this long; KV may tell of a raised one as late again. */
export const GENERATION_MEMORY_MS = 60_000;

const GENERATION_KEY = "generation";
const ENTRY_BYTES = 64;

type Known = { readAtMs: number; generation: string };
export type GenerationSource = Pick<Edge, "cache" | "now"> & { env: Pick<Edge["env"], "CACHE"> };

/** Undefined where KV does not say and nothing is remembered: then KV is not used. */
export async function generationOf({ cache, now, env }: GenerationSource): Promise<string | undefined> {
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

/** From now on, and everywhere within two minutes, nothing that KV holds is read again. */
export async function raiseGeneration(edge: GenerationSource): Promise<void> {
  // A time grows by itself: whoever raises need not know what KV may tell him late.
  await edge.env.CACHE.put(GENERATION_KEY, String(edge.now()));
  edge.cache.shared.delete(GENERATION_KEY);
}

export function kvKey(generation: string, tenant: string, key: string): string {
  return `g${generation}/${tenant}/${key}`;
}

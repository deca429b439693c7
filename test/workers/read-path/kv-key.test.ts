import { describe, expect, it } from "vitest";
import { ReadCache } from "../../../workers/read-path/cache.ts";
import {
  CACHE_GENERATION,
  GENERATION_MEMORY_MS,
  raiseGeneration,
  readGeneration,
} from "../../../workers/read-path/kv-key.ts";

/** One isolate over a KV map that others may share. */
function isolate(kv: Map<string, string>, clock: { ms: number }) {
  const state = { reads: 0, away: false };
  const source = {
    cache: new ReadCache().of("t"),
    now: () => clock.ms,
    env: {
      CACHE: {
        get: async (key: string) => {
          state.reads += 1;
          if (state.away) throw new Error("KV is away");
          return kv.get(key) ?? null;
        },
        put: async (key: string, text: string) => void kv.set(key, text),
      },
    },
  } as unknown as Parameters<typeof readGeneration>[0];
  return { source, state };
}

describe("readGeneration", () => {
  it("queries KV once a minute", async () => {
    const clock = { ms: 1_000_000 };
    const { source, state } = isolate(new Map(), clock);

    const first = await readGeneration(source);
    clock.ms += GENERATION_MEMORY_MS - 1;
    await readGeneration(source);
    expect(state.reads).toBe(1);
    clock.ms += 1;
    await readGeneration(source);

    expect(first).toBe(String(CACHE_GENERATION));
    expect(state.reads).toBe(2);
  });

  it("keeps the cached value while KV is unreachable, and is undefined without one", async () => {
    const clock = { ms: 1_000_000 };
    const { source, state } = isolate(new Map(), clock);
    const known = await readGeneration(source);
    state.away = true;
    clock.ms += GENERATION_MEMORY_MS;
    const other = isolate(new Map(), clock);
    other.state.away = true;

    expect(await readGeneration(source)).toBe(known);
    expect(await readGeneration(other.source)).toBeUndefined();
  });
});

describe("raiseGeneration", () => {
  it("changes the generation here immediately and elsewhere within a minute", async () => {
    const clock = { ms: 1_000_000 };
    const kv = new Map<string, string>();
    const here = isolate(kv, clock);
    const elsewhere = isolate(kv, clock);
    const before = await readGeneration(elsewhere.source);

    await raiseGeneration(here.source);

    const raised = await readGeneration(here.source);
    expect(raised).not.toBe(before);
    expect(await readGeneration(elsewhere.source)).toBe(before);
    clock.ms += GENERATION_MEMORY_MS;
    expect(await readGeneration(elsewhere.source)).toBe(raised);
  });
});

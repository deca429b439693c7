import { describe, expect, it } from "vitest";
import { PrimaryUnreachable } from "../../../durable-objects/primary/client.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { ok } from "../../../schema/result.ts";
import type { Edge } from "../../../workers/edge.ts";
import { ReadCache } from "../../../workers/read-path/cache.ts";
import { CACHE_GENERATION, kvKey } from "../../../workers/read-path/kv-key.ts";
import {
  ABSENCE_MS,
  type CacheClass,
  type Cached,
  forget,
  KV_DEADLINE_MS,
  keepInMemory,
  readThrough,
  STALE_PATIENCE_MS,
} from "../../../workers/read-path/read-through.ts";
import { recordSatisfies } from "../../../workers/read-path/token.ts";

const CLASS: CacheClass<string> = {
  freshMs: 1_000,
  staleMs: 10_000,
  inKv: true,
  satisfies: recordSatisfies,
  bytes: (text) => text.length,
};
const asOf = (seq: number): AsOf => ({ epoch: 1, seq, lastHardDelete: 0 });

/** One isolate over a KV map that others may share; the clock is a number. */
function isolate(kv = new Map<string, string>(), clock = { ms: 1_000_000 }) {
  const background: Promise<unknown>[] = [];
  const state = { asked: 0, kvReads: 0, value: "v" as string | null, asOf: asOf(5), fails: undefined as unknown };
  const edge = {
    tenant: "t",
    cache: new ReadCache().of("t"),
    now: () => clock.ms,
    waitUntil: (promise: Promise<unknown>) => void background.push(promise),
    env: {
      CACHE: {
        get: async (key: string) => {
          if (key !== "generation") state.kvReads += 1;
          return kv.get(key) ?? null;
        },
        put: async (key: string, text: string) => void kv.set(key, text),
        delete: async (key: string) => void kv.delete(key),
      },
    },
  } as unknown as Edge;
  const read = (token?: AsOf, allowCachedAbsence = false) =>
    readThrough(edge, {
      key: "k",
      cacheClass: CLASS,
      token,
      allowCachedAbsence,
      ask: async () => {
        state.asked += 1;
        if (state.fails) throw state.fails;
        return ok({ asOf: state.asOf, value: state.value });
      },
    });
  const settled = () => Promise.all(background);
  return { edge, state, read, settled, clock, kv };
}

describe("readThrough", () => {
  it("queries the primary once and answers from memory while the value is fresh", async () => {
    const { read, state, clock, settled } = isolate();
    const first = await read();
    await settled();
    clock.ms += CLASS.freshMs;

    const second = await read();

    expect(first).toMatchObject({ value: { value: "v", source: "primary", asOf: asOf(5) } });
    expect(second).toMatchObject({ value: { value: "v", source: "memory", stale: false } });
    expect(state.asked).toBe(1);
  });

  it("answers from KV in another isolate, and counts the age from the first answer", async () => {
    const one = isolate();
    await one.read();
    await one.settled();
    const other = isolate(one.kv, one.clock);
    one.clock.ms += 600;

    const fromKv = await other.read();
    one.clock.ms += 600;
    const again = await other.read();

    expect(fromKv).toMatchObject({ value: { source: "kv", readAtMs: 1_000_000 } });
    expect(again).toMatchObject({ value: { source: "primary", readAtMs: 1_001_200 } });
  });

  it("queries again once the value is no longer fresh", async () => {
    const { read, state, clock, settled } = isolate();
    await read();
    await settled();
    clock.ms += CLASS.freshMs + 1;
    state.value = "w";
    state.asOf = asOf(6);

    expect(await read()).toMatchObject({ value: { value: "w", source: "primary" } });
  });

  it("skips values that do not satisfy the token, in memory and in KV", async () => {
    const { read, state, settled } = isolate();
    await read();
    await settled();
    state.asOf = asOf(9);

    const answer = await read(asOf(7));

    expect(answer).toMatchObject({ value: { source: "primary", asOf: asOf(9) } });
    expect(await read(asOf(7))).toMatchObject({ value: { source: "memory" } });
  });

  it("treats a null from KV as unknown, never as absence", async () => {
    const { read, state } = isolate();

    expect(await read()).toMatchObject({ value: { value: "v" } });
    expect(state).toMatchObject({ kvReads: 1, asked: 1 });
  });

  it("drops a value from memory and KV when the primary reports it missing", async () => {
    const { read, state, clock, settled, kv } = isolate();
    await read();
    await settled();
    clock.ms += CLASS.freshMs + 1;
    state.value = null;

    expect(await read()).toMatchObject({ value: { absent: true } });
    await settled();
    expect(kv.size).toBe(0);
  });

  it("answers stale values while the primary is unreachable, up to the age limit", async () => {
    const { read, state, clock, settled } = isolate();
    await read();
    await settled();
    state.fails = new PrimaryUnreachable("unreachable");

    clock.ms += CLASS.staleMs;
    const stale = await read();
    clock.ms += 1;

    expect(stale).toMatchObject({ value: { value: "v", stale: true, source: "memory" } });
    await expect(read()).rejects.toThrow(PrimaryUnreachable);
  });

  it("answers a stale value from KV if memory has none", async () => {
    const one = isolate();
    await one.read();
    await one.settled();
    const other = isolate(one.kv, one.clock);
    other.state.fails = new PrimaryUnreachable("unreachable");
    one.clock.ms += CLASS.freshMs + 1;

    expect(await other.read()).toMatchObject({ value: { value: "v", stale: true, source: "kv" } });
  });

  it("does not answer a stale value that the token excludes", async () => {
    const { read, state, clock, settled } = isolate();
    await read();
    await settled();
    state.fails = new PrimaryUnreachable("unreachable");
    clock.ms += CLASS.freshMs + 1;

    await expect(read(asOf(6))).rejects.toThrow(PrimaryUnreachable);
  });

  it("does not hide errors other than an unreachable primary", async () => {
    const { read, state, clock, settled } = isolate();
    await read();
    await settled();
    state.fails = new Error("bug");
    clock.ms += CLASS.freshMs + 1;

    await expect(read()).rejects.toThrow("bug");
  });

  it("waits only briefly for an unresponsive primary if it has a stale value", async () => {
    const { edge, read, clock, settled } = isolate();
    await read();
    await settled();
    clock.ms += CLASS.freshMs + 1;
    const startedAt = Date.now();

    const answer = await readThrough(edge, {
      key: "k",
      cacheClass: CLASS,
      token: undefined,
      allowCachedAbsence: false,
      ask: () => new Promise(() => undefined),
    });

    expect(answer).toMatchObject({ value: { stale: true } });
    expect(Date.now() - startedAt).toBeLessThan(STALE_PATIENCE_MS + 500);
  });

  it("caches absence only in memory, for callers who accept it, for five seconds and within their token", async () => {
    const { read, state, clock, settled, kv } = isolate();
    state.value = null;
    await read();
    await settled();

    expect(kv.size).toBe(0);
    expect(await read(undefined, true)).toMatchObject({ value: { absent: true } });
    expect(state.asked).toBe(1);
    await read();
    expect(state.asked).toBe(2);
    await read(asOf(6), true);
    expect(state.asked).toBe(3);
    clock.ms += ABSENCE_MS + 1;
    await read(undefined, true);
    expect(state.asked).toBe(4);
  });

  it("continues without KV if it fails, is slow or holds invalid values", async () => {
    const failing = isolate();
    const cacheOf = (get: () => Promise<unknown>) =>
      Object.assign(failing.edge.env, {
        CACHE: { get, put: () => Promise.reject(new Error("429")), delete: () => Promise.reject(new Error("away")) },
      });

    cacheOf(() => Promise.reject(new Error("away")));
    expect(await failing.read()).toMatchObject({ value: { value: "v", source: "primary" } });
    forget(failing.edge, "k", asOf(1), CLASS);
    cacheOf(async () => "{not json");
    expect(await failing.read()).toMatchObject({ value: { value: "v", source: "primary" } });
    forget(failing.edge, "k", asOf(1), CLASS);
    const startedAt = Date.now();
    cacheOf(() => new Promise(() => undefined));
    expect(await failing.read()).toMatchObject({ value: { value: "v", source: "primary" } });
    expect(Date.now() - startedAt).toBeLessThan(KV_DEADLINE_MS + 500);
    await failing.settled();
  });

  it("rejects values from the future beyond the clock tolerance", async () => {
    const { read, kv, state } = isolate();
    const put = (readAtMs: number) =>
      kv.set(
        kvKey(String(CACHE_GENERATION), "t", "k"),
        JSON.stringify({ readAtMs, asOf: asOf(5), value: "kv" } satisfies Cached<string>),
      );

    put(1_000_000 + 3_600_000);
    expect(await read()).toMatchObject({ value: { value: "v", source: "primary" } });
    put(1_000_000 + 1_000);
    const other = isolate(kv);
    expect(await other.read()).toMatchObject({ value: { value: "kv", source: "kv" } });
    expect(state.asked).toBe(1);
  });

  it("lets a merged caller query again if the leader's result is older than its token", async () => {
    const { edge, state } = isolate();
    let seq = 5;
    const ask = async () => {
      state.asked += 1;
      const answer = ok({ asOf: asOf(seq), value: "v" });
      await new Promise((resolve) => setTimeout(resolve, 30));
      return answer;
    };
    const read = (token: AsOf | undefined) =>
      readThrough(edge, { key: "k", cacheClass: CLASS, token, allowCachedAbsence: false, ask });

    const leader = read(undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
    seq = 8;
    const follower = read(asOf(8));

    expect(await leader).toMatchObject({ value: { asOf: asOf(5) } });
    expect(await follower).toMatchObject({ value: { asOf: asOf(8) } });
    expect(state.asked).toBe(2);
  });
});

describe("keepInMemory", () => {
  it("never replaces a value by one of an earlier state, and leaves filling KV to reads", async () => {
    const { edge, kv, settled } = isolate();
    const put = (seq: number, value: string) =>
      keepInMemory(edge, "k", { readAtMs: 1_000_000, asOf: asOf(seq), value }, CLASS);
    put(9, "new");

    put(4, "old");
    await settled();

    expect(edge.cache.get("k")).toMatchObject({ value: "new" });
    expect(kv.size).toBe(0);
  });
});

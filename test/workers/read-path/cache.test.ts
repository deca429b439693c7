import { describe, expect, it } from "vitest";
import { MAX_CACHE_BYTES, MAX_ENTRY_BYTES, ReadCache } from "../../../workers/read-path/cache.ts";

const KIB = 1_024;

describe("ReadCache", () => {
  it("keeps entries by tenant", () => {
    const cache = new ReadCache();
    cache.put("a", "k", { v: 1 }, 10);

    expect(cache.get("a", "k")).toEqual({ v: 1 });
    expect(cache.get("b", "k")).toBeUndefined();
  });

  it("shows a tenant its own entries and misses only", () => {
    const cache = new ReadCache();
    const [a, b] = [cache.of("a"), cache.of("b")];
    const miss = Promise.resolve();
    a.put("k", 1, 10);
    a.lead("k", miss);

    expect([a.get("k"), b.get("k"), cache.of("a").get("k")]).toEqual([1, undefined, 1]);
    expect([cache.of("a").missUnderWay("k"), b.missUnderWay("k")]).toEqual([miss, undefined]);
    b.endMiss("k", miss);
    expect(a.missUnderWay("k")).toBe(miss);
    a.endMiss("k", miss);
    expect(a.missUnderWay("k")).toBeUndefined();
  });

  it("shows every tenant the isolate's own entries", () => {
    const cache = new ReadCache();
    cache.of("a").shared.put("k", 1, 10);

    expect(cache.of("b").shared.get("k")).toBe(1);
    expect(cache.of("a").get("k")).toBeUndefined();
  });

  it("keeps an entry of the maximum size and no larger one", () => {
    const cache = new ReadCache();
    const overhead = 2 * 1 + 128;

    cache.put("a", "f", 1, MAX_ENTRY_BYTES - overhead);
    cache.put("a", "o", 1, MAX_ENTRY_BYTES - overhead + 1);

    expect(cache.get("a", "f")).toBe(1);
    expect(cache.get("a", "o")).toBeUndefined();
  });

  it("forgets the old value if the new one is too large", () => {
    const cache = new ReadCache();
    cache.put("a", "k", "old", 10);

    cache.put("a", "k", "new", MAX_ENTRY_BYTES);

    expect(cache.get("a", "k")).toBeUndefined();
  });

  it("never holds more than its limit, nor more than half for one tenant", () => {
    const cache = new ReadCache();

    for (let index = 0; index < 400; index += 1) cache.put("a", `k${index}`, index, 200 * KIB);

    expect(cache.bytes).toBeLessThanOrEqual(MAX_CACHE_BYTES / 2);
    for (let index = 0; index < 1_000; index += 1) cache.put(`t${index % 5}`, `k${index}`, index, 100 * KIB);
    expect(cache.bytes).toBeLessThanOrEqual(MAX_CACHE_BYTES);
    expect(cache.bytes).toBeGreaterThan(MAX_CACHE_BYTES / 2);
  });

  it("drops the least recently used entry", () => {
    const cache = new ReadCache(10 * KIB);
    for (const key of ["a", "b", "c", "d"]) cache.put("t", key, key, KIB);
    cache.get("t", "a");

    cache.put("t", "e", "e", KIB);

    expect(["a", "b", "c", "d", "e"].map((key) => cache.get("t", key))).toEqual(["a", undefined, "c", "d", "e"]);
  });

  it("evicts from the largest tenant before a small one", () => {
    const cache = new ReadCache(10 * KIB);
    cache.put("small", "k", "kept", KIB);
    for (let index = 0; index < 4; index += 1) cache.put("large", `k${index}`, index, KIB);
    for (let index = 0; index < 6; index += 1) cache.put("other", `k${index}`, index, KIB);

    expect(cache.get("small", "k")).toBe("kept");
  });

  it("counts its bytes down to zero when everything is deleted", () => {
    const cache = new ReadCache();
    cache.put("a", "x/1", 1, 50);
    cache.put("a", "x/1", 2, 70);
    cache.put("a", "y/1", 3, 50);

    cache.deleteWhere("a", (key) => key.startsWith("x/"));

    expect(cache.get("a", "x/1")).toBeUndefined();
    expect(cache.get("a", "y/1")).toBe(3);
    cache.delete("a", "y/1");
    expect(cache.bytes).toBe(0);
  });
});

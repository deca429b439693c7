import { describe, expect, it } from "vitest";
import { ReadCache } from "../../../workers/read-path/cache.ts";
import { MERGE_MS, mergeMisses } from "../../../workers/read-path/misses.ts";

function fakeEdge() {
  const background: Promise<unknown>[] = [];
  return {
    cache: new ReadCache().of("t"),
    waitUntil: (promise: Promise<unknown>) => void background.push(promise),
    settled: () => Promise.all(background),
  };
}

describe("mergeMisses", () => {
  it("queries once for concurrent callers, and reports which merged", async () => {
    const edge = fakeEdge();
    let asked = 0;
    const ask = async () => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return asked;
    };

    const answers = await Promise.all([1, 2, 3].map(() => mergeMisses(edge, "k", ask)));

    expect(asked).toBe(1);
    expect(answers.map(({ answer }) => answer)).toEqual([1, 1, 1]);
    expect(answers.map(({ merged }) => merged)).toEqual([false, true, true]);
  });

  it("lets a follower query itself once the leader is late, even if the leader never answers", async () => {
    const edge = fakeEdge();
    void mergeMisses(edge, "k", () => new Promise<string>(() => undefined));
    const startedAt = Date.now();

    const follower = await mergeMisses(edge, "k", async () => "own");

    expect(follower).toEqual({ answer: "own", merged: false });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(MERGE_MS - 10);
    expect(Date.now() - startedAt).toBeLessThan(MERGE_MS * 3);
  });

  it("lets a follower query itself if the leader fails", async () => {
    const edge = fakeEdge();
    const leader = mergeMisses(edge, "k", async () => {
      throw new Error("lost");
    });

    const follower = mergeMisses(edge, "k", async () => "own");

    await expect(leader).rejects.toThrow("lost");
    expect(await follower).toEqual({ answer: "own", merged: false });
  });

  it("forgets a query once it is answered", async () => {
    const edge = fakeEdge();
    await mergeMisses(edge, "k", async () => 1);
    await edge.settled();

    const second = await mergeMisses(edge, "k", async () => 2);

    expect(second).toEqual({ answer: 2, merged: false });
    await edge.settled();
    expect(edge.cache.missUnderWay("k")).toBeUndefined();
  });

  it("keeps different keys apart", async () => {
    const edge = fakeEdge();

    const answers = await Promise.all([mergeMisses(edge, "a", async () => 1), mergeMisses(edge, "b", async () => 2)]);

    expect(answers.map(({ answer }) => answer)).toEqual([1, 2]);
  });
});

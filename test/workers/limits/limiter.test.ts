import { describe, expect, it } from "vitest";
import {
  LEASE_INTERVAL_MS,
  type LeaseStore,
  Limiter,
  MAX_LIMITED_NAMES,
  STORE_RETRY_MS,
} from "../../../workers/limits/limiter.ts";

const MINUTE_MS = 60_000;

/** Isolates that share one store, at a time that the test sets. */
class World {
  nowMs = 1_000 * MINUTE_MS;
  commands = 0;
  isAway = false;
  readonly #sums = new Map<string, number>();
  readonly #work: Promise<unknown>[] = [];

  readonly store: LeaseStore = {
    lease: async (name, minute, tokens) => {
      this.commands += 1;
      if (this.isAway) throw new Error("away");
      const key = `${name}:${minute}`;
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + tokens);
      return this.#sums.get(key)!;
    },
  };

  take(limiter: Limiter, limit: number, name = "key") {
    const waitUntil = (promise: Promise<unknown>) => void this.#work.push(promise);
    return limiter.take(name, limit, { store: this.store, nowMs: this.nowMs, waitUntil });
  }

  settled = () => Promise.all(this.#work.splice(0));
}

function takeAlone(limiter: Limiter, limit: number, nowMs: number, name = "key") {
  return limiter.take(name, limit, { store: undefined, nowMs, waitUntil: () => undefined });
}

describe("Limiter", () => {
  it("allows up to the limit within a minute, and returns the remaining number and the reset time", () => {
    const limiter = new Limiter();
    const nowMs = 15_000;

    const taken = Array.from({ length: 4 }, () => takeAlone(limiter, 3, nowMs));

    expect(taken.map(({ isAllowed }) => isAllowed)).toEqual([true, true, true, false]);
    expect(taken.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
    expect(taken[0]).toMatchObject({ limit: 3, resetSeconds: 45 });
    expect(takeAlone(limiter, 3, MINUTE_MS).isAllowed).toBe(true);
  });

  it("counts each name separately", () => {
    const limiter = new Limiter();
    takeAlone(limiter, 1, 0, "one");

    expect(takeAlone(limiter, 1, 0, "one").isAllowed).toBe(false);
    expect(takeAlone(limiter, 1, 0, "two").isAllowed).toBe(true);
  });

  it("forgets the name that was counted longest ago when there are too many", () => {
    const limiter = new Limiter();
    for (let index = 0; index < MAX_LIMITED_NAMES; index += 1) takeAlone(limiter, 1, 0, `name-${index}`);
    expect(takeAlone(limiter, 1, 0, "name-0").isAllowed).toBe(false);
    takeAlone(limiter, 1, 0, "one more");

    expect(takeAlone(limiter, 1, 0, "name-0").isAllowed).toBe(true);
  });

  it("shares a limit between isolates, and calls the store at most once a second", async () => {
    const world = new World();
    const isolates = [new Limiter(), new Limiter(), new Limiter()];
    const limit = 300;
    let allowed = 0;
    for (let second = 0; second < 50; second += 1) {
      for (const limiter of isolates) {
        for (let request = 0; request < 6; request += 1) allowed += Number(world.take(limiter, limit).isAllowed);
        await world.settled();
      }
      expect(world.commands).toBeLessThanOrEqual(isolates.length * (second + 1));
      world.nowMs += LEASE_INTERVAL_MS;
    }

    expect(allowed).toBeGreaterThanOrEqual(limit * 0.8);
    // The number of requests that three isolates admit within one second.
    expect(allowed).toBeLessThanOrEqual(limit + isolates.length * 6);
  });

  it("never waits for the store, and calls it rarely at low usage", async () => {
    const world = new World();
    const limiter = new Limiter();

    expect(world.take(limiter, 1_000).isAllowed).toBe(true);
    await world.settled();
    for (let request = 0; request < 20; request += 1) {
      world.nowMs += LEASE_INTERVAL_MS;
      world.take(limiter, 1_000);
      await world.settled();
    }

    expect(world.commands).toBe(1);
  });

  it("limits alone while the store is unreachable, and resumes sharing afterwards", async () => {
    const world = new World();
    const limiter = new Limiter();
    world.isAway = true;
    const allowed = Array.from({ length: 12 }, () => world.take(limiter, 10).isAllowed);
    await world.settled();

    expect(allowed.filter(Boolean)).toHaveLength(10);
    expect(world.commands).toBe(1);
    world.isAway = false;
    world.nowMs += MINUTE_MS;
    world.take(limiter, 10);
    await world.settled();
    expect(world.commands).toBe(2);
    expect(STORE_RETRY_MS).toBeLessThan(MINUTE_MS);
  });
});

import { describe, expect, it } from "vitest";
import { Clock, seededRandom } from "./clock.ts";
import { HostileKv, MAX_REGIONAL_DELAY_MS } from "./hostile-kv.ts";
import { HostilePrimaries, MAX_RPC_BYTES } from "./hostile-primary.ts";
import { HostileQueue } from "./hostile-queue.ts";
import { type EdgeR2, HostileR2 } from "./hostile-r2.ts";
import { Invocations, MAX_SUBREQUESTS } from "./subrequests.ts";

describe("HostileKv", () => {
  function openKv() {
    const clock = new Clock();
    const kv = new HostileKv(clock, seededRandom(1));
    return { clock, kv, here: kv.in("FRA"), there: kv.in("SIN") };
  }

  it("refuses a second write of a key within a second, including deletes", async () => {
    const { clock, kv, here, there } = openKv();
    await here.put("k", "1");

    await expect(there.put("k", "2")).rejects.toThrow("429");
    await expect(here.delete("k")).rejects.toThrow("429");
    expect(kv.refusedWrites).toBe(2);
    clock.advance(1_000);
    await expect(there.put("k", "2")).resolves.toBeUndefined();
  });

  it("shows a region its own write immediately and another region's within a minute", async () => {
    const { clock, here, there } = openKv();
    await here.put("k", "1");

    expect(await here.get("k", "text")).toBe("1");
    expect(await there.get("k", "text")).toBeNull();
    clock.advance(2 * MAX_REGIONAL_DELAY_MS);
    expect(await there.get("k", "text")).toBe("1");
  });

  it("caches an absence that a region has seen", async () => {
    const { clock, here, there } = openKv();
    expect(await there.get("k", "text")).toBeNull();
    await here.put("k", "1");
    clock.advance(1);

    expect(await there.get("k", "text")).toBeNull();
  });

  it("keeps showing a region an object deleted elsewhere", async () => {
    const { clock, here, there } = openKv();
    await here.put("k", "1");
    clock.advance(2 * MAX_REGIONAL_DELAY_MS);
    expect(await there.get("k", "text")).toBe("1");
    await here.delete("k");

    expect(await here.get("k", "text")).toBeNull();
    expect(await there.get("k", "text")).toBe("1");
  });

  it("forgets a value when it expires", async () => {
    const { clock, here } = openKv();
    await here.put("k", "1", { expirationTtl: 60 });
    clock.advance(60_000);

    expect(await here.get("k", "text")).toBeNull();
  });

  it.each([
    ["a key of 513 bytes", "k".repeat(513), {}],
    ["a lifetime under 60 seconds", "k", { expirationTtl: 59 }],
  ])("refuses %s", async (_what, key, options) => {
    await expect(openKv().here.put(key, "1", options)).rejects.toThrow("failed");
  });
});

describe("HostilePrimaries", () => {
  function openPrimary(seed: number) {
    const calls: unknown[] = [];
    const commit = async (request: unknown) => calls.push(request);
    const primaries = new HostilePrimaries({ getByName: () => ({ commit }) }, seededRandom(seed));
    const stub = primaries.binding().getByName("default") as { commit(request: unknown): Promise<unknown> };
    return { calls, primaries, stub };
  }

  it("fails one call at most twice, with a retryable error", async () => {
    const { primaries, stub } = openPrimary(1);
    for (let command = 0; command < 200; command += 1) {
      let failures = 0;
      for (let attempt = 0; attempt < 20; attempt += 1) {
        await stub.commit({ commandId: `c${command}` }).catch((error: { retryable: boolean }) => {
          expect(error.retryable).toBe(true);
          failures += 1;
        });
      }
      expect(failures).toBeLessThanOrEqual(2);
    }
    expect(primaries.faults.rejected).toBeGreaterThan(0);
    expect(primaries.faults.replyLost).toBeGreaterThan(0);
  });

  it("loses replies of calls that the object has executed", async () => {
    const { calls, primaries, stub } = openPrimary(2);
    let answered = 0;
    for (let command = 0; command < 100; command += 1) {
      await stub.commit({ commandId: `c${command}` }).then(
        () => {
          answered += 1;
        },
        () => undefined,
      );
    }

    expect(calls.length).toBe(answered + primaries.faults.replyLost);
    expect(answered).toBe(100 - primaries.faults.replyLost - primaries.faults.rejected);
  });

  it("is unreachable until it is reachable again, also for retries", async () => {
    const { primaries, stub } = openPrimary(1);
    primaries.unreachable = true;

    await expect(stub.commit({ commandId: "c" })).rejects.toMatchObject({ retryable: false });
  });
});

describe("HostileQueue", () => {
  it("delivers everything at least once, some of it twice and out of order", async () => {
    const queue = new HostileQueue<number>(seededRandom(1));
    const sent = Array.from({ length: 100 }, (_, n) => n);
    for (const n of sent) await queue.binding().send(n);

    const delivered = queue.takeBatches().flat();

    expect(new Set(delivered)).toEqual(new Set(sent));
    expect(delivered.length).toBeGreaterThan(sent.length);
    expect(delivered).not.toEqual(delivered.toSorted((a, b) => a - b));
    expect(queue.takeBatches()).toEqual([]);
  });

  it("accepts a message of 128,000 bytes and refuses a longer one", async () => {
    const queue = new HostileQueue<string>(seededRandom(1));

    await queue.binding().send("x".repeat(127_998));
    await expect(queue.binding().send("x".repeat(127_999))).rejects.toThrow("128000");
  });
});

describe("HostileR2", () => {
  it("refuses a second write of an object within a second", async () => {
    const clock = new Clock();
    const stored = {
      put: async () => null,
      get: async () => null,
      head: async () => null,
      delete: async () => undefined,
    };
    const bucket = new HostileR2(stored as unknown as EdgeR2, clock).binding();
    await bucket.put("k", "1");

    await expect(bucket.put("k", "1")).rejects.toThrow("10058");
    clock.advance(1_000);
    await expect(bucket.put("k", "1")).resolves.toBeNull();
  });
});

describe("Invocations", () => {
  it("allows each a number of calls of bindings, including late ones", async () => {
    const invocations = new Invocations();
    const binding = invocations.counting({ get: async () => "value" });
    const calls = async (count: number) => {
      for (let n = 0; n < count; n += 1) await binding.get();
    };

    await expect(invocations.run(() => calls(MAX_SUBREQUESTS))).resolves.toBeUndefined();
    await expect(invocations.run(() => calls(MAX_SUBREQUESTS + 1))).rejects.toThrow("Too many subrequests");
  });
});

describe("the size of a call to a primary", () => {
  const stub = { echo: async (argument: { sent?: string; wanted?: number }) => "x".repeat(argument.wanted ?? 0) };
  const call = (argument: object) => {
    // A random source that never makes a call fail.
    const primaries = new HostilePrimaries({ getByName: () => stub }, () => 1);
    const { echo } = primaries.binding().getByName("p") as { echo(sent: object): Promise<string> };
    return echo(argument);
  };

  it("is limited in both directions", async () => {
    await expect(call({ wanted: MAX_RPC_BYTES })).resolves.toHaveLength(MAX_RPC_BYTES);
    await expect(call({ wanted: MAX_RPC_BYTES + 1 })).rejects.toThrow("The answer of echo");
    await expect(call({ sent: "x".repeat(MAX_RPC_BYTES) })).rejects.toThrow("The argument of echo");
  });
});

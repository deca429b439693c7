import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ISOLATE_MEMORY_MS, type MetricsObject } from "../../../durable-objects/metrics/object.ts";
import { type Counted, MAX_FLUSHED_SERIES, METRICS_VERSION } from "../../../durable-objects/metrics/protocol.ts";
import type { Series } from "../../../observe/metrics.ts";

type Stub = DurableObjectStub<MetricsObject>;
const objects = (env as unknown as { METRICS: { getByName(name: string): Stub } }).METRICS;
const fresh = (): Stub => objects.getByName(`metrics/${crypto.randomUUID()}`);

const commits = (outcome: string, count = 1): Series => ({
  metric: "registry_commits_total",
  labels: ["register", outcome],
  values: [count],
});
const batch = (number: number, series: readonly Series[], isolate = "a"): Counted => ({
  v: METRICS_VERSION,
  isolate,
  number,
  series,
});
const totalsOf = async (stub: Stub) => {
  const totals = await stub.totals({ v: METRICS_VERSION });
  if (!totals.ok) throw new Error(totals.refusal);
  return totals.value.map(({ labels, values }) => [labels.join(" "), ...values]);
};

describe("MetricsObject.add", () => {
  it("sums the counts of isolates, per series", async () => {
    const stub = fresh();

    await stub.add(batch(1, [commits("done", 2), commits("refused")], "a"));
    await stub.add(batch(1, [commits("done", 3)], "b"));

    expect(await totalsOf(stub)).toEqual([
      ["register done", 5],
      ["register refused", 1],
    ]);
  });

  it("counts a repeated batch once, and ignores an outdated one", async () => {
    const stub = fresh();

    for (const number of [1, 1, 2, 1])
      expect(await stub.add(batch(number, [commits("done")]))).toEqual({ ok: true, value: null });

    expect(await totalsOf(stub)).toEqual([["register done", 2]]);
  });

  it("keeps its sums and batch numbers across eviction", async () => {
    const stub = fresh();
    await stub.add(batch(1, [commits("done")]));

    await evictDurableObject(stub);
    await stub.add(batch(1, [commits("done")]));

    expect(await totalsOf(stub)).toEqual([["register done", 1]]);
  });

  it("adds histograms bucket by bucket", async () => {
    const stub = fresh();
    const calls = (values: number[]): Series => ({
      metric: "registry_commit_needs_rounds",
      labels: ["register"],
      values,
    });

    await stub.add(batch(1, [calls([1, 0, 0, 0, 1])]));
    await stub.add(batch(2, [calls([0, 2, 0, 1, 8.5])]));

    expect(await totalsOf(stub)).toEqual([["register", 1, 2, 0, 1, 9.5]]);
  });

  it("restarts a series whose buckets have changed", async () => {
    const stub = fresh();
    await stub.add(batch(1, []));
    await runInDurableObject(stub, (_object: MetricsObject, state) => {
      state.storage.sql.exec(
        "INSERT INTO series VALUES ('registry_commit_needs_rounds', '[\"register\"]', '[9, 9, 27]')",
      );
    });

    expect(await totalsOf(stub)).toEqual([]);
    await stub.add(
      batch(2, [{ metric: "registry_commit_needs_rounds", labels: ["register"], values: [1, 0, 0, 0, 1] }]),
    );

    expect(await totalsOf(stub)).toEqual([["register", 1, 0, 0, 0, 1]]);
  });

  it("accepts the last series within its limit, and adds further ones to their metric's overflow", async () => {
    const stub = fresh();
    await runInDurableObject(stub, (object: MetricsObject) => {
      object.maxSeries = 2;
    });

    await stub.add(batch(1, [commits("done"), commits("refused"), commits("busy", 4), commits("failed", 3)]));
    await stub.add(batch(2, [commits("done")]));

    expect(await totalsOf(stub)).toEqual([
      ["overflow overflow", 7],
      ["register done", 2],
      ["register refused", 1],
    ]);
  });

  it.each<[string, Partial<Record<keyof Series, unknown>>]>([
    ["an unknown metric", { metric: "registry_unheard_of_total" }],
    ["a name of every object's", { metric: "constructor" }],
    ["a label too few", { labels: ["register"] }],
    ["a label without end", { labels: ["register", "x".repeat(201)] }],
    ["a negative count", { values: [-1] }],
    ["no number", { values: [Number.NaN] }],
    ["a number too many", { values: [1, 2] }],
  ])("refuses %s together with the whole batch", async (_what, wrong) => {
    const stub = fresh();
    const series = [commits("done"), { ...commits("done"), ...wrong } as Series];

    expect(await stub.add(batch(1, series))).toEqual({ ok: false, refusal: "invalid" });
    expect(await totalsOf(stub)).toEqual([]);
  });

  it("accepts the maximum of series per flush and refuses one more", async () => {
    const stub = fresh();
    const many = (count: number) => Array.from({ length: count }, (_, index) => commits(`o${index}`));

    expect(await stub.add(batch(1, many(MAX_FLUSHED_SERIES)))).toEqual({ ok: true, value: null });
    expect(await stub.add(batch(2, many(MAX_FLUSHED_SERIES + 1)))).toEqual({ ok: false, refusal: "invalid" });
  });

  it("refuses another protocol version", async () => {
    const stub = fresh();

    expect(await stub.add({ ...batch(1, [commits("done")]), v: METRICS_VERSION + 1 })).toEqual({
      ok: false,
      refusal: "version",
    });
    expect(await stub.totals({ v: METRICS_VERSION + 1 })).toEqual({ ok: false, refusal: "version" });
  });

  it("forgets old isolates, but none of their counts", async () => {
    const stub = fresh();
    await stub.add(batch(1, [commits("done")], "gone"));
    await runInDurableObject(stub, (object: MetricsObject) => {
      object.now = () => Date.now() + ISOLATE_MEMORY_MS + 1;
    });

    await stub.add(batch(1, [commits("done")], "here"));

    const isolates = await runInDurableObject(stub, (_object: MetricsObject, state) =>
      state.storage.sql.exec("SELECT isolate FROM isolates").toArray(),
    );
    expect(isolates).toEqual([{ isolate: "here" }]);
    expect(await totalsOf(stub)).toEqual([["register done", 2]]);
  });
});

describe("MetricsObject.admitIsolate", () => {
  const hash = (index: number) => index.toString(16).padStart(64, "0");

  it("admits as many isolates per day as the budget allows, and those again", async () => {
    const stub = fresh();
    await runInDurableObject(stub, (object: MetricsObject) => {
      object.maxValidatingIsolates = 2;
    });
    const admit = async (index: number, day = 20_000) => {
      const answer = await stub.admitIsolate({ v: METRICS_VERSION, hash: hash(index), day });
      return answer.ok && answer.value.admitted;
    };

    expect([await admit(0), await admit(1), await admit(2), await admit(1)]).toEqual([true, true, false, true]);
    expect(await admit(2, 20_001)).toBe(true);
  });

  it("counts those of the current day", async () => {
    const stub = fresh();
    const day = Math.floor(Date.now() / 86_400_000);
    for (const [index, of] of [
      [0, day],
      [1, day],
      [1, day],
      [2, day - 1],
    ] as const) {
      await stub.admitIsolate({ v: METRICS_VERSION, hash: hash(index), day: of });
    }

    expect(await stub.countIsolates({ v: METRICS_VERSION })).toEqual({ ok: true, value: { count: 2 } });
  });

  it("refuses other versions and malformed hashes", async () => {
    const stub = fresh();

    expect(await stub.admitIsolate({ v: 1, hash: hash(0), day: 1 })).toEqual({ ok: false, refusal: "version" });
    expect(await stub.admitIsolate({ v: METRICS_VERSION, hash: "x", day: 1 })).toEqual({
      ok: false,
      refusal: "invalid",
    });
    expect(await stub.countIsolates({ v: 1 })).toEqual({ ok: false, refusal: "version" });
  });
});

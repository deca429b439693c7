import { describe, expect, it } from "vitest";
import { type Counted, MAX_FLUSHED_SERIES } from "../../../durable-objects/metrics/protocol.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { Counters } from "../../../workers/metrics/counters.ts";
import { FLUSH_EVERY_MS, Flusher } from "../../../workers/metrics/flush.ts";

type Answer = { ok: true } | { ok: false; refusal: "version" | "invalid" };

/** An object that stores what arrives, and answers as the test says. */
function fakeObject(answers: (call: number, counted: Counted) => Promise<Answer> | Answer = () => ({ ok: true })) {
  const calls: Counted[] = [];
  const add = async (counted: Counted) => {
    calls.push(counted);
    return answers(calls.length, counted);
  };
  const env = { METRICS: { getByName: () => ({ add }) } } as unknown as Pick<Bindings, "METRICS">;
  const errors = () =>
    calls.map(({ number, series }) => [
      number,
      series.filter(({ metric }) => metric === "registry_errors_total").map(({ values }) => values[0]),
    ]);
  return { env, calls, errors };
}

function countersWithErrors() {
  const counters = new Counters();
  return { counters, fail: (count: number) => counters.add("registry_errors_total", ["internal"], count) };
}

describe("Flusher", () => {
  it("is due immediately, and then ten seconds after it began", async () => {
    const { env } = fakeObject();
    const flusher = new Flusher(new Counters(), () => "a");

    expect(flusher.isDue(1_000)).toBe(true);
    await flusher.flush(env, 1_000);

    expect(flusher.isDue(1_000 + FLUSH_EVERY_MS - 1)).toBe(false);
    expect(flusher.isDue(1_000 + FLUSH_EVERY_MS)).toBe(true);
    // A clock that was set back must not stop flushes for that time.
    expect(flusher.isDue(0)).toBe(true);
  });

  it("numbers its batches, each with the counts since the previous one", async () => {
    const { env, calls, errors } = fakeObject();
    const { counters, fail } = countersWithErrors();
    const flusher = new Flusher(counters, () => "isolate-1");

    fail(2);
    expect(await flusher.flush(env, 0)).toBe(true);
    fail(3);
    expect(await flusher.flush(env, 0)).toBe(true);

    expect(errors()).toEqual([
      [1, [2]],
      [2, [3]],
    ]);
    expect(new Set(calls.map(({ isolate }) => isolate))).toEqual(new Set(["isolate-1"]));
  });

  it("resends a batch of uncertain arrival unchanged, followed by later counts", async () => {
    const { env, errors } = fakeObject((call) => {
      if (call === 1) throw new Error("the reply was lost");
      return { ok: true };
    });
    const { counters, fail } = countersWithErrors();
    const flusher = new Flusher(counters, () => "a");

    fail(2);
    expect(await flusher.flush(env, 0)).toBe(false);
    fail(3);
    expect(await flusher.flush(env, 0)).toBe(true);

    expect(errors()).toEqual([
      [1, [2]],
      [1, [2]],
      [2, [3]],
    ]);
  });

  it("keeps a batch for an object that does not know its version yet", async () => {
    const { env, errors } = fakeObject((call) => (call === 1 ? { ok: false, refusal: "version" } : { ok: true }));
    const { counters, fail } = countersWithErrors();
    const flusher = new Flusher(counters, () => "a");

    fail(2);
    expect(await flusher.flush(env, 0)).toBe(false);
    expect(await flusher.flush(env, 0)).toBe(true);

    expect(errors().slice(0, 2)).toEqual([
      [1, [2]],
      [1, [2]],
    ]);
  });

  it("keeps its counts while the object is unreachable, within a limit, and then loses nothing", async () => {
    const away = 20;
    const { env, calls } = fakeObject((call) => {
      if (call <= away) throw new Error("away");
      return { ok: true };
    });
    const counters = new Counters();
    const flusher = new Flusher(counters, () => "a");
    for (let round = 0; round < away; round += 1) {
      for (let code = 0; code < 300; code += 1) counters.add("registry_errors_total", [`e${code}`]);
      await flusher.flush(env, 0);
    }

    // Counts that stayed in the counters because too many batches waited are sent with the next flush.
    expect(await flusher.flush(env, 0)).toBe(true);
    expect(await flusher.flush(env, 0)).toBe(true);

    const arrived = calls.slice(away);
    const errors = arrived.flatMap(({ series }) => series).filter(({ metric }) => metric === "registry_errors_total");
    expect(errors.reduce((sum, { values }) => sum + values[0]!, 0)).toBe(away * 300);
    expect(errors.length).toBeLessThan(away * 300);
    expect(Math.max(...calls.map(({ series }) => series.length))).toBeLessThanOrEqual(MAX_FLUSHED_SERIES);
  });

  it("resends the batch that hangs in the first flush with a second one", async () => {
    const { env, errors } = fakeObject((call) => (call === 1 ? new Promise<Answer>(() => undefined) : { ok: true }));
    const { counters, fail } = countersWithErrors();
    const flusher = new Flusher(counters, () => "a");

    fail(2);
    void flusher.flush(env, 0);
    fail(1);
    expect(await flusher.flush(env, 0)).toBe(true);

    expect(errors()).toEqual([
      [1, [2]],
      [1, [2]],
      [2, [1]],
    ]);
  });
});

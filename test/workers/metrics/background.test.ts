import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import { Background } from "../../../workers/metrics/background.ts";
import { Counters } from "../../../workers/metrics/counters.ts";
import type { Flusher } from "../../../workers/metrics/flush.ts";

/** The effects of a run: each counter, and the number of flushes. */
function watched() {
  const counters = new Counters();
  const flush = vi.fn(async () => true);
  const waitUntil = vi.fn();
  const background = new Background(counters, { flush } as unknown as Flusher, () => 1_000);
  const env = {} as Bindings;
  const counted = () =>
    counters
      .take()
      .map(({ metric, labels, values }) => `${metric.replace(/^registry_|_total$/g, "")} ${labels} ${values}`)
      .sort();
  return { background, env, ctx: { waitUntil }, flush, counted };
}

function batchOf(count: number) {
  const messages = Array.from({ length: count }, (_, index) => ({
    id: String(index),
    timestamp: new Date(0),
    body: { index },
    attempts: 1,
    ack: vi.fn(),
    retry: vi.fn(),
  }));
  const batch = { queue: "q", metadata: {}, messages, ackAll: vi.fn(), retryAll: vi.fn() };
  return { batch: batch as unknown as MessageBatch<unknown>, messages };
}

const written: string[] = [];

beforeEach(() => {
  written.length = 0;
  vi.spyOn(console, "error").mockImplementation((line: string) => written.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("Background.batch", () => {
  it("counts a batch whose messages are all done, and flushes", async () => {
    const { background, env, ctx, flush, counted } = watched();
    const { batch, messages } = batchOf(2);

    await background.batch(batch, env, ctx, ({ messages }) => {
      for (const message of messages) message.ack();
    });

    expect(messages.every(({ ack }) => ack.mock.calls.length === 1)).toBe(true);
    expect(counted()).toEqual(["queue_batches done 1", "queue_messages done 2"]);
    expect(flush).toHaveBeenCalledWith(env, 1_000);
    expect(ctx.waitUntil).toHaveBeenCalledTimes(1);
  });

  it("counts retried messages once each, and passes on their delays", async () => {
    const { background, env, ctx, counted } = watched();
    const { batch, messages } = batchOf(3);

    await background.batch(batch, env, ctx, ({ messages: [first, second] }) => {
      first!.ack();
      second!.retry({ delaySeconds: 7 });
      second!.retry({ delaySeconds: 7 });
    });

    expect(messages[1]!.retry).toHaveBeenCalledWith({ delaySeconds: 7 });
    expect(counted()).toEqual(["queue_batches retried 1", "queue_messages done 2", "queue_messages retried 1"]);
  });

  it("counts every message as retried if the consumer throws or retries the batch", async () => {
    const { background, env, ctx, counted } = watched();

    await expect(
      background.batch(batchOf(2).batch, env, ctx, () => {
        throw new Error("broken");
      }),
    ).rejects.toThrow("broken");
    await background.batch(batchOf(2).batch, env, ctx, (batch) => batch.retryAll());

    expect(counted()).toEqual(["queue_batches failed 1", "queue_batches retried 1", "queue_messages retried 4"]);
    expect(JSON.parse(written[0]!)).toMatchObject({ level: "error", error: "Error: broken" });
  });
});

describe("Background.cron", () => {
  it("counts runs by outcome, and rethrows a failure", async () => {
    const { background, env, ctx, flush, counted } = watched();

    await background.cron(env, ctx, () => undefined);
    await expect(background.cron(env, ctx, () => Promise.reject(new Error("late")))).rejects.toThrow("late");

    expect(counted()).toEqual(["cron_runs done 1", "cron_runs failed 1"]);
    expect(flush).toHaveBeenCalledTimes(2);
  });
});

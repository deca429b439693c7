import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import {
  consumeChanges,
  FIRST_RETRY_SECONDS,
  MAX_RETRY_SECONDS,
  parseNudge,
  retryDelaySeconds,
} from "../../../workers/queue/changes.ts";

describe("parseNudge", () => {
  it("parses a nudge of this epoch", () => {
    expect(parseNudge({ tenant: "t", epoch: 1, upToSeq: 7 })).toEqual({ tenant: "t", epoch: 1, upToSeq: 7 });
  });

  it("keeps the commit's trace", () => {
    const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

    expect(parseNudge({ tenant: "t", epoch: 1, upToSeq: 7, trace })).toEqual({
      tenant: "t",
      epoch: 1,
      upToSeq: 7,
      trace,
    });
  });

  it.each([
    null,
    undefined,
    7,
    {},
    { tenant: "", epoch: 1, upToSeq: 1 },
    { tenant: "t", epoch: 2, upToSeq: 1 },
    { tenant: "t", epoch: 1, upToSeq: 0 },
  ])("returns undefined for %j", (body) => {
    expect(parseNudge(body)).toBeUndefined();
  });
});

describe("retryDelaySeconds", () => {
  it("doubles with every attempt, up to the interval of the cron", () => {
    expect([1, 2, 3].map((attempts) => retryDelaySeconds(attempts, 0))).toEqual([
      FIRST_RETRY_SECONDS,
      2 * FIRST_RETRY_SECONDS,
      4 * FIRST_RETRY_SECONDS,
    ]);
    expect(retryDelaySeconds(30, 0)).toBe(MAX_RETRY_SECONDS);
  });

  it("waits at least until the failed work may be retried", () => {
    expect(retryDelaySeconds(1, 15_001)).toBe(16);
  });
});

describe("consumeChanges", () => {
  let lines: ReturnType<typeof vi.spyOn>[];

  beforeEach(() => {
    lines = (["warn", "error"] as const).map((level) => vi.spyOn(console, level).mockImplementation(() => undefined));
  });
  afterEach(() => {
    for (const line of lines) line.mockRestore();
  });

  it("nudges the followers of each tenant once, with the furthest nudge", async () => {
    const { env, told } = followers();
    const messages = [nudge("a", 3), nudge("a", 5), nudge("b", 1), nudge("a", 4)];

    await consumeChanges({ messages }, env);

    expect(told.sort()).toEqual(["feed a/1 5", "feed b/1 1", "webhooks a/1 5", "webhooks b/1 1"]);
    for (const { ack, retry } of messages) {
      expect(ack).toHaveBeenCalledTimes(1);
      expect(retry).not.toHaveBeenCalled();
    }
  });

  it("drops an invalid nudge, and logs that", async () => {
    const { env } = followers();
    const messages = [nudge("a", 1), message("nonsense")];

    await consumeChanges({ messages }, env);

    for (const { ack } of messages) expect(ack).toHaveBeenCalledTimes(1);
    expect(lines[1]).toHaveBeenCalledTimes(1);
  });

  it("nudges the webhooks even if the feed is unreachable, and retries only that tenant's messages", async () => {
    const { env, told } = followers({ failing: "feed a/1" });
    const messages = [nudge("a", 1), nudge("b", 1), nudge("a", 2)];

    await consumeChanges({ messages }, env);

    expect(told.sort()).toEqual(["feed b/1 1", "webhooks a/1 2", "webhooks b/1 1"]);
    expect(messages.map(({ ack }) => ack.mock.calls.length)).toEqual([0, 1, 0]);
    expect(messages[0]!.retry).toHaveBeenCalledWith({ delaySeconds: FIRST_RETRY_SECONDS });
  });

  it("retries while the database is unreachable, even if the followers were nudged", async () => {
    const { env, told } = followers();
    const messages = [nudge("a", 1)];

    await consumeChanges({ messages }, {
      ...env,
      DATABASE_URL: "postgres://u:p@127.0.0.1/none",
      DATABASE_PROXY: "127.0.0.1:9",
    } as Bindings);

    expect(told.sort()).toEqual(["feed a/1 1", "webhooks a/1 1"]);
    expect(messages[0]!.retry).toHaveBeenCalledTimes(1);
    expect(messages[0]!.ack).not.toHaveBeenCalled();
  });
});

function nudge(tenant: string, upToSeq: number) {
  return message({ tenant, epoch: 1, upToSeq });
}

function message(body: unknown) {
  return { id: "m", body, attempts: 1, ack: vi.fn(), retry: vi.fn() };
}

function followers({ failing }: { failing?: string } = {}) {
  const told: string[] = [];
  const namespace = (follower: string) => ({
    getByName: (name: string) => ({
      async nudge({ upToSeq }: { upToSeq: number }) {
        if (`${follower} ${name}` === failing) throw new Error("away");
        told.push(`${follower} ${name} ${upToSeq}`);
      },
    }),
  });
  const env = { FEEDS: namespace("feed"), WEBHOOKS: namespace("webhooks") } as unknown as Bindings;
  return { env, told };
}

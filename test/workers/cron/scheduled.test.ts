import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deleteOldAccessRecords } from "../../../workers/cron/access-record.ts";
import { nudgeLaggards } from "../../../workers/cron/laggards.ts";
import { runScheduled } from "../../../workers/cron/scheduled.ts";
import { sweepTexts } from "../../../workers/cron/texts.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { createApp } from "../../../workers/http/app.ts";

/** A directory that lists only the default tenant, and an empty primary for it, independent of other test files. */
function ownRegistry(): Bindings {
  const shared = env as unknown as Bindings;
  const own = `t${crypto.randomUUID().slice(0, 12)}`;
  return {
    ...shared,
    DIRECTORY: { getByName: (name) => shared.DIRECTORY.getByName(`${own}/${name}`) },
    PRIMARIES: { getByName: (name) => shared.PRIMARIES.getByName(name.replace("default", own)) },
  };
}

describe("runScheduled", () => {
  beforeEach(() => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("runs every job although one fails, and then reports the failed ones", async () => {
    const ran: string[] = [];
    const job = (name: string, fails = false) => ({
      name,
      async run() {
        ran.push(name);
        if (fails) throw new Error("away");
      },
    });

    const running = runScheduled({} as Bindings, 0, [job("a"), job("b", true), job("c")]);

    await expect(running).rejects.toThrow("Cron jobs failed: b.");
    expect(ran).toEqual(["a", "b", "c"]);
  });

  it("succeeds if every job does", async () => {
    await expect(runScheduled({} as Bindings, 0, [])).resolves.toBeUndefined();
  });
});

describe("sweepTexts", () => {
  const runOver = (sweep: () => Promise<{ found: number; more: boolean }>) => {
    const asked: string[] = [];
    const getByName = (name: string) => {
      asked.push(name);
      return { sweepTexts: sweep };
    };
    return { asked, running: sweepTexts({ ...ownRegistry(), PRIMARIES: { getByName } }, 0) };
  };

  it("queries the primary of every tenant and reports the result", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);

    const { asked, running } = runOver(async () => ({ found: 3, more: true }));

    await expect(running).resolves.toBeUndefined();
    expect(asked).toEqual(["default/1"]);
    expect(log.mock.calls.join()).toContain('"found":3');
    log.mockRestore();
  });

  it("fails after trying all tenants if one cannot be swept", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);

    const { running } = runOver(() => Promise.reject(new Error("list: 10001")));

    await expect(running).rejects.toThrow("The texts of 1 tenants could not be swept.");
    error.mockRestore();
  });
});

describe("nudgeLaggards", () => {
  it("nudges every follower to the end of the log, and none of an empty log", async () => {
    const told: string[] = [];
    const namespace = (follower: string) => ({
      getByName: (name: string) => ({
        nudge: async ({ upToSeq }: { upToSeq: number }) => void told.push(`${follower} ${name} ${upToSeq}`),
      }),
    });
    const bindings = { ...ownRegistry(), FEEDS: namespace("feed"), WEBHOOKS: namespace("webhooks") };
    await nudgeLaggards(bindings, 0);
    expect(told).toEqual([]);
    const body = JSON.stringify({ subject: "s", format: "avro", content: "string" });
    const answer = await createApp().fetch(
      new Request("https://registry.test/api/v1/schemas", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
      }),
      bindings,
      { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} } as unknown as ExecutionContext,
    );
    expect(answer.status).toBe(201);
    told.length = 0;

    await nudgeLaggards(bindings, 0);

    expect(told.sort()).toEqual(["feed default/1 1", "webhooks default/1 1"]);
  });
});

describe("deleteOldAccessRecords", () => {
  const bindings = ownRegistry();
  const DAY_MS = 24 * 60 * 60 * 1_000;
  const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);

  it("deletes the batches of days before the retention, and keeps the others", async () => {
    const nowMs = Date.parse("2026-06-30T12:00:00Z");
    const id = "0".repeat(32);
    const keyOf = (days: number) => `default/access/${dayOf(nowMs - days * DAY_MS)}/${id}.ndjson`;
    for (const days of [0, 30, 31, 90]) await bindings.ACCESS_RECORD.put(keyOf(days), "{}\n");

    await deleteOldAccessRecords({ ...bindings, ACCESS_RECORD_RETENTION_DAYS: "30" }, nowMs);

    const { objects } = await bindings.ACCESS_RECORD.list({ prefix: "default/access/" });
    expect(objects.map(({ key }) => key).filter((key) => key.includes(id))).toEqual([keyOf(30), keyOf(0)]);
  });
});

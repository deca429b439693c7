import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { deleteOldAccessRecords } from "../../../workers/cron/access-record.ts";
import type { Bindings } from "../../../workers/edge.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const bindings = env as unknown as Bindings;
const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);

describe("deleteOldAccessRecords", () => {
  it("deletes the batches of days before the retention, and keeps the others", async () => {
    const nowMs = Date.parse("2026-06-30T12:00:00Z");
    const id = "0".repeat(32);
    const keyOf = (days: number) => `default/access/${dayOf(nowMs - days * DAY_MS)}/${id}.ndjson`;
    for (const days of [0, 30, 31, 90]) await bindings.ACCESS_RECORD.put(keyOf(days), "{}\n");

    await deleteOldAccessRecords({ ...bindings, ACCESS_RECORD_RETENTION_DAYS: "30" }, nowMs);

    const { objects } = await bindings.ACCESS_RECORD.list({ prefix: "default/access/" });
    expect(objects.map(({ key }) => key)).toEqual([keyOf(30), keyOf(0)]);
  });
});

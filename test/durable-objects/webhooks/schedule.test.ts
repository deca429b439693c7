import { describe, expect, it } from "vitest";
import {
  afterFailure,
  type Circuit,
  CLOSED,
  circuitState,
  DELIVERY_LIFETIME_MS,
  FAILURES_TO_OPEN,
  JITTER,
  MAX_RETRY_AFTER_MS,
  nextAttemptMs,
  parseRetryAfterMs,
  RETRY_DELAYS_SECONDS,
} from "../../../durable-objects/webhooks/schedule.ts";

describe("nextAttemptMs", () => {
  const at = (failures: number, random: number, nowMs = 0, retryAfterMs = 0) =>
    nextAttemptMs(failures, { nowMs, expiresAtMs: DELIVERY_LIFETIME_MS, retryAfterMs, random });

  it("waits three times as long after each failure, up to four hours, with a jitter of a fifth", () => {
    for (const [index, seconds] of RETRY_DELAYS_SECONDS.entries()) {
      expect(at(index + 1, 0.5)).toBe(seconds * 1_000);
      expect(at(index + 1, 0)).toBe(Math.round(seconds * 1_000 * (1 - JITTER)));
      expect(at(index + 1, 1)).toBe(Math.round(seconds * 1_000 * (1 + JITTER)));
    }
    expect(at(50, 0.5)).toBe(14_400_000);
  });

  it("makes 14 attempts, the last of which ends the 24 hours", () => {
    const attempts = [0];
    for (;;) {
      const next = at(attempts.length, 0.5, attempts.at(-1));
      if (next === null) break;
      attempts.push(next);
    }

    expect(attempts).toHaveLength(14);
    expect(attempts.at(-1)).toBe(DELIVERY_LIFETIME_MS);
  });

  it("waits at least as long as the endpoint requests, but not beyond the expiry", () => {
    expect(at(1, 0.5, 0, 60_000)).toBe(60_000);
    expect(at(5, 0.5, 0, 60_000)).toBe(405_000);
    expect(at(1, 0.5, DELIVERY_LIFETIME_MS - 1_000, 60_000)).toBe(DELIVERY_LIFETIME_MS);
  });
});

describe("parseRetryAfterMs", () => {
  const NOW = Date.UTC(2026, 10, 24);

  it.each([
    [null, 0],
    ["120", 120_000],
    [" 7 ", 7_000],
    ["0", 0],
    ["3600", MAX_RETRY_AFTER_MS],
    ["3601", MAX_RETRY_AFTER_MS],
    ["Tue, 24 Nov 2026 00:01:00 GMT", 60_000],
    ["Mon, 23 Nov 2026 00:00:00 GMT", 0],
    ["soon", 0],
    ["-5", 0],
    ["1e9", 0],
  ])("reads %j as %d ms", (header, ms) => {
    expect(parseRetryAfterMs(header, NOW)).toBe(ms);
  });
});

describe("afterFailure", () => {
  function failing(times: number, nowMs = 0): Circuit {
    let circuit = CLOSED;
    for (let index = 0; index < times; index += 1) circuit = afterFailure(circuit, nowMs);
    return circuit;
  }

  it("opens with the fifth consecutive failure", () => {
    expect(circuitState(failing(FAILURES_TO_OPEN - 1), 0)).toBe("closed");
    expect(circuitState(failing(FAILURES_TO_OPEN), 0)).toBe("open");
    expect(circuitState(failing(FAILURES_TO_OPEN), 29_999)).toBe("open");
    expect(circuitState(failing(FAILURES_TO_OPEN), 30_000)).toBe("half_open");
  });

  it("doubles the pause after a failed probe, but not after earlier requests", () => {
    const open = failing(FAILURES_TO_OPEN);

    expect(afterFailure(open, 10).openUntilMs).toBe(30_000);
    expect(afterFailure(open, 30_000).openUntilMs).toBe(90_000);
  });

  it("opens for at most an hour, however many probes fail", () => {
    let circuit = failing(FAILURES_TO_OPEN);
    for (let probe = 0; probe < 2_000; probe += 1) circuit = afterFailure(circuit, circuit.openUntilMs!);

    const openedAtMs = circuit.openUntilMs! - 3_600_000;
    expect(circuitState(circuit, openedAtMs)).toBe("open");
    expect(circuitState(circuit, openedAtMs + 3_600_000)).toBe("half_open");
  });
});

/**
 * Generated requests to every operation of both OpenAPI documents, in sequences that reuse what earlier answers said.
 * API_FUZZ_REQUESTS sets their number, API_FUZZ_SEED reproduces a failure.
 */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPERATION_COUNT, requests } from "./requests.ts";
import { Findings, Session } from "./session.ts";

const { API_FUZZ_REQUESTS, API_FUZZ_SEED } = env as unknown as { API_FUZZ_REQUESTS?: string; API_FUZZ_SEED?: string };
const REQUESTS = Number(API_FUZZ_REQUESTS ?? 20_000);
const SEED = Number(API_FUZZ_SEED ?? 20_261_130);
/** Long enough for ids to be reused, short enough for a failure to be read. */
const SEQUENCE = { minLength: 40, maxLength: 60 };
/** Operations that a run of this length reaches with a request that is accepted; fewer mean that the generator has decayed. */
const ACCEPTED_SHARE = 0.6;
const ENOUGH_TO_REACH_THEM = 10_000;

describe(`any request to either API (API_FUZZ_SEED=${SEED})`, () => {
  it(`is answered as documented, without a failure, ${REQUESTS} times`, { timeout: 0 }, async () => {
    const findings = new Findings();

    await fc.assert(
      fc.asyncProperty(fc.array(requests, SEQUENCE), async (sequence) => {
        const session = new Session(findings);
        for (const request of sequence) await session.step(request);
      }),
      { numRuns: Math.ceil(REQUESTS / SEQUENCE.minLength), seed: SEED },
    );

    const statuses = [...findings.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    console.log(
      `${findings.sent} requests; ${findings.accepted.size} of ${OPERATION_COUNT} operations accepted one; ${statuses.join(", ")}`,
    );
    expect([...findings.problems.values()]).toEqual([]);
    expect(findings.sent).toBeGreaterThanOrEqual(REQUESTS);
    if (REQUESTS >= ENOUGH_TO_REACH_THEM) {
      expect(findings.accepted.size).toBeGreaterThan(OPERATION_COUNT * ACCEPTED_SHARE);
    }
  });
});

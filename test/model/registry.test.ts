/**
 * Random sequences of the whole command set, through both APIs, against a model that was written from the specifications:
 * no order of calls breaks a subject. MODEL_RUNS=100000 for a long run; MODEL_SEED makes a failure come again.
 */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, it } from "vitest";
import { sequences } from "./commands.ts";
import { expectInvariants } from "./invariants.ts";
import { RegistryState } from "./registry-state.ts";
import { World } from "./world.ts";

const { MODEL_RUNS, MODEL_SEED } = env as unknown as { MODEL_RUNS?: string; MODEL_SEED?: string };
/** As many as every change can afford; see MODEL_RUNS for more. */
const RUNS = Number(MODEL_RUNS ?? 2_000);
const SEED = Number(MODEL_SEED ?? 20_261_130);

describe("any sequence of calls", () => {
  it("gives what the model says, and leaves a registry whose parts agree", { timeout: 0 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences, async (commands) => {
        const world = new World();
        const state = new RegistryState();
        try {
          await fc.asyncModelRun(() => ({ model: state, real: world }), commands);
          await expectInvariants(state, world);
        } catch (error) {
          throw new Error(
            `${error instanceof Error ? error.message : String(error)}\n\nTranscript:\n${world.transcript()}`,
          );
        }
      }),
      { numRuns: RUNS, seed: SEED, verbose: 0 },
    );
  });
});

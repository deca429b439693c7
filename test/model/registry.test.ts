/**
 * Random sequences of all commands, through both APIs, against a model written from the specifications: no order of
 * calls breaks a subject. MODEL_RUNS=100000 for a long run; MODEL_SEED reproduces a failure.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { PrimaryObject } from "../../durable-objects/primary/object.ts";
import { EPOCH } from "../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../registry/rpc.ts";
import type { Bindings } from "../../workers/edge.ts";
import { plainPlatform } from "../support/platform.ts";
import { sequences } from "./commands.ts";
import { expectInvariants } from "./invariants.ts";
import { RegistryState } from "./registry-state.ts";
import { type EmptyRegistry, World } from "./world.ts";

const { MODEL_RUNS, MODEL_SEED } = env as unknown as { MODEL_RUNS?: string; MODEL_SEED?: string };
/** Few enough for every change; `npm run test:long` runs ten times as many. */
const RUNS = Number(MODEL_RUNS ?? 500);
const SEED = Number(MODEL_SEED ?? 20_261_130);

/** An empty registry in this runtime. */
function openRegistry(): EmptyRegistry & { close(): Promise<void> } {
  const { fetch, tenant, settled } = plainPlatform({ env: env as unknown as Bindings });
  const { PRIMARIES } = env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> };
  const primary = PRIMARIES.getByName(`${tenant}/${EPOCH}`);
  const nothing = { v: PROTOCOL_VERSION, after: Number.MAX_SAFE_INTEGER, limit: 1 };
  return {
    fetch,
    lastSeq: async () => (await primary.readLog(nothing)).asOf.seq,
    replayState: async () => primary.replayState(),
    // An object stays in memory while its test runs, and there are as many as sequences.
    close: async () => {
      await settled();
      await runInDurableObject(primary, async (_, { storage }) => {
        await storage.deleteAlarm();
        await storage.deleteAll();
      });
      await evictDurableObject(primary);
    },
  };
}

describe("any sequence of calls", () => {
  it("matches the model, and leaves a consistent registry", { timeout: 0 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences, async (commands) => {
        const registry = openRegistry();
        const world = new World(registry);
        const state = new RegistryState();
        try {
          await fc.asyncModelRun(() => ({ model: state, real: world }), commands);
          await expectInvariants(state, world);
        } catch (error) {
          throw world.explained(error);
        } finally {
          await registry.close();
        }
      }),
      { numRuns: RUNS, seed: SEED, verbose: 0 },
    );
  });
});

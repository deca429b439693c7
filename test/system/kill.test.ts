import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { Acknowledged, repeatWrite } from "../support/acknowledged.ts";
import { seededRandom } from "../support/clock.ts";
import { firstFlaw } from "../support/log-chain.ts";
import { logOf, sendUntilAnswered } from "../support/native-client.ts";
import { RandomWriter } from "../support/random-writer.ts";
import { freePort, kill, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";
import { overState, tablesAt } from "../support/stopped-registry.ts";

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 10);
const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
const WRITERS = 8;
const SUBJECTS = ["orders", "payments", "users"];
/** Short enough for ten rounds, and long enough to be killed during anything. */
const ROUND_MS = { least: 100, most: 1_200 };
/** First outcomes that are requested again after each kill. */
const REPEATED_PER_ROUND = 20;
/** The riskiest invariants are checked after each kill, and everything at the end. */
const TOUCHED_PER_ROUND = 60;

describe(`SIGKILL in the middle of writes (${ROUNDS} rounds, FAULT_SEED=${SEED})`, () => {
  const random = seededRandom(SEED);
  const state = temporaryState();
  let registry: RegistryProcess | undefined;

  afterAll(async () => {
    await registry?.kill();
    state.remove();
  });

  it(
    "keeps acknowledged writes, nothing of refused ones, and log and state consistent",
    async () => {
      const port = await freePort();
      registry = spawnRegistry({ port, stateDir: state.stateDir });
      await registry.ready();
      const { url } = registry;
      const none = await sendUntilAnswered(url, "PUT", "/compatibility", { level: "NONE" });
      expect(none.status, JSON.stringify(none.body)).toBe(200);
      const acknowledged = new Acknowledged(none.seq!);
      const writers = Array.from(
        { length: WRITERS },
        (_, n) => new RandomWriter(`${SEED}-${n}`, SUBJECTS, acknowledged, random),
      );

      let cutOff = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        await writeUntilKilled(url, registry, writers, acknowledged, round);
        if (round % 2 === 0) registry = spawnRegistry({ port, stateDir: state.stateDir });
        await registry.ready();

        cutOff += writers.filter(({ lost }) => lost).length;
        for (const writer of writers) await writer.resolveLost(url);
        await acknowledged.expectEntries(url);
        await acknowledged.expectTouched(url, TOUCHED_PER_ROUND);
        await expectRepeats(url, acknowledged);
        // Repeats have written nothing either.
        await acknowledged.expectEntries(url);
      }

      await acknowledged.expectAll(url);
      const entries = await logOf(url);
      expect(firstFlaw(entries)).toBeUndefined();
      const refused = [...acknowledged.refusals.values()].reduce((sum, count) => sum + count, 0);
      expect(refused).toBeGreaterThan(0);
      process.stdout.write(`${summary(acknowledged)}; ${refused} refused, ${cutOff} cut off by a kill and repeated.\n`);
      await registry.stop();
      await overState(state.stateDir, tablesAt);
    },
    ROUNDS * 30_000 + 120_000,
  );

  /** Runs the writers and kills every process (even rounds) or only workerd (odd rounds). */
  async function writeUntilKilled(
    url: string,
    running: RegistryProcess,
    writers: readonly RandomWriter[],
    { done }: Acknowledged,
    round: number,
  ): Promise<void> {
    const before = done.length;
    const writing = Promise.all(writers.map((writer) => writer.writeUntilLost(url)));
    await pause(ROUND_MS.least + random() * (ROUND_MS.most - ROUND_MS.least));
    // On a loaded machine the first writes may take longer than the round; a kill before them would test nothing.
    while (done.length === before) await pause(10);
    if (round % 2 === 0) await running.kill();
    else kill(running.pids().runtime!);
    await writing;
  }

  async function expectRepeats(url: string, acknowledged: Acknowledged): Promise<void> {
    for (let n = 0; n < REPEATED_PER_ROUND; n += 1) {
      const one = acknowledged.done[Math.floor(random() * acknowledged.done.length)]!;
      if (acknowledged.isRepeatable(one)) expect(await repeatWrite(url, one.write)).toEqual(one.outcome);
    }
  }
});

/** `40 register, 3 softDelete`: verifies that every kind of write occurred. */
function summary({ done }: Acknowledged): string {
  const counts = new Map<string, number>();
  for (const { write } of done) counts.set(write.changes, (counts.get(write.changes) ?? 0) + 1);
  return [...counts].map(([changes, count]) => `${count} ${changes}`).join(", ");
}

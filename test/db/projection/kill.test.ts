import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replicate } from "../../../workers/registry/read-model/replicate.ts";
import { seededRandom } from "../../support/clock.ts";
import { PGLITE, POSTGRESQL, type TestDatabase } from "../../support/databases.ts";
import { copiedRows, expectedRows, readCheckpointOf } from "./copied-rows.ts";
import { grownRegistry } from "./grown-registry.ts";

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 20);
const COMMANDS_PER_ROUND = 150;
/**
 * From before the first statement to after the commit, on a busy machine; if a run finishes before it is killed, the
 * next delay is shorter.
 */
const MAX_ALIVE_MS = 700;
const LESS = 0.8;
/** The time for the remaining work, on a busy machine. */
const FINISH_WITHIN_MS = 120_000;
const TENANT = "killed";
const SEED = 7;

describe.skipIf(!POSTGRESQL.available)("a consumer that is killed", () => {
  const folder = mkdtempSync(join(tmpdir(), "registry-consumer-"));
  const script = join(folder, "consumer.mjs");
  let database: TestDatabase;
  let undisturbed: TestDatabase;

  beforeAll(async () => {
    [database, undisturbed] = await Promise.all([POSTGRESQL.open(), PGLITE.open()]);
    await build({
      entryPoints: ["test/db/projection/consumer-process.ts"],
      outfile: script,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2024",
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      logLevel: "error",
    });
  });
  afterAll(async () => {
    await Promise.all([database?.close(), undisturbed?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it(`at any moment, ${ROUNDS} times, leaves rows from which the next process continues correctly`, async () => {
    const random = seededRandom(SEED);
    let cutShort = 0;
    let moved = 0;
    let begun = 0;
    let maxAliveMs = MAX_ALIVE_MS;
    // A process that finished before it was killed does not count.
    for (; cutShort < ROUNDS && begun < 4 * ROUNDS; begun += 1) {
      const before = await readCheckpointOf(database.access, TENANT);
      const isDone = await runAndKill((begun + 1) * COMMANDS_PER_ROUND, random() * maxAliveMs);
      if (isDone) {
        maxAliveMs *= LESS;
        continue;
      }
      cutShort += 1;
      if ((await readCheckpointOf(database.access, TENANT)) !== before) moved += 1;
    }
    const registry = grownRegistry(TENANT, SEED, begun * COMMANDS_PER_ROUND);

    await replicate(registry.bindings(database.access), TENANT, { forMs: FINISH_WITHIN_MS });
    await replicate(registry.bindings(undisturbed.access), TENANT, { forMs: FINISH_WITHIN_MS });

    const rows = await copiedRows(database.access, TENANT);
    expect(rows).toEqual(await copiedRows(undisturbed.access, TENANT));
    expect(rows).toEqual(expectedRows(registry));
    // Ensures that processes were killed at work, and that some had made progress.
    expect(cutShort).toBe(ROUNDS);
    expect(moved).toBeGreaterThan(0);
  }, 300_000);

  async function runAndKill(commands: number, aliveMs: number): Promise<boolean> {
    const child = spawn(process.execPath, ["--no-warnings", script], {
      env: { ...process.env, ...database.access, TENANT, SEED: String(SEED), COMMANDS: String(commands) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let said = "";
    const begun = Promise.withResolvers<void>();
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("begins")) begun.resolve();
    });
    await Promise.race([begun.promise, exited]);
    await new Promise((resolve) => setTimeout(resolve, aliveMs));
    child.kill("SIGKILL");
    await exited;
    if (!said.includes("begins")) throw new Error("The consumer never began.");
    return said.includes("done");
  }
});

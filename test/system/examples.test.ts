import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

const run = promisify(execFile);

describe("the examples", () => {
  let state: ReturnType<typeof temporaryState>;
  let registry: RegistryProcess;

  beforeAll(async () => {
    state = temporaryState();
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir, args: ["--no-database"] });
    await registry.ready();
  });

  afterAll(async () => {
    await registry.kill();
    state.remove();
  });

  it.each([
    ["prompts/render.ts", ["1.0.0: Answer in English: Why?", '409: REQUIRED_ATTRIBUTE_ADDED breaks {"variables":']],
    ["tools/verify.ts", ["search: changed, behaviour", "close: changed, breaking"]],
    ["collections/re-embed.ts", ["compatible: false, re-embed: PUT /collections/docs_next"]],
    ["datasets/check-rows.ts", ["valid: false, labels: 1 of 2 rows", "drift: strong"]],
    ["model-signatures/evolve.ts", ['409: REQUIRED_ATTRIBUTE_ADDED breaks {"inputs":']],
    ["evaluations/compare.ts", ["comparable: false, rerun_results"]],
    ["aliases/release.ts", ['409: The alias "production"', "200: production is 1.0.1"]],
  ])("run, and print what their pages say: %s", async (file, expected) => {
    const { stdout } = await run(process.execPath, [`examples/${file}`], {
      env: { ...process.env, REGISTRY_URL: registry.url },
    });

    for (const text of expected) expect(stdout).toContain(text);
  });
});

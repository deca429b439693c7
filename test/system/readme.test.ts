import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentedCommands, outputPattern, withoutSpaces } from "../support/documented-commands.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

/** Longer than any command takes; commands that do not end are stopped then, and their output counts. */
const STREAMS_MS = 4_000;
const COMMAND_MS = 60_000;

const section = /^## Five minutes\n([\s\S]*?)^## /m.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
const steps = documentedCommands(section);

describe("README.md, Five minutes", () => {
  const state = temporaryState();
  const folder = mkdtempSync(join(tmpdir(), "registry-readme-"));
  let registry: RegistryProcess;
  let port: number;
  let variables = "";

  beforeAll(async () => {
    port = await freePort();
    await start();
  });

  afterAll(async () => {
    await registry?.kill();
    state.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    registry = spawnRegistry({ port, stateDir: state.stateDir });
    await registry.ready();
  }

  /** With this registry's address and a folder of its own. */
  const here = (text: string) =>
    text.replaceAll("localhost:8080", `localhost:${port}`).replaceAll("/tmp/", `${folder}/`);

  function run(command: string): Promise<string> {
    const script = here(`${variables}${command}`);
    const env = {
      ...process.env,
      PATH: `${join(process.cwd(), "node_modules", ".bin")}${delimiter}${process.env.PATH}`,
    };
    const timeout = command.includes("curl -sN") ? STREAMS_MS : COMMAND_MS;
    return new Promise((resolve) => {
      execFile("bash", ["-c", `exec 2>&1; ${script}`], { env, timeout, killSignal: "SIGKILL" }, (_error, stdout) =>
        resolve(stdout),
      );
    });
  }

  it("has commands to run", () => {
    expect(steps.length).toBeGreaterThan(8);
  });

  it.each(steps)("prints the output shown in the README: $command", async ({ command, shown, afterRestart }) => {
    if (/^\w+=\S+$/.test(command)) {
      variables += `${command}; `;
      return;
    }
    if (afterRestart) {
      await registry.kill();
      await start();
    }
    let output = "";

    // Followers of the log are up to date a moment later.
    const isAsShown = await eventually(async () => {
      output = await run(command);
      return (
        !/"(?:status|error_code)": ?[45]\d\d/.test(output) && outputPattern(here(shown)).test(withoutSpaces(output))
      );
    }, 20_000);

    expect(isAsShown, output).toBe(true);
  });
});

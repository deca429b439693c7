import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

type Step = { command: string; shown: string; afterRestart: boolean };

/** The commands of the section in order, each with the output shown below it. */
function stepsOf(section: string): Step[] {
  const steps: Step[] = [];
  let prose = "";
  for (const [index, part] of section.split(/^```\n/m).entries()) {
    if (index % 2 === 0) {
      prose = part;
      continue;
    }
    for (const line of part.split("\n").slice(0, -1)) {
      const last = steps.at(-1);
      if (line.startsWith("$ ")) {
        steps.push({ command: line.slice(2), shown: "", afterRestart: /\bkill it, start it again\b/.test(prose) });
        prose = "";
      } else if (last !== undefined && isOpen(last.command)) last.command += `\n${line}`;
      else if (last !== undefined) last.shown += `${line}\n`;
    }
  }
  return steps;
}

/** Whether a quoted string continues on the next line. */
function isOpen(command: string): boolean {
  return (command.match(/'/g) ?? []).length % 2 === 1;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** The shown output, where `…` matches anything, spaces match any layout, and a version 7 UUID matches any. */
function patternOf(shown: string): RegExp {
  const pieces = compact(shown)
    .split("…")
    .map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(
    pieces.join("[\\s\\S]*").replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, UUID),
  );
}

function compact(text: string): string {
  return text.replaceAll(/\s+/g, "");
}

const section = /^## Five minutes\n([\s\S]*?)^## /m.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
const steps = stepsOf(section);

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

  function run(command: string): Promise<string> {
    const script = `${variables}${command}`
      .replaceAll("localhost:8080", `localhost:${port}`)
      .replaceAll("/tmp/", `${folder}/`);
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
      return !/"(?:status|error_code)": ?[45]\d\d/.test(output) && patternOf(shown).test(compact(output));
    }, 20_000);

    expect(isAsShown, output).toBe(true);
  });
});

import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/install.mjs";
import { documentedCommands, outputPattern, withoutSpaces } from "../support/documented-commands.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

/** One file that a developer's terminal reads at every call: the engines of every format and a packed generator of types,
 * 1.86 MB, and a tenth more. */
const MAX_CLI_BYTES = 2_050_000;

/** By then a command has started, even on a busy machine. */
const WAITS_AFTER_MS = 2_000;

const LLMSR = join(ROOT, "cli", "dist", "llmsr.mjs");

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build:cli"], { cwd: ROOT, stdio: "ignore" });
});

describe("the built llmsr", () => {
  it(`is one file of at most ${MAX_CLI_BYTES} bytes`, () => {
    expect(statSync(LLMSR).size).toBeLessThanOrEqual(MAX_CLI_BYTES);
  });

  it("prints its version", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "cli", "package.json"), "utf8")) as { version: string };

    expect(execFileSync("node", [LLMSR, "--version"], { encoding: "utf8" })).toBe(`llmsr ${version}\n`);
  });

  it("ends quietly when the reader of its output closes the pipe", () => {
    const script = `set -o pipefail; node ${LLMSR} help formats | head -c 1 > /dev/null; echo "$?"`;

    expect(execFileSync("bash", ["-c", `exec 2>&1; ${script}`], { encoding: "utf8" })).toBe("0\n");
  });

  it.each(["true", "head -c 1 > /dev/null"])("keeps its verdict when the pipe is closed by %s", (reader) => {
    const script = `echo '{"type":"string"}' > a.json; echo '{"type":"number"}' > b.json
      node ${LLMSR} check a.json b.json 2>&1 | ${reader}; echo "\${PIPESTATUS[0]}"`;

    expect(inFolder((cwd) => execFileSync("bash", ["-c", script], { cwd, encoding: "utf8" }))).toBe("1\n");
  });
});

describe("text of others", () => {
  const title = "\u001b]0;title\u0007";

  it("moves no terminal, and reaches a pipe byte for byte", async () => {
    const record = { context: ".", subject: "a", format: "protobuf", content: `message A {} // ${title}` };
    const answer = JSON.stringify({ ...record, version: "1.0.0", references: [] });
    const registry = createServer((_, response) => response.end(answer)).listen(0, "127.0.0.1");
    await once(registry, "listening");
    const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
    const pull = [LLMSR, "pull", "a", "--url", url];
    const inTerminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])", "node", ...pull];

    const shown = await promisify(execFile)("python3", inTerminal);
    const piped = await promisify(execFile)("node", pull);
    registry.close();

    expect(shown.stdout.trimEnd()).toBe("message A {} // ]0;title");
    expect(piped.stdout).toBe(`message A {} // ${title}\n`);
  });

  it("is printed without escapes in an error", () => {
    const { stderr } = spawnSync("node", [LLMSR, `a${title}`], { encoding: "utf8" });

    expect(stderr).toContain('"a]0;title" is not a command');
  });
});

describe("standard input", () => {
  it("may come from a slow pipe", () => {
    const script = `(sleep 1; echo '{"type":"string"}') | node ${LLMSR} bundle - --schema-format json-schema`;

    expect(execFileSync("bash", ["-c", script], { encoding: "utf8" })).toBe('{"type":"string"}\n');
  });
});

describe("an interrupt", () => {
  /** Interrupts a command once it waits, and returns what a shell would call its exit code. */
  async function interrupted(args: readonly string[]): Promise<number> {
    const script = `exec node ${[LLMSR, ...args].map((arg) => `'${arg}'`).join(" ")} < <(sleep 5)`;
    const child = spawn("bash", ["-c", script], { stdio: "ignore" });
    const ended = once(child, "exit") as Promise<[number | null, string | null]>;
    await setTimeout(WAITS_AFTER_MS);
    child.kill("SIGINT");
    const [code, signal] = await ended;
    return signal === "SIGINT" ? 130 : code!;
  }

  it.each([
    ["stream", ["stream", "--schema", "SCHEMA"]],
    ["sketch", ["sketch", "-"]],
    ["audit verify", ["audit", "verify", "--log", "-"]],
    ["import", ["import", "-"]],
  ])("ends %s while it waits for standard input, with 130", async (_, args) => {
    const folder = mkdtempSync(join(tmpdir(), "llmsr-interrupt-"));
    const schema = join(folder, "schema.json");
    writeFileSync(schema, '{"type":"string"}');

    expect(await interrupted(args.map((arg) => (arg === "SCHEMA" ? schema : arg)))).toBe(130);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ["audit", (url: string) => ["audit", "checkpoint", url]],
    ["import", (url: string) => ["import", "--from", url]],
    ["person", (url: string) => ["person", url, "user:1"]],
    ["promote", (url: string) => ["promote", url, "a", "--to-context", ".b"]],
  ])("ends %s while it waits for the registry, with 130", async (_, argsFor) => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");

    const code = await interrupted(argsFor(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`));
    silent.closeAllConnections();
    silent.close();

    expect(code).toBe(130);
  });
});

/** The result of an action in a folder of its own. */
function inFolder<Value>(act: (folder: string) => Value): Value {
  const folder = mkdtempSync(join(tmpdir(), "llmsr-built-"));
  try {
    return act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("docs/cli.md", () => {
  const commands = documentedCommands(readFileSync(join(ROOT, "docs", "cli.md"), "utf8"));
  const state = temporaryState();
  const folder = mkdtempSync(join(tmpdir(), "llmsr-docs-"));
  let registry: RegistryProcess;

  beforeAll(async () => {
    registry = spawnRegistry({
      port: await freePort(),
      stateDir: state.stateDir,
      // So that `llmsr audit` finds checkpoints to verify against.
      env: { CHECKPOINT_SIGNING_KEYS: Buffer.alloc(32, "checkpoint").toString("base64") },
    });
    await registry.ready();
  });
  afterAll(async () => {
    await registry?.kill();
    state.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(command: string): Promise<string> {
    const env = {
      ...process.env,
      PATH: `${join(ROOT, "node_modules", ".bin")}${delimiter}${process.env.PATH}`,
      HOME: folder,
      XDG_CONFIG_HOME: join(folder, ".config"),
      LLMSR_URL: registry.url,
    };
    return new Promise((resolve) => {
      execFile("bash", ["-c", `exec 2>&1; ${command}`], { env, cwd: folder }, (_error, stdout) => resolve(stdout));
    });
  }

  it.each(commands)("prints the output shown: $command", async ({ command, shown }) => {
    const atRegistry = (text: string) => text.replaceAll("http://localhost:8080", registry.url);
    let output = "";

    // Search follows a write a moment later.
    const isAsShown = await eventually(async () => {
      output = await run(atRegistry(command));
      return outputPattern(atRegistry(shown)).test(withoutSpaces(output));
    }, 15_000);

    expect(isAsShown, output).toBe(true);
  });

  it("shows every command", async () => {
    const { COMMANDS } = await import("../../cli/dispatch.ts");
    const shown = commands.map(({ command }) => command).join("\n");

    expect(Object.keys(COMMANDS).filter((name) => !shown.includes(`llmsr ${name}`))).toEqual([]);
  });
});

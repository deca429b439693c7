// Runs test suites of other languages, each with its own tools, against one started registry. They run with `npm run test:clients` and `npm run test:sdks`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { makeFirstKey, makeHashKey } from "./access-vars.ts";
import { NODE, ROOT } from "./install.mjs";

const NODE_BIN = join(ROOT, "node_modules", ".bin");
const READY_WITHIN_MS = 120_000;

type ShellCommand = readonly [string, ...string[]];
type Counts = { passed: number; failed: number };
export type Suite = {
  /** The working directory of its commands. */
  name: string;
  isSlow?: boolean;
  install: readonly ShellCommand[];
  run: ShellCommand;
  count(output: string): Counts;
};

/** Runs the suites whose folders are in `root` one after the other, prints `N passed, N failed`, and returns the exit code. */
export async function runSuites(root: string, suites: readonly Suite[]): Promise<number> {
  const total = { passed: 0, failed: 0 };
  // Installed concurrently, because most of the time is spent on the network.
  const installations = new Map(suites.map((suite) => [suite, install(root, suite)]));
  const registry = await startRegistry();
  const guarded = await startGuardedRegistry();
  try {
    for (const [suite, installed] of installations) {
      const { passed, failed } = await runSuite(root, suite, installed, { REGISTRY_URL: registry.url, ...guarded.env });
      total.passed += passed;
      total.failed += failed;
    }
  } finally {
    await guarded.stop();
    await registry.stop();
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** The error, or null. */
async function install(root: string, { name, install: commands }: Suite): Promise<string | null> {
  for (const command of commands) {
    const { code, output } = await execute(command, { cwd: join(root, name), isQuiet: true });
    if (code !== 0) return `${output}\n${command.join(" ")} failed with exit code ${code}.`;
  }
  return null;
}

async function runSuite(
  root: string,
  { name, run, count }: Suite,
  installed: Promise<string | null>,
  env: Readonly<Record<string, string>>,
): Promise<Counts> {
  const began = Date.now();
  console.log(`\n== ${name}`);
  const cwd = join(root, name);
  const problem = await installed;
  if (problem !== null) {
    console.error(problem);
    return { passed: 0, failed: 1 };
  }
  const { code, output } = await execute(run, { cwd, env });
  const { passed, failed } = count(output);
  // A suite that fails without a failed test did not load, and a suite without tests has tested nothing.
  const counted = { passed, failed: (code !== 0 || passed === 0) && failed === 0 ? 1 : failed };
  console.log(
    `== ${name}: ${counted.passed} passed, ${counted.failed} failed, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  return counted;
}

/** A second registry, which asks for credentials: the user name and the password of an administrator, as clients are given them. */
async function startGuardedRegistry(): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const hashKey = makeHashKey();
  const { key, kept } = makeFirstKey(hashKey);
  const vars = { AUTH: "required", ACCESS_HASH_KEY: hashKey, FIRST_ADMINISTRATOR_KEY: kept };
  const { url, stop } = await startRegistry(vars, ["--no-build"]);
  const [, , id, secret] = key.split("_");
  return { env: { GUARDED_REGISTRY_URL: url, GUARDED_REGISTRY_USER_INFO: `${id}:${secret}` }, stop };
}

async function startRegistry(
  vars: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const stateDir = mkdtempSync(join(tmpdir(), "registry-clients-"));
  const child = spawn(NODE, ["scripts/start.mjs", `--port=${port}`, `--state=${stateDir}`, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...vars },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + READY_WITHIN_MS;
  while (!(await answers(`${url}/api/v1/health`))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error("The registry does not start.");
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** Runs a command and captures its output, which is also printed as it arrives unless `isQuiet`. */
async function execute(
  [command, ...args]: ShellCommand,
  { cwd, env = {}, isQuiet = false }: { cwd: string; env?: Readonly<Record<string, string>>; isQuiet?: boolean },
): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PATH: `${NODE_BIN}:${process.env.PATH}`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      if (!isQuiet) process.stdout.write(chunk);
    });
  }
  const code = await new Promise<number | null>((resolve) =>
    child.once("error", () => resolve(127)).once("close", resolve),
  );
  return { code, output: stripVTControlCharacters(output) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function numberAfter(output: string, pattern: RegExp): number {
  return Number(pattern.exec(output)?.[1] ?? 0);
}

export function countMatches(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].length;
}

export function sumNumbers(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
}

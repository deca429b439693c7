// `npm run test:clients`: starts a registry and runs real clients against it, installing what they need; `test:clients:all` adds Rust. Ends with `N passed, N failed`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NODE, ROOT } from "./install.mjs";

const CLIENTS = join(ROOT, "test", "clients");
const NODE_BIN = join(ROOT, "node_modules", ".bin");
const READY_WITHIN_MS = 120_000;

type Command = readonly [string, ...string[]];
type Counts = { passed: number; failed: number };
type Suite = {
  name: string;
  isSlow?: boolean;
  install: readonly Command[];
  run: Command;
  count(output: string): Counts;
};

/** The npm clients come with old and heavy packages, so they are no part of the project's own installation. */
const SUITES: readonly Suite[] = [
  {
    name: "npm",
    install: [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]],
    run: [NODE, "--test", "--test-reporter=spec"],
    count: (output) => ({
      passed: numberAfter(output, /^ℹ pass (\d+)/m),
      failed: numberAfter(output, /^ℹ fail (\d+)/m),
    }),
  },
  {
    name: "python",
    install: [
      ["python3", "-m", "venv", ".venv"],
      [join(".venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
    ],
    run: [join(".venv", "bin", "python"), "-W", "ignore", "-m", "unittest", "discover"],
    count: (output) => {
      const failed = numberAfter(output, /failures=(\d+)/) + numberAfter(output, /errors=(\d+)/);
      return { passed: numberAfter(output, /^Ran (\d+) tests?/m) - failed, failed };
    },
  },
  {
    name: "go",
    // Compiled in advance, while the suites before it run.
    install: [["go", "test", "-vet=off", "-run=^$", "./..."]],
    run: ["go", "test", "-vet=off", "-count=1", "-v", "./..."],
    count: (output) => ({ passed: matches(output, /^--- PASS/gm), failed: matches(output, /^--- FAIL/gm) }),
  },
  {
    name: "java",
    install: [["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib"]],
    run: ["java", "-cp", join("lib", "*"), "ClientTest.java"],
    count: (output) => ({ passed: matches(output, /^PASS: /gm), failed: matches(output, /^FAIL: /gm) }),
  },
  {
    name: "rust",
    isSlow: true,
    install: [["cargo", "fetch", "--quiet", "--locked"]],
    run: ["cargo", "test", "--quiet", "--locked"],
    count: (output) => ({
      passed: sumOf(output, /(\d+) passed/g),
      failed: sumOf(output, /(\d+) failed/g),
    }),
  },
];

process.exit(await main());

async function main(): Promise<number> {
  const wanted = SUITES.filter(({ isSlow }) => !isSlow || process.argv.includes("--all"));
  const total = { passed: 0, failed: 0 };
  // All at once, for they mostly wait for the network; the suites themselves run one after the other.
  const installations = new Map(wanted.map((suite) => [suite, install(suite)]));
  const registry = await startRegistry();
  try {
    for (const [suite, installed] of installations) {
      const { passed, failed } = await runSuite(suite, installed, registry.url);
      total.passed += passed;
      total.failed += failed;
    }
  } finally {
    await registry.stop();
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** What went wrong, or null. */
async function install({ name, install: commands }: Suite): Promise<string | null> {
  for (const command of commands) {
    const { code, output } = await execute(command, { cwd: join(CLIENTS, name), isQuiet: true });
    if (code !== 0) return `${output}\n${command.join(" ")} failed with exit code ${code}.`;
  }
  return null;
}

async function runSuite({ name, run, count }: Suite, installed: Promise<string | null>, url: string): Promise<Counts> {
  const began = Date.now();
  console.log(`\n== ${name}`);
  const cwd = join(CLIENTS, name);
  const problem = await installed;
  if (problem !== null) {
    console.error(problem);
    return { passed: 0, failed: 1 };
  }
  const { code, output } = await execute(run, { cwd, env: { REGISTRY_URL: url } });
  const { passed, failed } = count(output);
  // A suite that ends badly without a failed test did not load, and one without a test has tested nothing.
  const counted = { passed, failed: (code !== 0 || passed === 0) && failed === 0 ? 1 : failed };
  console.log(
    `== ${name}: ${counted.passed} passed, ${counted.failed} failed, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  return counted;
}

async function startRegistry(): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const stateDir = mkdtempSync(join(tmpdir(), "registry-clients-"));
  const child = spawn(NODE, ["scripts/start.mjs", `--port=${port}`, `--state=${stateDir}`], {
    cwd: ROOT,
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
  while (!(await answers(`${url}/subjects`))) {
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

/** Runs a command and keeps what it says, shown as it comes unless `isQuiet`. */
async function execute(
  [command, ...args]: Command,
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
  return { code, output };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function numberAfter(output: string, pattern: RegExp): number {
  return Number(pattern.exec(output)?.[1] ?? 0);
}

function matches(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].length;
}

function sumOf(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
}

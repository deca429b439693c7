import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Generous: a loaded machine takes several times as long as an idle one. */
const READY_WITHIN_MS = 60_000;

export type RegistryProcess = {
  url: string;
  /** The output of the processes so far. */
  output(): string;
  /** The supervisor, serve.ts and workerd, by role. */
  pids(): { supervisor: number; server: number | undefined; runtime: number | undefined };
  /** Resolves once GET /api/v1/health answers. */
  ready(): Promise<void>;
  /** Sends the signal to the supervisor and returns its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Sends SIGKILL to every process simultaneously, like a power cut. */
  kill(): Promise<void>;
};

/** Starts the registry as `npm start` does, on the bundle that test/support/built.ts made. */
export function spawnRegistry(options: {
  port: number;
  stateDir: string;
  args?: string[];
  env?: Readonly<Record<string, string>>;
}): RegistryProcess {
  const child = spawn(
    process.execPath,
    [
      "scripts/start.mjs",
      "--no-build",
      `--port=${options.port}`,
      `--state=${options.stateDir}`,
      ...(options.args ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env } },
  );
  const output = collect(child);
  const url = `http://127.0.0.1:${options.port}`;
  const exited = once(child, "exit");
  const pids = () => {
    const server = childOf(child.pid!, "serve.ts");
    return { supervisor: child.pid!, server, runtime: server && childOf(server, "workerd") };
  };
  return {
    url,
    output,
    pids,
    ready: () => waitUntilReady(url, child, output),
    stop: async (signal = "SIGTERM") => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = await exited;
      return code as number | null;
    },
    kill: async () => {
      for (const pid of Object.values(pids())) if (pid !== undefined) kill(pid);
      await exited;
    },
  };
}

/** A folder for one test's state, removed after it. */
export function temporaryState(): { stateDir: string; remove(): void } {
  const stateDir = mkdtempSync(join(tmpdir(), "registry-state-"));
  return { stateDir, remove: () => rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 }) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** True while a process of this id exists and is not a zombie. */
export function isRunning(pid: number | undefined): boolean {
  return (
    pid !== undefined && processes().some((process) => process.pid === pid && !process.command.includes("<defunct>"))
  );
}

/** Resolves to true once the check does, within the time; it polls, because processes end asynchronously. */
export async function eventually(check: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (Date.now() < until) {
    if (await check()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function waitUntilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const ready = await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`The registry exited with ${child.exitCode}:\n${output()}`);
    return fetch(`${url}/api/v1/health`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
  }, READY_WITHIN_MS);
  if (!ready) throw new Error(`The registry is not ready after ${READY_WITHIN_MS} ms:\n${output()}`);
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return () => text;
}

function childOf(parent: number, command: string): number | undefined {
  return processes().find((process) => process.parent === parent && process.command.includes(command))?.pid;
}

function processes(): { pid: number; parent: number; command: string }[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, parent, command]) => ({ pid: Number(pid), parent: Number(parent), command: command! }));
}

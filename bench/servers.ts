/** The measured Workers, each in its own workerd on a direct socket, with a temporary state folder. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { ROOT } from "../scripts/install.mjs";
import { startRuntime } from "../scripts/runtime.ts";

export type Server = {
  port: number;
  url: string;
  stateDir: string;
  /** Of workerd. */
  pid: number;
  inspectorUrl(): Promise<string>;
  stop(): Promise<void>;
};

/** The registry as `npm start` serves it, or with a different entry module. */
export async function startRegistry({
  entry,
  inspect = false,
  vars = {},
  withoutLoader = false,
}: {
  entry?: string;
  inspect?: boolean;
  vars?: Readonly<Record<string, string>>;
  /** Without the binding that starts validating isolates. */
  withoutLoader?: boolean;
} = {}): Promise<Server> {
  const stateDir = mkdtempSync(join(tmpdir(), "registry-bench-"));
  const distDir = entry === undefined ? join(ROOT, "dist") : join(stateDir, "dist");
  if (entry !== undefined) await bundle(entry, join(distDir, "index.js"));
  const port = await freePort();
  const before = workerdChildren();
  const runtime = await startRuntime({
    host: "127.0.0.1",
    port,
    stateDir: join(stateDir, "state"),
    distDir,
    vars: { DEFAULT_COMPATIBILITY_LEVEL: "NONE", ...vars },
    inspect,
    withoutLoader,
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stateDir: join(stateDir, "state"),
    pid: newChild(before),
    inspectorUrl: runtime.inspectorUrl,
    stop: async () => {
      await runtime.dispose();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** A Worker without the registry's bindings: the baseline of the measurements. */
export async function startBaseline(entry: string, body = ""): Promise<Omit<Server, "inspectorUrl">> {
  const stateDir = mkdtempSync(join(tmpdir(), "registry-bench-"));
  const script = join(stateDir, "index.js");
  await bundle(entry, script);
  const port = await freePort();
  const before = workerdChildren();
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.WARN),
      cf: false,
      workers: [
        {
          name: "baseline",
          modules: true,
          modulesRoot: stateDir,
          scriptPath: script,
          compatibilityDate: "2026-11-01",
          compatibilityFlags: ["nodejs_compat"],
          bindings: { BODY: body },
          unsafeDirectSockets: [{ host: "127.0.0.1", port }],
        },
      ],
    }),
  );
  await runtime.ready;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stateDir,
    pid: newChild(before),
    stop: async () => {
      await runtime.dispose();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** Memory that workerd holds, in MiB. */
export function residentMiB(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1_024;
}

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, "bench", "workers", entry)],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers", "node:*"],
    logLevel: "error",
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function workerdChildren(): number[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, command]) => Number(parent) === process.pid && command?.includes("workerd"))
    .map(([pid]) => Number(pid));
}

function newChild(before: readonly number[]): number {
  return workerdChildren().find((pid) => !before.includes(pid))!;
}

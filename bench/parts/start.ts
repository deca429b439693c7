import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../scripts/install.mjs";
import type { Bench, BenchPart, Row } from "../part.ts";
import { memoryMiB, withDescendants } from "../processes.ts";
import { fill } from "../schemas.ts";
import { freePort } from "../servers.ts";

const READY_WITHIN_MS = 60_000;
const SCHEMAS = 10_000;

/** The time from `npm start` to the first response, and the memory of its processes. */
export const start: BenchPart = {
  name: "start",
  title: "Start and memory",
  async run(bench) {
    return [
      ...(await startOnce(bench, "npm start", [])),
      ...(await startOnce(bench, "without the read model", ["--no-database"])),
    ];
  },
};

async function startOnce(bench: Bench, what: string, options: readonly string[]): Promise<Row[]> {
  const state = mkdtempSync(join(tmpdir(), "registry-bench-start-"));
  const port = await freePort();
  const began = performance.now();
  const server = spawn(
    process.execPath,
    [join(ROOT, "scripts", "start.mjs"), "--no-build", "--state", state, "--port", String(port), ...options],
    { stdio: "ignore", env: { ...process.env, DEFAULT_COMPATIBILITY_LEVEL: "NONE" } },
  );
  try {
    await ready(`http://127.0.0.1:${port}/health/ready`);
    const readyMs = performance.now() - began;
    const atStart = memoryMiB(withDescendants(server.pid!));
    const count = bench.quick ? SCHEMAS / 10 : SCHEMAS;
    await fill(bench, port, { from: 0, to: count, subjectOf: (n) => `subject-${n % 1_000}` });
    return [
      { what: `${what}: ready after`, value: readyMs / 1_000, unit: "s", aim: { atMost: 4 } },
      { what: `${what}: memory at start`, value: atStart, unit: "MiB", aim: { atMost: 400 } },
      { what: `${what}: memory with ${count} schemas`, value: memoryMiB(withDescendants(server.pid!)), unit: "MiB" },
    ];
  } finally {
    server.kill("SIGTERM");
    await new Promise((resolve) => server.once("exit", resolve));
    rmSync(state, { recursive: true, force: true });
  }
}

async function ready(url: string): Promise<void> {
  for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; ) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Not ready within ${READY_WITHIN_MS} ms.`);
}

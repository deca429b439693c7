/** Reads the state that a registry left when it was stopped or killed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect } from "vitest";
import { startRuntime } from "../../scripts/runtime.ts";
import { freePort } from "./registry-process.ts";

/** Rows by table. */
export type Tables = Record<string, unknown[]>;

/** Serves the state by test/system/state-worker.ts while it is inspected. */
export async function overState<T>(stateDir: string, look: (url: string) => Promise<T>): Promise<T> {
  const distDir = mkdtempSync(join(tmpdir(), "registry-state-worker-"));
  const port = await freePort();
  await build({
    entryPoints: ["test/system/state-worker.ts"],
    outfile: join(distDir, "index.js"),
    bundle: true,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:workers", "node:*"],
    logLevel: "error",
  });
  const runtime = await startRuntime({ host: "127.0.0.1", port, stateDir, distDir });
  try {
    return await look(`http://127.0.0.1:${port}`);
  } finally {
    await runtime.dispose();
    rmSync(distDir, { recursive: true, force: true });
  }
}

/** The state tables, as reproduced by a replay of the log. */
export async function tablesAt(url: string): Promise<Tables> {
  const response = await fetch(`${url}/tables`);
  const { current, replayed } = (await response.json()) as { current: Tables; replayed: Tables };
  expect(Object.keys(current).length).toBeGreaterThan(0);
  expect(replayed).toEqual(current);
  return current;
}

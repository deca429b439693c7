// Builds dist/ with the command that also deploys, so that local runs, tests and benchmarks use the same bundle.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { NODE, ROOT } from "./install.mjs";

const WRANGLER = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");

/** Disables wrangler's telemetry. */
const QUIET_WRANGLER = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };

/** Runs wrangler and returns its exit code and output. */
export async function runWrangler(args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(NODE, [WRANGLER, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...QUIET_WRANGLER },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 1, output };
}

/** Builds the Worker of one environment into a folder. */
export async function build(environment = "local", outDir: string = join(ROOT, "dist")): Promise<void> {
  rmSync(outDir, { recursive: true, force: true });
  const { code, output } = await runWrangler(["deploy", "--dry-run", "--env", environment, "--outdir", outDir]);
  if (code !== 0) throw new Error(`The Worker does not build:\n${output}`);
}

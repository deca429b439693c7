// Builds dist/ with the command that also deploys, so that local runs, tests and benchmarks use the same bundle.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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

/** The inputs of a bundle: the folders that workers/index.ts may import, and the build's configuration. */
const SOURCES = [
  ...["contract", "db", "durable-objects", "observe", "registry", "schema", "tlog", "workers"],
  ...["wrangler.toml", "package-lock.json", "tsconfig.json", "scripts/build-isolate.mjs"],
];
/** Written by the build itself. */
const GENERATED = /\.generated\./;
/** A file in a bundle's folder with the state of its sources. */
const BUILT_FROM = "built-from";

/** Builds the Worker of one environment into a folder. */
export async function build(environment = "local", outDir: string = join(ROOT, "dist")): Promise<void> {
  rmSync(outDir, { recursive: true, force: true });
  const state = sourcesState(environment);
  const { code, output } = await runWrangler(["deploy", "--dry-run", "--env", environment, "--outdir", outDir]);
  if (code !== 0) throw new Error(`The Worker does not build:\n${output}`);
  writeFileSync(join(outDir, BUILT_FROM), state);
}

/** Whether the folder has the bundle that a build would make now. */
export function isBuilt(environment = "local", outDir: string = join(ROOT, "dist")): boolean {
  const builtFrom = join(outDir, BUILT_FROM);
  return existsSync(builtFrom) && readFileSync(builtFrom, "utf8") === sourcesState(environment);
}

/** A hash of the names, sizes and times of all sources: reading a thousand files would take as long as it saves. */
function sourcesState(environment: string): string {
  const hash = createHash("sha256").update(environment);
  const files = SOURCES.flatMap((source) =>
    statSync(join(ROOT, source)).isFile()
      ? [source]
      : readdirSync(join(ROOT, source), { recursive: true, encoding: "utf8" }).map((path) => join(source, path)),
  );
  for (const file of files.sort()) {
    const stat = statSync(join(ROOT, file));
    if (stat.isFile() && !GENERATED.test(file)) hash.update(`${file}\0${stat.size}\0${stat.mtimeMs}\0`);
  }
  return hash.digest("hex");
}

// `npm run bench`: measures the built bundle in real workerd and prints a table and JSON. `npm run bench -- --help` names the parts.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, NODE, ROOT } from "./install.mjs";

await ensureInstalled();
const { build } = await import("esbuild");
// One level below the root, as scripts/ is: install.mjs finds the root by where it lies.
const outfile = join(ROOT, "dist", "bench.mjs");
// The parts measure modules of ours too, whose imports name no extension, so they are bundled as the Worker is.
await build({
  entryPoints: [join(ROOT, "bench", "run.ts")],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const bench = spawn(NODE, ["--no-warnings", outfile, ...process.argv.slice(2)], { cwd: ROOT, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => bench.kill(signal));
bench.once("exit", (code) => process.exit(code ?? 1));

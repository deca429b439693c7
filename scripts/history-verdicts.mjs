// `npm run docs:histories`: bundles and runs scripts/history-verdicts.ts, and writes docs/compatibility-histories.md.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureInstalled, ROOT } from "./install.mjs";

await ensureInstalled();
const corpus = join(ROOT, "..", "shared", "corpus");
if (!existsSync(corpus)) {
  console.error("The corpus of real histories is not beside this checkout, so the page cannot be written.");
  process.exit(1);
}
const { build } = await import("esbuild");
const outfile = join(ROOT, "dist", "history-verdicts.mjs");
await build({
  entryPoints: [join(ROOT, "scripts", "history-verdicts.ts")],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const { historyVerdicts, renderHistories } = await import(pathToFileURL(outfile).href);
writeFileSync(join(ROOT, "docs", "compatibility-histories.md"), renderHistories(historyVerdicts(corpus)));
console.log("docs/compatibility-histories.md is written.");

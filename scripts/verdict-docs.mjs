// `npm run docs:histories`: writes docs/compatibility-histories.md and the tables of docs/compatibility.md from the code.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
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
const outdir = join(ROOT, "dist");
await build({
  entryPoints: ["history-verdicts", "loss-tables"].map((name) => join(ROOT, "scripts", `${name}.ts`)),
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const load = (name) => import(pathToFileURL(join(outdir, `${name}.mjs`)).href);
const { historyVerdicts, renderHistories } = await load("history-verdicts");
writeFileSync(join(ROOT, "docs", "compatibility-histories.md"), renderHistories(historyVerdicts(corpus)));
const { withLossTables } = await load("loss-tables");
const page = join(ROOT, "docs", "compatibility.md");
writeFileSync(page, withLossTables(readFileSync(page, "utf8")));
console.log("docs/compatibility-histories.md and the tables of docs/compatibility.md are written.");

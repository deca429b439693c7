// `npm run docs:histories`: writes docs/compatibility-histories.md and the tables of docs/compatibility.md from the code.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { historyVerdicts, renderHistories } from "./history-verdicts.ts";
import { ROOT } from "./install.mjs";
import { withLossTables } from "./loss-tables.ts";

const corpus = join(ROOT, "..", "shared", "corpus");
if (!existsSync(corpus)) {
  console.error("The page cannot be written without the corpus of real histories beside this checkout.");
  process.exit(1);
}
writeFileSync(join(ROOT, "docs", "compatibility-histories.md"), renderHistories(historyVerdicts(corpus)));
const page = join(ROOT, "docs", "compatibility.md");
writeFileSync(page, withLossTables(readFileSync(page, "utf8")));
console.log("docs/compatibility-histories.md and the tables of docs/compatibility.md are written.");

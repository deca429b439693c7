// `npm run docs:labelled`: writes docs/artefact-verdicts.md from contract/vectors/labelled.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./install.mjs";
import { labelledVerdicts, renderLabelled } from "./labelled-verdicts.ts";

writeFileSync(join(ROOT, "docs", "artefact-verdicts.md"), renderLabelled(labelledVerdicts(ROOT)));
console.log("docs/artefact-verdicts.md is written.");

// `npm run openapi`, after a change of contract/openapi.yaml: writes contract/openapi.json, which the Worker serves and validates against.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "./install.mjs";

/** The published document: aliases written out, what only the source needs left out. */
export function openapiJson(yaml: string): string {
  const { "x-header-sets": _, ...document } = parse(yaml, { maxAliasCount: -1 }) as Record<string, unknown>;
  return `${JSON.stringify(document, null, 2)}\n`;
}

if (import.meta.main) {
  const contract = join(ROOT, "contract");
  writeFileSync(join(contract, "openapi.json"), openapiJson(readFileSync(join(contract, "openapi.yaml"), "utf8")));
}

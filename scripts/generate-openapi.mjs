// Run after a change of contract/openapi.yaml: writes contract/openapi.json, which the Worker serves and validates against.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The published document: aliases written out, what only the source needs left out. */
export function openapiJson(yaml) {
  const { "x-header-sets": _, ...document } = parse(yaml, { maxAliasCount: -1 });
  return `${JSON.stringify(document, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const contract = new URL("../contract/", import.meta.url);
  writeFileSync(
    new URL("openapi.json", contract),
    openapiJson(readFileSync(new URL("openapi.yaml", contract), "utf8")),
  );
}

// Runs before every build of the Worker (wrangler.toml, vitest.config.ts): bundles the code that validating isolates
// load, a text for each format.
import { join } from "node:path";
import { buildSync } from "esbuild";

const FOLDER = join(import.meta.dirname, "..", "workers", "validation", "isolate");

/** Avsc is written for bundlers that bring Node's modules; an isolate has them itself. */
const NODE_MODULES = { buffer: "node-buffer.ts", util: "node-util.ts", crypto: "node-crypto.ts" };

export function buildIsolate() {
  for (const format of ["json-schema", "avro", "protobuf"]) {
    buildSync({
      entryPoints: [join(FOLDER, `${format}-entry.ts`)],
      outfile: join(FOLDER, `${format}.generated.txt`),
      bundle: true,
      minify: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      alias: Object.fromEntries(Object.entries(NODE_MODULES).map(([name, file]) => [name, join(FOLDER, file)])),
      external: ["cloudflare:workers", "isolate-input.json", "node:*"],
      logLevel: "warning",
    });
  }
}

if (process.argv[1] === import.meta.filename) buildIsolate();

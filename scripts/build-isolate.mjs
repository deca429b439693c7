// Runs before every build of the Worker (wrangler.toml, vitest.config.ts): bundles the code that validating isolates
// load into one text.
import { join } from "node:path";
import { buildSync } from "esbuild";

const FOLDER = join(import.meta.dirname, "..", "workers", "validation", "isolate");

export function buildIsolate() {
  buildSync({
    entryPoints: [join(FOLDER, "entry.ts")],
    outfile: join(FOLDER, "isolate.generated.txt"),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["cloudflare:workers", "isolate-input.json"],
    logLevel: "warning",
  });
}

if (process.argv[1] === import.meta.filename) buildIsolate();

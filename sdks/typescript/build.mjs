/** Builds the package: ES modules and CommonJS with their types, and the validation engine bundled from the server's sources. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const compile = (...options) =>
  execFileSync(process.execPath, [tsc, "-p", here, ...options], { cwd: here, stdio: "inherit" });

rmSync(join(here, "dist"), { recursive: true, force: true });
compile();
compile("--module", "commonjs", "--outDir", "dist/cjs");
for (const [folder, format] of [
  ["esm", "esm"],
  ["cjs", "cjs"],
]) {
  mkdirSync(join(here, "dist", folder, "validation"), { recursive: true });
  const outfile = join(here, "dist", folder, "validation", "json-schema-engine.js");
  await build({
    entryPoints: [join(here, "engine/json-schema-engine.ts")],
    bundle: true,
    minify: true,
    target: "es2020",
    platform: "neutral",
    mainFields: ["module", "main"],
    format,
    outfile,
    logLevel: "warning",
  });
  copyFileSync(
    join(here, "src/validation/json-schema-engine.d.ts"),
    join(here, "dist", folder, "validation", "json-schema-engine.d.ts"),
  );
}
// Within a package of type "module", this marks the folder of CommonJS files as such.
writeFileSync(join(here, "dist/cjs/package.json"), '{ "type": "commonjs" }\n');

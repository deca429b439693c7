/**
 * Builds the one file. The type generator is as large as everything else and seldom used, so it is a separate
 * compressed bundle inside the file: Node reads it only when `llmsr types` needs it, and every other command starts
 * sooner.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
/** CommonJS packages call `require`, which ES modules do not have. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
const OPTIONS = {
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  format: "esm",
  logLevel: "warning",
};

const generator = await build({
  ...OPTIONS,
  entryPoints: [join(here, "generate/quicktype.ts")],
  // A module from a data URL cannot resolve imports of other modules.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('file:///');" },
  write: false,
});
const packed = gzipSync(generator.outputFiles[0].contents, { level: 9 }).toString("base64");

const embedGenerator = {
  name: "embed-generator",
  setup({ onLoad }) {
    onLoad({ filter: /generate\/quicktype\.ts$/ }, () => ({
      loader: "js",
      contents: `
        import { gunzipSync } from "node:zlib";
        const code = gunzipSync(Buffer.from(${JSON.stringify(packed)}, "base64")).toString("base64");
        export async function generateWithQuicktype(...args) {
          const generator = await import("data:text/javascript;base64," + code);
          return generator.generateWithQuicktype(...args);
        }
      `,
    }));
  },
};

await build({
  ...OPTIONS,
  entryPoints: [join(here, "main.ts")],
  outfile: join(here, "dist/llmsr.mjs"),
  banner: { js: REQUIRE },
  plugins: [embedGenerator],
});

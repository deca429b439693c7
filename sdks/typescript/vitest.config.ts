import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests run the sources; the validation engine, which the package has as a bundle, comes from where it is bundled from. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: {
    alias: [
      {
        find: /^\.\/json-schema-engine\.js$/,
        replacement: fileURLToPath(new URL("engine/json-schema-engine.ts", import.meta.url)),
      },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    coverage: {
      provider: "istanbul",
      include: ["src/**"],
      exclude: ["src/**/*.d.ts"],
      reporter: ["text-summary"],
      thresholds: { lines: 90 },
    },
  },
});

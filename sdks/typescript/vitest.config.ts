import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests run the sources, including those of the validation engine, which the published package contains as a bundle. */
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

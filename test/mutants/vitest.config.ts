import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LONG_TESTS } from "../long.ts";

const { MUTANTS_TESTS = "" } = process.env;

function pathOf(file: string): string {
  return join(import.meta.dirname, file);
}

/**
 * The tests selected by scripts/test-mutants.ts, in Node: Stryker would otherwise run each mutant against everything
 * that imports its file.
 */
export default defineConfig({
  resolve: {
    alias: {
      "cloudflare:workers": pathOf("runtime-in-node.ts"),
      "cloudflare:test": pathOf("runtime-in-node.ts"),
      "#registry-under-test": pathOf("../workers/confluent/registry-under-test.ts"),
    },
  },
  test: {
    include: MUTANTS_TESTS.split(" "),
    exclude: [...LONG_TESTS.unit, ...LONG_TESTS.workers, "test/conformance/histories.test.ts"],
    testTimeout: 30_000,
  },
});

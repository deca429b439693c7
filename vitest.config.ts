import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { buildIsolate } from "./scripts/build-isolate.mjs";
import { LONG_TESTS } from "./test/long.ts";

buildIsolate();

/** How long each fuzz target runs: seconds in `npm run test:long`, minutes in `npm run fuzz`. */
const fuzzSeconds = Number(process.env.FUZZ_SECONDS ?? 5);

/** `short` excludes the long tests, `long` runs only those; without it every test can be run by name. */
const TESTS = process.env.TESTS;

function chosen(project: keyof typeof LONG_TESTS, include: string[], exclude: string[] = []) {
  if (TESTS === "long") return { include: [...LONG_TESTS[project]], exclude };
  return { include, exclude: TESTS === "short" ? [...exclude, ...LONG_TESTS[project]] : exclude };
}

/**
 * The size of the model-based test and of the fuzz of the APIs, and their seeds, because the runtime does not see the
 * environment.
 */
const { MODEL_RUNS, MODEL_SEED, API_FUZZ_REQUESTS, API_FUZZ_SEED } = process.env;
const randomSettings = {
  ...(MODEL_RUNS && { MODEL_RUNS }),
  ...(MODEL_SEED && { MODEL_SEED }),
  ...(API_FUZZ_REQUESTS && { API_FUZZ_REQUESTS }),
  ...(API_FUZZ_SEED && { API_FUZZ_SEED }),
};

/** Science and contract run in Node; everything with bindings runs in workerd; whole processes are started by the system project. */
export default defineConfig({
  test: {
    coverage: {
      // v8's counters are not available inside workerd.
      provider: "istanbul",
      include: [
        "schema/**/*.ts",
        "registry/**/*.ts",
        "tlog/**/*.ts",
        "observe/**/*.ts",
        "durable-objects/**/*.ts",
        "db/**/*.ts",
        "workers/**/*.ts",
      ],
      reporter: ["text-summary", "json-summary", "html"],
      // Also after a failed test, because uncovered code often explains it.
      reportOnFailure: true,
      thresholds: { lines: 85 },
    },
    projects: [
      {
        test: {
          name: "unit",
          ...chosen(
            "unit",
            [
              "test/schema/**/*.test.ts",
              "test/contract/**/*.test.ts",
              "test/observe/**/*.test.ts",
              "test/registry/**/*.test.ts",
              "test/tlog/**/*.test.ts",
              "test/cli/**/*.test.ts",
              "test/support/**/*.test.ts",
              "test/*.test.ts",
            ],
            ["**/*.fuzz.test.ts"],
          ),
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "fuzz",
          ...chosen("fuzz", ["test/**/*.fuzz.test.ts"]),
          env: { FUZZ_SECONDS: String(fuzzSeconds) },
          testTimeout: fuzzSeconds * 1_000 + 60_000,
          // One CPU each: a target is measured in CPU time.
          fileParallelism: false,
        },
      },
      {
        plugins: [
          cloudflareTest({
            main: "./test/support/limited-worker.ts",
            wrangler: { configPath: "./wrangler.toml", environment: "local" },
            miniflare: {
              bindings: {
                // Secrets, which wrangler.toml must not contain.
                ACCESS_HASH_KEY: Buffer.alloc(32, "test").toString("base64"),
                WEBHOOK_SIGNING_KEY: Buffer.alloc(32, "test").toString("base64"),
                CHECKPOINT_SIGNING_KEYS: Buffer.alloc(32, "checkpoint").toString("base64"),
                ...randomSettings,
              },
            },
          }),
        ],
        test: {
          name: "workers",
          ...chosen(
            "workers",
            [
              "test/durable-objects/**/*.test.ts",
              "test/workers/**/*.test.ts",
              "test/conformance/**/*.test.ts",
              "test/model/**/*.test.ts",
            ],
            // The corpus is on a disk that the runtime cannot access.
            ["test/conformance/histories.test.ts"],
          ),
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "database",
          globalSetup: "test/support/postgresql.ts",
          ...chosen("database", ["test/db/**/*.test.ts"]),
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "system",
          globalSetup: ["test/support/built.ts", "test/support/postgresql.ts"],
          ...chosen("system", [
            "test/system/**/*.test.ts",
            "test/operate/**/*.test.ts",
            "test/conformance/**/*.test.ts",
          ]),
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

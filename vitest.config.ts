import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** How long each fuzz target runs: a look in every `npm test`, minutes in `npm run fuzz`. */
const fuzzSeconds = Number(process.env.FUZZ_SECONDS ?? 5);

/** What takes longer than a person waits: other compilers asked for every file of the corpus, and the widest bounds. */
const LEFT_TO_NPM_TEST = [
  "test/schema/protobuf/compare/buf/**",
  "test/schema/**/corpus.test.ts",
  "test/schema/**/*bounds.test.ts",
];

/** Science and contract run in Node; everything with bindings runs in workerd; whole processes are started by the system project. */
export default defineConfig({
  test: {
    coverage: {
      // v8's counters are not available inside workerd.
      provider: "istanbul",
      include: [
        "schema/**/*.ts",
        "registry/**/*.ts",
        "observe/**/*.ts",
        "durable-objects/**/*.ts",
        "db/**/*.ts",
        "workers/**/*.ts",
      ],
      reporter: ["text-summary", "json-summary", "html"],
      // Also when a test has failed: what is not covered is often why.
      reportOnFailure: true,
      thresholds: { lines: 85 },
    },
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "test/schema/**/*.test.ts",
            "test/contract/**/*.test.ts",
            "test/observe/**/*.test.ts",
            "test/registry/**/*.test.ts",
            "test/cli/**/*.test.ts",
            "test/support/**/*.test.ts",
            "test/*.test.ts",
          ],
          exclude: ["**/*.fuzz.test.ts", ...(process.env.ONLY_CHECK === undefined ? [] : LEFT_TO_NPM_TEST)],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "fuzz",
          include: ["test/**/*.fuzz.test.ts"],
          env: { FUZZ_SECONDS: String(fuzzSeconds) },
          testTimeout: fuzzSeconds * 1_000 + 60_000,
          // One CPU each: a target is measured in processor time.
          fileParallelism: false,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml", environment: "local" },
            // A secret, which wrangler.toml must not hold.
            miniflare: { bindings: { WEBHOOK_SIGNING_KEY: Buffer.alloc(32, "test").toString("base64") } },
          }),
        ],
        test: {
          name: "workers",
          include: ["test/durable-objects/**/*.test.ts", "test/workers/**/*.test.ts", "test/conformance/**/*.test.ts"],
          // The corpus is on a disk that the runtime does not see.
          exclude: ["test/conformance/histories.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "database",
          globalSetup: "test/support/postgresql.ts",
          include: ["test/db/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "system",
          globalSetup: ["test/support/built.ts", "test/support/postgresql.ts"],
          include: ["test/system/**/*.test.ts", "test/operate/**/*.test.ts", "test/conformance/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

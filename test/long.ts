/**
 * Slow tests: other compilers, hundreds of real schemas, the largest limits, kills and hours of failures. `npm test`
 * leaves them to `npm run test:long`; they can be run individually at any time.
 */
export const LONG_TESTS = {
  unit: [
    "test/cli/types-rust.test.ts",
    "test/contract/released.test.ts",
    "test/schema/**/*bounds.test.ts",
    "test/schema/browser.test.ts",
    "test/schema/**/corpus.test.ts",
    "test/schema/**/memory.test.ts",
    "test/schema/histories.test.ts",
    "test/schema/projection/oracles/oracles.test.ts",
    "test/schema/json/compare/soundness/coverage.test.ts",
    "test/schema/protobuf/compare/buf/**/*.test.ts",
  ],
  fuzz: ["test/**/*.fuzz.test.ts"],
  workers: [
    "test/workers/http/native/*bounds.test.ts",
    "test/workers/backup/*bounds.test.ts",
    "test/workers/fuzz/**/*.test.ts",
    "test/durable-objects/primary/delete-bounds.test.ts",
  ],
  database: ["test/db/projection/kill.test.ts"],
  system: [
    // The same files run in workerd in every `npm test`; here they test a registry served by `npm start`.
    "test/conformance/**/*.test.ts",
    "test/system/cli-heap.test.ts",
    "test/system/hostile.test.ts",
    "test/system/json-schema-suite.test.ts",
    "test/system/kill.test.ts",
    "test/system/race.test.ts",
    "test/system/search-corpus.test.ts",
    "test/system/validate-lines.test.ts",
    "test/system/webhooks-faults.test.ts",
  ],
} as const satisfies Record<string, readonly string[]>;

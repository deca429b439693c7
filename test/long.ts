/**
 * Tests that take longer than somebody waits: other compilers and real schemas by the hundred, the widest bounds, kills and
 * hours of failing. `npm test` leaves them to `npm run test:long`; named by themselves they run at any time.
 */
export const LONG_TESTS = {
  unit: [
    "test/contract/released.test.ts",
    "test/schema/**/*bounds.test.ts",
    "test/schema/browser.test.ts",
    "test/schema/**/corpus.test.ts",
    "test/schema/histories.test.ts",
    "test/schema/json/compare/soundness/coverage.test.ts",
    "test/schema/protobuf/compare/buf/**/*.test.ts",
  ],
  fuzz: ["test/**/*.fuzz.test.ts"],
  workers: ["test/workers/http/native/*bounds.test.ts"],
  database: ["test/db/projection/kill.test.ts"],
  system: [
    // The same files run in workerd with every `npm test`; here they speak to a registry as `npm start` serves it.
    "test/conformance/**/*.test.ts",
    "test/system/kill.test.ts",
    "test/system/race.test.ts",
    "test/system/webhooks-faults.test.ts",
  ],
} as const satisfies Record<string, readonly string[]>;

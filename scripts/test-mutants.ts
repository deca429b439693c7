/** `npm run test:mutants`: mutation tests of decisions and comparisons (docs/testing.md). All files take hours. */
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { ROOT } from "./install.mjs";

const STRYKER = "10.1.1";

type Target = {
  /** The mutated files. */
  folder: string;
  /** The tests that should detect the mutants. They run in Node (test/mutants/runtime-in-node.ts). */
  tests: readonly string[];
};

const TARGETS: readonly Target[] = [
  ...["avro", "json", "protobuf"].map(
    (format): Target => ({
      folder: `schema/${format}/compare/`,
      tests: [`test/schema/${format}/**/*.test.ts`],
    }),
  ),
  {
    folder: "durable-objects/primary/decide/",
    tests: [
      "test/durable-objects/primary/{associations,change-sets,commit,compute-budget}.test.ts",
      "test/durable-objects/primary/{confluent-ids,counters,lifecycle,rules,undecided}.test.ts",
      "test/conformance/*.test.ts",
      "test/workers/http/native/{schemas,semver}.test.ts",
    ],
  },
];

const named = process.argv.slice(2);
const strays = named.filter((file) => !TARGETS.some(({ folder }) => file.startsWith(folder)));
if (strays.length > 0) {
  console.error(`Not in ${TARGETS.map(({ folder }) => folder).join(", ")}: ${strays.join(", ")}`);
  process.exit(2);
}
for (const target of TARGETS) {
  const files =
    named.length === 0 ? [`${target.folder}**/*.ts`] : named.filter((file) => file.startsWith(target.folder));
  if (files.length > 0 && !tryMutants(target, files)) process.exitCode = 1;
}

/** Whether Stryker computed a score, however low. Run with npx: docs/decisions/0027. */
function tryMutants({ folder, tests }: Target, files: readonly string[]): boolean {
  console.log(`\n== ${folder}: tests in ${tests.join(", ")}`);
  const packages = ["core", "vitest-runner"].flatMap((name) => ["--package", `@stryker-mutator/${name}@${STRYKER}`]);
  const { status } = spawnSync(
    "npx",
    ["--yes", ...packages, "stryker", "run", join("test", "mutants", "stryker.json"), "--mutate", files.join(",")],
    {
      cwd: ROOT,
      stdio: "inherit",
      env: {
        ...process.env,
        // Stryker needs a newer Node than many machines have.
        PATH: [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter),
        MUTANTS_TESTS: tests.join(" "),
      },
    },
  );
  return status === 0;
}

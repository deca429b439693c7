// `npm test`: types, lint and every suite except the long ones, which are `npm run test:long`; `npm run check` also
// omits suites that need a runtime. Ends with one line, `N passed, N failed`.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ensureInstalled, ROOT } from "./install.mjs";

const BIN = join(ROOT, "node_modules", ".bin");
const REPORTS = mkdtempSync(join(tmpdir(), "registry-tests-"));
const mode = process.argv.includes("--check") ? "check" : process.argv.includes("--long") ? "long" : "everyday";

const SOUNDNESS = [
  "test/schema/avro/properties.test.ts",
  "test/schema/json/compare/soundness",
  "test/schema/protobuf/witness/soundness.test.ts",
];

/** Test files that read the real schemas beside the checkout, detected by their imports. */
function readersOfCorpus() {
  return readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !file.endsWith(".fuzz.test.ts"))
    .map((file) => join("test", file))
    .filter((file) => readFileSync(join(ROOT, file), "utf8").includes("support/corpus.ts"));
}

/** By default vitest leaves one processor free, which on two is half of them. */
const ALL_PROCESSORS = `--maxWorkers=${availableParallelism()}`;

/** Cheapest first; the first failing stage ends the run. */
const STAGES = {
  check: () => [...STATIC, suites("unit", ["unit"], { TESTS: "short" })],
  everyday: () => [
    ...STATIC,
    // With COVERAGE=true, as in CI, lines are also counted, which takes two thirds longer (docs/decisions/0020).
    suites("unit, workers and database", ["unit", "workers", "database"], { TESTS: "short" }, [
      ALL_PROCESSORS,
      ...(process.env.COVERAGE === "true" ? ["--coverage"] : []),
    ]),
    // Run separately, because they start whole processes.
    suites("system", ["system"], { TESTS: "short" }),
  ],
  long: () => [
    suites("long unit, workers and database", ["unit", "workers", "database", "fuzz"], { TESTS: "long" }),
    suites("long system", ["system"], { TESTS: "long" }),
    suites("model", ["workers"], { MODEL_RUNS: "3500" }, ["test/model"]),
    suites("without real schemas", ["unit", "system"], { CORPUS: "none" }, readersOfCorpus()),
    // A few generated schemas are invalid, so slightly more than the 20,000 pairs of `npm run test:soundness` are
    // generated.
    suites("soundness", ["unit"], { FUZZ_RUNS: "21000" }, ["--testTimeout=3600000", ALL_PROCESSORS, ...SOUNDNESS]),
  ],
};

const STATIC = [
  { title: "types", command: ["tsc", "-p", "."] },
  { title: "lint", command: ["biome", "check", "--error-on-warnings", "."] },
];

process.exit(await main());

async function main() {
  const total = { passed: 0, failed: 0 };
  try {
    await ensureInstalled();
    for (const stage of STAGES[mode]()) {
      console.log(`\n== ${stage.title}`);
      const began = Date.now();
      const code = await run(stage.command, stage.env);
      const { passed, failed } = stage.report === undefined ? { passed: 0, failed: 0 } : countTests(stage.report);
      total.passed += passed;
      // A stage can fail without a failed test: a type error, a suite that does not load, too little coverage.
      total.failed += code === 0 ? failed : Math.max(failed, 1);
      console.log(`== ${stage.title}: ${code === 0 ? "good" : `failed with exit code ${code}`}, ${seconds(began)} s`);
      if (total.failed > 0) break;
    }
  } catch (error) {
    console.error(error.message);
    total.failed += 1;
  }
  rmSync(REPORTS, { recursive: true, force: true });
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

function suites(title, projects, env, more = []) {
  const report = join(REPORTS, `${title.replaceAll(/\W+/g, "-")}.json`);
  const chosen = projects.flatMap((project) => ["--project", project]);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  return { title, report, env, command: ["vitest", "run", ...chosen, ...more, ...reporters] };
}

function run([name, ...args], env = {}) {
  const child = spawn(join(BIN, name), args, {
    cwd: ROOT,
    // The project's Node is in BIN beside the tools, which look it up in the PATH.
    env: {
      ...process.env,
      PATH: `${BIN}${delimiter}${process.env.PATH}`,
      WRANGLER_SEND_METRICS: "false",
      ...env,
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => child.once("error", reject).once("close", (code) => resolve(code ?? 1)));
}

function countTests(report) {
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return { passed: numPassedTests, failed: numFailedTests + unloaded.length };
}

function seconds(began) {
  return Math.round((Date.now() - began) / 1000);
}

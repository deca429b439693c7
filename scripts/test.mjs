// `npm test`: types, lint, every suite, coverage; `npm run check` leaves out what needs a runtime. Ends with one line, `N passed, N failed`.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ensureInstalled, ROOT } from "./install.mjs";

const BIN = join(ROOT, "node_modules", ".bin");
const REPORTS = mkdtempSync(join(tmpdir(), "registry-tests-"));
const onlyCheck = process.argv.includes("--check");

const SOUNDNESS = [
  "test/schema/avro/properties.test.ts",
  "test/schema/json/compare/soundness",
  "test/schema/protobuf/witness/soundness.test.ts",
];

/** In this order, so that the cheapest says first what is wrong; the first that fails ends the run. */
const STAGES = [
  { title: "types", command: ["tsc", "-p", "."] },
  { title: "lint", command: ["biome", "check", "--error-on-warnings", "."] },
  ...(onlyCheck
    ? [suites("unit", ["--project", "unit"])]
    : [
        suites("unit, workers and database, with coverage", [
          "--project",
          "unit",
          "--project",
          "workers",
          "--project",
          "database",
          "--project",
          "fuzz",
          "--coverage",
        ]),
        // By themselves and without coverage: they start whole processes and measure nothing of ours in this one.
        suites("system", ["--project", "system"]),
        // Last, for it takes minutes. A few generated schemas are invalid, and 20,000 pairs are wanted, as `npm run test:soundness` tries.
        {
          ...suites("soundness", ["--project", "unit", "--testTimeout=3600000", ...SOUNDNESS]),
          env: { FUZZ_RUNS: "21000" },
        },
      ]),
];

process.exit(await main());

async function main() {
  const total = { passed: 0, failed: 0 };
  try {
    await ensureInstalled();
    for (const stage of STAGES) {
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

function suites(title, args) {
  const report = join(REPORTS, `${title.replaceAll(/\W+/g, "-")}.json`);
  return {
    title,
    report,
    command: ["vitest", "run", ...args, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  };
}

function run([name, ...args], env = {}) {
  const child = spawn(join(BIN, name), args, {
    cwd: ROOT,
    // The project's Node stands in BIN beside the tools, and they ask the PATH for it.
    env: {
      ...process.env,
      PATH: `${BIN}${delimiter}${process.env.PATH}`,
      WRANGLER_SEND_METRICS: "false",
      ...(onlyCheck ? { ONLY_CHECK: "1" } : {}),
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

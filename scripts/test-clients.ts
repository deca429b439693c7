// `npm run test:clients`: starts a registry and runs real clients against it, installing what they need; `test:clients:all` adds Rust. Ends with `N passed, N failed`.
import { join } from "node:path";
import { NODE, ROOT } from "./install.mjs";
import { countMatches, numberAfter, runSuites, type Suite, sumNumbers } from "./suites.ts";

/** The npm clients have old and heavy dependencies, so they are not part of the project's own installation. */
const SUITES: readonly Suite[] = [
  {
    name: "npm",
    install: [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]],
    run: [NODE, "--test", "--test-reporter=spec"],
    count: (output) => ({
      passed: numberAfter(output, /^ℹ pass (\d+)/m),
      failed: numberAfter(output, /^ℹ fail (\d+)/m),
    }),
  },
  {
    name: "python",
    install: [
      ["python3", "-m", "venv", ".venv"],
      [join(".venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
    ],
    run: [join(".venv", "bin", "python"), "-W", "ignore", "-m", "unittest", "discover"],
    count: (output) => {
      const failed = numberAfter(output, /failures=(\d+)/) + numberAfter(output, /errors=(\d+)/);
      return { passed: numberAfter(output, /^Ran (\d+) tests?/m) - failed, failed };
    },
  },
  {
    name: "go",
    // Compiled in advance, while other suites run.
    install: [["go", "test", "-vet=off", "-run=^$", "./..."]],
    run: ["go", "test", "-vet=off", "-count=1", "-v", "./..."],
    count: (output) => ({ passed: countMatches(output, /^--- PASS/gm), failed: countMatches(output, /^--- FAIL/gm) }),
  },
  {
    name: "java",
    install: [["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib"]],
    run: ["java", "-cp", join("lib", "*"), "ClientTest.java"],
    count: (output) => ({ passed: countMatches(output, /^PASS: /gm), failed: countMatches(output, /^FAIL: /gm) }),
  },
  {
    name: "rust",
    isSlow: true,
    install: [["cargo", "fetch", "--quiet", "--locked"]],
    run: ["cargo", "test", "--quiet", "--locked"],
    count: (output) => ({
      passed: sumNumbers(output, /(\d+) passed/g),
      failed: sumNumbers(output, /(\d+) failed/g),
    }),
  },
];

const isAll = process.argv.includes("--all");
process.exit(
  await runSuites(
    join(ROOT, "test", "clients"),
    SUITES.filter(({ isSlow }) => !isSlow || isAll),
  ),
);

// `npm run test:sdks`: starts a registry and runs the suite of every SDK against it, installing what they need. Ends with `N passed, N failed`.
import { join } from "node:path";
import { NODE, ROOT } from "./install.mjs";
import { countMatches, numberAfter, runSuites, type Suite, sumNumbers } from "./suites.ts";

const SUITES: readonly Suite[] = [
  {
    name: "typescript",
    install: [
      [NODE, "build.mjs"],
      ["tsc", "-p", "test"],
    ],
    run: ["vitest", "run", "--config", "vitest.config.ts", "--coverage"],
    count: (output) => ({
      passed: numberAfter(output, /^ +Tests +.*?(\d+) passed/m),
      failed: numberAfter(output, /^ +Tests +(\d+) failed/m),
    }),
  },
  {
    name: "python",
    install: [
      ["python3", "-m", "venv", ".venv"],
      [join(".venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-e", ".[dev]"],
    ],
    run: [join(".venv", "bin", "python"), "-m", "pytest", "-q", "--cov"],
    count: (output) => ({
      passed: numberAfter(output, /(\d+) passed/),
      failed: numberAfter(output, /(\d+) failed/) + numberAfter(output, /(\d+) errors?/),
    }),
  },
  {
    name: "go",
    install: [
      ["go", "vet", "./..."],
      ["go", "-C", "validation", "vet", "./..."],
      ["go", "-C", "structtags", "vet", "./..."],
      ["go", "run", "honnef.co/go/tools/cmd/staticcheck@v0.8.2", "./..."],
    ],
    run: [
      "sh",
      "-c",
      "go test -race -count=1 -v -coverpkg=./... -cover ./... && go -C validation test -count=1 -v -cover ./... && go -C structtags test -count=1 -v ./...",
    ],
    count: (output) => ({
      passed: countMatches(output, /^--- PASS/gm),
      failed: countMatches(output, /^--- FAIL/gm),
    }),
  },
  {
    name: "java",
    install: [["mvn", "--batch-mode", "--quiet", "test-compile"]],
    run: ["mvn", "--batch-mode", "install"],
    // One line of totals for each module.
    count: (output) => {
      const failed = sumNumbers(output, /Failures: (\d+), Errors: \d+, Skipped: \d+$/gm);
      const errors = sumNumbers(output, /Errors: (\d+), Skipped: \d+$/gm);
      const skipped = sumNumbers(output, /Skipped: (\d+)$/gm);
      const run = sumNumbers(output, /Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: \d+$/gm);
      return { passed: run - failed - errors - skipped, failed: failed + errors };
    },
  },
  {
    name: "rust",
    install: [["cargo", "clippy", "--quiet", "--all-features", "--all-targets", "--", "-D", "warnings"]],
    run: [
      "sh",
      "-c",
      "cargo test --no-fail-fast --all-features && RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --all-features --quiet",
    ],
    count: (output) => ({
      passed: sumNumbers(output, /^test result: \w+\. (\d+) passed/gm),
      failed: sumNumbers(output, /^test result: \w+\. \d+ passed; (\d+) failed/gm),
    }),
  },
];

const wanted = process.argv.slice(2);
process.exit(
  await runSuites(
    join(ROOT, "sdks"),
    SUITES.filter(({ name }) => wanted.length === 0 || wanted.includes(name)),
  ),
);

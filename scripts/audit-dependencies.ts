// `npm run test:audit`: fails if a dependency has a known vulnerability of severity high or critical. If the package
// registry does not support audits, as with some mirrors, the script says so and passes. Ends with `N passed, N
// failed`.
import { execFileSync } from "node:child_process";
import { ROOT } from "./install.mjs";

const SEVERE = new Set(["high", "critical"]);
const WITHIN_MS = 120_000;
const MAX_REPORT_BYTES = 64 * 1_024 * 1_024;

type Vulnerability = { severity: string; via: readonly (string | { title: string; url: string })[] };
type Verdict = { type: "audited"; severe: readonly string[] } | { type: "unanswered"; reason: string };

/** The meaning of what `npm audit --json` printed. */
export function auditVerdict(output: string): Verdict {
  const report = parsed(output);
  if (report?.vulnerabilities === undefined) {
    return {
      type: "unanswered",
      reason: report?.message ?? (output.trim().split("\n", 1)[0] || "nothing was printed"),
    };
  }
  const severe = Object.entries(report.vulnerabilities)
    .filter(([, { severity }]) => SEVERE.has(severity))
    .map(([name, { severity, via }]) => `${name} (${severity}): ${via.map(described).join("; ")}`);
  return { type: "audited", severe };
}

function described(via: Vulnerability["via"][number]): string {
  return typeof via === "string" ? `through ${via}` : `${via.title}, ${via.url}`;
}

function parsed(
  output: string,
): { message?: string; vulnerabilities?: Readonly<Record<string, Vulnerability>> } | undefined {
  try {
    return JSON.parse(output) as ReturnType<typeof parsed>;
  } catch {
    return undefined;
  }
}

/** npm exits with 1 both for vulnerabilities and without an answer, so only what it prints counts. */
function runAudit(): string {
  try {
    return execFileSync("npm", ["audit", "--json", "--audit-level=high"], {
      cwd: ROOT,
      encoding: "utf8",
      timeout: WITHIN_MS,
      maxBuffer: MAX_REPORT_BYTES,
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? "");
  }
}

if (import.meta.main) {
  const verdict = auditVerdict(runAudit());
  if (verdict.type === "unanswered") {
    console.log(`Skipped: the package registry answers no audit (${verdict.reason}).\n0 passed, 0 failed`);
  } else {
    for (const problem of verdict.severe) console.error(problem);
    console.log(verdict.severe.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed");
    process.exitCode = verdict.severe.length === 0 ? 0 : 1;
  }
}

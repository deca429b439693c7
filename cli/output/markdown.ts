/** A check as Markdown, for a comment on a change. Everything from a schema is escaped or quoted: it is untrusted text. */
import { bySeverity, type CheckReport, type CheckSummary, type Finding, placeOfFinding } from "./report.ts";

/** A GitHub comment has at most 65,536 characters; findings beyond that are only counted. */
const MAX_FINDINGS = 30;

export function printMarkdown({ heading, compatible, reports, affected, removed = [] }: CheckSummary): string {
  if (heading !== undefined) {
    const found = reports.flatMap(({ findings }) => findings.flatMap(printFinding));
    return [`## ${heading}: ${compatible ? "yes" : "no"}`, "", ...found, ""].join("\n");
  }
  const changed = reports.filter(
    ({ bump, compatible: holds, problems }) => bump !== "none" || holds === false || problems.length > 0,
  );
  const lines = [`## Schemas: ${compatible ? "compatible" : "not compatible"}`, ""];
  if (changed.length === 0 && removed.length === 0) lines.push("No schema has changed.", "");
  else {
    lines.push("| Schema | Against | Verdict | Version bump |", "| --- | --- | --- | --- |");
    for (const report of changed) lines.push(printRow(report));
    for (const { subject, place } of removed) lines.push(`| ${code(subject)} | ${code(place)} | removed | |`);
    lines.push("");
  }
  for (const report of changed) lines.push(...printDetails(report));
  if (affected.length > 0) {
    lines.push("### Affected references", "");
    for (const { subject, version, compatible: holds, reasons } of affected) {
      const verdict = holds === null ? "undecided" : holds ? "stays compatible" : "**breaks**";
      lines.push(`- ${code(version === null ? subject : `${subject}@${version}`)} ${verdict}`);
      for (const reason of reasons) lines.push(`  - ${plain(reason)}`);
    }
    lines.push("");
  }
  return lines.join("\n");
}

function printRow({ name, against, compatible, level, bump, suggestedVersion, problems }: CheckReport): string {
  const verdict =
    problems.length > 0
      ? "invalid"
      : against === null
        ? "new"
        : compatible
          ? `compatible (${level})`
          : `**breaking** (${level})`;
  const step = bump === null ? "" : `${bump}${suggestedVersion ? ` → ${suggestedVersion}` : ""}`;
  return `| ${code(name)} | ${against === null ? "–" : code(against)} | ${verdict} | ${step} |`;
}

function printDetails({ name, findings, problems, portability, reasons, bump }: CheckReport): string[] {
  const breaking = findings.filter(({ severity }) => severity === "breaking");
  const others = bySeverity(findings).filter(({ severity }) => severity === "warning" || severity === "behaviour");
  const lines: string[] = [];
  for (const problem of problems) lines.push(`- ${plain(problem)}`);
  for (const finding of breaking.slice(0, MAX_FINDINGS)) lines.push(...printFinding(finding));
  if (breaking.length > MAX_FINDINGS) lines.push(`- and ${breaking.length - MAX_FINDINGS} more breaking differences`);
  for (const finding of others.slice(0, MAX_FINDINGS)) lines.push(`- ${plain(finding.message)} (${finding.severity})`);
  if (breaking.length === 0 && others.length === 0 && bump !== null && bump !== "none") {
    for (const reason of reasons.slice(0, MAX_FINDINGS)) lines.push(`- ${plain(reason)}`);
  }
  if (portability.length > 0) {
    const changes = portability.map(({ profile, before, after }) => `${profile}: ${before ?? "new"} → ${after}`);
    lines.push(`- Model providers: ${changes.map(plain).join(", ")}`);
  }
  return lines.length === 0 ? [] : [`### ${code(name)}`, "", ...lines, ""];
}

function printFinding(finding: Finding): string[] {
  const { message, fix, witness } = finding;
  const lines = [`- **${plain(message)}** at ${code(placeOfFinding(finding))}`];
  if (witness?.status === "confirmed") lines.push(`  For example ${code(JSON.stringify(witness.datum) ?? "")}.`);
  if (fix !== undefined) lines.push(`  Fix: ${plain(fix)}`);
  return lines;
}

/** A code span that its text cannot close. */
function code(text: string): string {
  const fence = "`".repeat(Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const padded = text.startsWith("`") || text.endsWith("`") ? ` ${text} ` : text;
  return `${fence}${padded.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")}${fence}`;
}

function plain(text: string): string {
  return text
    .replaceAll(/[\\`*_{}[\]<>|#!~@]/g, (character) => (character === "@" ? "@\u200b" : `\\${character}`))
    .replaceAll(/\s+/g, " ");
}

/** Writes a check in the requested format. */
import type { OutputFormat } from "./formats.ts";
import { type Painter, paintFinding } from "./paint.ts";
import { bySeverity, type CheckReport, type CheckSummary } from "./report.ts";

export async function printCheck(summary: CheckSummary, format: OutputFormat, paint: Painter): Promise<string> {
  switch (format) {
    case "json":
      return `${JSON.stringify(checkJson(summary), null, 2)}\n`;
    case "markdown":
      return (await import("./markdown.ts")).printMarkdown(summary);
    case "github":
      return (await import("./github.ts")).printGithub(summary);
    case "sarif":
      return (await import("./sarif.ts")).printSarif(summary);
    default:
      return printText(summary, paint);
  }
}

function checkJson({ compatible, reports, affected, removed = [] }: CheckSummary) {
  const schemas = reports.map(({ name, place, suggestedVersion, reasons, findings, ...report }) => ({
    name,
    file: place,
    ...report,
    suggested_version: suggestedVersion,
    suggestion_reasons: reasons,
    differences: findings.map(({ position, file, ...finding }) => ({ ...finding, file, ...position })),
  }));
  const gone = removed.map(({ subject, place }) => ({ subject, file: place }));
  return { format_version: 1, compatible, schemas, referencing: affected, removed: gone };
}

function printText({ reports, affected, removed = [] }: CheckSummary, paint: Painter): string {
  const lines = reports.flatMap((report) => reportLines(report, paint));
  for (const { subject, version, compatible, reasons } of affected) {
    const verdict =
      compatible === null ? paint.careful("undecided") : compatible ? paint.good("compatible") : paint.bad("breaks");
    lines.push(`${paint.strong(version === null ? subject : `${subject}@${version}`)} references it: ${verdict}`);
    for (const reason of reasons) lines.push(`  ${reason}`);
  }
  for (const { subject, place } of removed) {
    lines.push(`${paint.strong(subject)} ${paint.quiet(place)}: ${paint.careful("removed")}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function reportLines(report: CheckReport, paint: Painter): string[] {
  const { name, place, against, compatible, level, bump, suggestedVersion, findings, problems, portability } = report;
  const verdict =
    problems.length > 0
      ? paint.bad("invalid")
      : against === null
        ? paint.good("new")
        : bump === "none" && compatible !== false
          ? paint.quiet("unchanged")
          : compatible
            ? paint.good("compatible")
            : paint.bad("incompatible");
  const shown = name === place ? "" : ` ${paint.quiet(place)}`;
  const under =
    level === null || against === null || (bump === "none" && compatible !== false)
      ? ""
      : ` with ${against} under ${level}`;
  const step = bump === null || bump === "none" ? "" : `, ${bump}${suggestedVersion ? ` → ${suggestedVersion}` : ""}`;
  const lines = [`${paint.strong(name)}${shown}: ${verdict}${under}${step}`];
  for (const problem of problems) lines.push(`  ${problem}`);
  for (const finding of bySeverity(findings)) {
    if (finding.severity !== "info") lines.push(...paintFinding(finding, paint));
  }
  for (const { profile, before, after } of portability) {
    lines.push(`  ${paint.careful("provider")} ${profile}: ${before ?? "new"} → ${after}`);
  }
  return lines;
}

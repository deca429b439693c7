/** Annotations of a GitHub workflow: https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
import type { CheckSummary, Finding } from "./report.ts";

const COMMANDS: Readonly<Record<string, string>> = { breaking: "error", warning: "warning", behaviour: "warning" };

export function printGithub({ reports, removed = [] }: CheckSummary): string {
  const found = reports.flatMap(({ place, findings, problems }) => [
    ...problems.map((problem) => annotation("error", { file: place }, "Invalid schema", problem)),
    ...findings.map((finding) => {
      const command = COMMANDS[finding.severity] ?? "notice";
      return annotation(command, placeOf(finding), finding.kind, withWitness(finding));
    }),
  ]);
  const gone = removed.map(
    ({ subject, place }) => `::notice title=Removed subject::${escapeData(`${subject} (${place}) is removed.`)}\n`,
  );
  return [...found, ...gone].join("");
}

function placeOf({ file, position }: Finding): Record<string, string | number> {
  return position === undefined ? { file } : { file, line: position.line, col: position.column };
}

function withWitness({ message, fix, witness }: Finding): string {
  const example = witness?.status === "confirmed" ? ` For example ${JSON.stringify(witness.datum)}.` : "";
  return `${message}${example}${fix === undefined ? "" : ` Fix: ${fix}`}`;
}

function annotation(command: string, place: Record<string, string | number>, title: string, message: string): string {
  const properties = { ...place, title };
  const printed = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  return `::${command} ${printed.join(",")}::${escapeData(message)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

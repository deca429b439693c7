/** SARIF 2.1.0, as accepted by code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
import { VERSION } from "../../sdks/typescript/src/version.ts";
import type { CheckSummary, Finding } from "./report.ts";

const LEVELS: Readonly<Record<string, string>> = { breaking: "error", warning: "warning", behaviour: "warning" };

export function printSarif({ reports }: CheckSummary): string {
  const results = reports.flatMap(({ place, findings, problems }) => [
    ...problems.map((text) => toResult("INVALID_SCHEMA", "error", text, { file: place })),
    ...findings.map((finding) =>
      toResult(finding.kind, LEVELS[finding.severity] ?? "note", toMessage(finding), finding),
    ),
  ]);
  const rules = [...new Set(results.map(({ ruleId }) => ruleId))].toSorted().map((id) => ({ id }));
  const driver = { name: "llmsr", version: VERSION, rules };
  const run = { tool: { driver }, columnKind: "utf16CodeUnits", results };
  return `${JSON.stringify({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }, null, 2)}\n`;
}

function toMessage({ message, fix, witness }: Finding): string {
  const example = witness?.status === "confirmed" ? ` For example ${JSON.stringify(witness.datum)}.` : "";
  return `${message}${example}${fix === undefined ? "" : ` Fix: ${fix}`}`;
}

function toResult(ruleId: string, level: string, text: string, { file, position }: Pick<Finding, "file" | "position">) {
  const region = position === undefined ? {} : { region: { startLine: position.line, startColumn: position.column } };
  const uri = file.split("/").map(encodeURIComponent).join("/");
  return {
    ruleId,
    level,
    message: { text },
    locations: [{ physicalLocation: { artifactLocation: { uri }, ...region } }],
  };
}

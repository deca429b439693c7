/** llmsr results: can two sets of evaluation results be compared. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ComparedMetric } from "../../schema/evaluation/results.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { withoutControl } from "../output/table.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { cannotRead, UsageError } from "../usage-error.ts";

const RESULTS_USAGE = `llmsr results says of each metric whether the scores of two evaluation records can be compared, and why not.

  llmsr results monday.json tuesday.json
  llmsr results monday.json tuesday.json --evaluation support --before 1 --after production

  --evaluation SUBJECT  the registered evaluation whose versions the records are results of
  --before VERSION      the version that the first record is of
  --after VERSION       the version that the second record is of
  --json                the whole answer as JSON
${REGISTRY_USAGE}
The files are records of Every Eval Ever, 0.2 or 0.3. Exit code 1: a metric is not comparable, or it is unknown whether it is.
`;

const RESULTS_OPTIONS = {
  ...REGISTRY_OPTIONS,
  evaluation: { type: "string" },
  before: { type: "string" },
  after: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Compared = {
  verdict: ComparedMetric["verdict"];
  claimed_task_version: { before: string | null; after: string | null };
  metrics: ComparedMetric[];
};

export const RESULTS_COMMAND: CliCommand = {
  usage: RESULTS_USAGE,
  options: RESULTS_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, RESULTS_OPTIONS);
    const [first, second, ...rest] = positionals;
    if (first === undefined || second === undefined || rest.length > 0) {
      throw new UsageError("results requires two files, each with one record of results.");
    }
    const { evaluation: subject, before, after } = values;
    if ((subject === undefined) !== (before === undefined) || (subject === undefined) !== (after === undefined)) {
      throw new UsageError("--evaluation, --before and --after are given together.");
    }
    const records = { before: readRecord(first, shell), after: readRecord(second, shell) };
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const evaluation =
      subject === undefined ? {} : { evaluation: { subject: qualifySubject(subject, settings), before, after } };
    const compared = await registry.ask<Compared>("/evaluations/compare-results", { ...records, ...evaluation });
    shell.print(values.json ? `${JSON.stringify(compared)}\n` : describe(compared));
    return compared.verdict === "comparable" ? EXIT.ok : EXIT.no;
  },
};

function readRecord(file: string, shell: Shell): unknown {
  let text: string;
  try {
    text = readFileSync(resolve(shell.cwd, file), "utf8");
  } catch (error) {
    throw cannotRead(file, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: the record is not JSON: ${(error as Error).message}`);
  }
}

function describe({ verdict, claimed_task_version: claimed, metrics }: Compared): string {
  const lines = metrics.flatMap(({ evaluation, metric, verdict: own, reasons, before, after }) => [
    `  ${own.replace("_", " ").padEnd(16)}${evaluation}  ${metric}  ${before?.score ?? "-"} → ${after?.score ?? "-"}`,
    ...reasons.map(({ message }) => `    ${message}`),
  ]);
  if (claimed.before !== null || claimed.after !== null) {
    lines.push(
      `  The authors call it version ${claimed.before ?? "-"} and ${claimed.after ?? "-"}, which proves nothing.`,
    );
  }
  return [verdict.replace("_", " "), ...lines].map((line) => `${withoutControl(line)}\n`).join("");
}

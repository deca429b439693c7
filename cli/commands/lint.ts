/** llmsr lint: which model providers accept a schema, and what a projection loses. No server, no network. */
import { type LintReport, lintSchema, READINESS, type Readiness } from "../../schema/projection/lint.ts";
import { PROFILES } from "../../schema/projection/profiles.ts";
import type { CliCommand } from "../command.ts";
import { splitPlace } from "../input/unwrap.ts";
import { readModelSchemas, readProfiles } from "../model-schemas.ts";
import { FORMAT_OPTIONS, readFormats } from "../output/formats.ts";
import { type Painter, paintFor } from "../output/paint.ts";
import { printCheck } from "../output/print-check.ts";
import { summaryOfFindings } from "../output/report.ts";
import { parseOptions } from "../parse-options.ts";
import { REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const LINT_USAGE = `llmsr lint says which model providers accept a JSON Schema, and what that costs.

  llmsr lint SCHEMA  a file (.json, .yaml) of a schema, or of tool definitions as OpenAI, Anthropic, Gemini, Bedrock or MCP
                     write them; - reads stdin; git:REVISION:PATH, SUBJECT@VERSION of a registry, module:Model,
                     file.ts#export; FILE#/pointer names one schema of several

  --targets NAMES    comma-separated: openai, anthropic, gemini, mcp, or any profile, dated or not (all)
  --require LEVEL    ${READINESS.slice(0, 3).join(", ")}: exit code 1 where a target is worse (lossy)
  --ref NAME=FILE    what a $ref to another document resolves to; may be repeated
  --format FORMAT    text, json, markdown, github or sarif; --json is --format json
${REGISTRY_USAGE}
ready: accepted unchanged. lossless: accepted once projected, nothing lost. lossy: some values are checked only after
decoding or can no longer be expressed. impossible: the provider has no form for it.
`;

async function lint(args: readonly string[], shell: Shell): Promise<number> {
  const { print } = shell;
  const paint = paintFor(shell.isTerminal);
  const { values, positionals } = parse(args);
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new UsageError(`lint takes one file.\n\n${LINT_USAGE}`);
  const required = READINESS.slice(0, 3).find((level) => level === values.require);
  if (required === undefined)
    throw new UsageError(`--require must be ready, lossless or lossy, got "${values.require}".`);
  const profiles = readProfiles(values.targets ?? PROFILES.map(({ name }) => name).join(","));
  const read = await readModelSchemas(file, values.ref, readInputOptions(values, shell));
  for (const note of read.flatMap(({ notes }) => notes)) shell.printError(`${note}\n`);
  const schemas = read.map(({ model, ...schema }) => ({ ...schema, reports: lintSchema(model, profiles) }));
  const { output } = readFormats(values);
  const worst = Math.max(
    ...schemas.flatMap(({ reports }) => reports.map(({ readiness }) => READINESS.indexOf(readiness))),
  );
  const holds = worst <= READINESS.indexOf(required);
  if (output === "json") {
    const shown = schemas.map(({ name, pointer, kind, reports }) => ({ name, pointer, kind, reports }));
    print(`${JSON.stringify({ schemas: shown }, null, 2)}\n`);
  } else if (output !== "text") {
    const placed = schemas.flatMap(({ pointer: base, reports, locate }) =>
      reports
        .flatMap((report) => toFindings(report, required))
        .map((finding) => ({
          ...finding,
          pointer: base + finding.pointer,
          file: splitPlace(file).path,
          position: locate(finding.pointer),
        })),
    );
    const heading = `${file} is at least ${required} for every provider`;
    print(await printCheck(summaryOfFindings(heading, { name: file, place: file, holds }, placed), output, paint));
  } else {
    for (const { name, pointer, reports } of schemas) {
      print(`${paint.strong(name ?? (pointer === "" ? file : pointer))}\n`);
      for (const report of reports) print(renderReport(report, paint));
    }
  }
  return holds ? 0 : 1;
}

/** Portability below the required level is an error, any other loss a warning. */
function toFindings({ profile, readiness, findings }: LintReport, required: Readiness) {
  const isWorse = READINESS.indexOf(readiness) > READINESS.indexOf(required);
  return findings
    .filter(({ loss }) => isWorse || (loss !== undefined && loss !== "lossless"))
    .map(({ pointer, message, kind, fix }) => ({
      severity: isWorse ? "breaking" : "warning",
      kind: (kind ?? readiness).toUpperCase(),
      message: `${profile}: ${message}`,
      pointer,
      ...(fix === undefined ? {} : { fix }),
    }));
}

const PAINT_OF: Readonly<Record<Readiness, keyof Painter>> = {
  ready: "good",
  lossless: "good",
  lossy: "careful",
  impossible: "bad",
};

function renderReport({ profile, readiness, findings, findingsTotal }: LintReport, paint: Painter): string {
  const lines = [`  ${paint[PAINT_OF[readiness]](readiness.padEnd(10))} ${profile}`];
  for (const { pointer, message, loss, fix } of findings) {
    const cost = loss === undefined || loss === "lossless" ? "" : ` (${loss.replace("_", " ")})`;
    lines.push(`    ${paint.quiet(pointer === "" ? "/" : pointer)}${cost}`, `      ${message}`);
    if (fix !== undefined) lines.push(paint.quiet(`      fix: ${fix}`));
  }
  if (findingsTotal > findings.length) lines.push(`    and ${findingsTotal - findings.length} more`);
  return `${lines.join("\n")}\n`;
}

const LINT_OPTIONS = {
  targets: { type: "string" },
  require: { type: "string", default: "lossy" },
  ref: { type: "string", multiple: true, default: [] as string[] },
  ...FORMAT_OPTIONS,
  ...REGISTRY_OPTIONS,
} as const;

function parse(args: readonly string[]) {
  return parseOptions(args, LINT_OPTIONS);
}

export const LINT_COMMAND: CliCommand = { usage: LINT_USAGE, options: LINT_OPTIONS, run: lint };

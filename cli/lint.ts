/** llmsr lint: which model providers accept a schema, and what a projection loses. No server, no network. */
import { readFileSync } from "node:fs";
import { type LintReport, lintSchema, READINESS, type Readiness } from "../schema/projection/lint.ts";
import { PROFILES } from "../schema/projection/profiles.ts";
import type { Output } from "./llmsr.ts";
import { parseOptions } from "./parse-options.ts";
import { readJsonSchemas, readProfiles } from "./read-json-schemas.ts";
import { splitReference } from "./references.ts";
import { type Painter, paintFor } from "./render.ts";
import { UsageError } from "./usage-error.ts";

const LINT_USAGE = `llmsr lint says which model providers take a JSON Schema, and what that costs.

  llmsr lint FILE    FILE is a schema, or tool definitions as OpenAI, Anthropic, Gemini, Bedrock or MCP write them; - reads stdin

  --targets NAMES    comma-separated: openai, anthropic, gemini, mcp, or any profile, dated or not (all)
  --require LEVEL    ${READINESS.slice(0, 3).join(", ")}: exit code 1 where a target is worse (lossy)
  --ref NAME=FILE    what a $ref to another document resolves to; may be repeated
  --json             one JSON document instead of text

ready: accepted unchanged. lossless: accepted once projected, nothing lost. lossy: some values are checked only after
decoding or can no longer be expressed. impossible: the provider has no form for it.
`;

export function runLint(args: readonly string[], output: Output): number {
  try {
    return lint(args, output.print, paintFor(output.isTerminal));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

function lint(args: readonly string[], print: Output["print"], paint: Painter): number {
  const { values, positionals } = parse(args);
  const [file, ...rest] = positionals;
  if (values.help) {
    print(LINT_USAGE);
    return 0;
  }
  if (file === undefined || rest.length > 0) throw new UsageError(`lint takes one file.\n\n${LINT_USAGE}`);
  const required = READINESS.slice(0, 3).find((level) => level === values.require);
  if (required === undefined)
    throw new UsageError(`--require must be ready, lossless or lossy, got "${values.require}".`);
  const profiles = readProfiles(values.targets ?? PROFILES.map(({ name }) => name).join(","));
  const read = (path: string) => readFileSync(path === "-" ? 0 : path, "utf8");
  const schemas = readJsonSchemas(file, values.ref.map(splitReference), read).map(({ model, ...schema }) => ({
    ...schema,
    reports: lintSchema(model, profiles),
  }));
  if (values.json) {
    const shown = schemas.map(({ name, pointer, kind, reports }) => ({ name, pointer, kind, reports }));
    print(`${JSON.stringify({ schemas: shown }, null, 2)}\n`);
  } else {
    for (const { name, pointer, reports } of schemas) {
      print(`${paint.strong(name ?? (pointer === "" ? file : pointer))}\n`);
      for (const report of reports) print(renderReport(report, paint));
    }
  }
  const worst = Math.max(
    ...schemas.flatMap(({ reports }) => reports.map(({ readiness }) => READINESS.indexOf(readiness))),
  );
  return worst > READINESS.indexOf(required) ? 1 : 0;
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

function parse(args: readonly string[]) {
  return parseOptions(args, {
    targets: { type: "string" },
    require: { type: "string", default: "lossy" },
    ref: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
}

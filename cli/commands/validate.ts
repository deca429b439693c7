/** llmsr validate: checks values against a schema with the registry's validator, offline and without a server. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { type DataOptions, type DataVerdict, type DataWarning, printDataError } from "../../schema/data.ts";
import { readDataBytes, writeDataText } from "../../schema/data-text.ts";
import { formatNamed } from "../../schema/formats.ts";
import type { CliCommand } from "../command.ts";
import { readSchema } from "../entries.ts";
import { locateInJson } from "../input/locate.ts";
import type { Schema } from "../input/parse-schema.ts";
import { FORMAT_OPTIONS, readFormats } from "../output/formats.ts";
import { type Painter, paintFor } from "../output/paint.ts";
import { printCheck } from "../output/print-check.ts";
import { type CheckSummary, summaryOfFindings } from "../output/report.ts";
import { parseOptions } from "../parse-options.ts";
import { REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Output, Shell } from "../shell.ts";
import { cannotRead, UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const VALIDATE_USAGE = `llmsr validate checks values against a schema.

  llmsr validate FILE --schema SCHEMA    FILE is a JSON value, or a message with --binary; - reads stdin

  --schema SCHEMA    .json or .yaml (JSON Schema or a tool definition), .avsc (Avro) or .proto (Protobuf); FILE#/pointer
                     names one schema of several; SUBJECT@VERSION of a registry, module:Model, file.ts#export
  --schema-format F  avro, json-schema or protobuf, where the ending of SCHEMA does not say
  --ref NAME=FILE    what a reference resolves to; may be repeated
  --ndjson           a value on each line; also chosen by the ending .ndjson or .jsonl
  --binary           the bytes of one message of Avro or Protobuf
  --message NAME     the full name of a Protobuf message (the first of the schema)
  --annotate-formats format is a note and not checked
  --sentences        one sentence for each error, for the prompt of a model that is to repair its answer
  --json             JSON instead of text; a line for each value with --ndjson
  --format FORMAT    text, json, markdown, github or sarif, for one value
${REGISTRY_USAGE}
Exit codes: 0 valid, 1 invalid, 2 an unreadable file or invalid argument.
`;

type Outcome = { verdict: DataVerdict } | { problem: string };
type Check = (bytes: Uint8Array) => Outcome;

async function validate(args: readonly string[], shell: Shell): Promise<number> {
  const { print, printError, isTerminal } = shell;
  const { values, positionals } = parse(args);
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new UsageError(`validate requires one file.\n\n${VALIDATE_USAGE}`);
  if (values.schema === undefined) throw new UsageError("validate requires --schema FILE.");
  const schema = await readSchema(values.schema, values.ref, readInputOptions(values, shell));
  for (const note of schema.notes) printError(`${note}\n`);
  const check = checkOf(schema, values);
  const form = {
    json: readFormats(values).output === "json",
    sentences: values.sentences,
    paint: paintFor(isTerminal),
  };
  if (values.ndjson || /\.(?:ndjson|jsonl)$/i.test(file)) return validateLines(file, check, form, print);
  const bytes = readBytes(file);
  const outcome = check(bytes);
  const { output } = readFormats(values);
  if (output !== "text" && output !== "json" && "verdict" in outcome) {
    print(await printCheck(summaryOf(outcome.verdict, { file, bytes, schema: schema.place }), output, form.paint));
    return codeOf(outcome);
  }
  print(form.json ? `${toJson(outcome, form.sentences)}\n` : render(outcome, form, file));
  return codeOf(outcome);
}

function summaryOf(
  { valid, errors, warnings }: DataVerdict,
  { file, bytes, schema }: { file: string; bytes: Uint8Array; schema: string },
): CheckSummary {
  const locate = locateInJson(new TextDecoder().decode(bytes));
  const findings = [
    ...errors.map(({ pointer, message, keyword }) => ({ severity: "breaking", kind: keyword, message, pointer })),
    ...warnings.map(({ pointer, message }) => ({ severity: "warning", kind: "warning", message, pointer })),
  ];
  return summaryOfFindings(
    `${file} is valid under ${schema}`,
    { name: file, place: file, holds: valid },
    findings.map((finding) => ({ ...finding, file, position: locate(finding.pointer) })),
  );
}

function checkOf(schema: Schema, values: ReturnType<typeof parse>["values"]): Check {
  const { data } = formatNamed(schema.format);
  const { model } = schema;
  const options: DataOptions = {
    formats: !values["annotate-formats"],
    ...(values.message === undefined ? {} : { message: values.message }),
  };
  if (values.binary) {
    return (bytes) => {
      const decoded = data.decode(model, bytes, options);
      if (decoded.ok) return { verdict: { valid: true, errors: [], warnings: decoded.value.warnings } };
      return "valid" in decoded.refusal ? { verdict: decoded.refusal } : { problem: decoded.refusal.message };
    };
  }
  return (bytes) => {
    const read = readDataBytes(bytes);
    if (!read.ok) return { verdict: read.refusal };
    const result = data.validate(model, read.value, options);
    return result.ok ? { verdict: result.value } : { problem: result.refusal.message };
  };
}

type Form = { json: boolean; sentences: boolean; paint: Painter };

function validateLines(file: string, check: Check, form: Form, print: Output["print"]): number {
  let [total, valid] = [0, 0];
  let code = 0;
  for (const { number, bytes } of readLines(file)) {
    const outcome = check(bytes);
    total += 1;
    if (codeOf(outcome) === 0) valid += 1;
    code = Math.max(code, codeOf(outcome));
    if (form.json) print(`{"line":${number},${toJson(outcome, form.sentences).slice(1)}\n`);
    else if (codeOf(outcome) !== 0) print(render(outcome, form, `${file}:${number}`));
  }
  if (form.json) print(`${JSON.stringify({ summary: { total, valid, invalid: total - valid } })}\n`);
  else print(`${valid} of ${total} valid\n`);
  return code;
}

function codeOf(outcome: Outcome): 0 | 1 {
  return "verdict" in outcome && outcome.verdict.valid ? 0 : 1;
}

function toJson(outcome: Outcome, withSentences: boolean): string {
  if ("problem" in outcome) return JSON.stringify(outcome);
  const { valid, errors, warnings } = outcome.verdict;
  const sentences = withSentences ? { sentences: errors.map(printDataError) } : {};
  return writeDataText({ valid, errors, warnings, ...sentences });
}

function render(outcome: Outcome, { sentences, paint }: Form, place: string): string {
  if ("problem" in outcome) return `${paint.bad("undecided")} ${place}\n  ${outcome.problem}\n`;
  const { valid, errors, warnings } = outcome.verdict;
  if (sentences) return errors.map((error) => `${printDataError(error)}\n`).join("");
  const lines = [`${valid ? paint.good("valid") : paint.bad("invalid")} ${place}`];
  for (const { pointer, message, schema_pointer } of errors) {
    lines.push(`  ${pointer === "" ? "/" : pointer}: ${message} ${paint.quiet(`(schema: ${schema_pointer || "/"})`)}`);
  }
  for (const warning of warnings) lines.push(paint.careful(`  warning${placeOf(warning)}: ${warning.message}`));
  return `${lines.join("\n")}\n`;
}

function placeOf({ pointer }: DataWarning): string {
  return pointer === "" ? "" : ` at ${pointer}`;
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

const CHUNK_BYTES = 64 * 1024;
const PIPE_PAUSE_MS = 5;
const LINE_FEED = 0x0a;

/** Line by line, so memory is bounded by the longest line, not the file's size. Blank lines are skipped. */
function* readLines(file: string): Generator<{ number: number; bytes: Uint8Array }> {
  const descriptor = open(file);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let parts: Buffer[] = [];
  let number = 0;
  for (let size = read(file, descriptor, chunk); size > 0; size = read(file, descriptor, chunk)) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1 && end < size; end = chunk.indexOf(LINE_FEED, start)) {
      const bytes = Buffer.concat([...parts, chunk.subarray(start, end)]);
      parts = [];
      start = end + 1;
      number += 1;
      if (!isBlank(bytes)) yield { number, bytes };
    }
    parts.push(Buffer.from(chunk.subarray(start, size)));
  }
  const last = Buffer.concat(parts);
  if (!isBlank(last)) yield { number: number + 1, bytes: last };
  if (descriptor !== 0) closeSync(descriptor);
}

function open(file: string): number {
  try {
    return file === "-" ? 0 : openSync(file, "r");
  } catch (error) {
    throw cannotRead(file, error);
  }
}

function read(file: string, descriptor: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw cannotRead(file, error);
      // A non-blocking pipe has no data yet.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_PAUSE_MS);
    }
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

const VALIDATE_OPTIONS = {
  ...FORMAT_OPTIONS,
  ...REGISTRY_OPTIONS,
  schema: { type: "string" },
  ref: { type: "string", multiple: true, default: [] as string[] },
  ndjson: { type: "boolean", default: false },
  binary: { type: "boolean", default: false },
  message: { type: "string" },
  "annotate-formats": { type: "boolean", default: false },
  sentences: { type: "boolean", default: false },
} as const;

function parse(args: readonly string[]) {
  return parseOptions(args, VALIDATE_OPTIONS);
}

export const VALIDATE_COMMAND: CliCommand = { usage: VALIDATE_USAGE, options: VALIDATE_OPTIONS, run: validate };

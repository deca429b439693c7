/** llmsr sketch: what the columns of rows hold, without their values; and whether that drifted from what is registered. */
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { SketchBuilder } from "../../schema/dataset/build-sketch.ts";
import { MAX_SKETCH_COLUMNS } from "../../schema/dataset/shape.ts";
import type { ColumnDrift, Sketch } from "../../schema/dataset/sketch.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { splitVersion } from "../input/from-registry.ts";
import { isFolder } from "../input/read-inputs.ts";
import { isObject } from "../is-object.ts";
import { withoutControl } from "../output/table.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { cannotRead, UsageError } from "../usage-error.ts";

const SKETCH_USAGE = `llmsr sketch says what the columns of rows hold, without their values, or compares that with a registered data set.

  llmsr sketch rows.ndjson                        prints the sketch, for a data set's "sketch"
  llmsr sketch - --against reviews@production     compares it with that version; exit code 1 if it drifted strongly

  --against SUBJECT[@VERSION]   a registered data set with a sketch
  --json                        the whole comparison as JSON
${REGISTRY_USAGE}
Rows are JSON objects, one a line; they stay here, and only the sketch is sent. "-" reads stdin. Memory does not grow with the rows.
`;

const SKETCH_OPTIONS = {
  ...REGISTRY_OPTIONS,
  against: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Drift = { drift: "none" | "moderate" | "strong"; columns: ColumnDrift[]; proposed_row: unknown };

export const SKETCH_COMMAND: CliCommand = {
  usage: SKETCH_USAGE,
  options: SKETCH_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, SKETCH_OPTIONS);
    const [file, ...rest] = positionals;
    if (file === undefined || rest.length > 0)
      throw new UsageError("sketch requires one file of rows, or - for stdin.");
    const sketch = await sketchRows(file, shell);
    if (values.against === undefined) {
      shell.print(`${JSON.stringify(sketch)}\n`);
      return EXIT.ok;
    }
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const { subject, version } = splitVersion(values.against) ?? { subject: values.against, version: undefined };
    const path = `/datasets/${encodeURIComponent(qualifySubject(subject, settings))}/drift`;
    const drift = await registry.ask<Drift>(path, { sketch }, { version });
    shell.print(values.json ? `${JSON.stringify(drift)}\n` : describe(drift));
    return drift.drift === "strong" ? EXIT.no : EXIT.ok;
  },
};

async function sketchRows(file: string, shell: Shell): Promise<Sketch> {
  if (isFolder(shell, file)) throw new UsageError(`${file} is a folder; one file of rows is needed here.`);
  const input = file === "-" ? Readable.from(shell.stdinChunks()) : await openFile(resolve(shell.cwd, file), file);
  const builder = new SketchBuilder();
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() !== "" && !builder.add(readRow(text, file, line))) {
      throw new UsageError(`${file}:${line}: a sketch has at most ${MAX_SKETCH_COLUMNS} columns.`);
    }
  }
  return builder.finish();
}

async function openFile(path: string, name: string) {
  try {
    return (await open(path)).createReadStream();
  } catch (error) {
    throw cannotRead(name, error);
  }
}

function readRow(text: string, file: string, line: number): Record<string, unknown> {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}:${line}: the row is not JSON: ${(error as Error).message}`);
  }
  if (isObject(row)) return row;
  throw new UsageError(`${file}:${line}: a row is a JSON object, such as {"text": "…"}.`);
}

function describe({ drift, columns }: Drift): string {
  const lines = columns.map(({ column, structure, psi, ks, jensen_shannon, drift: level }) => {
    const measures = Object.entries({ psi, ks, js: jensen_shannon }).flatMap(([name, value]) =>
      value === null ? [] : [`${name} ${value.toFixed(3)}`],
    );
    return `  ${level.padEnd(9)}${[withoutControl(column), ...structure, ...measures].join("  ")}\n`;
  });
  return `${drift}\n${lines.join("")}`;
}

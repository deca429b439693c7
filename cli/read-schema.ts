import type { FormatName, ResolvedReference, SchemaSource } from "../schema/format.ts";
import { FORMAT_NAMES } from "../schema/format.ts";
import { formatNamed } from "../schema/formats.ts";
import { splitPlace, unwrapSchema } from "./unwrap.ts";
import { UsageError } from "./usage-error.ts";

export type Schema = {
  file: string;
  format: FormatName;
  model: unknown;
  text: string;
  /** Notes for the user: that the schema was unwrapped, or that it constrains less than it seems to. */
  notes: readonly string[];
};

const FORMAT_BY_ENDING: Readonly<Record<string, FormatName>> = {
  avsc: "avro",
  json: "json-schema",
  proto: "protobuf",
};

/** Reads and parses one schema file; every reference is available to every file by name, as in a registry. */
export function readSchema(
  file: string,
  format: string | undefined,
  references: readonly { name: string; file: string }[],
  readFile: (path: string) => string,
): Schema {
  const { path, pointer } = splitPlace(file);
  const name = formatOf(path, format);
  const read = readText(path, readFile);
  const { text, note } = name === "json-schema" ? unwrapSchema(path, read, pointer) : { text: read };
  const source = buildSource(text, references, readFile);
  const parsed = formatNamed(name).parse(source, {
    strictness: "new",
    defaultDialect: "2020-12",
  });
  if (!parsed.ok) {
    const lines = parsed.refusal.problems.map(({ message, line, column, pointer }) => {
      const place = line === undefined ? (pointer ?? "") : `${line}:${column}`;
      return `${file}${place === "" ? "" : `:${place}`}: ${message}`;
    });
    throw new UsageError(lines.join("\n"));
  }
  const warnings = parsed.value.warnings.map(
    ({ message, pointer: place }) => `${file}${place ? ` at ${place}` : ""}: ${message}`,
  );
  return { file, format: name, model: parsed.value.model, text, notes: [...(note ? [note] : []), ...warnings] };
}

function buildSource(
  text: string,
  references: readonly { name: string; file: string }[],
  readFile: (path: string) => string,
): SchemaSource {
  const offered: ResolvedReference[] = [];
  for (const { name, file: target } of references) {
    // All files share one list, so that references resolve in any order.
    offered.push({
      name,
      subject: name,
      version: 1,
      source: { text: readText(target, readFile), references: offered },
    });
  }
  return { text, references: offered };
}

function readText(file: string, readFile: (path: string) => string): string {
  try {
    return readFile(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function formatOf(file: string, given: string | undefined): FormatName {
  const name = given ?? FORMAT_BY_ENDING[file.slice(file.lastIndexOf(".") + 1).toLowerCase()];
  const found = FORMAT_NAMES.find((known) => known === name);
  if (!found) throw new UsageError(`The format of ${file} is unknown; add --format (${FORMAT_NAMES.join(", ")}).`);
  return found;
}

/** `--format`: the output format of an answer. */
import { FORMAT_NAMES, type FormatName } from "../../schema/format.ts";
import { UsageError } from "../usage-error.ts";

const OUTPUT_FORMATS = ["text", "json", "markdown", "github", "sarif"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const FORMAT_OPTIONS = {
  format: { type: "string", multiple: true, default: [] as string[] },
  "schema-format": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

export const FORMAT_USAGE = `  --schema-format F  avro, json-schema or protobuf, where the file's ending does not say
  --format FORMAT    ${OUTPUT_FORMATS.join(", ")} (text); --json is --format json
`;

type FormatValues = { format: readonly string[]; "schema-format"?: string | undefined; json: boolean };

/** `--format avro` is an older spelling of `--schema-format avro`; the names do not overlap. */
export function readFormats(values: FormatValues): { output: OutputFormat; schema: FormatName | undefined } {
  let output: OutputFormat = values.json ? "json" : "text";
  let schema = values["schema-format"];
  for (const name of values.format) {
    const known = OUTPUT_FORMATS.find((format) => format === name);
    if (known !== undefined) output = known;
    else if (FORMAT_NAMES.some((format) => format === name)) schema = name;
    else throw new UsageError(`--format must be one of ${OUTPUT_FORMATS.join(", ")}, got "${name}".`);
  }
  if (schema === undefined) return { output, schema: undefined };
  const found = FORMAT_NAMES.find((format) => format === schema);
  if (found === undefined) {
    throw new UsageError(`--schema-format must be one of ${FORMAT_NAMES.join(", ")}, got "${schema}".`);
  }
  return { output, schema: found };
}

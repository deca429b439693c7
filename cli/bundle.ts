/** llmsr bundle: one text of a schema without references, offline. */
import { readFileSync } from "node:fs";
import { formatNamed } from "../schema/formats.ts";
import type { Output } from "./llmsr.ts";
import { parseOptions } from "./parse-options.ts";
import { readSchema } from "./read-schema.ts";
import { splitReference } from "./references.ts";
import { UsageError } from "./usage-error.ts";

const BUNDLE_USAGE = `llmsr bundle prints a schema with its references inlined: a JSON Schema with $defs, one Avro schema, or a
Protobuf file set as one descriptor set (FileDescriptorSet) in base64.

  llmsr bundle SCHEMA --ref NAME=FILE

  --ref NAME=FILE    what a reference resolves to; may be repeated
  --format FORMAT    avro, json-schema or protobuf, where the ending of SCHEMA does not say

Exit codes: 0 printed, 2 an unreadable file, a schema that cannot be bundled, or an invalid argument.
`;

export function runBundle(args: readonly string[], { print, printError }: Output): number {
  try {
    const { values, positionals } = parseOptions(args, {
      format: { type: "string" },
      ref: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    });
    if (values.help) {
      print(BUNDLE_USAGE);
      return 0;
    }
    const [file, ...rest] = positionals;
    if (file === undefined || rest.length > 0) throw new UsageError(`bundle requires one file.\n\n${BUNDLE_USAGE}`);
    const readFile = (path: string) => readFileSync(path, "utf8");
    const schema = readSchema(file, values.format, values.ref.map(splitReference), readFile);
    for (const note of schema.notes) printError(`${note}\n`);
    const bundled = formatNamed(schema.format).bundle(schema.model);
    if (!bundled.ok) throw new UsageError(`${file} cannot be bundled: ${bundled.refusal.message}`);
    print(`${bundled.value}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

/** llmsr bundle: one text of a schema without references, offline. */
import { formatNamed } from "../../schema/formats.ts";
import type { CliCommand } from "../command.ts";
import { readSchema } from "../entries.ts";
import { EXIT } from "../exit-codes.ts";
import { FORMAT_OPTIONS } from "../output/formats.ts";
import { parseOptions } from "../parse-options.ts";
import { REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import { UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const BUNDLE_USAGE = `llmsr bundle prints a schema with its references inlined: a JSON Schema with $defs, one Avro schema, or a
Protobuf file set as one descriptor set (FileDescriptorSet) in base64.

  llmsr bundle SCHEMA --ref NAME=FILE

  --ref NAME=FILE    what a reference resolves to; may be repeated
  --schema-format F  avro, json-schema or protobuf, where the ending of SCHEMA does not say
${REGISTRY_USAGE}
Exit codes: 0 printed, 2 an unreadable file, a schema that cannot be bundled, or an invalid argument.
`;

const BUNDLE_OPTIONS = {
  ...REGISTRY_OPTIONS,
  ...FORMAT_OPTIONS,
  ref: { type: "string", multiple: true, default: [] as string[] },
} as const;

export const BUNDLE_COMMAND: CliCommand = {
  usage: BUNDLE_USAGE,
  options: BUNDLE_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, BUNDLE_OPTIONS);
    const [file, ...rest] = positionals;
    if (file === undefined || rest.length > 0) throw new UsageError(`bundle requires one file.\n\n${BUNDLE_USAGE}`);
    const schema = await readSchema(file, values.ref, readInputOptions(values, shell));
    for (const note of schema.notes) shell.printError(`${note}\n`);
    const bundled = formatNamed(schema.format).bundle(schema.model);
    if (!bundled.ok) throw new UsageError(`${file} cannot be bundled: ${bundled.refusal.message}`);
    shell.print(`${bundled.value}\n`);
    return EXIT.ok;
  },
};

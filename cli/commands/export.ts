/** llmsr export: every registered version as JSON lines, for `llmsr import`. */
import type { SchemaRecord } from "../../sdks/typescript/src/models.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { parseOptions } from "../parse-options.ts";
import { startProgress } from "../progress.ts";
import { openConfiguredRegistry, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import { UsageError } from "../usage-error.ts";

const EXPORT_USAGE = `llmsr export prints every registered version as JSON lines, in the order of registration.

  llmsr export > registry.ndjson
  llmsr export --prefix shop. | jq -r .subject

  --prefix PREFIX    only subjects with this prefix
  --deleted          soft-deleted versions too
${REGISTRY_USAGE}
\`llmsr import FILE\` registers the lines elsewhere. A backup of everything, with ids and the log, is \`npm run backup\`.
`;

const EXPORT_OPTIONS = {
  ...REGISTRY_OPTIONS,
  prefix: { type: "string" },
  deleted: { type: "boolean", default: false },
} as const;

export const EXPORT_COMMAND: CliCommand = {
  usage: EXPORT_USAGE,
  options: EXPORT_OPTIONS,
  isStream: true,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, EXPORT_OPTIONS);
    if (positionals.length > 0) throw new UsageError("export takes no arguments; --prefix selects subjects.");
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const query = {
      content: "text",
      limit: "200",
      subject_prefix: values.prefix,
      context: settings.context.value,
      deleted: values.deleted ? "true" : undefined,
    };
    const progress = startProgress(shell, "versions");
    let count = 0;
    for await (const record of registry.items<SchemaRecord>("/schemas", query)) {
      shell.print(`${JSON.stringify(record)}\n`);
      count += 1;
      progress.report(count);
    }
    progress.end();
    return EXIT.ok;
  },
};

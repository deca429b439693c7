/** llmsr push: registers files and folders, as many together as a transaction holds. */
import { checkEntries } from "../check-registered.ts";
import type { CliCommand } from "../command.ts";
import { readSchemaEntries } from "../entries.ts";
import { EXIT } from "../exit-codes.ts";
import { FORMAT_OPTIONS, FORMAT_USAGE, type OutputFormat, readFormats } from "../output/formats.ts";
import { type Painter, paintFor } from "../output/paint.ts";
import { printCheck } from "../output/print-check.ts";
import { parseOptions } from "../parse-options.ts";
import { startProgress } from "../progress.ts";
import { inParts, MAX_PUSHED_TOGETHER, toSetChanges } from "../push-changes.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import { readInputOptions } from "./compare.ts";

const PUSH_USAGE = `llmsr push registers schemas: files, folders, tool lists, or all of llmsr.toml.

  llmsr push                          every subject of llmsr.toml
  llmsr push schemas/ --prefix shop.  a subject for each file, named after it
  llmsr push tools.json               a subject for each tool of OpenAI, Anthropic, Gemini, Bedrock or MCP
  llmsr push --dry-run                verdict, witness, suggested version and affected references; changes nothing

  --subject NAME     of the file, where llmsr.toml does not say it
  --prefix PREFIX    of subjects that are named after their files or tools
  --message TEXT     why; kept in the log with the change
  --dry-run          check only
${FORMAT_USAGE}${REGISTRY_USAGE}
Up to ${MAX_PUSHED_TOGETHER} are registered in one transaction; more in several, one after the other. If one of those fails, what was
registered before it stays and is printed, and the same push goes on from there. Imports of .proto files, $refs to files and names of Avro types
become references to the subjects of those files. What is registered already stays as it is.

Exit codes: 0 registered (or would be), 1 incompatible, 2 the question is wrong, 3 the registry cannot be reached, 4 not
allowed, 5 refused.
`;

const PUSH_OPTIONS = {
  ...REGISTRY_OPTIONS,
  ...FORMAT_OPTIONS,
  subject: { type: "string" },
  prefix: { type: "string" },
  message: { type: "string", short: "m" },
  "dry-run": { type: "boolean", default: false },
} as const;

type Outcome = { result: string; id: string; subject: string; version: string | null; version_number: number | null };

export const PUSH_COMMAND: CliCommand = {
  usage: PUSH_USAGE,
  options: PUSH_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, PUSH_OPTIONS);
    const { output } = readFormats(values);
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const qualify = (subject: string) => qualifySubject(subject, settings);
    const entries = await readSchemaEntries(positionals, settings.project, values, readInputOptions(values, shell));
    for (const { schema } of entries) for (const note of schema.notes) shell.printError(`${note}\n`);
    const paint = paintFor(shell.isTerminal);
    if (values["dry-run"]) {
      const summary = await checkEntries(registry, entries, qualify, {});
      shell.print(await printCheck(summary, output, paint));
      return summary.compatible ? EXIT.ok : EXIT.no;
    }
    const made: Outcome[] = [];
    const progress = startProgress(shell, "registered", entries.length);
    try {
      for (const part of inParts(entries)) {
        const json = {
          ...(values.message === undefined ? {} : { message: values.message }),
          changes: toSetChanges(part, qualify),
        };
        const { changes } = await registry.write<{ changes: Outcome[] }>({
          method: "POST",
          path: "/change-sets",
          json,
        });
        made.push(...changes);
        progress.report(made.length);
      }
    } catch (error) {
      progress.end();
      if (made.length > 0) {
        shell.print(describeOutcomes(made, output, paint));
        shell.printError(`${made.length} of ${entries.length} schemas are registered; the next transaction failed.\n`);
      }
      throw error;
    }
    progress.end();
    shell.print(describeOutcomes(made, output, paint));
    return EXIT.ok;
  },
};

function describeOutcomes(made: readonly Outcome[], output: OutputFormat, paint: Painter): string {
  if (output === "json") return `${JSON.stringify({ format_version: 1, changes: made }, null, 2)}\n`;
  const lines = made.map(({ result, subject, version, id }) => {
    const colour = result === "unchanged" ? paint.quiet : paint.good;
    return `${colour(result.padEnd(10))} ${paint.strong(`${subject}@${version ?? "draft"}`)} ${paint.quiet(id)}\n`;
  });
  return lines.join("");
}

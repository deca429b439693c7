/** llmsr pull: registered schemas as files, or one on standard output. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { FormatName } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import type { SchemaRecord } from "../../sdks/typescript/src/models.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readRecord, readReferences, splitVersion } from "../input/from-registry.ts";
import { prettyContent } from "../output/pretty-content.ts";
import { parseOptions } from "../parse-options.ts";
import { fileOfRecord, type PullTarget, requireOwnFiles } from "../pull-targets.ts";
import type { Registry } from "../registry.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

const PULL_USAGE = `llmsr pull fetches registered schemas.

  llmsr pull orders > order.avsc      the newest version, and nothing else, on standard output
  llmsr pull orders@^1 payments -o schemas/
  llmsr pull                          every file of llmsr.toml that differs from the newest version

  -o, --output FOLDER   a file for each subject, named after it; in a folder for each other context
${REGISTRY_USAGE}
A file that means the same as the registered version keeps its layout. Nothing is written outside of FOLDER, or of the
folder of llmsr.toml, and nothing at all if two schemas would be the same file.
`;

const PULL_OPTIONS = { ...REGISTRY_OPTIONS, output: { type: "string", short: "o" } } as const;

export const PULL_COMMAND: CliCommand = {
  usage: PULL_USAGE,
  options: PULL_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, PULL_OPTIONS);
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const read = (reference: string) => {
      const { subject, version } = splitVersion(reference) ?? { subject: reference, version: "latest" };
      return readRecord(registry, qualifySubject(subject, settings), version);
    };
    if (positionals.length > 0 && values.output === undefined) {
      const [reference, ...rest] = positionals;
      if (rest.length > 0) throw new UsageError("Several schemas need a folder: -o FOLDER.");
      const record = await read(reference!);
      shell.print(`${prettyContent(record.format, record.content as string)}\n`);
      return EXIT.ok;
    }
    if (positionals.length > 0) {
      const pulled: { reference: string; record: SchemaRecord; file: string }[] = [];
      for (const reference of positionals) {
        const record = await read(reference);
        pulled.push({ reference, record, file: join(values.output!, fileOfRecord(record, settings.context.value)) });
      }
      requireOwnFiles(resolve(shell.cwd, values.output!), pulled, shell.cwd);
      for (const { record, file } of pulled) await writeWhereDifferent(registry, record, file, shell);
      return EXIT.ok;
    }
    const { project } = settings;
    if (project === undefined) throw new UsageError("pull takes subjects, or an llmsr.toml (`llmsr init` writes one).");
    const targets: PullTarget[] = [];
    for (const { subject, file } of project.subjects) {
      if (subject.includes("*") || file.includes("#") || /:[A-Za-z_]/.test(file)) {
        shell.printError(`${subject}: ${file} is not a file of one schema; it stays as it is.\n`);
        continue;
      }
      targets.push({ reference: subject, file: relative(shell.cwd, resolve(project.folder, file)) });
    }
    requireOwnFiles(project.folder, targets, shell.cwd);
    for (const { reference, file } of targets) await writeWhereDifferent(registry, await read(reference), file, shell);
    return EXIT.ok;
  },
};

async function writeWhereDifferent(
  registry: Registry,
  record: SchemaRecord,
  file: string,
  shell: Shell,
): Promise<void> {
  const path = resolve(shell.cwd, file);
  const shown = `${record.subject}@${record.version ?? "draft"}`;
  if (existsSync(path) && (await meansTheSame(registry, record, readFileSync(path, "utf8")))) {
    if (!shell.isQuiet) shell.printError(`${file} is ${shown} already\n`);
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${prettyContent(record.format, record.content as string)}\n`);
  if (!shell.isQuiet) shell.printError(`${file} is now ${shown}\n`);
}

async function meansTheSame(registry: Registry, record: SchemaRecord, text: string): Promise<boolean> {
  const format = formatNamed(record.format as FormatName);
  const references = await readReferences(registry, record, 0);
  const options = { strictness: "stored", defaultDialect: "2020-12" } as const;
  const own = format.parse({ text, references }, options);
  const registered = format.parse({ text: record.content as string, references }, options);
  if (!own.ok || !registered.ok) return false;
  return format.canonicalText(own.value.model) === format.canonicalText(registered.value.model);
}

/** llmsr check: whether a change is compatible with a file, a git revision, or a registry's versions. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { checkAgainst, reportNew } from "../check-local.ts";
import { checkEntries, checkVersion } from "../check-registered.ts";
import type { CliCommand } from "../command.ts";
import { COMPARISON_USAGE, RULES_USAGE, readComparisonOptions } from "../comparison.ts";
import { readSchemaEntries, resolveAmong, type SchemaEntry } from "../entries.ts";
import { isWithinFiles, readEntriesAt } from "../entries-at.ts";
import { EXIT } from "../exit-codes.ts";
import { splitVersion } from "../input/from-registry.ts";
import { parseRevision } from "../input/git.ts";
import { parseSchema, requireOneFormat } from "../input/parse-schema.ts";
import { readReferenceFiles } from "../input/references.ts";
import { FORMAT_USAGE, readFormats } from "../output/formats.ts";
import { paintFor } from "../output/paint.ts";
import { printCheck } from "../output/print-check.ts";
import type { AffectedSubject, CheckReport, CheckSummary } from "../output/report.ts";
import { parseOptions } from "../parse-options.ts";
import { findProjectFile } from "../project-file.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";
import { checkTwo, INPUTS_USAGE, PAIR_OPTIONS, readInputOptions } from "./compare.ts";

const CHECK_USAGE = `llmsr check says whether a change is compatible. Exit code 1 if it is not.

  llmsr check A B                        is B compatible with A?
  llmsr check [FILE…] --against git:main the files, or all of llmsr.toml, with a git revision and its llmsr.toml; subjects that
                                         were removed are listed
  llmsr check FILE --against orders@^2   one file with a registered version
  llmsr check [FILE…]                    the files, or all of llmsr.toml, with the newest registered versions, under each
                                         subject's own level, policy and rules; what references them is checked too

${INPUTS_USAGE}
  --subject NAME     of the file, where llmsr.toml does not say it
  --prefix PREFIX    of subjects that are named after their files or tools
${COMPARISON_USAGE}${RULES_USAGE}  --ref NAME=FILE    what a reference resolves to; may be repeated
${FORMAT_USAGE}${REGISTRY_USAGE}
Exit codes: 0 compatible, 1 incompatible, 2 the question is wrong, 3 the registry cannot be reached, 4 not allowed.
`;

const CHECK_OPTIONS = { ...PAIR_OPTIONS, subject: { type: "string" }, prefix: { type: "string" } } as const;

type CheckValues = ReturnType<typeof parseArguments>["values"];

export const CHECK_COMMAND: CliCommand = {
  usage: CHECK_USAGE,
  options: CHECK_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseArguments(args);
    const { against } = values;
    const isTwo = against === undefined && positionals.length === 2 && values.subject === undefined;
    if (isTwo && !areDeclared(positionals, shell)) return checkTwo(positionals, values, shell);
    if (against !== undefined && !isRevision(against) && !isVersion(against, shell)) {
      return checkTwo(positionals, values, shell);
    }
    if (values.rules !== undefined && !isRevision(against ?? "")) {
      throw new UsageError("--rules does not apply to a registry, which has rule books of its own.");
    }
    const summary =
      against === undefined
        ? await checkWithRegistry(positionals, values, shell)
        : isRevision(against)
          ? await checkWithRevision(positionals, values, shell)
          : await checkWithVersion(positionals, values, shell);
    const { output } = readFormats(values);
    shell.print(await printCheck(summary, output, paintFor(shell.isTerminal)));
    return summary.compatible ? EXIT.ok : EXIT.no;
  },
};

function parseArguments(args: readonly string[]) {
  return parseOptions(args, CHECK_OPTIONS);
}

/** Two files that llmsr.toml names are two subjects, not two versions of one. */
function areDeclared(files: readonly string[], shell: Shell): boolean {
  const project = findProjectFile(shell.cwd);
  if (project === undefined) return false;
  const declared = new Set(project.subjects.map(({ file }) => resolve(project.folder, file)));
  return files.every((file) => declared.has(resolve(shell.cwd, file)));
}

/** `git:main`, without a path: each file with its earlier text. */
function isRevision(against: string): boolean {
  return against.startsWith("git:") && parseRevision(against).path === undefined;
}

function isVersion(against: string, shell: Shell): boolean {
  if (against.startsWith("git:") || splitVersion(against) === undefined) return false;
  try {
    readFileSync(resolve(shell.cwd, against));
    return false;
  } catch {
    return true;
  }
}

async function checkWithRegistry(files: readonly string[], values: CheckValues, shell: Shell): Promise<CheckSummary> {
  const { registry, settings } = openConfiguredRegistry(shell, values);
  const entries = await readSchemaEntries(files, settings.project, values, readInputOptions(values, shell));
  return checkEntries(registry, entries, (subject) => qualifySubject(subject, settings), overridesOf(values));
}

async function checkWithVersion(files: readonly string[], values: CheckValues, shell: Shell): Promise<CheckSummary> {
  const [file, ...rest] = files;
  if (file === undefined || rest.length > 0)
    throw new UsageError("check takes one file with --against SUBJECT@VERSION.");
  const { registry, settings } = openConfiguredRegistry(shell, values);
  const { subject, version } = splitVersion(values.against!)!;
  const named = { ...values, subject };
  const [entry] = await readSchemaEntries([file], settings.project, named, readInputOptions(values, shell));
  const { schema, references } = entry!;
  for (const note of schema.notes) shell.printError(`${note}\n`);
  const question = { subject: qualifySubject(subject, settings), version, shown: subject, references };
  const report = await checkVersion(registry, question, schema, {
    qualify: (name) => qualifySubject(name, settings),
    overrides: overridesOf(values),
  });
  return { compatible: report.compatible !== false, reports: [report], affected: [] };
}

async function checkWithRevision(files: readonly string[], values: CheckValues, shell: Shell): Promise<CheckSummary> {
  const { revision } = parseRevision(values.against!);
  const inputs = readInputOptions(values, shell);
  const project = findProjectFile(shell.cwd);
  const entries = await readSchemaEntries(files, project, values, inputs);
  // Entries that are not checked may still be referenced.
  const declared = project === undefined || files.length === 0 ? [] : await readSchemaEntries([], project, {}, inputs);
  const known = [...entries, ...declared.filter(({ subject }) => !entries.some((entry) => entry.subject === subject))];
  const { before, incomparable, removed } = await readEntriesAt(revision, known, project, inputs);
  const reasons = entries.flatMap(({ subject }) => incomparable.get(subject) ?? []);
  if (reasons.length > 0) throw new UsageError(reasons.join("\n"));
  const entriesBefore = [...before.values()];
  const readFile = (path: string) => readFileSync(resolve(shell.cwd, path), "utf8");
  const offered = readReferenceFiles(values.ref, shell.cwd);
  const parse = (entry: SchemaEntry, among: readonly SchemaEntry[]) =>
    parseSchema(entry.schema, [...offered, ...resolveAmong(entry, among)]);
  const reports = entries.map((entry): CheckReport => {
    const { subject, schema } = entry;
    const options = readComparisonOptions(values, readFile, schema.role);
    const later = parse(entry, known);
    const earlier = before.get(subject);
    if (earlier === undefined) return reportNew(subject, later, options);
    requireOneFormat(earlier.schema, schema);
    const report = checkAgainst(subject, parse(earlier, entriesBefore), later, options);
    return { ...report, against: `git:${revision}` };
  });
  const broken = new Set(reports.filter(({ compatible }) => compatible === false).map(({ name }) => name));
  const affected = entries.flatMap(({ subject, references }): AffectedSubject[] => {
    const through = references.filter((reference) => broken.has(reference.subject));
    const reasons = through.map((reference) => `It references ${reference.subject}, which breaks.`);
    return reasons.length === 0 ? [] : [{ subject, version: null, compatible: !broken.has(subject), reasons }];
  });
  const gone = removed.filter(({ place }) => files.length === 0 || isWithinFiles(place, files, revision, shell.cwd));
  return { compatible: broken.size === 0, reports, affected, removed: gone };
}

function overridesOf({ level, policy, writers, role }: CheckValues) {
  return {
    ...(level === undefined ? {} : { level: level.toUpperCase() }),
    ...(policy === undefined ? {} : { policy }),
    ...(writers === undefined ? {} : { writers }),
    ...(role === undefined ? {} : { role }),
  };
}

/** Maps the schemas of a repository to subjects: from llmsr.toml, or from files named on the command line. */
import { relative, resolve } from "node:path";
import type { ResolvedReference } from "../schema/format.ts";
import { inferReferences } from "./input/infer-references.ts";
import { parseSchema, type Schema } from "./input/parse-schema.ts";
import { type InputOptions, isFolder, readInput, readInputs } from "./input/read-inputs.ts";
import { readReferenceFiles } from "./input/references.ts";
import type { SchemaText } from "./input/schema-text.ts";
import { splitPlace } from "./input/unwrap.ts";
import { type DeclaredReference, findProjectFile, type ProjectFile, type SubjectEntry } from "./project-file.ts";
import { UsageError } from "./usage-error.ts";

export type SchemaEntry = {
  subject: string;
  schema: SchemaText;
  references: DeclaredReference[];
  /** What was read, from the current folder: a file, a part of one, a folder or an entry point. */
  source: string;
};

type NamingOptions = { subject?: string | undefined; prefix?: string | undefined };

/** The entries of llmsr.toml, or of the given files; a file that llmsr.toml names keeps its subject. */
export async function readSchemaEntries(
  references: readonly string[],
  project: ProjectFile | undefined,
  naming: NamingOptions,
  options: InputOptions,
): Promise<SchemaEntry[]> {
  const declared = project === undefined ? [] : await readProjectEntries(project, options);
  const entries = references.length === 0 ? declared : await readNamedEntries(references, declared, naming, options);
  if (entries.length === 0) {
    throw new UsageError(
      references.length === 0
        ? "Name files or folders, or run `llmsr init` to write an llmsr.toml."
        : `There is no schema in ${references.join(", ")}.`,
    );
  }
  requireDistinctSubjects(entries);
  return withInferredReferences(entries, declared);
}

async function readProjectEntries(project: ProjectFile, options: InputOptions): Promise<SchemaEntry[]> {
  const entries: SchemaEntry[] = [];
  for (const entry of project.subjects) entries.push(...(await readProjectEntry(project, entry, options)));
  return entries;
}

/** The one schema that a reference names, with what it references. */
export async function readSchema(reference: string, refs: readonly string[], options: InputOptions): Promise<Schema> {
  const referencesOf = await referenceFinder(refs, options);
  const input = await readInput(reference, options);
  return parseSchema({ ...input, references: [...input.references, ...referencesOf(input)] });
}

/** Finds what a schema references: `--ref`, then the files of llmsr.toml. No entry point is run for it. */
export async function referenceFinder(
  refs: readonly string[],
  options: InputOptions,
): Promise<(schema: SchemaText) => ResolvedReference[]> {
  const given = readReferenceFiles(refs, options.shell.cwd);
  const names = new Set(given.map(({ name }) => name));
  const project = findProjectFile(options.shell.cwd);
  if (project === undefined) return () => given;
  const subjects = project.subjects.filter(({ file }) => !ENTRY_POINT.test(file));
  // The requested format is that of the schema itself, not of its references.
  const declared = await readProjectEntries({ ...project, subjects }, { ...options, format: undefined });
  return (schema) => {
    const own = splitPlace(schema.place).path;
    const known = withInferredReferences(
      declared.filter(({ schema: { place } }) => splitPlace(place).path !== own),
      declared,
    );
    const references = inferReferences({ subject: "", schema }, known).filter(({ name }) => !names.has(name));
    return [...given, ...resolveAmong({ subject: "", references }, known)];
  };
}

export const ENTRY_POINT = /:[A-Za-z_]|\.[mc]?[jt]s#/;

async function readProjectEntry(
  project: ProjectFile,
  entry: SubjectEntry,
  options: InputOptions,
): Promise<SchemaEntry[]> {
  const source = resolveSource(project, entry, options.shell.cwd);
  return nameEntries(
    project,
    entry,
    source,
    await readInputs(source, { ...options, format: entry.format ?? options.format }),
  );
}

export function resolveSource({ folder }: ProjectFile, { file }: SubjectEntry, cwd: string): string {
  return ENTRY_POINT.test(file) ? file : relative(cwd, resolve(folder, file)) || ".";
}

/** The schemas that an entry of llmsr.toml names, under their subjects. */
export function nameEntries(
  project: ProjectFile,
  entry: SubjectEntry,
  source: string,
  found: readonly SchemaText[],
): SchemaEntry[] {
  const isPattern = entry.subject.includes("*");
  if (!isPattern && found.length !== 1) {
    throw new UsageError(
      `${project.file}: "${entry.subject}" names one subject, but ${entry.file} holds ${found.length} schemas. Write "*" for the name of each, such as "${entry.subject}.*".`,
    );
  }
  return found.map((schema) => ({
    subject: entry.subject.replace("*", () => schema.name),
    schema: entry.role === undefined ? schema : { ...schema, role: entry.role },
    references: entry.references ?? [],
    source,
  }));
}

async function readNamedEntries(
  references: readonly string[],
  declared: readonly SchemaEntry[],
  { subject, prefix = "" }: NamingOptions,
  options: InputOptions,
): Promise<SchemaEntry[]> {
  const entries: SchemaEntry[] = [];
  for (const reference of references) {
    const known = subject === undefined ? declared.filter(({ schema }) => isWithin(reference, schema, options)) : [];
    if (known.length > 0) {
      entries.push(...known);
      continue;
    }
    const found = await readInputs(reference, options);
    if (subject !== undefined && (found.length !== 1 || references.length > 1)) {
      throw new UsageError(`--subject names one schema, but ${references.join(", ")} holds ${found.length}.`);
    }
    for (const schema of found) {
      const name = subject ?? prefix + schema.name;
      if (name === "") throw new UsageError(`${schema.place} has no name of its own; add --subject.`);
      entries.push({ subject: name, schema, references: [], source: reference });
    }
  }
  return entries;
}

/** Whether an entry of llmsr.toml is the named file, a schema in it, or below the named folder. */
function isWithin(reference: string, { place }: SchemaText, { shell }: InputOptions): boolean {
  if (place === reference) return true;
  const named = resolve(shell.cwd, reference);
  const own = resolve(shell.cwd, splitPlace(place).path);
  return own === named || (isFolder(shell, reference) && own.startsWith(`${named}/`));
}

function requireDistinctSubjects(entries: readonly SchemaEntry[]): void {
  const places = new Map<string, string>();
  for (const { subject, schema } of entries) {
    const other = places.get(subject);
    if (other !== undefined) {
      throw new UsageError(`${other} and ${schema.place} are both the subject "${subject}"; name them in llmsr.toml.`);
    }
    places.set(subject, schema.place);
  }
}

/** The other files that an entry uses, unless llmsr.toml lists them. */
function withInferredReferences(entries: readonly SchemaEntry[], declared: readonly SchemaEntry[]): SchemaEntry[] {
  const known = [...entries, ...declared.filter(({ subject }) => !entries.some((entry) => entry.subject === subject))];
  return entries.map((entry) =>
    entry.references.length > 0 ? entry : { ...entry, references: inferReferences(entry, known) },
  );
}

/** What an entry references among the entries, with the texts of those and of what they reference themselves. */
export function resolveAmong(
  entry: Pick<SchemaEntry, "subject" | "references">,
  entries: readonly SchemaEntry[],
  above: readonly string[] = [],
): ResolvedReference[] {
  return entry.references.flatMap(({ name, subject }) => {
    const target = entries.find((other) => other.subject === subject);
    // A cycle is not followed; the parser reports the missing reference.
    if (target === undefined || above.includes(subject)) return [];
    const references = resolveAmong(target, entries, [...above, entry.subject]);
    return [{ name, subject, version: 1, source: { text: target.schema.text, references } }];
  });
}

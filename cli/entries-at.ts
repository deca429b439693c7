/**
 * The subjects of a repository at a git revision. llmsr.toml of that revision says which files they were in, so that a
 * file may be renamed together with a change and is still compared; a file that it does not list is compared by its path.
 */
import { relative, resolve } from "node:path";
import { ENTRY_POINT, nameEntries, resolveSource, type SchemaEntry } from "./entries.ts";
import { nameOfEntryPoint } from "./input/entry-points.ts";
import { readAtRevision } from "./input/git.ts";
import { inferReferences } from "./input/infer-references.ts";
import { type InputOptions, isFile, readInputsAtRevision } from "./input/read-inputs.ts";
import { splitPlace } from "./input/unwrap.ts";
import type { RemovedSubject } from "./output/report.ts";
import { type ProjectFile, readProjectFile } from "./project-file.ts";

type EntriesAt = {
  /** By subject; absent: the schema was not there. */
  before: ReadonlyMap<string, SchemaEntry>;
  /** The reasons why subjects cannot be compared with the revision. */
  incomparable: ReadonlyMap<string, string>;
  removed: RemovedSubject[];
};

/** `entries`: all that the repository has now. */
export async function readEntriesAt(
  revision: string,
  entries: readonly SchemaEntry[],
  project: ProjectFile | undefined,
  options: InputOptions,
): Promise<EntriesAt> {
  const { cwd } = options.shell;
  const earlier = project === undefined ? undefined : readProjectAt(revision, project, cwd);
  const before = new Map<string, SchemaEntry>();
  const programs = new Map<string, string>();
  for (const entry of earlier?.subjects ?? []) {
    if (ENTRY_POINT.test(entry.file)) {
      const subject = entry.subject.replace("*", () => nameOfEntryPoint(entry.file) ?? entry.file);
      programs.set(subject, entry.file);
      continue;
    }
    const source = resolveSource(earlier!, entry, cwd);
    const found = await readInputsAtRevision(revision, source, { ...options, format: entry.format ?? options.format });
    if (found.length === 0) continue;
    for (const one of nameEntries(earlier!, entry, source, found)) before.set(one.subject, one);
  }
  const current = new Set(entries.map(({ subject }) => subject));
  const places = [...[...before.values()].map(({ subject, schema }) => [subject, schema.place] as const), ...programs];
  const removed = places.flatMap(([subject, place]) => (current.has(subject) ? [] : [{ subject, place }]));
  const incomparable = new Map<string, string>();
  for (const entry of entries) {
    const { subject } = entry;
    if (before.has(subject)) continue;
    const same = await readSameFile(revision, entry, entries, options);
    if (same !== undefined) before.set(subject, same);
    else if (programs.has(subject)) incomparable.set(subject, describeProgram(subject, programs.get(subject)!));
    else if (earlier === undefined && !isFile(options.shell, splitPlace(entry.schema.place).path)) {
      incomparable.set(subject, describeProgram(subject, entry.source));
    }
  }
  return { before: withReferences(revision, before), incomparable, removed };
}

function readProjectAt(revision: string, { file }: ProjectFile, cwd: string): ProjectFile | undefined {
  const path = relative(cwd, file);
  const text = readAtRevision(revision, path, cwd);
  return text === undefined ? undefined : readProjectFile(file, text, `git:${revision}:${path}`);
}

/** One of several tools is found by its name, because its place in the list changes when another is added. */
async function readSameFile(
  revision: string,
  entry: SchemaEntry,
  entries: readonly SchemaEntry[],
  options: InputOptions,
): Promise<SchemaEntry | undefined> {
  const { path, pointer } = splitPlace(entry.schema.place);
  const part = pointer === undefined ? splitPlace(entry.source).pointer : undefined;
  const source = part === undefined ? path : `${path}#${part}`;
  const schemas = await readInputsAtRevision(revision, source, { ...options, format: entry.schema.format });
  const isOnly =
    schemas.length === 1 && entries.filter(({ schema }) => splitPlace(schema.place).path === path).length === 1;
  const same = isOnly ? schemas[0] : schemas.find(({ name }) => name === entry.schema.name);
  return same === undefined ? undefined : { ...entry, schema: same };
}

/** Adds the references among the entries, whose places are paths as in the working tree. */
function withReferences(revision: string, before: ReadonlyMap<string, SchemaEntry>): Map<string, SchemaEntry> {
  const here = `git:${revision}:`.length;
  const plain = [...before.values()].map(({ subject, schema }) => ({
    subject,
    schema: { ...schema, place: schema.place.slice(here) },
  }));
  return new Map(
    plain.map((entry) => {
      const known = before.get(entry.subject)!;
      const names = new Set(known.references.map(({ name }) => name));
      const inferred = inferReferences(entry, plain).filter(({ name }) => !names.has(name));
      return [entry.subject, { ...known, references: [...known.references, ...inferred] }];
    }),
  );
}

function describeProgram(subject: string, source: string): string {
  return `${subject} is read from ${source}, which is not a file and cannot be compared with a git revision. Compare it with a registry (llmsr check), or name the files to compare.`;
}

/** Whether a place at the revision is one of the named files, or below a named folder. */
export function isWithinFiles(place: string, names: readonly string[], revision: string, cwd: string): boolean {
  const prefix = `git:${revision}:`;
  const own = resolve(cwd, splitPlace(place.startsWith(prefix) ? place.slice(prefix.length) : place).path);
  return names.some((name) => own === resolve(cwd, name) || own.startsWith(`${resolve(cwd, name)}/`));
}

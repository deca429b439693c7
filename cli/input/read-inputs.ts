/**
 * What a reference on the command line may be: a file, a folder, `-`, `git:REVISION:PATH`, `subject@version`,
 * `module:Model` or `file.ts#export`.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { FormatName } from "../../schema/format.ts";
import type { Registry } from "../registry.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";
import { readEntryPoint } from "./entry-points.ts";
import { splitVersion } from "./from-registry.ts";
import { parseRevision, readAtRevision } from "./git.ts";
import {
  allSchemasOf,
  endingOf,
  oneSchemaOf,
  SCHEMA_ENDINGS,
  type SchemaText,
  type SourceText,
} from "./schema-text.ts";
import { splitPlace } from "./unwrap.ts";

export type InputOptions = {
  shell: Shell;
  format?: FormatName | undefined;
  /** Opened only for `subject@version`. */
  registry?: (() => { registry: Registry; qualify(subject: string): string }) | undefined;
};

/** The one schema that a reference names. */
export async function readInput(reference: string, options: InputOptions): Promise<SchemaText> {
  const { shell, format } = options;
  if (reference.startsWith("git:")) {
    const { revision, path } = parseRevision(reference);
    if (path === undefined) throw new UsageError(`"${reference}" names no file (expected git:REVISION:PATH).`);
    const found = await readInputAtRevision(revision, path, options);
    if (found === undefined) throw new UsageError(`${path} does not exist at ${revision}.`);
    return found;
  }
  const { path, pointer } = splitPlace(reference);
  if (path === "-") return oneSchemaOf(await toSource("-", "", shell.readStdin()), pointer, format);
  if (isFile(shell, path)) return oneSchemaOf(await readSourceFile(shell, path), pointer, format);
  if (isFolder(shell, path)) throw new UsageError(`${path} is a folder; one file is needed here.`);
  return readElsewhere(reference, options);
}

/** Every schema that a reference names: of a folder, of a list of tools, or the one. */
export async function readInputs(reference: string, options: InputOptions): Promise<SchemaText[]> {
  const { shell, format } = options;
  const { path, pointer } = splitPlace(reference);
  if (pointer !== undefined) return [await readInput(reference, options)];
  if (path === "-") return allSchemasOf(await toSource("-", "", shell.readStdin()), format);
  if (isFile(shell, path)) return allSchemasOf(await readSourceFile(shell, path), format);
  if (!isFolder(shell, path)) return [await readInput(reference, options)];
  const found: SchemaText[] = [];
  for (const file of listSchemaFiles(resolve(shell.cwd, path))) {
    const shown = relative(shell.cwd, file) || file;
    for (const schema of allSchemasOf(await readSourceFile(shell, shown), format)) {
      const inFolder = relative(resolve(shell.cwd, path), file).replace(/(?:\.schema)?\.[^./]+$/, "");
      const isOfTool = schema.place !== shown;
      found.push(isOfTool ? schema : { ...schema, name: inFolder.replaceAll("/", ".") });
    }
  }
  return found;
}

/** The same file at a revision; undefined if it did not exist. */
export async function readInputAtRevision(
  revision: string,
  reference: string,
  { shell, format }: InputOptions,
): Promise<SchemaText | undefined> {
  const source = await readSourceAtRevision(revision, reference, shell);
  if (source === undefined) return undefined;
  return oneSchemaOf(source, splitPlace(reference).pointer, format);
}

/** Every schema of the same file at a revision. */
export async function readInputsAtRevision(
  revision: string,
  reference: string,
  { shell, format }: InputOptions,
): Promise<SchemaText[]> {
  const source = await readSourceAtRevision(revision, reference, shell);
  return source === undefined ? [] : allSchemasOf(source, format);
}

async function readSourceAtRevision(
  revision: string,
  reference: string,
  shell: Shell,
): Promise<SourceText | undefined> {
  const { path } = splitPlace(reference);
  const text = readAtRevision(revision, path, shell.cwd);
  return text === undefined ? undefined : toSource(`git:${revision}:${path}`, path, text);
}

async function readElsewhere(reference: string, { shell, format, registry }: InputOptions): Promise<SchemaText> {
  const entry = readEntryPoint(reference, shell);
  if (entry !== undefined) {
    const source = { place: reference, path: "entry.json", text: entry.text };
    return { ...oneSchemaOf(source, "", format), name: entry.name, locate: () => undefined };
  }
  const named = splitVersion(reference);
  if (named !== undefined && registry !== undefined) {
    const opened = registry();
    const { readRegistered } = await import("./from-registry.ts");
    const found = await readRegistered(opened.registry, opened.qualify(named.subject), named.version);
    if (found !== undefined) return found;
    throw new UsageError(`${opened.registry.url} has no version ${named.version} of the subject ${named.subject}.`);
  }
  throw new UsageError(
    `${reference} cannot be read: it is not a file (nor git:REVISION:PATH, subject@version, module:Model or file.ts#export).`,
  );
}

async function readSourceFile(shell: Shell, path: string): Promise<SourceText> {
  try {
    return await toSource(path, path, readFileSync(resolve(shell.cwd, path), "utf8"));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** YAML becomes JSON, and its own text stays the one that positions count in. */
async function toSource(place: string, path: string, text: string): Promise<SourceText> {
  if (!/^ya?ml$/.test(endingOf(path))) return { place, path, text };
  const { readYaml } = await import("./yaml-text.ts");
  const { json, locate } = readYaml(place, text);
  return { place, path, text: json, locate };
}

function isFile({ cwd }: Shell, path: string): boolean {
  return statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isFile() ?? false;
}

export function isFolder({ cwd }: Pick<Shell, "cwd">, path: string): boolean {
  return statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Files that end like a schema but are a tool's own. */
const OTHER_FILES =
  /^(?:package|package-lock|tsconfig.*|jsconfig|composer|biome|renovate|deno|lerna|nx|turbo|vercel|components)\.json$|^(?:docker-compose.*|pnpm-lock|action|mkdocs)\.ya?ml$/;

/** Schema files below a folder, in the order of their names; hidden and installed ones are left out. */
export function listSchemaFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return listSchemaFiles(path);
      if (!entry.isFile() || !SCHEMA_ENDINGS.has(endingOf(entry.name)) || OTHER_FILES.test(entry.name)) return [];
      return isSchemaFile(path) ? [path] : [];
    });
}

/** .avsc and .proto say what they are; JSON and YAML files may be anything, such as test data. */
function isSchemaFile(path: string): boolean {
  if (!/^(?:json|ya?ml)$/.test(endingOf(path))) return true;
  return /["']?(?:\$schema|\$defs|\$ref|properties|inputSchema|input_schema|parameters|functionDeclarations|function_declarations|toolSpec)["']?\s*:/.test(
    readFileSync(path, "utf8"),
  );
}

/**
 * What a reference on the command line may be: a file, a folder, `-`, `git:REVISION:PATH`, `subject@version`,
 * `module:Model` or `file.ts#export`.
 */
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { FormatName } from "../../schema/format.ts";
import { nodeAtPointer, parseJsonText } from "../../schema/json-text.ts";
import type { Registry } from "../registry.ts";
import type { Shell } from "../shell.ts";
import { cannotRead, UsageError } from "../usage-error.ts";
import { readEntryPoint } from "./entry-points.ts";
import { splitVersion } from "./from-registry.ts";
import { listFolderAtRevision, parseRevision, readAtRevision } from "./git.ts";
import {
  findAllSchemas,
  findEnding,
  SCHEMA_ENDINGS,
  type SchemaText,
  type SourceText,
  selectOneSchema,
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
  if (path === "-") return selectOneSchema(await toSource("-", "", shell.readStdin()), pointer, format);
  if (isFile(shell, path)) return selectOneSchema(await readSourceFile(shell, path), pointer, format);
  if (isFolder(shell, path)) throw new UsageError(`${path} is a folder; one file is needed here.`);
  return readElsewhere(reference, options);
}

/** Every schema that a reference names: of a folder, of a list of tools, or the one. */
export async function readInputs(reference: string, options: InputOptions): Promise<SchemaText[]> {
  const { shell, format } = options;
  const { path, pointer } = splitPlace(reference);
  if (pointer !== undefined) return [await readInput(reference, options)];
  if (reference.startsWith("git:")) {
    const { revision, path: file } = parseRevision(reference);
    const found = file === undefined ? [] : await readInputsAtRevision(revision, file, options);
    // If nothing exists there, the other reader reports why.
    return found.length > 0 ? found : [await readInput(reference, options)];
  }
  if (path === "-") return findAllSchemas(await toSource("-", "", shell.readStdin()), format);
  if (isFile(shell, path)) return findAllSchemas(await readSourceFile(shell, path), format);
  if (!isFolder(shell, path)) return [await readInput(reference, options)];
  const found: SchemaText[] = [];
  for (const file of listSchemaFiles(resolve(shell.cwd, path))) {
    const source = await readSourceFile(shell, relative(shell.cwd, file) || file);
    found.push(...schemasInFolder(source, resolve(shell.cwd, path), options));
  }
  return found;
}

/** The schemas of one file of a folder: named after the tool, or after the file's path in the folder. */
function schemasInFolder(source: SourceText, folder: string, { shell, format }: InputOptions): SchemaText[] {
  const inFolder = relative(folder, resolve(shell.cwd, source.path)).replace(/(?:\.schema)?\.[^./]+$/, "");
  return findAllSchemas(source, format).map((schema) => {
    const isOfTool = schema.place !== source.place;
    return isOfTool ? schema : { ...schema, name: inFolder.replaceAll("/", ".") };
  });
}

/** The same file at a revision; undefined if it, or its part that is named, did not exist. */
export async function readInputAtRevision(
  revision: string,
  reference: string,
  { shell, format }: InputOptions,
): Promise<SchemaText | undefined> {
  const source = await readSourceAtRevision(revision, reference, shell);
  const { pointer } = splitPlace(reference);
  if (source === undefined || !hasPart(source, pointer)) return undefined;
  return selectOneSchema(source, pointer, format);
}

/** The result of `readInputs` for a file or a folder at a revision; empty if it did not exist. */
export async function readInputsAtRevision(
  revision: string,
  reference: string,
  options: InputOptions,
): Promise<SchemaText[]> {
  const { shell, format } = options;
  const { path, pointer } = splitPlace(reference);
  if (pointer !== undefined) {
    const one = await readInputAtRevision(revision, reference, options);
    return one === undefined ? [] : [one];
  }
  const files = listFolderAtRevision(revision, path, shell.cwd);
  if (files === undefined) {
    const source = await readSourceAtRevision(revision, path, shell);
    return source === undefined ? [] : findAllSchemas(source, format);
  }
  const folder = resolve(shell.cwd, path);
  const found: SchemaText[] = [];
  for (const file of files) {
    if (!isSchemaPath(relative(folder, resolve(shell.cwd, file)))) continue;
    const text = readAtRevision(revision, file, shell.cwd) ?? "";
    if (!isSchemaText(file, text)) continue;
    found.push(...schemasInFolder(await toSource(`git:${revision}:${file}`, file, text), folder, options));
  }
  return found;
}

function hasPart({ text }: SourceText, pointer: string | undefined): boolean {
  if (pointer === undefined) return true;
  const parsed = parseJsonText(text);
  // The schema parser reports errors in the text.
  return !parsed.ok || nodeAtPointer(parsed.value.root, pointer) !== undefined;
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
    return { ...selectOneSchema(source, "", format), name: entry.name, locate: () => undefined };
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
    throw cannotRead(path, error);
  }
}

/** YAML is converted to JSON, but positions refer to the YAML text. */
async function toSource(place: string, path: string, text: string): Promise<SourceText> {
  if (!/^ya?ml$/.test(findEnding(path))) return { place, path, text };
  const { readYaml } = await import("./yaml-text.ts");
  const { json, locate } = readYaml(place, text);
  return { place, path, text: json, locate };
}

export function isFile({ cwd }: Pick<Shell, "cwd">, path: string): boolean {
  return readStat(resolve(cwd, path))?.isFile() ?? false;
}

export function isFolder({ cwd }: Pick<Shell, "cwd">, path: string): boolean {
  return readStat(resolve(cwd, path))?.isDirectory() ?? false;
}

function readStat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A reference of another kind may be longer than a file's name.
    if ((error as NodeJS.ErrnoException).code === "ENAMETOOLONG") return undefined;
    throw cannotRead(path, error);
  }
}

/** Files with a schema's extension that are the configuration of tools. */
const OTHER_FILES =
  /^(?:package|package-lock|tsconfig.*|jsconfig|composer|biome|renovate|deno|lerna|nx|turbo|vercel|components)\.json$|^(?:docker-compose.*|pnpm-lock|action|mkdocs)\.ya?ml$/;

/** Schema files below a folder, in the order of their names; hidden and installed ones are left out. */
export function listSchemaFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (!isListed(entry.name)) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return listSchemaFiles(path);
      if (!entry.isFile() || !isSchemaPath(entry.name)) return [];
      return isSchemaText(path, readFileSync(path, "utf8")) ? [path] : [];
    });
}

function isListed(name: string): boolean {
  return !name.startsWith(".") && name !== "node_modules";
}

/** `path`: from the folder that is listed. */
function isSchemaPath(path: string): boolean {
  const names = path.split("/");
  return names.every(isListed) && SCHEMA_ENDINGS.has(findEnding(path)) && !OTHER_FILES.test(names.at(-1)!);
}

/** .avsc and .proto say what they are; JSON and YAML files may be anything, such as test data. */
function isSchemaText(path: string, text: string): boolean {
  if (!/^(?:json|ya?ml)$/.test(findEnding(path))) return true;
  return /["']?(?:\$schema|\$defs|\$ref|properties|inputSchema|input_schema|parameters|functionDeclarations|function_declarations|toolSpec)["']?\s*:/.test(
    text,
  );
}

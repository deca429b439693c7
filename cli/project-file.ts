/** llmsr.toml: the registry of a repository, and which of its files are which subjects. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { FORMAT_NAMES, type FormatName } from "../schema/format.ts";
import { ROLES, type Role } from "../schema/rules/roles.ts";
import { isObject } from "./is-object.ts";
import { UsageError } from "./usage-error.ts";

export const PROJECT_FILE = "llmsr.toml";

export type DeclaredReference = { name: string; subject: string; version?: string | number };

export type SubjectEntry = {
  /** With a `*`, one subject for each schema of the folder or tool list. */
  subject: string;
  /** As written in the file, from its folder. */
  file: string;
  format?: FormatName;
  role?: Role;
  references?: DeclaredReference[];
};

export type ProjectFile = {
  file: string;
  /** What the entries' paths are relative to. */
  folder: string;
  url?: string;
  context?: string;
  subjects: SubjectEntry[];
};

/** The nearest llmsr.toml from `cwd` upwards, no further than the root of the repository. */
export function findProjectFile(cwd: string): ProjectFile | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, PROJECT_FILE);
    if (existsSync(file)) return readProjectFile(file, readFileSync(file, "utf8"));
    if (existsSync(join(folder, ".git")) || dirname(folder) === folder) return undefined;
  }
}

/** `path`: what the entries' paths are relative to; `file`: how messages name it. */
export function readProjectFile(path: string, text: string, file = path): ProjectFile {
  const value = parseConfiguration(file, text);
  const refuse = (place: string, expected: string): never => {
    throw new UsageError(`${file}: ${place} is not ${expected}.`);
  };
  for (const name of Object.keys(value)) {
    if (name === "key") {
      throw new UsageError(`${file}: a key does not belong in a repository. Use \`llmsr login\`, or set LLMSR_KEY.`);
    }
    if (!["url", "context", "subjects"].includes(name)) {
      throw new UsageError(`${file}: "${name}" is unknown (expected url, context or subjects).`);
    }
  }
  const { url, context, subjects = {} } = value;
  if (url !== undefined && typeof url !== "string") refuse("url", "a string");
  if (context !== undefined && typeof context !== "string") refuse("context", "a string");
  if (!isObject(subjects)) return refuse("subjects", 'a table such as [subjects] orders = "schemas/order.avsc"');
  return {
    file,
    folder: dirname(path),
    ...(url === undefined ? {} : { url: url as string }),
    ...(context === undefined ? {} : { context: context as string }),
    subjects: Object.entries(subjects).map(([subject, entry]) => readEntry(file, subject, entry)),
  };
}

export function parseConfiguration(file: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.split("\n");
    throw new UsageError(`${file}:${error.line}:${error.column}: ${reason}`);
  }
}

const ENTRY_FIELDS = ["file", "format", "role", "references"];

function readEntry(project: string, subject: string, entry: unknown): SubjectEntry {
  const place = `${project}: subjects."${subject}"`;
  if (typeof entry === "string") return { subject, file: entry };
  if (!isObject(entry) || typeof entry.file !== "string") {
    throw new UsageError(`${place} is neither a file's path nor a table with "file".`);
  }
  const stray = Object.keys(entry).find((name) => !ENTRY_FIELDS.includes(name));
  if (stray !== undefined) throw new UsageError(`${place}.${stray} is unknown (expected ${ENTRY_FIELDS.join(", ")}).`);
  const format = oneOfNames(`${place}.format`, entry.format, FORMAT_NAMES);
  const role = oneOfNames(`${place}.role`, entry.role, ROLES);
  const { references } = entry;
  if (references !== undefined && !(Array.isArray(references) && references.every(isReference))) {
    throw new UsageError(`${place}.references is not a list of { name = "…", subject = "…", version = 1 }.`);
  }
  return {
    subject,
    file: entry.file,
    ...(format === undefined ? {} : { format }),
    ...(role === undefined ? {} : { role }),
    ...(references === undefined ? {} : { references: references as DeclaredReference[] }),
  };
}

function oneOfNames<Name extends string>(place: string, value: unknown, names: readonly Name[]): Name | undefined {
  if (value === undefined) return undefined;
  const found = names.find((name) => name === value);
  if (found === undefined) throw new UsageError(`${place} must be one of ${names.join(", ")}.`);
  return found;
}

function isReference(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, subject, version } = value;
  const isVersion = version === undefined || typeof version === "string" || typeof version === "number";
  return typeof name === "string" && typeof subject === "string" && isVersion;
}

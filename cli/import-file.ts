/** Registers the lines of an export. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { SchemaRecord } from "../sdks/typescript/src/models.ts";
import { EXIT } from "./exit-codes.ts";
import { isObject } from "./is-object.ts";
import { startProgress } from "./progress.ts";
import { openConfiguredRegistry, qualifySubject, type RegistryValues } from "./settings.ts";
import type { Shell } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

/** In the order of the file, which is that of registration: referenced versions come first. */
export async function importFile(file: string, values: RegistryValues, shell: Shell): Promise<number> {
  const { registry, settings } = openConfiguredRegistry(shell, values);
  const records = readRecords(file, shell);
  // Version numbers belong to one registry, so references are rewritten to the numbers assigned here.
  const numbers = new Map<string, number>();
  const progress = startProgress(shell, "registered", records.length);
  let registered = 0;
  for (const record of records) {
    const { subject, format, content, references, version, role, description, tags, owner, metadata, dialect } = record;
    const made = await registry.write<SchemaRecord>({
      method: "POST",
      path: "/schemas",
      json: {
        subject: qualifyFor(record.context, subject, (name) => qualifySubject(name, settings)),
        format,
        content,
        ...(dialect === undefined ? {} : { dialect }),
        references: references.map((reference) => ({
          ...reference,
          version: numbers.get(keyOf(record.context, reference.subject, reference.version)) ?? reference.version,
        })),
        ...(version === null ? { state: "draft" } : { version }),
        ...(role === null ? {} : { role }),
        ...(description === null ? {} : { description }),
        ...(tags.length === 0 ? {} : { tags }),
        ...(owner === null ? {} : { owner }),
        ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      },
    });
    if (record.version_number !== null && made.version_number !== null) {
      numbers.set(keyOf(record.context, subject, record.version_number), made.version_number);
    }
    registered += 1;
    progress.report(registered);
  }
  progress.end();
  shell.print(`${registered} versions are registered in ${registry.url}\n`);
  return EXIT.ok;
}

function qualifyFor(context: string, subject: string, qualify: (subject: string) => string): string {
  return context === "." ? qualify(subject) : `:${context}:${subject}`;
}

function keyOf(context: string, subject: string, version: number): string {
  return JSON.stringify([subject.startsWith(":.") ? "" : context, subject, version]);
}

/** Whether a line has everything that a registration takes from it. */
function isRecord(value: unknown): value is SchemaRecord {
  if (!isObject(value)) return false;
  const { subject, context, content, references, tags, metadata } = value;
  const isNamed = typeof subject === "string" && typeof context === "string";
  return isNamed && content !== undefined && isList(references, isReference) && isList(tags) && isObject(metadata);
}

function isReference(value: unknown): boolean {
  return isObject(value) && typeof value.subject === "string";
}

function isList(value: unknown, isItem: (item: unknown) => boolean = () => true): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function readRecords(file: string, shell: Shell): SchemaRecord[] {
  let text: string;
  try {
    text = file === "-" ? shell.readStdin() : readFileSync(resolve(shell.cwd, file), "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      const record: unknown = JSON.parse(line);
      if (isRecord(record)) return [record];
    } catch {
      // Refused below.
    }
    throw new UsageError(`${file}:${index + 1}: this is not a line of \`llmsr export\`.`);
  });
}

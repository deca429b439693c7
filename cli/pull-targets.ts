/**
 * The files that `llmsr pull` may write: below one folder, and no two of them the same. llmsr.toml and the registry are
 * other people's text, which must not choose a file anywhere else.
 */
import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { DEFAULT_CONTEXT } from "../schema/subject-name.ts";
import type { SchemaRecord } from "../sdks/typescript/src/models.ts";
import { UsageError } from "./usage-error.ts";

const ENDINGS: Readonly<Record<string, string>> = { avro: "avsc", "json-schema": "json", protobuf: "proto" };

/** A version's file below the output folder; one of another context than `context` is in a folder of its context's name. */
export function fileOfRecord(
  record: Pick<SchemaRecord, "context" | "subject" | "format">,
  context: string | undefined,
): string {
  const own = context === undefined || context === "" ? DEFAULT_CONTEXT : context.replace(/^\.?/, ".");
  const file = `${fileNameOf(record.subject)}.${ENDINGS[record.format] ?? "txt"}`;
  if (record.context === own) return file;
  return join(record.context === DEFAULT_CONTEXT ? "default" : fileNameOf(record.context.replace(/^\./, "")), file);
}

/** A name may hold slashes and dots, which must not leave the folder. */
function fileNameOf(name: string): string {
  return encodeURIComponent(name).replaceAll("%20", " ").replace(/^\.+/, "_");
}

export type PullTarget = { reference: string; file: string };

/** Refuses targets outside the folder and in Git's own folder, whose files run commands, and two that are one file. */
export function requireOwnFiles(folder: string, targets: readonly PullTarget[], cwd: string): void {
  const root = followLinks(folder);
  const taken = new Map<string, string>();
  for (const { reference, file } of targets) {
    const path = followLinks(resolve(cwd, file));
    const inside = relative(root, path);
    const names = inside.split(sep);
    if (inside === "" || names[0] === ".." || isAbsolute(inside)) {
      throw new UsageError(`${reference} would be written to ${path}, which is outside of ${root}.`);
    }
    if (names.some((name) => name.toLowerCase() === ".git")) {
      throw new UsageError(`${reference} would be written to ${path}, which belongs to Git.`);
    }
    const other = taken.get(path);
    if (other !== undefined) throw new UsageError(`${other} and ${reference} would both be written to ${file}.`);
    taken.set(path, reference);
  }
}

/** The path without links; what does not exist yet is taken as named. */
function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new UsageError(`${path} is a link to nothing, so what it would write is not known.`);
    }
    return join(followLinks(dirname(path)), basename(path));
  }
}

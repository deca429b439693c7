/** Real .proto histories, with the files they import as references. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ResolvedReference } from "../../../../schema/format.ts";
import { CORPUS, HISTORIES } from "../../../support/corpus.ts";

export type CorpusHistory = {
  name: string;
  versions: { file: string; text: string; references: ResolvedReference[] }[];
};

export function protobufHistories(): CorpusHistory[] {
  return readdirSync(HISTORIES).flatMap((name) => {
    const files = readdirSync(join(HISTORIES, name)).filter((file) => file.endsWith(".proto"));
    if (files.length === 0) return [];
    const versions = files.sort().map((file) => {
      const text = readFileSync(join(HISTORIES, name, file), "utf8");
      return { file, text, references: referencesOf(text) };
    });
    return [{ name, versions }];
  });
}

/** The imported files that the corpus has, and their imports. */
function referencesOf(text: string): ResolvedReference[] {
  return [...text.matchAll(/^import (?:public )?"([^"]+)";/gm)].flatMap(([, path]) => {
    const file = join(CORPUS, "deps", path!);
    if (!existsSync(file)) return [];
    const imported = readFileSync(file, "utf8");
    return [
      { name: path!, subject: path!, version: 1, source: { text: imported, references: referencesOf(imported) } },
    ];
  });
}

/** All files of a closure, by import path. */
export function importedFiles(references: readonly ResolvedReference[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { name, source } of references)
    Object.assign(files, { [name]: source.text }, importedFiles(source.references));
  return files;
}

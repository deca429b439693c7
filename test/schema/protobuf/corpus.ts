/** The Protobuf schemas of the corpus, each with its imports as references. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { ResolvedReference, SchemaSource } from "../../../schema/format.ts";
import { CORPUS, HISTORIES, hasCorpus } from "../../support/corpus.ts";

export const DEPS = join(CORPUS, "deps");

export type CorpusSchema = { name: string; path: string; text: string; source: SchemaSource };

/** Every version of every Protobuf history, oldest first. */
export function corpusSchemas(): CorpusSchema[] {
  if (!hasCorpus) return [];
  const references = depReferences();
  return readdirSync(HISTORIES)
    .sort()
    .flatMap((history) =>
      readdirSync(join(HISTORIES, history))
        .filter((file) => file.endsWith(".proto"))
        .sort()
        .map((file) => {
          const path = join(HISTORIES, history, file);
          const text = readFileSync(path, "utf8");
          return { name: `${history}/${file}`, path, text, source: { text, references } };
        }),
    );
}

/** Every file of deps as a reference by its import path; each can import the others. */
export function depReferences(): ResolvedReference[] {
  if (!existsSync(DEPS)) return [];
  const references: ResolvedReference[] = [];
  for (const entry of readdirSync(DEPS, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".proto")) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(DEPS, path);
    references.push({ name, subject: name, version: 1, source: { text: readFileSync(path, "utf8"), references: [] } });
  }
  return references.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `--ref NAME=FILE`: the target of a reference, for use without a registry. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ResolvedReference } from "../../schema/format.ts";
import { cannotRead, UsageError } from "../usage-error.ts";

/** Split at the last equals sign: a name may contain one, a file may not. */
function splitReference(text: string): { name: string; file: string } {
  const at = text.lastIndexOf("=");
  if (at <= 0) throw new UsageError(`--ref must be NAME=FILE, got "${text}".`);
  return { name: text.slice(0, at), file: text.slice(at + 1) };
}

/** All files share one list, so that references resolve in any order. */
export function readReferenceFiles(texts: readonly string[], cwd: string): ResolvedReference[] {
  const offered: ResolvedReference[] = [];
  for (const { name, file } of texts.map(splitReference)) {
    let text: string;
    try {
      text = readFileSync(resolve(cwd, file), "utf8");
    } catch (error) {
      throw cannotRead(file, error);
    }
    offered.push({ name, subject: name, version: 1, source: { text, references: offered } });
  }
  return offered;
}

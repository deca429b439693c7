/** The official JSON Schema test suite, read from the corpus if it is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonDialect, ResolvedReference } from "../../../../schema/format.ts";
import { CORPUS } from "../../../support/corpus.ts";

const SUITE = join(CORPUS, "json-schema-test-suite");
export const HAS_SUITE = existsSync(SUITE);

export const SUITE_FOLDERS: Record<JsonDialect, string> = {
  "draft-04": "draft4",
  "draft-06": "draft6",
  "draft-07": "draft7",
  "2019-09": "draft2019-09",
  "2020-12": "draft2020-12",
};

export type SuiteGroup = {
  file: string;
  kind: "required" | "optional" | "format";
  description: string;
  schema: unknown;
  tests: { description: string; data: unknown; valid: boolean }[];
};

/** Every group of one dialect. */
export function suiteGroups(dialect: JsonDialect): SuiteGroup[] {
  const root = join(SUITE, "tests", SUITE_FOLDERS[dialect]);
  return jsonFiles(root).flatMap((file) => {
    const kind = file.startsWith("optional/format/")
      ? "format"
      : file.startsWith("optional/")
        ? "optional"
        : "required";
    const groups = JSON.parse(readFileSync(join(root, file), "utf8")) as Omit<SuiteGroup, "file" | "kind">[];
    return groups.map((group) => ({ ...group, file, kind }) satisfies SuiteGroup);
  });
}

/** The documents behind `http://localhost:1234/`, as registered references that may reference each other. */
export function suiteRemotes(): ResolvedReference[] {
  const remotes: ResolvedReference[] = [];
  for (const file of jsonFiles(join(SUITE, "remotes"))) {
    const text = readFileSync(join(SUITE, "remotes", file), "utf8");
    const name = `http://localhost:1234/${file}`;
    remotes.push({ name, subject: name, version: 1, source: { text, references: remotes } });
  }
  return remotes;
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .sort();
}

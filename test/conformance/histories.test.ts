/** Real schemas over time, from a corpus beside the project; visibly skipped if it is absent. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CORPUS, HISTORIES, hasCorpus } from "../support/corpus.ts";
import { type Registered, unique, useRegistry } from "./registry.ts";

const DEPENDENCIES = join(CORPUS, "deps");

type Version = {
  file: string;
  label: string;
  registers: "yes" | "with_references" | "no";
  /** The result of the parser when the history was recorded. */
  parse: string;
  needs?: string[];
  same_as?: string;
};
type History = { name: string; format: "AVRO" | "JSON" | "PROTOBUF"; versions: Version[] };
type Reference = { name: string; subject: string; version: number };

const registry = useRegistry();

const names = hasCorpus ? readdirSync(HISTORIES).sort() : [];

describe.skipIf(!hasCorpus)("real histories", () => {
  it("exist in the corpus", () => {
    expect(names.length).toBeGreaterThan(40);
  });

  it.each(names)("%s registers version by version, and each is found again", { timeout: 240_000 }, async (name) => {
    const { format, versions } = JSON.parse(readFileSync(join(HISTORIES, name, "meta.json"), "utf8")) as History;
    const subject = unique(name);
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    const registered = new Map<string, Registered>();

    for (const version of versions) {
      const schema = readFileSync(join(HISTORIES, name, version.file), "utf8");
      const found = await referencesOf(version, format, subject);
      const body = { schemaType: format, schema, references: found.references };
      const answer = await registry.post(`/subjects/${subject}/versions`, body);
      // A Protobuf import that only options need may be missing, because they are then kept as text.
      const isOnlyForOptions = format === "PROTOBUF" && found.missing.length > 0 && answer.status === 200;
      if (((version.registers === "no" && !isValidToday(version)) || found.missing.length > 0) && !isOnlyForOptions) {
        expect(answer.status, `${version.file}: ${answer.text}`).toBe(422);
        if (found.missing.length > 0) expect(found.missing.some((path) => answer.text.includes(path))).toBe(true);
        continue;
      }
      expect(answer.status, `${version.file}: ${answer.text}`).toBe(200);
      const stored = answer.body as Registered;
      registered.set(version.file, stored);
      if (version.same_as) expect(stored.id).toBe(registered.get(version.same_as)!.id);

      const lookup = await registry.post(`/subjects/${subject}`, body);
      expect(lookup.body, version.file).toMatchObject({ id: stored.id, version: stored.version });
      const again = await registry.post(`/subjects/${subject}/versions`, { ...body, schema: stored.schema });
      expect(again.body, `${version.file}, its canonical text`).toMatchObject({
        id: stored.id,
        version: stored.version,
      });
      expect((await registry.get(`/schemas/ids/${stored.id}/schema`)).text).toBe(stored.schema);
      expect((await registry.get(`/schemas/guids/${stored.guid}`)).body).toMatchObject({ schema: stored.schema });
    }
  });
});

/** The recorded results are older than Avro 1.12, since which a default may belong to any branch of a union. */
function isValidToday({ parse }: Version): boolean {
  return /union defaults must match the first branch/.test(parse);
}

/** Registers a version's dependencies, if the corpus has them. */
async function referencesOf(
  { needs = [] }: Version,
  format: History["format"],
  subject: string,
): Promise<{ references: Reference[]; missing: string[] }> {
  const references: Reference[] = [];
  const missing: string[] = [];
  for (const name of needs) {
    const reference = format === "PROTOBUF" ? await registerImport(name, subject) : await registerUrl(name, subject);
    if (reference) references.push(reference);
    else missing.push(name);
  }
  return { references, missing };
}

async function registerImport(path: string, prefix: string): Promise<Reference | undefined> {
  const file = join(DEPENDENCIES, path);
  if (!existsSync(file)) return undefined;
  const schema = readFileSync(file, "utf8");
  const references: Reference[] = [];
  for (const [, imported] of schema.matchAll(/^\s*import\s+(?:public\s+)?"([^"]+)"/gm)) {
    const reference = await registerImport(imported!, prefix);
    if (reference) references.push(reference);
  }
  const subject = `${prefix}/${path}`;
  const { version } = await registry.register(subject, { schemaType: "PROTOBUF", schema, references });
  return { name: path, subject, version };
}

/** Facets reference documents of another history. */
async function registerUrl(url: string, prefix: string): Promise<Reference | undefined> {
  const core = join(HISTORIES, "openlineage-core");
  const { versions } = JSON.parse(readFileSync(join(core, "meta.json"), "utf8")) as History;
  const release = /^https:\/\/openlineage\.io\/(spec\/[\d-]+\/OpenLineage\.json)$/.exec(url)?.[1];
  const found = release && versions.find(({ label, needs }) => label.endsWith(release) && !needs);
  if (!found) return undefined;
  const subject = `${prefix}/${url}`;
  const schema = readFileSync(join(core, found.file), "utf8");
  const { version } = await registry.register(subject, { schemaType: "JSON", schema });
  return { name: url, subject, version };
}

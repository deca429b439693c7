/** The JSON histories of the corpus as consecutive pairs of models, with the references that the corpus has. */
import { readdirSync, readFileSync } from "node:fs";
import type { ResolvedReference } from "../../../../../schema/format.ts";
import type { JsonSchemaModel } from "../../../../../schema/json/model.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { HISTORIES } from "../../../../support/corpus.ts";

export type CorpusPair = {
  name: string;
  writer: JsonSchemaModel;
  reader: JsonSchemaModel;
  writerText: string;
  readerText: string;
  characters: number;
};

type Meta = { versions: { file: string; needs?: string[] }[] };

/** Every two consecutive versions that parse, oldest first. */
export function corpusPairs(): CorpusPair[] {
  const cores = coreTexts();
  const pairs: CorpusPair[] = [];
  for (const name of readdirSync(HISTORIES).sort()) {
    const { versions } = JSON.parse(readFileSync(`${HISTORIES}/${name}/meta.json`, "utf8")) as Meta;
    const parsed = versions
      .filter(({ file }) => file.endsWith(".json"))
      .flatMap(({ file, needs = [] }) => {
        const text = readFileSync(`${HISTORIES}/${name}/${file}`, "utf8");
        const references = needs.flatMap((url) => referenceTo(url, cores));
        const model = parseJsonSchema({ text, references }, { strictness: "stored", defaultDialect: "draft-07" });
        return model.ok ? [{ file, text, model: model.value.model }] : [];
      });
    for (const [index, { file, text, model }] of parsed.slice(1).entries()) {
      const before = parsed[index]!;
      pairs.push({
        name: `${name} ${before.file} -> ${file}`,
        writer: before.model,
        reader: model,
        writerText: before.text,
        readerText: text,
        characters: before.text.length + text.length,
      });
    }
  }
  return pairs;
}

/** The versions of the one schema that others reference, by their own URLs. */
function coreTexts(): Map<string, string> {
  const texts = new Map<string, string>();
  for (const file of readdirSync(`${HISTORIES}/openlineage-core`)) {
    const text = readFileSync(`${HISTORIES}/openlineage-core/${file}`, "utf8");
    const { $id } = JSON.parse(text) as { $id?: string };
    if ($id) texts.set($id, text);
  }
  return texts;
}

function referenceTo(url: string, cores: ReadonlyMap<string, string>): ResolvedReference[] {
  const text = cores.get(url);
  return text === undefined ? [] : [{ name: url, subject: url, version: 1, source: { text, references: [] } }];
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ParseOptions, ResolvedReference } from "../../../schema/format.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { JSON_DIALECTS } from "../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../schema/json/parse/parse.ts";
import { canonicalJsonSchema, equivalentJsonSchemas } from "../../../schema/json/text/canonical.ts";
import { jsonSchemaFields } from "../../../schema/json/text/fields.ts";
import { normalisedJsonSchema } from "../../../schema/json/text/normalise.ts";
import { CORPUS, HISTORIES, hasCorpus } from "../../support/corpus.ts";
import { HAS_SUITE, suiteGroups, suiteRemotes } from "./validate/suite.ts";

const HAS_TOOLS = existsSync(join(CORPUS, "llm/mcp-tools.json"));

const OPTIONS: ParseOptions = { strictness: "new", defaultDialect: "draft-07" };

type Version = { file: string; registers: "yes" | "with_references" | "no"; needs?: string[]; same_as?: string };
type History = { name: string; versions: Version[] };

const histories = hasCorpus
  ? readdirSync(HISTORIES)
      .map((name) => ({ name, ...JSON.parse(readFileSync(join(HISTORIES, name, "meta.json"), "utf8")) }))
      .filter((meta: { format: string }) => meta.format === "JSON")
  : [];

function textOf(history: string, file: string): string {
  return readFileSync(join(HISTORIES, history, file), "utf8");
}

/** The documents of the corpus that others reference, by their own identifiers. */
const byIdentifier = new Map<string, string>();
for (const { name, versions } of histories as History[]) {
  if (name !== "openlineage-core") continue;
  for (const { file } of versions) {
    const text = textOf(name, file);
    const { $id } = JSON.parse(text) as { $id?: string };
    if ($id !== undefined) byIdentifier.set($id.replace(/#$/, ""), text);
  }
}

function referencesFor(needs: readonly string[]): ResolvedReference[] {
  return needs.flatMap((name) => {
    const text = byIdentifier.get(name.replace(/#.*$/, ""));
    return text === undefined ? [] : [{ name, subject: name, version: 1, source: { text, references: [] } }];
  });
}

/** Invariants of every schema that parses. */
function expectStable(model: JsonSchemaModel, references: readonly ResolvedReference[], options = OPTIONS): void {
  const canonical = canonicalJsonSchema(model);
  const again = parseJsonSchema({ text: canonical, references }, options);
  if (!again.ok) throw new Error(again.refusal.problems[0]?.message);
  expect(canonicalJsonSchema(again.value.model)).toBe(canonical);
  expect(equivalentJsonSchemas(again.value.model, model)).toBe(true);
  expect(jsonSchemaFields(again.value.model)).toEqual(jsonSchemaFields(model));
  const normalised = normalisedJsonSchema(model);
  const sorted = parseJsonSchema({ text: normalised, references }, options);
  expect(sorted.ok && normalisedJsonSchema(sorted.value.model)).toBe(normalised);
  expect(JSON.parse(normalised)).toEqual(JSON.parse(model.document.text.replace(/^\ufeff/, "")));
}

describe.skipIf(!hasCorpus)("parseJsonSchema on the histories of the corpus", () => {
  it.each(histories as History[])("registers $name as its notes say", ({ name, versions }) => {
    for (const { file, registers, needs = [] } of versions) {
      const text = textOf(name, file);
      const alone = parseJsonSchema({ text, references: [] }, OPTIONS);
      expect({ file, registers: alone.ok }).toEqual({ file, registers: registers === "yes" });
      if (alone.ok) {
        expectStable(alone.value.model, []);
        continue;
      }
      const named = alone.refusal.problems.map(({ message }) => message).join("\n");
      for (const need of registers === "with_references" ? needs : []) {
        expect(named).toContain(need.replace(/#.*$/, ""));
      }
      const references = referencesFor(needs);
      if (registers !== "with_references" || references.length < needs.length) continue;
      const whole = parseJsonSchema({ text, references }, OPTIONS);
      expect({ file, problems: whole.ok ? [] : whole.refusal.problems }).toEqual({ file, problems: [] });
      if (whole.ok) expectStable(whole.value.model, references);
    }
  });

  it.each(histories as History[])(
    "gives versions of $name with one content one canonical text, and different contents different ones",
    ({ name, versions }) => {
      const texts = new Map<string, string>();
      for (const { file, same_as } of versions) {
        const parsed = parseJsonSchema(
          { text: textOf(name, file), references: [] },
          { ...OPTIONS, strictness: "stored" },
        );
        const canonical = parsed.ok ? canonicalJsonSchema(parsed.value.model) : "";
        const earlier = [...texts].filter(([, text]) => text === canonical).map(([earlierFile]) => earlierFile);
        expect({ file, same: earlier[0] }).toEqual({ file, same: same_as });
        texts.set(file, canonical);
      }
    },
  );
});

describe.skipIf(!HAS_SUITE)("parseJsonSchema on the schemas of the official suite", () => {
  it.each(JSON_DIALECTS)("parses every schema of %s, and keeps its meaning", (dialect) => {
    const references = suiteRemotes();
    const options: ParseOptions = { strictness: "new", defaultDialect: dialect };
    for (const { file, description, schema } of suiteGroups(dialect)) {
      const parsed = parseJsonSchema({ text: JSON.stringify(schema), references }, options);
      expect({ file, description, problems: parsed.ok ? [] : parsed.refusal.problems }).toEqual({
        file,
        description,
        problems: [],
      });
      if (parsed.ok) expectStable(parsed.value.model, references, options);
    }
  });
});

describe.skipIf(!HAS_TOOLS)("parseJsonSchema on the tools of the corpus", () => {
  it("parses the schemas of all tools without a warning", () => {
    const { tools } = JSON.parse(readFileSync(join(CORPUS, "llm/mcp-tools.json"), "utf8")) as {
      tools: { name: string; inputSchema: unknown; outputSchema?: unknown }[];
    };
    expect(tools).toHaveLength(117);

    for (const { name, inputSchema, outputSchema } of tools) {
      for (const schema of [inputSchema, outputSchema].filter((candidate) => candidate !== undefined)) {
        const parsed = parseJsonSchema(
          { text: JSON.stringify(schema), references: [] },
          { strictness: "new", defaultDialect: "2020-12" },
        );
        expect({ name, ok: parsed.ok, warnings: parsed.ok ? parsed.value.warnings : [] }).toEqual({
          name,
          ok: true,
          warnings: [],
        });
      }
    }
  });
});

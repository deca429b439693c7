// Run by oracles.test.ts. Installs the providers' packages in a temporary folder and runs them on projections; prints a
// report of the transformers and one of the engines.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBreaks } from "../../../../schema/json/compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../../../../schema/json/model.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { validateInstance } from "../../../../schema/json/validate/validate.ts";
import { collectPool } from "../../../../schema/json/witness/pool.ts";
import { NO_SAMPLE, Sampler } from "../../../../schema/json/witness/sample.ts";
import { parseJsonText, toPlainValue, writeJsonText } from "../../../../schema/json-text.ts";
import { PROFILES } from "../../../../schema/projection/profiles.ts";
import { projectSchema } from "../../../../schema/projection/project.ts";
import { unwrapSchemas } from "../../../../schema/projection/tool-schema-text.ts";
import { Random } from "../../../../schema/random.ts";
import { runAtOnce } from "../../../../schema/slices.ts";
import { CORPUS } from "../../../support/corpus.ts";

const HERE = import.meta.dirname;
const FOLDER = join(tmpdir(), "projection-oracles");
const SAMPLES = 20;

function run(command: string, args: readonly string[], input?: string, cwd = FOLDER): string {
  const { status, stdout, stderr } = spawnSync(command, args, { input, cwd, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  return stdout;
}

function install(): void {
  mkdirSync(FOLDER, { recursive: true });
  if (!existsSync(join(FOLDER, "venv"))) {
    run("python3", ["-m", "venv", "venv"]);
    run("venv/bin/pip", ["install", "-q", "-r", join(HERE, "requirements.txt")]);
    run("venv/bin/pip", ["install", "-q", "--no-deps", "xgrammar==0.2.9"]);
  }
  if (!existsSync(join(FOLDER, "node_modules"))) {
    run("npm", [
      "install",
      "--no-audit",
      "--no-fund",
      "--silent",
      "--prefix",
      FOLDER,
      "openai@7.59.0",
      "@anthropic-ai/sdk@1.14.0",
    ]);
  }
  copyFileSync(join(HERE, "transformers.mjs"), join(FOLDER, "transformers.mjs"));
}

function modelOf(text: string): JsonSchemaModel | undefined {
  const parsed = parseJsonSchema({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
  return parsed.ok ? parsed.value.model : undefined;
}

/** The tools of the corpus and the schemas of the vectors. */
function schemas(): { name: string; text: string }[] {
  const found: { name: string; text: string }[] = [];
  const tools = join(CORPUS, "llm", "mcp-tools.json");
  if (existsSync(tools)) {
    const text = readFileSync(tools, "utf8");
    const parsed = parseJsonText(text);
    if (parsed.ok)
      for (const { name, text: schema } of unwrapSchemas(parsed.value.root, text))
        found.push({ name: name ?? "", text: schema });
  }
  const vectors = join(HERE, "../../../../contract/vectors/projection");
  for (const file of readdirSync(vectors)) {
    const cases = JSON.parse(readFileSync(join(vectors, file), "utf8")) as { description: string; schema: unknown }[];
    for (const { description, schema } of cases) found.push({ name: description, text: JSON.stringify(schema) });
  }
  return found;
}

function samplesOf(model: JsonSchemaModel, isWanted: boolean): unknown[] {
  const random = new Random(1);
  const { inclusion, state } = runAtOnce(findBreaks(model, model, { writers: "any" }));
  const samples: unknown[] = [];
  for (let count = 0; count < SAMPLES; count += 1) {
    const sampler = new Sampler(inclusion.views, random, collectPool(model), 0.6, { remaining: 10_000 });
    const value = sampler.sample(state);
    if (value === NO_SAMPLE) continue;
    const tried = isWanted ? asGenerated(toPlainValue(model.root.node), value) : broken(value, random);
    const validation = validateInstance(model, tried, { formats: true });
    if (validation.ok && validation.value.valid === isWanted) samples.push(tried);
  }
  return samples;
}

/** Grammars write members in the order of the schema, and no others unless it allows them. */
function asGenerated(schema: unknown, value: unknown): unknown {
  if (typeof schema !== "object" || schema === null || typeof value !== "object" || value === null) return value;
  const { properties, items, additionalProperties } = schema as Record<string, unknown>;
  if (Array.isArray(value)) return value.map((item) => asGenerated(items, item));
  if (typeof properties !== "object" || properties === null) return value;
  const members = value as Record<string, unknown>;
  const named = Object.entries(properties).filter(([name]) => Object.hasOwn(members, name));
  const others = Object.entries(members).filter(([name]) => !Object.hasOwn(properties, name));
  return Object.fromEntries([
    ...named.map(([name, property]) => [name, asGenerated(property, members[name])] as const),
    ...(additionalProperties === undefined || additionalProperties === false ? [] : others),
  ]);
}

/** The value with one member replaced by something that is most likely invalid. */
function broken(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { unexpected: true };
  const names = Object.keys(value);
  return names.length === 0 ? { unexpected: true } : { ...value, [random.pick(names)]: { unexpected: true } };
}

install();
const lines: string[] = [];
for (const { name, text } of schemas()) {
  const model = modelOf(text);
  if (model === undefined) continue;
  for (const profile of PROFILES) {
    const projected = projectSchema(model, profile);
    const plain = projected.ok ? modelOf(writeJsonText(projected.value.plainSchema)) : undefined;
    if (!projected.ok || plain === undefined) continue;
    const answers = JSON.stringify(samplesOf(plain, true));
    const refused = JSON.stringify(samplesOf(plain, false));
    const schema = writeJsonText(projected.value.schema);
    lines.push(
      `{"profile":"${profile.name}","name":${JSON.stringify(name)},"schema":${schema},"answers":${answers},"refused":${refused}}`,
    );
  }
}
console.log(run(process.execPath, ["transformers.mjs"], lines.join("\n")));
console.log(run("venv/bin/python", [join(HERE, "engines.py")], lines.join("\n")));

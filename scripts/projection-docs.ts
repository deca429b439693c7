// `npm run docs:projections`: writes the generated part of docs/projections.md: how real tools fare, and the limits of
// each profile.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseJsonSchema } from "../schema/json/parse/parse.ts";
import { parseJsonText } from "../schema/json-text.ts";
import { CHANGE_KINDS } from "../schema/projection/changes.ts";
import { lintSchema, READINESS, type Readiness } from "../schema/projection/lint.ts";
import type { Limit, Profile } from "../schema/projection/profile.ts";
import { profileId } from "../schema/projection/profile.ts";
import { PROFILES } from "../schema/projection/profiles.ts";
import { unwrapSchemas } from "../schema/projection/tool-schema-text.ts";
import { ROOT } from "./install.mjs";

const page = join(ROOT, "docs", "projections.md");
const tools = join(ROOT, "..", "shared", "corpus", "llm", "mcp-tools.json");
if (!existsSync(tools)) {
  console.error("The page cannot be written without the corpus of real tools beside this checkout.");
  process.exit(1);
}

const START = "<!-- from here on written by npm run docs:projections -->";
const written = existsSync(page) ? readFileSync(page, "utf8") : "";
const prose = written.includes(START) ? written.slice(0, written.indexOf(START)) : written;
writeFileSync(page, `${prose}${START}\n\n${readiness(tools)}\n${changeKinds(tools)}\n${uncertain()}\n${limits()}`);
console.log("docs/projections.md is written.");

type Counted = { readiness: Map<string, Map<Readiness, number>>; kinds: Map<string, number>; total: number };

function count(file: string): Counted {
  const text = readFileSync(file, "utf8");
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw new Error(`${file} is not JSON.`);
  const counted: Counted = { readiness: new Map(), kinds: new Map(), total: 0 };
  for (const schema of unwrapSchemas(parsed.value.root, text)) {
    const read = parseJsonSchema(
      { text: schema.text, references: [] },
      { strictness: "new", defaultDialect: "2020-12" },
    );
    if (!read.ok) throw new Error(`${schema.name} is not a JSON Schema.`);
    counted.total += 1;
    for (const { profile, readiness: found, findings } of lintSchema(read.value.model, PROFILES)) {
      const known = counted.readiness.get(profile) ?? new Map<Readiness, number>();
      counted.readiness.set(profile, known.set(found, (known.get(found) ?? 0) + 1));
      for (const kind of new Set(findings.map((finding) => `${finding.kind ?? "impossible"} ${finding.loss ?? ""}`))) {
        counted.kinds.set(`${profile} ${kind}`, (counted.kinds.get(`${profile} ${kind}`) ?? 0) + 1);
      }
    }
  }
  return counted;
}

function readiness(file: string): string {
  const counted = count(file);
  const rows = [...counted.readiness].map(
    ([profile, found]) => `| ${profile} | ${READINESS.map((level) => found.get(level) ?? 0).join(" | ")} |`,
  );
  return `## How real tools fare

The ${counted.total} tools of github-mcp-server (MIT), linted one by one.

| profile | ${READINESS.join(" | ")} |
|---|${READINESS.map(() => "---:|").join("")}
${rows.join("\n")}
`;
}

function changeKinds(file: string): string {
  const { kinds } = count(file);
  const rows = [...kinds]
    .filter(([key]) => key.startsWith("openai-strict") || key.startsWith("anthropic-strict"))
    .map(([key, tools]) => `| ${key.split(" ").join(" | ")} | ${tools} |`);
  return `What they need for the two strictest, by kind of change and number of tools:

| profile | change | loss | tools |
|---|---|---|---:|
${rows.join("\n")}

All kinds of change: ${CHANGE_KINDS.map((kind) => `\`${kind}\``).join(", ")}.
`;
}

function isLimit(value: unknown): value is Limit<unknown> {
  return typeof value === "object" && value !== null && "confidence" in value;
}

function limitsOf(profile: Profile): [string, Limit<unknown>][] {
  const { keywords, budgets, ...rest } = profile;
  const all: Record<string, unknown> = { ...rest, ...keywords, ...budgets, ...budgets.request };
  return Object.entries(all).flatMap(([name, value]) =>
    isLimit(value) ? [[name, value] as [string, Limit<unknown>]] : [],
  );
}

function row(name: string, { value, confidence, source, note }: Limit<unknown>): string {
  const shown = JSON.stringify(value).replaceAll("|", "\\|");
  return `| ${name} | \`${shown}\` | ${confidence} | ${source.replaceAll("|", "\\|")}${note === undefined ? "" : `. ${note}`} |`;
}

function uncertain(): string {
  const rows = PROFILES.flatMap((profile) =>
    limitsOf(profile)
      .filter(([, limit]) => limit.uncertain)
      .map(([name, limit]) => `| ${profileId(profile)} ${row(name, limit)}`),
  );
  return `## What is not certain

Limits whose sources disagree, or that could not be checked again for the profile's date.

| profile | limit | taken as | known from | source |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function limits(): string {
  const sections = PROFILES.map(
    (profile) => `### ${profileId(profile)}

${profile.purpose} Shapes: ${profile.shapes.map((shape) => `\`${shape}\``).join(", ")}.

| limit | value | known from | source |
|---|---|---|---|
${limitsOf(profile)
  .map(([name, limit]) => row(name, limit))
  .join("\n")}
`,
  );
  return `## Profiles\n\n${sections.join("\n")}`;
}

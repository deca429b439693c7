/** `npm run docs:labelled`: what changes of artefacts do to users, by labels, against the verdicts of the comparison. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Difference } from "../schema/compatibility.ts";
import { FORMAT_NAMES, type FormatName, isArtefact } from "../schema/format.ts";
import { formatNamed } from "../schema/formats.ts";

const FOLDER = "contract/vectors/labelled";

/** From the worst for users to none. */
const LABELS = ["breaking", "behaviour", "review", "harmless"] as const;
type Label = (typeof LABELS)[number];

/** `change` is a merge patch (RFC 7396) of the base; `why` is the reason for the label. */
type LabelledChange = { description: string; base: string; change: unknown; label: Label; why: string };
type LabelledFile = { bases: Readonly<Record<string, unknown>>; changes: readonly LabelledChange[] };

type LabelledVerdict = Pick<LabelledChange, "description" | "label" | "why"> & {
  format: FormatName;
  verdict: Label;
  kinds: string[];
};

export function labelledVerdicts(root: string): LabelledVerdict[] {
  return FORMAT_NAMES.filter(isArtefact).flatMap((format) => {
    const file = JSON.parse(readFileSync(join(root, FOLDER, `${format}.json`), "utf8")) as LabelledFile;
    return file.changes.map(({ description, base, change, label, why }): LabelledVerdict => {
      const before = file.bases[base];
      const differences = compared(format, before, merged(before, change));
      return { format, description, label, why, verdict: verdictOf(differences), kinds: kindsOf(differences) };
    });
  });
}

/** What users of the earlier content meet in the later one. */
function compared(format: FormatName, before: unknown, after: unknown): readonly Difference[] {
  const { parse, compare } = formatNamed(format);
  const [writer, reader] = [before, after].map((content) => {
    const source = { text: JSON.stringify(content), references: [] };
    const parsed = parse(source, { strictness: "new", defaultDialect: "2020-12" });
    if (!parsed.ok) throw new Error(`${source.text} is refused: ${parsed.refusal.problems[0]?.message}`);
    return parsed.value.model;
  });
  const comparison = compare(reader, writer, { policy: "semantic", writers: "declared" });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences;
}

const LABEL_OF: Readonly<Record<Difference["severity"], Label>> = {
  breaking: "breaking",
  behaviour: "behaviour",
  warning: "review",
  info: "harmless",
};

function verdictOf(differences: readonly Difference[]): Label {
  const found = new Set(differences.map(({ severity }) => LABEL_OF[severity]));
  return LABELS.find((label) => found.has(label)) ?? "harmless";
}

function kindsOf(differences: readonly Difference[]): string[] {
  return [...new Set(differences.map(({ kind }) => kind))];
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function renderLabelled(all: readonly LabelledVerdict[]): string {
  const agreed = all.filter(({ label, verdict }) => label === verdict).length;
  const sections = FORMAT_NAMES.filter(isArtefact).map((format) => renderFormat(format, all));
  return `# Verdicts about artefacts

\`contract/vectors/labelled\` has ${all.length} changes of prompts, tools, model signatures, collections, data sets and evaluations. Each is labelled, with the reason, by what it does to users of the
earlier version, whatever the comparison says:

- **breaking**: some user fails, or silently gets wrong results.
- **behaviour**: nothing fails; what a model does, or a score says, may change.
- **review**: nothing fails; a user relies on what is now ignored, or the effect cannot be known.
- **harmless**: no user notices.

The verdict is the worst severity of the differences; \`warning\` is review, \`info\` and no difference are harmless. ${agreed} of ${all.length} agree. The changes are modelled on common ones
of such artefacts; they are not a sample of any history. This page is written by \`npm run docs:labelled\`.

${sections.join("\n")}`;
}

function renderFormat(format: FormatName, all: readonly LabelledVerdict[]): string {
  const own = all.filter((each) => each.format === format);
  const count = (label: Label, verdict: Label) =>
    own.filter((each) => each.label === label && each.verdict === verdict).length;
  const rows = LABELS.map((label) => `| ${label} | ${LABELS.map((verdict) => count(label, verdict)).join(" | ")} |`);
  const others = own.filter(({ label, verdict }) => label !== verdict);
  const disagreements = others.map(
    ({ description, label, why, verdict, kinds }) =>
      `- ${description}: labelled ${label} (${why.replace(/\.$/, "")}), judged ${verdict}${kinds.length === 0 ? "" : ` (${kinds.map((kind) => `\`${kind}\``).join(", ")})`}.`,
  );
  return `## ${format}

| label \\ verdict | ${LABELS.join(" | ")} |
|---|${LABELS.map(() => "---|").join("")}
${rows.join("\n")}
${disagreements.length === 0 ? "" : `\n${disagreements.join("\n")}\n`}`;
}

/** Parses and compares artefacts in tests. */
import type { Difference } from "../../../schema/compatibility.ts";
import type { FormatName, ParseResult, ResolvedReference } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import type { Witness } from "../../../schema/witness.ts";

/** Version 1 of the subject that has the reference's name, unless another version is named. */
export type Reference = { name: string; content: unknown; version?: number };

export function parseArtefact(name: FormatName, content: unknown, references: readonly Reference[] = []) {
  const resolved: ResolvedReference[] = references.map((reference) => ({
    name: reference.name,
    subject: reference.name,
    version: reference.version ?? 1,
    source: { text: JSON.stringify(reference.content), references: [] },
  }));
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return formatNamed(name).parse(
    { text, references: resolved },
    { strictness: "new", defaultDialect: "2020-12" },
  ) as ParseResult<unknown>;
}

export function modelOf(name: FormatName, content: unknown, references: readonly Reference[] = []): unknown {
  const parsed = parseArtefact(name, content, references);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems));
  return parsed.value.model;
}

/** What users of `writer` meet when they use `reader`. */
export function compared(
  name: FormatName,
  reader: unknown,
  writer: unknown,
): { differences: readonly Difference[]; witnesses: readonly Witness[] } {
  const format = formatNamed(name);
  const comparison = format.compare(reader, writer, { policy: "semantic", writers: "declared" });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  const { differences } = comparison.value;
  const options = { seed: 1, maxAttempts: 200, writers: "declared" } as const;
  return { differences, witnesses: format.witnesses(reader, writer, differences, options) };
}

/** The rules of a refusal's problems, or those of the warnings. */
export function rulesOf(name: FormatName, content: unknown, references: readonly Reference[] = []): string[] {
  const parsed = parseArtefact(name, content, references);
  const problems = parsed.ok ? parsed.value.warnings : parsed.refusal.problems;
  return problems.map(({ rule }) => rule);
}

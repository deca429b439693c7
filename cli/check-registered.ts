/** Checks entries against a registry, under each subject's own level, policy and rules. */

import { formatNamed } from "../schema/formats.ts";
import type { Difference, Verdict } from "../sdks/typescript/src/models.ts";
import { portabilityOfChange } from "./check-local.ts";
import { resolveAmong, type SchemaEntry } from "./entries.ts";
import { readRecord, readRegistered } from "./input/from-registry.ts";
import { parseSchema } from "./input/parse-schema.ts";
import type { SchemaText } from "./input/schema-text.ts";
import { splitPlace } from "./input/unwrap.ts";
import type { AffectedSubject, CheckReport, CheckSummary, Finding } from "./output/report.ts";
import type { DeclaredReference } from "./project-file.ts";
import type { Registry } from "./registry.ts";
import { inTurns } from "./turns.ts";
import { UsageError } from "./usage-error.ts";

type SchemaProblem = { message: string; pointer?: string; line?: number; column?: number };

type BundleVerdict = {
  subject: string;
  context: string;
  compatible: boolean | null;
  level: string;
  policy: string;
  writers: string;
  role: string | null;
  errors: SchemaProblem[];
  problem?: string;
  differences: Difference[];
};

type BundleAnswer = {
  compatible: boolean;
  schemas: (BundleVerdict & {
    compared_versions: { version: string | null; version_number: number | null }[];
    suggested_version: string | null;
    suggested_bump: string | null;
    suggestion_reasons: string[];
  })[];
  referencing: (BundleVerdict & { version: string | null })[];
};

type CheckOverrides = { level?: string; policy?: string; writers?: string; role?: string };

/** All entries as if they were registered together, and what references them in the registry. */
export async function checkEntries(
  registry: Registry,
  entries: readonly SchemaEntry[],
  qualify: (subject: string) => string,
  overrides: CheckOverrides,
): Promise<CheckSummary> {
  const schemas = entries.map(({ subject, schema, references }) => ({
    subject: qualify(subject),
    format: schema.format,
    content: toContent(schema),
    references: references.map(({ name, subject: of, version = "latest" }) => ({
      name,
      subject: qualify(of),
      version,
    })),
  }));
  const answer = await registry.ask<BundleAnswer>("/compatibility/bundle", { schemas, witnesses: true, ...overrides });
  // A verdict looks the same without differences and with unobservable ones.
  const isQuiet = (_: SchemaEntry, index: number) => {
    const { suggested_bump: bump, differences } = answer.schemas[index]!;
    return bump === "patch" && differences.length === 0;
  };
  const read = entries.filter((entry, index) => isForModels(entry) || isQuiet(entry, index));
  const earlier = await readNewest(registry, read, qualify);
  return {
    compatible: answer.compatible,
    reports: answer.schemas.map((verdict, index) => ({
      ...toReport(entries[index]!, verdict),
      ...(isSameText(entries[index]!, entries, earlier) ? { bump: "none", suggestedVersion: null } : {}),
      portability: verdict.errors.length > 0 ? [] : portabilityOf(entries[index]!, entries, earlier),
    })),
    affected: answer.referencing.map(toAffected),
  };
}

/** The newest registered versions, by subject. */
async function readNewest(
  registry: Registry,
  entries: readonly SchemaEntry[],
  qualify: (subject: string) => string,
): Promise<Map<string, SchemaText>> {
  const found = new Map<string, SchemaText>();
  await inTurns(entries, async ({ subject }) => {
    const registered = await readRegistered(registry, qualify(subject), "latest");
    if (registered !== undefined) found.set(subject, registered);
  });
  return found;
}

function portabilityOf(entry: SchemaEntry, entries: readonly SchemaEntry[], earlier: ReadonlyMap<string, SchemaText>) {
  if (!isForModels(entry)) return [];
  const before = earlier.get(entry.subject);
  try {
    const later = parseSchema(entry.schema, resolveAmong(entry, entries));
    return portabilityOfChange(before === undefined ? undefined : parseSchema(before), later);
  } catch (error) {
    // Its references exist only in the registry. The verdict does not need the providers.
    if (error instanceof UsageError) return [];
    throw error;
  }
}

function isSameText(entry: SchemaEntry, entries: readonly SchemaEntry[], earlier: ReadonlyMap<string, SchemaText>) {
  const before = earlier.get(entry.subject);
  if (before === undefined) return false;
  const { canonicalText } = formatNamed(entry.schema.format);
  try {
    const own = parseSchema(entry.schema, [...resolveAmong(entry, entries), ...before.references]);
    return canonicalText(own.model) === canonicalText(parseSchema(before).model);
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function isForModels({ schema }: SchemaEntry): boolean {
  return schema.role === "tool_input" || schema.role === "model_output";
}

function toReport({ subject, schema }: SchemaEntry, verdict: BundleAnswer["schemas"][number]): CheckReport {
  const { compatible, level, policy, writers, role, errors, problem, differences } = verdict;
  const [newest] = verdict.compared_versions;
  const against = newest === undefined ? null : `${subject}@${newest.version ?? newest.version_number}`;
  return {
    name: subject,
    place: schema.place,
    against,
    compatible,
    level,
    policy,
    writers,
    role,
    bump: verdict.suggested_bump,
    suggestedVersion: verdict.suggested_version,
    reasons: verdict.suggestion_reasons,
    findings: differences.map((difference) => registeredFinding(difference, schema)),
    problems: [...errors.map((error) => placedProblem(error, schema)), ...(problem === undefined ? [] : [problem])],
    portability: [],
  };
}

/** A schema against one registered version, or all of them. */
export async function checkVersion(
  registry: Registry,
  question: { subject: string; version: string; shown: string; references: readonly DeclaredReference[] },
  schema: SchemaText,
  { qualify, overrides }: { qualify: (subject: string) => string; overrides: CheckOverrides },
): Promise<CheckReport> {
  const version = /^\d+$/.test(question.version) ? Number(question.version) : question.version;
  const references = await Promise.all(
    question.references.map(async ({ name, subject, version: wanted = "latest" }) => {
      const record = await readRecord(registry, qualify(subject), wanted);
      return { name, subject: qualify(subject), version: record.version_number };
    }),
  );
  const verdict = await registry.ask<Verdict & { role: string | null; suggested_bump?: string | null }>(
    "/compatibility/check",
    { subject: question.subject, version, format: schema.format, content: toContent(schema), references, ...overrides },
  );
  const { compatible, level, policy, writers, role, differences, suggested_version: suggestedVersion } = verdict;
  return {
    name: question.shown,
    place: schema.place,
    against: `${question.shown}@${question.version}`,
    compatible,
    level,
    policy,
    writers,
    role,
    bump: verdict.suggested_bump ?? null,
    suggestedVersion: suggestedVersion ?? null,
    reasons: [],
    findings: differences.map((difference) => registeredFinding(difference, schema)),
    problems: [],
    portability: [],
  };
}

function registeredFinding(difference: Difference, schema: SchemaText): Finding {
  const { severity, kind, message, fix, witness, direction, reader_pointer, writer_pointer } = difference;
  const own = direction === "forward" ? writer_pointer : reader_pointer;
  return {
    severity,
    kind,
    message,
    pointer: reader_pointer ?? writer_pointer ?? "",
    file: splitPlace(schema.place).path,
    position: own === null ? undefined : schema.locate(own),
    direction,
    fix,
    witness: witness as Finding["witness"],
  };
}

function placedProblem({ message, pointer, line, column }: SchemaProblem, schema: SchemaText): string {
  const at = pointer === undefined ? undefined : schema.locate(pointer);
  const place = at ?? (line === undefined ? undefined : { line, column: column ?? 1 });
  return `${schema.place}${place ? `:${place.line}:${place.column}` : ""}: ${message}`;
}

function toAffected({ subject, context, version, compatible, errors, problem, differences }: AffectedVerdict) {
  const breaking = differences.filter(({ severity }) => severity === "breaking");
  const reasons = [...errors, ...breaking].map(({ message }) => message);
  return {
    subject: context === "." ? subject : `:${context}:${subject}`,
    version,
    compatible,
    reasons: problem === undefined ? reasons : [...reasons, problem],
  } satisfies AffectedSubject;
}

type AffectedVerdict = BundleAnswer["referencing"][number];

/** Text, so that numbers stay as they are written; a value where the registry would take text for a JSON string. */
export function toContent({ format, text }: SchemaText): unknown {
  if (format === "protobuf" || /^\s*[{["]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // The registry says what is wrong with it, or reads a comment of Avro.
    return text;
  }
}

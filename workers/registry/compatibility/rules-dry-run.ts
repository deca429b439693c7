/** Applies a rule book to a subject's history without storing it. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_ANSWER_BYTES, MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import {
  type CompatibilityLevel,
  type Difference,
  LEVEL_CHECKS,
  type Policy,
  type WriterAssumption,
} from "../../../schema/compatibility.ts";
import { jsonBytes, listWithin } from "../../../schema/difference-list.ts";
import { schemaValue } from "../../../schema/facts.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import {
  applyOverrides,
  applyRulesInSlices,
  type DecidedBy,
  EMPTY_RULE_BOOK,
  mergeRuleBooks,
  type RuleBook,
  type RuledDifference,
  ruleBookProblems,
} from "../../../schema/rules/rule-book.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { type HistoryPair, HistoryWalk } from "../read/history.ts";
import { subjectNotFound } from "../read/read.ts";
import { parseSubject } from "../read/subject-names.ts";
import { workIsSpent } from "../turns.ts";
import type { Direction } from "./compatibility-check.ts";
import { type Comparing, countDifferences, decided, judge, type Tally } from "./judge.ts";

/** A pair without differences takes half a kilobyte of the answer. */
export const MAX_DRY_RUN_VERSIONS = 1_000;
/** Characters of all pairs: about 4 s of work on a slow core. */
const MAX_DRY_RUN_CHARACTERS = 64 * 1024 * 1024;
/** Differences of all pairs in one answer; `acted` counts those that are left out. */
export const MAX_DRY_RUN_DIFFERENCE_BYTES = (MAX_ANSWER_BYTES * 3) / 8;
/** Differences shown per pair: those whose severity the book changed. */
const MAX_SHOWN_DIFFERENCES = 50;

type DryRunQuestion = {
  subject: string;
  context: string | undefined;
  /** Undefined: the stored book. */
  book: RuleBook | undefined;
  /** Whether the book replaces the subject's or the tenant's. */
  as: "subject" | "tenant";
  level: CompatibilityLevel | undefined;
  policy: Policy | undefined;
  writers: WriterAssumption | undefined;
  role: Role | undefined;
  /** The time at which exceptions are evaluated. */
  atMs: number;
};

type Acted = { type: DecidedBy["type"]; name: string; differences: number };

export type DryRunPair = { from: SchemaRecord; to: SchemaRecord } & (JudgedPair | { problem: string });
export type JudgedPair = {
  before: Tally;
  after: Tally;
  acted: Acted[];
  /** The differences whose severity the book decided. */
  differences: (RuledDifference & { direction: Direction })[];
};

type DryRun = {
  name: SubjectName;
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  role: Role | null;
  pairs: DryRunPair[];
  /** Rules that decided nothing. */
  idle: { type: DecidedBy["type"]; name: string }[];
  asOf: AsOf;
};

/** Every consecutive pair of a subject, under the policy alone and with the book. */
export async function dryRunRules(edge: Edge, question: DryRunQuestion): Promise<Result<DryRun, Refusal>> {
  const parsed = parseSubject(question.subject, question.context);
  if (!parsed.ok) return parsed;
  const problems = ruleBookProblems(question.book ?? EMPTY_RULE_BOOK);
  if (problems.length > 0) {
    const detail = problems[0]!.message;
    const items = problems.map(({ pointer, message }) => ({ pointer: `/book${pointer}`, rule: "rule_book", message }));
    return refuse(makeRefusal("UNPROCESSABLE", [detail], detail, { items }));
  }
  const answer = await edge.primary.read("subjectPolicies", { names: [parsed.value], api: "native" });
  if (!answer.ok) return answer;
  const { tenantRules, subjects } = answer.value.value;
  const own = subjects[0]!;
  if (!own.exists) return refuse(subjectNotFound(parsed.value));
  const book =
    question.as === "tenant"
      ? mergeRuleBooks(question.book ?? tenantRules, own.rules)
      : mergeRuleBooks(tenantRules, question.book ?? own.rules);
  const versions = await liveVersions(edge, own.name);
  if (!versions.ok) return versions;

  const judgement = {
    level: question.level ?? own.level,
    policy: question.policy ?? own.policy,
    writers: question.writers ?? own.writers,
    role: question.role ?? own.role,
  };
  const walk = new HistoryWalk(edge, own.group);
  const pairs: DryRunPair[] = [];
  const shown: Shown = { bytes: 0 };
  let characters = 0;
  for await (const pair of walk.pairs(versions.value)) {
    if ("refusal" in pair) return refuse(pair.refusal);
    characters += pair.from.schema.characters + pair.to.schema.characters;
    if (characters > MAX_DRY_RUN_CHARACTERS) return refuse(tooLong());
    const { from, to } = pair;
    if (edge.work.isSpent) return refuse(workIsSpent(`version ${to.record.versionNumber}`));
    pairs.push({
      from: from.record,
      to: to.record,
      ...(await judgedPair(edge, pair, judgement, book, question.atMs, shown)),
    });
  }
  return ok({ name: own.name, ...judgement, pairs, idle: collectIdle(book, pairs), asOf: answer.value.asOf });
}

type Judgement = { level: CompatibilityLevel; policy: Policy; writers: WriterAssumption; role: Role | null };

async function judgedPair(
  edge: Comparing,
  { from, to }: HistoryPair,
  { level, policy, writers, role }: Judgement,
  book: RuleBook,
  atMs: number,
  shown: Shown,
) {
  const directions = [
    ...(LEVEL_CHECKS[level].backward
      ? [{ direction: "backward", reader: to.schema, writer: from.schema } as const]
      : []),
    ...(LEVEL_CHECKS[level].forward ? [{ direction: "forward", reader: from.schema, writer: to.schema } as const] : []),
  ];
  const before: Difference[] = [];
  const after: (RuledDifference & { direction: Direction })[] = [];
  for (const { direction, reader, writer } of directions) {
    const plain = await judge(edge, reader, writer, { policy, writers, role });
    if (!plain.ok) return { problem: plain.refusal.detail };
    before.push(...plain.value.differences);
    const ruled = decided(
      await edge.work.run(
        applyRulesInSlices(ok(plain.value), book.rules, {
          format: reader.format,
          role,
          reader: schemaValue(reader.source.text),
          writer: schemaValue(writer.source.text),
        }),
      ),
    );
    if (!ruled.ok) return { problem: ruled.refusal.detail };
    after.push(...applyOverrides(ruled.value, book, atMs).map((difference) => ({ ...difference, direction })));
  }
  const changed = after.filter(({ decided_by }) => decided_by !== undefined);
  return {
    before: countDifferences(before),
    after: countDifferences(after),
    acted: collectActed(changed),
    differences: showWithin(changed.slice(0, MAX_SHOWN_DIFFERENCES), shown),
  };
}

/** The bytes of the differences shown so far. */
type Shown = { bytes: number };

function showWithin<T extends Difference>(differences: readonly T[], shown: Shown): T[] {
  const listed = listWithin(differences, MAX_DRY_RUN_DIFFERENCE_BYTES - shown.bytes);
  for (const difference of listed) shown.bytes += jsonBytes(difference);
  return listed;
}

function collectActed(changed: readonly RuledDifference[]): Acted[] {
  const acted = new Map<string, Acted>();
  for (const { decided_by } of changed) {
    const { type, name } = decided_by!;
    const key = `${type} ${name}`;
    const known = acted.get(key) ?? { type, name, differences: 0 };
    acted.set(key, { ...known, differences: known.differences + 1 });
  }
  return [...acted.values()];
}

function collectIdle({ rules, overrides, exceptions }: RuleBook, pairs: readonly DryRunPair[]): DryRun["idle"] {
  const acted = new Set(
    pairs.flatMap((pair) => ("acted" in pair ? pair.acted.map(({ type, name }) => `${type} ${name}`) : [])),
  );
  return [
    ...rules.map(({ name }) => ({ type: "rule" as const, name })),
    ...overrides.map(({ pointer }) => ({ type: "override" as const, name: pointer })),
    ...exceptions.map(({ name }) => ({ type: "exception" as const, name })),
  ].filter(({ type, name }) => !acted.has(`${type} ${name}`));
}

async function liveVersions(edge: Edge, name: SubjectName): Promise<Result<SchemaRecord[], Refusal>> {
  const versions: SchemaRecord[] = [];
  for (;;) {
    const after = versions.at(-1)?.versionNumber ?? 0;
    const page = { name, deleted: false, drafts: false, after, limit: MAX_QUERY_ROWS };
    const answer = await edge.primary.read("recordsOfSubject", page);
    if (!answer.ok) return answer;
    versions.push(...answer.value.value.records);
    if (versions.length > MAX_DRY_RUN_VERSIONS) return refuse(tooLong());
    if (answer.value.value.records.length < MAX_QUERY_ROWS) return ok(versions);
  }
}

function tooLong(): Refusal {
  const detail = `A dry run covers at most ${MAX_DRY_RUN_VERSIONS} versions and ${MAX_DRY_RUN_CHARACTERS} characters of schemas.`;
  return makeRefusal("TOO_COMPLEX", [detail], detail);
}

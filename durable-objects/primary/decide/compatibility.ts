/** Selects the pairs of contents that a level compares, and decides from their verdicts (docs/compatibility.md). */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { Need } from "../../../registry/commands.ts";
import { policyProblem, tooComplexRefusal, undecidedRefusal } from "../../../registry/comparison-refusal.ts";
import type { EffectiveConfig } from "../../../registry/config.ts";
import type { Closure } from "../../../registry/record.ts";
import { MAX_ANSWER_BYTES } from "../../../registry/rpc.ts";
import { type Difference, findUndecided, isCompatible, LEVEL_CHECKS } from "../../../schema/compatibility.ts";
import { incompatibilityLines } from "../../../schema/confluent-messages.ts";
import { listWithin } from "../../../schema/difference-list.ts";
import type { FormatName, JsonDialect } from "../../../schema/format.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { type DataContract, reservedNames } from "../../../schema/rules/data-contract.ts";
import { differencesForRole, type Role } from "../../../schema/rules/roles.ts";
import type { RuleBook } from "../../../schema/rules/rule-book.ts";
import { applyOverrides, type RuledDifference } from "../../../schema/rules/rule-book.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import { type RecordRow, readDataContract, type StateReader, type SubjectRow } from "../state/reader.ts";
import { type Deciding, type DecisionStep, type Refused, verdictFor } from "./decision.ts";

/** The maximum number of distinct contents in one transitive check. */
export const MAX_COMPARED_CONTENTS = 2_000;
/** The maximum size of the texts in one transitive check: 64 MiB uncompressed. */
export const MAX_COMPARED_BYTES = 64 * 1024 * 1024;

/**
 * JSON size limit of each form of a refusal's differences: the differences, the same as problems of the request, and
 * the lines of the Confluent API. The rest of the response is for witnesses, which the edge adds.
 */
export const MAX_REFUSED_DIFFERENCE_BYTES = (MAX_ANSWER_BYTES * 3) / 8;
const MAX_REFUSED_ITEM_BYTES = MAX_ANSWER_BYTES / 8;
/** The number of reasons in the detail; the full list is a separate member. */
const MAX_REASONS_IN_DETAIL = 5;

export type Candidate = {
  name: SubjectName;
  format: FormatName;
  contract: DataContract;
  closure: Closure;
  dialect: JsonDialect | null;
  /** Null if the names were checked when the content was registered. */
  topLevelNames: readonly string[] | null;
  /** Names the two sides and adjusts the severity of some differences; null if no role is set. */
  role: Role | null;
};

/** `backward`: the candidate reads what the version wrote; `forward`: the version reads what the candidate writes. */
type DirectedDifference = RuledDifference & { direction?: "backward" | "forward" };

type Compatible = { type: "compatible" };

/** `row` is null if the candidate contradicts itself. */
type Incompatible = {
  type: "incompatible";
  row: RecordRow | null;
  differences: readonly DirectedDifference[];
  total: number;
};

/** Versions to compare a candidate with, newest first: live, in the same group, as many as the level requires. */
export function comparedRecords(
  state: StateReader,
  subject: SubjectRow | undefined,
  wantedGroup: string | null,
  config: Pick<EffectiveConfig, "compatibilityLevel" | "compatibilityGroup">,
): RecordRow[] {
  const { backward, forward, transitive } = LEVEL_CHECKS[config.compatibilityLevel];
  if (!subject || (!backward && !forward)) return [];
  const group = config.compatibilityGroup;
  if (group === undefined && !transitive) {
    const newest = state.newestLive(subject.subject_key);
    return newest ? [newest] : [];
  }
  const live = state.liveRecords(subject.subject_key);
  const sameGroup =
    group === undefined ? live : live.filter((row) => readGroup(readDataContract(row), group) === wantedGroup);
  return transitive ? sameGroup : sameGroup.slice(0, 1);
}

/** Null equals null: contents outside every group are compared with each other (docs/confluent-compatibility.md). */
export function readGroup({ metadata }: DataContract, group: string | undefined): string | null {
  return group === undefined ? null : (metadata?.properties?.[group] ?? null);
}

/** Whether a registration may proceed; if not, the refusal. */
export function decideCompatibility(
  deciding: Deciding,
  candidate: Candidate,
  subject: SubjectRow | undefined,
  config: EffectiveConfig,
): DecisionStep<Compatible> {
  const compared = comparedRecords(
    deciding.state,
    subject,
    readGroup(candidate.contract, config.compatibilityGroup),
    config,
  );
  const decision = decideComparison(deciding, candidate, compared, subject, config);
  if (!decision.ok) return decision;
  const { value } = decision;
  return value.type === "incompatible" ? refuseIncompatible(deciding, candidate, config, value) : ok(value);
}

/** The first of some versions, newest first, with which a candidate is incompatible. */
export function decideComparison(
  deciding: Deciding,
  candidate: Candidate,
  rows: readonly RecordRow[],
  subject: SubjectRow | undefined,
  config: EffectiveConfig,
): DecisionStep<Compatible | Incompatible> {
  const newest = subject && config.validateFields ? deciding.state.newestLive(subject.subject_key) : undefined;
  const reserved = reservedProblems(candidate, newest, config);
  if (reserved.length > 0)
    return ok({ type: "incompatible", row: newest ?? null, differences: reserved, total: reserved.length });

  const { backward, forward } = LEVEL_CHECKS[config.compatibilityLevel];
  const compared = backward || forward ? distinctContents(rows) : [];
  if (compared.length > MAX_COMPARED_CONTENTS || deciding.state.textBytes(compared) > MAX_COMPARED_BYTES) {
    const detail = `A transitive check reads at most ${MAX_COMPARED_CONTENTS} distinct contents and ${MAX_COMPARED_BYTES} bytes.`;
    return refuse(makeRefusal("TOO_COMPLEX", [detail], detail));
  }

  const book = deciding.state.effectiveRules(candidate.name);
  const needs: Need[] = [];
  for (const row of compared) {
    if (row.format !== candidate.format) {
      if (needs.length > 0) break;
      return ok({ type: "incompatible", row, differences: [DIFFERENT_FORMAT], total: 1 });
    }
    const other = closureOfRecord(deciding.state, row);
    if (!other) return tooWide(candidate.name);
    const inapplicable = policyProblem(config.policy, deciding.formatOf(candidate.format));
    if (inapplicable) return refuse(inapplicable);
    const pair = decidePair(deciding, candidate, { row, other, config, book });
    if (!pair.ok) return pair;
    const { differences, total } = pair.value;
    needs.push(...pair.value.needs);
    // An older pair may decide only after every newer pair is known.
    if (needs.length === 0 && !isCompatible(differences)) return ok({ type: "incompatible", row, differences, total });
  }
  return ok(needs.length > 0 ? { type: "needs", needs } : { type: "compatible" });
}

type Pair = {
  row: RecordRow;
  other: Closure;
  config: EffectiveConfig;
  book: RuleBook;
};

/** The differences to one version, in the directions of the level, as far as their verdicts are known. */
function decidePair(
  deciding: Deciding,
  candidate: Candidate,
  { row, other, config, book }: Pair,
): Result<{ differences: DirectedDifference[]; total: number; needs: Need[] }, Refusal> {
  const { backward, forward, transitive: isTransitive } = LEVEL_CHECKS[config.compatibilityLevel];
  // FORWARD first: the Confluent server lists its differences before BACKWARD's.
  const directions = [
    ...(forward ? [{ reader: other, writer: candidate.closure, side: "writer" as const }] : []),
    ...(backward ? [{ reader: candidate.closure, writer: other, side: "reader" as const }] : []),
  ];
  const shared = { policy: config.policy, writers: config.writers, role: candidate.role, rules: book.rules };
  const differences: DirectedDifference[] = [];
  const needs: Need[] = [];
  let total = 0;
  for (const { reader, writer, side } of directions) {
    if (reader.hash === writer.hash && candidate.dialect === row.dialect) continue;
    const dialects =
      side === "reader"
        ? { readerDialect: candidate.dialect, writerDialect: row.dialect }
        : { readerDialect: row.dialect, writerDialect: candidate.dialect };
    const request = { reader: reader.hash, writer: writer.hash, ...dialects, ...shared };
    const { key, comparison } = verdictFor(deciding, candidate.format, request);
    if (!comparison) {
      needs.push({
        type: "verdict",
        key,
        request,
        reader,
        writer,
        candidate: side,
        isTransitive,
        format: candidate.format,
      });
      continue;
    }
    const undecided = comparison.ok ? findUndecided(comparison.value.differences) : undefined;
    if (undecided && config.undecided === "refuse") return refuse(undecidedRefusal(undecided));
    if (!comparison.ok) return refuse(tooComplexRefusal(comparison.refusal));
    const direction = side === "reader" ? "backward" : "forward";
    const ruled = applyOverrides(comparison.value, book, deciding.nowMs);
    total += Math.max(ruled.length, comparison.value.differences_total ?? 0);
    differences.push(...ruled.map((difference) => ({ ...difference, direction }) as const));
  }
  return ok({ differences, total, needs });
}

export function closureOfRecord(state: StateReader, row: RecordRow): Closure | undefined {
  return state.closure(row, row.context);
}

/** The same text in a different dialect is a different schema. */
function distinctContents(rows: readonly RecordRow[]): RecordRow[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = `${row.content_key} ${row.dialect}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const DIFFERENT_FORMAT: Difference = {
  kind: "FORMAT_CHANGED",
  reader_pointer: "",
  writer_pointer: "",
  message: "Incompatible because of different schema type",
  severity: "breaking",
  fix: "Register the schema under another subject.",
};

/**
 * Reserved names may be neither dropped nor used as fields. This is checked at every level including NONE, and from the
 * first version on.
 */
function reservedProblems(candidate: Candidate, newest: RecordRow | undefined, config: EffectiveConfig): Difference[] {
  if (!config.validateFields || candidate.topLevelNames === null) return [];
  const now = new Set(reservedNames(candidate.contract.metadata));
  const difference = (kind: string, message: string): Difference => ({
    kind,
    reader_pointer: "",
    writer_pointer: "",
    message,
    severity: "breaking",
  });
  const earlier = newest ? reservedNames(readDataContract(newest).metadata) : [];
  const removed = earlier
    .filter((name) => !now.has(name))
    .map((name) =>
      difference(
        "RESERVED_FIELD_REMOVED",
        `The new schema has reserved field ${name} removed from its metadata which is present in the old schema's metadata.`,
      ),
    );
  const conflicting = candidate.topLevelNames
    .filter((name) => now.has(name))
    .map((name) =>
      difference(
        "FIELD_CONFLICTS_WITH_RESERVED_FIELD",
        `The new schema has field that conflicts with the reserved field ${name}.`,
      ),
    );
  return [...removed, ...conflicting];
}

function refuseIncompatible(
  deciding: Deciding,
  { name, format, role }: Candidate,
  config: EffectiveConfig,
  { row, differences, total }: Incompatible,
): Refused {
  const worded: readonly DirectedDifference[] = role === null ? differences : differencesForRole(differences, role);
  const weighed = listWithin(worded, MAX_REFUSED_DIFFERENCE_BYTES);
  const breaking = weighed.filter(({ severity }) => severity === "breaking");
  const more = breaking.length - MAX_REASONS_IN_DETAIL;
  const messages = [
    ...breaking.slice(0, MAX_REASONS_IN_DETAIL).map(({ message }) => message),
    ...(more > 0 ? [`And ${more} more.`] : []),
  ];
  const lines = incompatibilityLines(deciding.formatOf(format), {
    differences: listWithin(differences, MAX_REFUSED_DIFFERENCE_BYTES),
    earlier: row && { versionNumber: row.number, text: null },
    level: config.compatibilityLevel,
    validateFields: config.validateFields ?? false,
  });
  const printed = printSubjectName(name);
  const subject = row ? `Version ${row.number} of "${printed}"` : `The schema for "${printed}"`;
  const detail = `${subject} is incompatible under ${config.compatibilityLevel}: ${messages.join(" ")}`;
  return refuse(
    makeRefusal("INCOMPATIBLE_SCHEMA", [printed, `[${lines.join(", ")}]`], detail, {
      items: listWithin(breaking, MAX_REFUSED_ITEM_BYTES).map(({ kind, reader_pointer, writer_pointer, message }) => ({
        rule: kind,
        pointer: reader_pointer ?? writer_pointer ?? "",
        message,
      })),
      extra: {
        verdict: {
          compatible: false,
          level: config.compatibilityLevel,
          policy: config.policy,
          writers: config.writers,
          validate_fields: config.validateFields ?? false,
          role,
          format,
          differences: weighed.map((difference) => ({ ...difference, version_number: row?.number ?? null })),
          ...(total > weighed.length ? { differences_total: total } : {}),
          compared_versions: row
            ? [{ version: row.label, version_number: row.number, id: row.id, compatible: false }]
            : [],
        },
      },
    }),
  );
}

export function tooWide(name: SubjectName): Refused {
  const detail = `"${printSubjectName(name)}" reaches too many schemas through references.`;
  return refuse(makeRefusal("TOO_COMPLEX", [detail], detail));
}

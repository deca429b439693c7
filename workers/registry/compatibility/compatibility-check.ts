/** Checks a change: a candidate against a subject's versions, or one reader against one writer. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { MAX_COMPARED_CONTENTS } from "../../../durable-objects/primary/decide/compatibility.ts";
import { undecidedRefusal } from "../../../registry/comparison-refusal.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Queries, VersionSelector } from "../../../registry/questions.ts";
import type { RequestedReference, SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { NO_CHANGE, suggestBump } from "../../../schema/bump.ts";
import {
  type CompatibilityLevel,
  type Difference,
  findUndecided,
  isCompatible,
  LEVEL_CHECKS,
  type Policy,
  type WriterAssumption,
} from "../../../schema/compatibility.ts";
import { DifferenceList, listWithin } from "../../../schema/difference-list.ts";
import type { FormatName, JsonDialect, SchemaProblem } from "../../../schema/format.ts";
import type { Plan } from "../../../schema/plan.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { DataContract } from "../../../schema/rules/data-contract.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import { EMPTY_RULE_BOOK } from "../../../schema/rules/rule-book.ts";
import { type Bump, FIRST_SEMVER, nextSemver } from "../../../schema/semver.ts";
import { DEFAULT_CONTEXT, printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { missingVersion, subjectNotFound } from "../read/read.ts";
import { parseSelector } from "../read/selectors.ts";
import { parseSubject } from "../read/subject-names.ts";
import { workIsSpent } from "../turns.ts";
import {
  type Comparable,
  comparableSide,
  compareSides,
  inlineSide,
  isSameText,
  type Judgement,
  MAX_SHOWN_DIFFERENCE_BYTES,
  MAX_WITNESSES,
  registeredSide,
  type SchemaSide,
  type ShownDifference,
  shownDifferences,
} from "./compare.ts";

type Overrides = {
  policy: Policy | undefined;
  writers: WriterAssumption | undefined;
  role: Role | undefined;
};

type PairQuestion = Overrides & { reader: SchemaSide; writer: SchemaSide };

type CandidateQuestion = Overrides & {
  subject: string;
  format: FormatName | undefined;
  dialect: JsonDialect | undefined;
  /** The text with its format, which may be known only after the subject was read. */
  textFor(format: FormatName): Result<{ text: string }, Refusal>;
  references: readonly RequestedReference[];
  contract: DataContract;
  /** Undefined: the versions that the level selects. */
  version: number | string | undefined;
  level: CompatibilityLevel | undefined;
};

export type Direction = "backward" | "forward";
export type CheckedDifference = ShownDifference & { direction?: Direction; version_number?: number };

export type CompatibilityVerdict = {
  compatible: boolean;
  level: CompatibilityLevel | null;
  policy: Policy;
  /** `strict` if it decided a pair that `semantic` could not. */
  decidedBy: Policy;
  writers: WriterAssumption;
  role: Role | null;
  differences: CheckedDifference[];
  /** The total number of differences, listed or not. */
  total: number;
  comparedVersions: { record: SchemaRecord; compatible: boolean }[];
  /** Warnings about the schemas, and about having nothing to compare with. */
  warnings: readonly SchemaProblem[];
  /** Null without a subject, which would supply the previous semver. */
  suggestion: VersionSuggestion | null;
  /** What users of the newest version must do, for artefacts. */
  plan?: Plan;
  /** Null if nothing was read from the registry. */
  asOf: AsOf | null;
};

/** The semver a candidate should get; `bump` is null for a subject's first version, "none" for the newest one itself. */
export type VersionSuggestion = { semver: string | null; bump: Bump | "none" | null; reasons: readonly string[] };

const DEFAULT_POLICY: Policy = "semantic";
const DEFAULT_WRITERS: WriterAssumption = "declared";

/** Whether `reader` reads everything `writer` writes. The schemas belong to no subject, so no custom rules apply. */
export async function checkPair(edge: Edge, question: PairQuestion): Promise<Result<CompatibilityVerdict, Refusal>> {
  const reader = await comparableSide(edge, question.reader, DEFAULT_CONTEXT);
  if (!reader.ok) return reader;
  const writer = await comparableSide(edge, question.writer, DEFAULT_CONTEXT);
  if (!writer.ok) return writer;
  const policy = question.policy ?? DEFAULT_POLICY;
  const writers = question.writers ?? DEFAULT_WRITERS;
  const role = question.role ?? null;
  const judgement = { policy, writers, role, book: EMPTY_RULE_BOOK };
  const compared = await compareSides(edge, reader.value, writer.value, judgement);
  if (!compared.ok) return compared;
  const shown = { writers, role, left: { witnesses: MAX_WITNESSES } };
  return ok({
    compatible: isCompatible(compared.value.differences),
    level: null,
    policy,
    decidedBy: findUndecided(compared.value.differences) ? "strict" : policy,
    writers,
    role,
    differences: listWithin(
      await shownDifferences(edge, reader.value, writer.value, compared.value.differences, shown),
      MAX_SHOWN_DIFFERENCE_BYTES,
    ),
    total: compared.value.total,
    comparedVersions: [],
    warnings: [...(reader.value.warnings ?? []), ...(writer.value.warnings ?? [])],
    suggestion: null,
    ...(compared.value.plan === undefined ? {} : { plan: compared.value.plan }),
    asOf: null,
  });
}

/** Whether a registration would be accepted, under the subject's configuration unless the request overrides it. */
export async function checkCandidate(
  edge: Edge,
  question: CandidateQuestion,
): Promise<Result<CompatibilityVerdict, Refusal>> {
  const parsed = parseSubject(question.subject);
  if (!parsed.ok) return parsed;
  const name = parsed.value;
  const selector = toSelector(question.version);
  if (!selector.ok) return selector;
  const against = await readCompared(edge, name, selector.value, question);
  if (!against.ok) return against;
  const { level, versions, subjectExists } = against.value.value;
  if (selector.value !== "level" && selector.value !== "all" && versions.length === 0) {
    return subjectExists
      ? refuse(await missingVersion(edge, name, String(question.version)))
      : refuse(subjectNotFound(name));
  }
  const newest = await newestVersion(edge, name, selector.value, against.value.value);
  if (!newest.ok) return newest;

  const candidate = await readCandidate(edge, question, name.context, newest.value.version?.record.format);
  if (!candidate.ok) return candidate;

  const policy = question.policy ?? against.value.value.policy;
  const writers = question.writers ?? against.value.value.writers;
  const role = question.role ?? against.value.value.role;
  const judgement = { policy, writers, role, book: against.value.value.rules };
  const comparing = new CandidateComparison(edge, candidate.value, judgement);
  const left = { witnesses: MAX_WITNESSES };
  const list = new DifferenceList<CheckedDifference>((difference) => difference);
  let total = 0;
  let decidedBy = policy;
  const comparedVersions: CompatibilityVerdict["comparedVersions"] = [];
  for (const version of versions) {
    const found = await comparing.against(version, level);
    if (!found.ok) return found;
    comparedVersions.push({ record: version.record, compatible: found.value.every(({ all }) => isCompatible(all)) });
    for (const { direction, reader, writer, all, total: ofPair } of found.value) {
      const undecided = findUndecided(all);
      if (undecided && against.value.value.undecided === "refuse") return refuse(undecidedRefusal(undecided));
      if (undecided) decidedBy = "strict";
      const shown = await shownDifferences(edge, reader, writer, all, { writers, role, left });
      const place = { direction, version_number: version.record.versionNumber! };
      for (const difference of shown) if (list.count(difference.severity)) list.add({ ...difference, ...place });
      total += ofPair;
    }
  }
  const suggested = await suggestVersion(comparing, newest.value.version, level, role);
  if (!suggested.ok) return suggested;
  return ok({
    compatible: comparedVersions.every(({ compatible }) => compatible),
    level,
    policy,
    decidedBy,
    writers,
    role,
    differences: listWithin(list.reported(), MAX_SHOWN_DIFFERENCE_BYTES),
    total,
    comparedVersions,
    warnings: [
      ...(candidate.value.warnings ?? []),
      ...(newest.value.version === undefined ? [nothingToCompareWith(name, subjectExists)] : []),
    ],
    suggestion: suggested.value.suggestion,
    ...(suggested.value.plan === undefined ? {} : { plan: suggested.value.plan }),
    asOf: against.value.asOf,
  });
}

/** The candidate's schema; by default its format is the newest version's. */
async function readCandidate(
  edge: Edge,
  question: CandidateQuestion,
  context: string,
  newestFormat: FormatName | undefined,
): ReturnType<typeof inlineSide> {
  const format = question.format ?? newestFormat;
  if (format === undefined) {
    const detail = "The subject has no version yet, so the request must name the format.";
    return refuse(
      makeRefusal("BAD_REQUEST", [detail], detail, {
        items: [{ pointer: "/format", rule: "required", message: detail }],
      }),
    );
  }
  const text = question.textFor(format);
  if (!text.ok) return text;
  return inlineSide(
    edge,
    { format, text: text.value.text, references: question.references, dialect: question.dialect },
    context,
  );
}

/** Without this warning a misspelt subject in a CI job would always be compatible. */
function nothingToCompareWith(name: SubjectName, subjectExists: boolean): SchemaProblem {
  const printed = printSubjectName(name);
  const message = subjectExists
    ? `Subject "${printed}" has no live version, so nothing was compared.`
    : `There is no subject "${printed}", so nothing was compared. Check its name if it should have versions.`;
  return { rule: "nothing_compared", message, pointer: "/subject" };
}

type ComparedVersions = Queries["comparedVersions"][1];
type ComparedVersion = ComparedVersions["versions"][number];
type Pair = {
  direction: Direction;
  reader: Comparable;
  writer: Comparable;
  all: readonly Difference[];
  total: number;
  lasting: readonly Difference[];
  plan?: Plan;
};

/** Compares one candidate with many versions, each distinct content once. */
class CandidateComparison {
  readonly #pairs = new Map<string, Promise<Result<Pair, Refusal>>>();

  readonly edge: Edge;
  readonly candidate: Comparable;
  readonly judgement: Judgement;

  constructor(edge: Edge, candidate: Comparable, judgement: Judgement) {
    this.edge = edge;
    this.candidate = candidate;
    this.judgement = judgement;
  }

  /** In the level's directions. */
  async against(version: ComparedVersion, level: CompatibilityLevel): Promise<Result<Pair[], Refusal>> {
    const { backward, forward } = LEVEL_CHECKS[level];
    const directions: Direction[] = [
      ...(backward ? ["backward" as const] : []),
      ...(forward ? ["forward" as const] : []),
    ];
    const pairs: Pair[] = [];
    for (const direction of directions) {
      const found = await this.pair(version, direction);
      if (!found.ok) return found;
      pairs.push(found.value);
    }
    return ok(pairs);
  }

  pair({ record, closure }: ComparedVersion, direction: Direction): Promise<Result<Pair, Refusal>> {
    const key = `${direction} ${closure.hash} ${record.dialect}`;
    const known = this.#pairs.get(key);
    if (known) return known;
    const comparing = this.#compare(record, closure, direction);
    this.#pairs.set(key, comparing);
    return comparing;
  }

  async #compare(
    record: SchemaRecord,
    closure: ComparedVersion["closure"],
    direction: Direction,
  ): Promise<Result<Pair, Refusal>> {
    if (this.edge.work.isSpent) {
      return refuse(workIsSpent(`version ${record.versionNumber} of "${printSubjectName(record)}"`));
    }
    const other = await registeredSide(this.edge, record, closure);
    if (!other.ok) return other;
    const [reader, writer] = direction === "backward" ? [this.candidate, other.value] : [other.value, this.candidate];
    const compared = await compareSides(this.edge, reader, writer, this.judgement);
    if (!compared.ok) return compared;
    const { differences: all, ...rest } = compared.value;
    return ok({ direction, reader, writer, all, ...rest });
  }
}

function toSelector(version: number | string | undefined): Result<VersionSelector | "level" | "all", Refusal> {
  if (version === undefined) return ok("level");
  if (version === "all" || typeof version === "number") return ok(version);
  return parseSelector(version);
}

/** The versions to compare with; if the subject groups its versions, those of the candidate's group. */
async function readCompared(
  edge: Edge,
  name: SubjectName,
  selector: VersionSelector | "level" | "all",
  { level, contract, role }: Pick<CandidateQuestion, "level" | "contract" | "role">,
) {
  const primary = edge.primary;
  const config = await primary.read("effectiveConfig", { name, api: "native" });
  if (!config.ok) return config;
  const property = config.value.value.compatibilityGroup;
  const group = property === undefined ? null : (contract.metadata?.properties?.[property] ?? null);
  const question = { name, selector, level: level ?? null, group, api: "native", role: role ?? null } as const;
  const first = await primary.read("comparedVersions", question);
  if (!first.ok || !first.value.value.more) return first;
  const versions = [...first.value.value.versions];
  for (let offset = MAX_QUERY_ROWS; ; offset += MAX_QUERY_ROWS) {
    if (offset >= MAX_COMPARED_CONTENTS) {
      const detail = `A check compares with at most ${MAX_COMPARED_CONTENTS} versions.`;
      return refuse(makeRefusal("TOO_COMPLEX", [detail], detail));
    }
    const page = await primary.read("comparedVersions", { ...question, offset });
    if (!page.ok) return page;
    versions.push(...page.value.value.versions);
    if (!page.value.value.more) return ok({ ...first.value, value: { ...first.value.value, versions } });
  }
}

/** The newest live version: the default format and the previous semver of a suggestion. */
async function newestVersion(
  edge: Edge,
  name: SubjectName,
  selector: VersionSelector | "level" | "all",
  compared: ComparedVersions,
): Promise<Result<{ version: ComparedVersion | undefined }, Refusal>> {
  if (selector === "all" || (selector === "level" && compared.versions.length > 0))
    return ok({ version: compared.versions[0] });
  const answer = await edge.primary.read("comparedVersions", {
    name,
    selector: "latest",
    level: null,
    group: null,
    api: "native",
  });
  return answer.ok ? ok({ version: answer.value.value.versions[0] }) : answer;
}

/** The candidate's semver, from the differences to the newest version in both directions. */
async function suggestVersion(
  comparing: CandidateComparison,
  newest: ComparedVersion | undefined,
  level: CompatibilityLevel,
  role: Role | null,
): Promise<Result<{ suggestion: VersionSuggestion; plan?: Plan }, Refusal>> {
  if (newest === undefined) {
    const reasons = ["It is the subject's first version."];
    return ok({ suggestion: { semver: FIRST_SEMVER, bump: null, reasons } });
  }
  const backward = await comparing.pair(newest, "backward");
  if (!backward.ok) return backward;
  const forward = await comparing.pair(newest, "forward");
  if (!forward.ok) return forward;
  const { lasting: readsEarlier, reader: candidate, writer: earlier, plan } = backward.value;
  const planned = plan === undefined ? {} : { plan };
  const { lasting: isRead } = forward.value;
  if (readsEarlier.length + isRead.length === 0 && (await isSameText(comparing.edge, candidate, earlier))) {
    return ok({ suggestion: { semver: newest.record.semver, ...NO_CHANGE }, ...planned });
  }
  const { bump, reasons } = suggestBump({ backward: readsEarlier, forward: isRead }, level, role);
  const semver = nextSemver(newest.record.semver ?? FIRST_SEMVER, bump) ?? null;
  return ok({ suggestion: { semver, bump, reasons }, ...planned });
}

/**
 * Compares every consecutive pair of versions of every subject, under the subject's own policy, as a stream of events.
 * Memory is bounded by a page of records and a few schemas, and the stream ends with a cursor when its work limit is
 * reached.
 */

import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Queries, QueryName, SubjectPolicy } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { suggestBump } from "../../../schema/bump.ts";
import { isCompatible, LEVEL_CHECKS, sortByImportance } from "../../../schema/compatibility.ts";
import { listWithin } from "../../../schema/difference-list.ts";
import { ok, type Result } from "../../../schema/result.ts";
import { differencesForRole } from "../../../schema/rules/roles.ts";
import { mergeRuleBooks, type RuleBook, type RuledDifference } from "../../../schema/rules/rule-book.ts";
import { type Bump, isStepEnough } from "../../../schema/semver.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { parseCursor, printCursor } from "../read/cursor.ts";
import { type HistoryPair, HistoryWalk } from "../read/history.ts";
import { listingPrefix } from "../read/subject-names.ts";
import { MAX_SHOWN_DIFFERENCE_BYTES, ruledBy } from "./compare.ts";
import type { Direction } from "./compatibility-check.ts";
import { countDifferences, judge, type Tally } from "./judge.ts";

/** Records per page: with 64 KiB of metadata each, at most 13 MB. */
const PAGE_RECORDS = 200;
/** Characters of compared schemas per response: some seconds of work on a slow core. */
const MAX_REPORT_CHARACTERS = 128 * 1024 * 1024;
/** Default number of pairs per response (`limit`). */
export const MAX_REPORT_PAIRS = 20_000;
/** Pairs between two progress events. */
export const PAIRS_BETWEEN_PROGRESS = 100;
/** Differences per pair, breaking ones first. */
export const MAX_REPORTED_DIFFERENCES = 20;

export type ReportTotals = {
  subjects: number;
  versions: number;
  pairs: number;
  incompatible: number;
  undecided: number;
};

type ReportedVerdict =
  | {
      /** Under the level; both directions are reported regardless. */
      compatible: boolean;
      backward: Tally;
      forward: Tally;
      suggestedBump: Bump;
      /** Whether the step to the registered semver is large enough for the change. */
      semverEnough: boolean;
      differences: (RuledDifference & { direction: Direction })[];
      /** The total number of differences, listed or not. */
      total: number;
    }
  | { undecided: Refusal };

export type ReportEvent =
  | { type: "start"; asOf: AsOf }
  | { type: "verdict"; policy: SubjectPolicy; from: SchemaRecord; to: SchemaRecord; verdict: ReportedVerdict }
  | { type: "subject"; policy: SubjectPolicy; totals: Omit<ReportTotals, "subjects"> }
  | { type: "progress"; totals: ReportTotals; cursor: string | null }
  | { type: "error"; refusal: Refusal }
  | { type: "end"; complete: boolean; totals: ReportTotals; nextCursor: string | null };

type ReportQuestion = {
  /** Pairs per response. */
  limit: number;
  subjectPrefix: string | undefined;
  context: string | undefined;
  cursor: string | undefined;
};

type Position = { context: string; subject: string; number: number };

/** The events of a report, starting at a cursor of an earlier one. Errors in the request are refused before the first event. */
export async function openReport(
  edge: Edge,
  question: ReportQuestion,
): Promise<Result<{ asOf: AsOf; events: AsyncGenerator<ReportEvent> }, Refusal>> {
  const prefix = listingPrefix(question.subjectPrefix, question.context);
  if (!prefix.ok) return prefix;
  const start = question.cursor === undefined ? undefined : parseCursor("report", question.cursor);
  if (start?.ok === false) return start;
  const [context, subject, number] = (start?.value ?? []) as [string, string, number];
  const from: Position | null = start ? { context, subject, number } : null;
  const head = await edge.primary.read("head", {});
  if (!head.ok) return head;
  const report = new Report(edge, { prefix: prefix.value, limit: question.limit, from });
  return ok({ asOf: head.value.asOf, events: report.events(head.value.asOf) });
}

type OpenSubject = {
  policy: SubjectPolicy;
  book: RuleBook;
  walk: HistoryWalk;
  totals: Omit<ReportTotals, "subjects">;
};

class Report {
  readonly #totals: ReportTotals = { subjects: 0, versions: 0, pairs: 0, incompatible: 0, undecided: 0 };
  /** The last version processed. */
  #done: Position | null;
  #open: OpenSubject | undefined;
  #characters = 0;

  readonly edge: Edge;
  /** An earlier response has reported versions up to `from`. */
  readonly bounds: { prefix: string; limit: number; from: Position | null };

  constructor(edge: Edge, bounds: { prefix: string; limit: number; from: Position | null }) {
    this.edge = edge;
    this.bounds = bounds;
    this.#done = bounds.from;
  }

  /** Failures become events too, so that the stream ends properly. */
  async *events(asOf: AsOf): AsyncGenerator<ReportEvent> {
    yield { type: "start", asOf };
    try {
      for await (const event of this.#verdicts()) yield event;
    } catch (error) {
      // Also of a spent quota, which the edge throws.
      const { refusal } = error as { refusal?: Refusal };
      if (refusal === undefined) throw error;
      yield { type: "error", refusal };
      yield this.#end(false);
    }
  }

  async *#verdicts(): AsyncGenerator<ReportEvent> {
    // A subject is read from its start, because that determines which versions are paired.
    const { from } = this.bounds;
    let after = from && JSON.stringify([from.context, from.subject, 0]);
    do {
      const page = await this.#page(after);
      for (const { policy, book, records } of page.subjects) {
        if (!this.#isOpen(records[0]!)) {
          yield* this.#close();
          const walk = new HistoryWalk(this.edge, policy.group);
          this.#open = { policy, book, walk, totals: { versions: 0, pairs: 0, incompatible: 0, undecided: 0 } };
        }
        yield* this.#subject(this.#open!, records);
        if (this.#isSpent()) return yield this.#end(false);
      }
      yield this.#progress();
      after = page.next;
    } while (after !== null);
    yield* this.#close();
    yield this.#end(true);
  }

  /** Some versions of one subject, ascending. */
  async *#subject(open: OpenSubject, records: readonly SchemaRecord[]): AsyncGenerator<ReportEvent> {
    const { policy, walk } = open;
    walk.pass(records.filter((record) => isUpTo(this.bounds.from, record)));
    const fresh = records.filter((record) => !isUpTo(this.bounds.from, record));
    let reached = 0;
    const reach = (count: number) => {
      this.#reach(open, fresh.slice(reached, count));
      reached = count;
    };
    for await (const pair of walk.pairs(fresh)) {
      if ("refusal" in pair) throw new ReportStopped(pair.refusal);
      const verdict = await reportedVerdict(this.edge, pair, open);
      reach(fresh.indexOf(pair.to.record) + 1);
      this.#count(open, pair, verdict);
      yield { type: "verdict", policy, from: pair.from.record, to: pair.to.record, verdict };
      if (this.#isSpent()) return;
      if (this.#totals.pairs % PAIRS_BETWEEN_PROGRESS === 0) yield this.#progress();
    }
    reach(fresh.length);
  }

  #count(open: OpenSubject, { from, to }: HistoryPair, verdict: ReportedVerdict): void {
    this.#characters += from.schema.characters + to.schema.characters;
    for (const totals of [this.#totals, open.totals]) {
      totals.pairs += 1;
      if ("undecided" in verdict) totals.undecided += 1;
      else if (!verdict.compatible) totals.incompatible += 1;
    }
  }

  #reach(open: OpenSubject, records: readonly SchemaRecord[]): void {
    const last = records.at(-1);
    if (!last) return;
    this.#done = { context: last.context, subject: last.subject, number: last.versionNumber! };
    this.#totals.versions += records.length;
    open.totals.versions += records.length;
  }

  #isOpen({ context, subject }: SchemaRecord): boolean {
    const name = this.#open?.policy.name;
    return name?.context === context && name.subject === subject;
  }

  *#close(): Generator<ReportEvent> {
    if (!this.#open) return;
    this.#totals.subjects += 1;
    const { policy, totals } = this.#open;
    this.#open = undefined;
    yield { type: "subject", policy, totals };
  }

  #isSpent(): boolean {
    return (
      this.edge.work.isSpent || this.#characters >= MAX_REPORT_CHARACTERS || this.#totals.pairs >= this.bounds.limit
    );
  }

  #progress(): ReportEvent {
    return { type: "progress", totals: { ...this.#totals }, cursor: this.#cursor() };
  }

  #end(complete: boolean): ReportEvent {
    return { type: "end", complete, totals: { ...this.#totals }, nextCursor: complete ? null : this.#cursor() };
  }

  #cursor(): string | null {
    return this.#done && printCursor("report", [this.#done.context, this.#done.subject, this.#done.number]);
  }

  /** A page of versions with their subjects' policies. */
  async #page(after: string | null): Promise<{ subjects: PageSubject[]; next: string | null }> {
    const filter = { subjectPrefix: this.bounds.prefix };
    const page = await this.#read("records", { filter, order: "subject", after, limit: PAGE_RECORDS });
    const bySubject = new Map<string, SchemaRecord[]>();
    for (const record of page.records) {
      const printed = printSubjectName(record);
      bySubject.set(printed, [...(bySubject.get(printed) ?? []), record]);
    }
    const groups = [...bySubject.values()];
    const subjects: PageSubject[] = [];
    while (subjects.length < groups.length) {
      const names = groups.slice(subjects.length).map(([record]) => subjectName(record!));
      const answer = await this.#read("subjectPolicies", { names, api: "native" });
      for (const policy of answer.subjects) {
        const records = groups[subjects.length]!;
        const book = mergeRuleBooks(answer.tenantRules, policy.rules);
        // An alias has its target's policy, but the versions are its own.
        subjects.push({ policy: { ...policy, name: subjectName(records[0]!) }, book, records });
      }
    }
    return { subjects, next: page.next };
  }

  async #read<K extends QueryName>(name: K, args: Queries[K][0]): Promise<Queries[K][1]> {
    const answer = await this.edge.primary.read(name, args);
    if (!answer.ok) throw new ReportStopped(answer.refusal);
    return answer.value.value;
  }
}

type PageSubject = { policy: SubjectPolicy; book: RuleBook; records: SchemaRecord[] };

/** Ends the report; never leaves this file. */
class ReportStopped extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

async function reportedVerdict(
  edge: Edge,
  { from, to }: HistoryPair,
  { policy, book }: OpenSubject,
): Promise<ReportedVerdict> {
  const options = { policy: policy.policy, writers: policy.writers, role: policy.role, rules: book.rules };
  const backward = await judge(edge, to.schema, from.schema, options);
  if (!backward.ok) return { undecided: backward.refusal };
  const forward = await judge(edge, from.schema, to.schema, options);
  if (!forward.ok) return { undecided: forward.refusal };
  const nowMs = edge.now();
  const ruled = {
    backward: ruledBy(book, backward.value, nowMs),
    forward: ruledBy(book, forward.value, nowMs),
  };
  const checks = LEVEL_CHECKS[policy.level];
  const lasting = { backward: ruled.backward.lasting, forward: ruled.forward.lasting };
  const { bump } = suggestBump(lasting, policy.level);
  const directed = (["backward", "forward"] as const).flatMap((direction) => {
    const { differences } = ruled[direction];
    const worded = policy.role === null ? differences : differencesForRole(differences, policy.role);
    return worded.map((difference) => ({ ...difference, direction }));
  });
  const shown = listWithin(sortByImportance(directed).slice(0, MAX_REPORTED_DIFFERENCES), MAX_SHOWN_DIFFERENCE_BYTES);
  return {
    compatible:
      (!checks.backward || isCompatible(ruled.backward.differences)) &&
      (!checks.forward || isCompatible(ruled.forward.differences)),
    backward: countDifferences(ruled.backward.differences),
    forward: countDifferences(ruled.forward.differences),
    suggestedBump: bump,
    semverEnough: isStepEnough(to.record.semver!, from.record.semver!, bump),
    differences: shown,
    total: ruled.backward.total + ruled.forward.total,
  };
}

function isUpTo(position: Position | null, { context, subject, versionNumber }: SchemaRecord): boolean {
  return position?.context === context && position.subject === subject && versionNumber! <= position.number;
}

function subjectName({ context, subject }: SchemaRecord): SubjectName {
  return { context, subject };
}

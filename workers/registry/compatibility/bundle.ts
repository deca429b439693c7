/**
 * Checks new schemas of several subjects together, as if all were registered together: each against its own subject,
 * and every referring subject as if it moved to the new versions. Registers nothing.
 */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Queries, SubjectPolicy } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { CompatibilityLevel, Policy, WriterAssumption } from "../../../schema/compatibility.ts";
import type { FormatName, JsonDialect } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { DataContract } from "../../../schema/rules/data-contract.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import { EMPTY_RULE_BOOK, mergeRuleBooks, type RuleBook } from "../../../schema/rules/rule-book.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import { parseNewSubject } from "../read/subject-names.ts";
import { workIsSpent } from "../turns.ts";
import { type BundleMembers, type BundleReference, linkReferences, type Member } from "./bundle-members.ts";
import { findReferrers, type Referrer, withMembers } from "./bundle-referrers.ts";
import {
  type BundleAllowance,
  type BundleVerdict,
  type HeldTo,
  Judging,
  MAX_BUNDLE_DIFFERENCE_BYTES,
} from "./bundle-verdict.ts";
import { MAX_WITNESSES } from "./compare.ts";
import type { VersionSuggestion } from "./compatibility-check.ts";
import { HeldSchema, holdRecords } from "./judge.ts";

/** Schemas per bundle, the limit of a batch. */
export const MAX_BUNDLE_SCHEMAS = 1_000;
/** Characters of all pairs together, the limit of a transitive check. */
export const MAX_BUNDLE_CHARACTERS = 64 * 1024 * 1024;
/** Registered schemas held in memory simultaneously. */
const HELD_TOGETHER = 50;

export type BundleSchema = {
  subject: string;
  context: string | undefined;
  /** The name by which other schemas of the bundle reference it; its subject by default. */
  name: string | undefined;
  format: FormatName | undefined;
  dialect: JsonDialect | undefined;
  textFor(format: FormatName): Result<{ text: string }, Refusal>;
  references: readonly BundleReference[];
  contract: DataContract;
};

type BundleQuestion = {
  schemas: readonly BundleSchema[];
  level: CompatibilityLevel | undefined;
  policy: Policy | undefined;
  writers: WriterAssumption | undefined;
  role: Role | undefined;
  /** Whether the first breaking differences get a witness, which costs more than the comparison. */
  witnesses: boolean;
};

export type BundleItem = BundleVerdict & {
  name: SubjectName;
  format: FormatName | null;
  comparedVersions: { record: SchemaRecord; compatible: boolean }[];
  suggestion: VersionSuggestion | null;
};

/** The verdict on a referring subject's newest version, with the bundle's schemas replacing its references. */
export type ReferringItem = BundleVerdict & Referrer;

type BundleResult = {
  compatible: boolean;
  items: BundleItem[];
  referring: ReferringItem[];
  asOf: AsOf;
};

export async function checkBundle(edge: Edge, question: BundleQuestion): Promise<Result<BundleResult, Refusal>> {
  const names = parseNames(question.schemas);
  if (!names.ok) return names;
  const policies = await readPolicies(edge, names.value);
  if (!policies.ok) return policies;
  const bundle = new Bundle(edge, question, names.value, policies.value);
  const built = await bundle.build();
  if (built) return refuse(built);
  const items = await bundle.items();
  if (!items.ok) return items;
  const referring = await bundle.referring();
  if (!referring.ok) return referring;
  const compatible = [...items.value, ...referring.value].every((verdict) => verdict.compatible === true);
  return ok({ compatible, items: items.value, referring: referring.value, asOf: policies.value.asOf });
}

/** The subjects of the bundle, each at most once. */
function parseNames(schemas: readonly BundleSchema[]): Result<SubjectName[], Refusal> {
  const names: SubjectName[] = [];
  const seen = new Set<string>();
  for (const [index, { subject, context }] of schemas.entries()) {
    const parsed = parseNewSubject(subject, context);
    if (!parsed.ok)
      return refuse({
        ...parsed.refusal,
        items: [{ pointer: `/schemas/${index}/subject`, rule: "subject", message: parsed.refusal.detail }],
      });
    const printed = printSubjectName(parsed.value);
    if (seen.has(printed)) {
      const detail = `Subject "${printed}" occurs twice in the bundle.`;
      return refuse(misplaced(`/schemas/${index}/subject`, "repeated_subject", detail));
    }
    seen.add(printed);
    names.push(parsed.value);
  }
  return ok(names);
}

type Policies = { tenantRules: RuleBook; subjects: SubjectPolicy[]; asOf: AsOf };

async function readPolicies(edge: Edge, names: readonly SubjectName[]): Promise<Result<Policies, Refusal>> {
  const subjects: SubjectPolicy[] = [];
  for (;;) {
    const rest = names.slice(subjects.length);
    const answer = await edge.primary.read("subjectPolicies", { names: rest, api: "native" });
    if (!answer.ok) return answer;
    subjects.push(...answer.value.value.subjects);
    if (subjects.length >= names.length)
      return ok({ tenantRules: answer.value.value.tenantRules, subjects, asOf: answer.value.asOf });
  }
}

/** By record id. */
type Held = ReadonlyMap<string, HeldSchema>;

class Bundle {
  #members: BundleMembers = { all: [], bySubject: new Map(), byName: new Map() };
  readonly #left: BundleAllowance;
  #characters = 0;

  readonly edge: Edge;
  readonly question: BundleQuestion;
  readonly names: readonly SubjectName[];
  readonly policies: Policies;

  constructor(edge: Edge, question: BundleQuestion, names: readonly SubjectName[], policies: Policies) {
    this.edge = edge;
    this.question = question;
    this.names = names;
    this.policies = policies;
    this.#left = { witnesses: question.witnesses ? MAX_WITNESSES : 0, bytes: MAX_BUNDLE_DIFFERENCE_BYTES };
  }

  /** Reads the versions to compare with and links the schemas. */
  async build(): Promise<Refusal | undefined> {
    const { schemas, level } = this.question;
    const asked = schemas.map(({ contract }, index) => {
      const { group } = this.policies.subjects[index]!;
      const wanted = group === null ? null : (contract.metadata?.properties?.[group] ?? null);
      const name = this.names[index]!;
      return { name, selector: "level" as const, level: level ?? null, group: wanted, api: "native" as const };
    });
    const compared = await this.#comparedVersions(asked);
    if (!compared.ok) return compared.refusal;
    // If the level compares with nothing, the newest version still supplies format and previous semver.
    const uncompared = asked.filter((_, index) => compared.value[index]!.versions.length === 0);
    const latest = await this.#comparedVersions(uncompared.map((one) => ({ ...one, selector: "latest" as const })));
    if (!latest.ok) return latest.refusal;
    const findNewest = new Map(uncompared.map((one, index) => [one, latest.value[index]!.versions[0]?.record]));
    const all: Member[] = [];
    for (const [index, schema] of schemas.entries()) {
      const { versions, more } = compared.value[index]!;
      const newest = versions[0]?.record ?? findNewest.get(asked[index]!);
      const member = this.#member(index, schema, { versions, more, newest });
      if (!member.ok) return member.refusal;
      all.push(member.value);
    }
    const byName = new Map(all.map((member, index) => [subjectName(schemas[index]!), member]));
    if (byName.size < all.length) return repeatedName(schemas);
    this.#members = { all, byName, bySubject: new Map(all.map((member) => [printSubjectName(member.name), member])) };
    const refused = await linkReferences(this.edge, this.#members, (index) => schemas[index]!.references);
    if (refused) return refused;
    for (const member of all) await parseMember(this.edge, member);
    return undefined;
  }

  async items(): Promise<Result<BundleItem[], Refusal>> {
    const items: BundleItem[] = [];
    const { all } = this.#members;
    for (let at = 0; at < all.length; ) {
      const together: Member[] = [];
      const records = new Map<string, SchemaRecord>();
      do {
        const member = all[at]!;
        together.push(member);
        for (const record of comparedRecords(member)) records.set(record.id, record);
        at += 1;
      } while (at < all.length && records.size + comparedRecords(all[at]!).length <= HELD_TOGETHER);
      const held = await this.#hold([...records.values()]);
      if (!held.ok) return held;
      for (const member of together) {
        const item = await this.#item(member, held.value);
        if (!item.ok) return item;
        items.push(item.value);
      }
    }
    return ok(items);
  }

  /** Verdicts on subjects outside the bundle, nearest first. */
  async referring(): Promise<Result<ReferringItem[], Refusal>> {
    const found = await findReferrers(this.edge, this.#members);
    return found.ok ? this.#referringItems(found.value) : found;
  }

  async #comparedVersions(
    asked: readonly Queries["comparedVersions"][0][],
  ): Promise<Result<Queries["comparedVersionsOfMany"][1], Refusal>> {
    const answers: Queries["comparedVersionsOfMany"][1] = [];
    while (answers.length < asked.length) {
      const rest = asked.slice(answers.length);
      const answer = await this.edge.primary.read("comparedVersionsOfMany", { asked: rest });
      if (!answer.ok) return answer;
      answers.push(...answer.value.value);
    }
    return ok(answers);
  }

  async #hold(records: readonly SchemaRecord[]): Promise<Result<Held, Refusal>> {
    const schemas = await holdRecords(this.edge, records);
    if (!schemas.ok) return schemas;
    return ok(
      new Map(
        records.flatMap(({ id }, index) => {
          const schema = schemas.value[index];
          return schema ? [[id, schema] as const] : [];
        }),
      ),
    );
  }

  #member(
    index: number,
    schema: BundleSchema,
    compared: Pick<Member, "versions" | "more" | "newest">,
  ): Result<Member, Refusal> {
    const name = this.names[index]!;
    const format = schema.format ?? compared.newest?.format;
    if (format === undefined) {
      const detail = `Subject "${printSubjectName(name)}" has no version yet, so its schema must name the format.`;
      return refuse(misplaced(`/schemas/${index}/format`, "required", detail));
    }
    const text = schema.textFor(format);
    if (!text.ok) {
      const items = text.refusal.items?.map((item) => ({ ...item, pointer: `/schemas/${index}${item.pointer ?? ""}` }));
      return refuse({ ...text.refusal, ...(items ? { items } : {}) });
    }
    const policy = this.policies.subjects[index]!;
    return ok({
      name,
      policy,
      ...compared,
      format,
      dialect: schema.dialect,
      source: { text: text.value.text, references: [] },
      errors: [],
      schema: undefined,
    });
  }

  async #item(member: Member, held: Held): Promise<Result<BundleItem, Refusal>> {
    const { name, policy, format, schema, errors, newest } = member;
    const { level, policy: policyName, writers, role } = this.question;
    const judging = this.#judging(
      {
        level: level ?? policy.level,
        policy: policyName ?? policy.policy,
        writers: writers ?? policy.writers,
        role: role ?? policy.role,
        book: mergeRuleBooks(this.policies.tenantRules, policy.rules),
        errors,
      },
      this.#beside(member, policyName ?? policy.policy, held),
    );
    const comparedVersions: BundleItem["comparedVersions"] = [];
    if (member.more) judging.leaveUndecided("The level compares with more versions than a bundle does.");
    for (const { record } of schema ? member.versions : []) {
      const other = held.get(record.id);
      if (!other) continue;
      if (this.edge.work.isSpent) return refuse(workIsSpent(versionOf(record)));
      const compatible = await judging.compare(schema!, other, record);
      if (!compatible.ok) return compatible;
      if (compatible.value !== null) comparedVersions.push({ record, compatible: compatible.value });
    }
    const earlier = newest && held.get(newest.id);
    const suggestion = schema ? await judging.suggest(schema, earlier, newest?.semver ?? null) : null;
    if (suggestion && !suggestion.ok) return suggestion;
    return ok({
      ...judging.verdict(schema !== undefined),
      name,
      format,
      comparedVersions,
      suggestion: suggestion?.value ?? null,
    });
  }

  async #referringItems(found: readonly Referrer[]): Promise<Result<ReferringItem[], Refusal>> {
    if (found.length === 0) return ok([]);
    const names = found.map(({ record: { context, subject } }) => ({ context, subject }));
    const policies = await readPolicies(this.edge, names);
    if (!policies.ok) return policies;
    const items: ReferringItem[] = [];
    for (let at = 0; at < found.length; at += HELD_TOGETHER) {
      const together = found.slice(at, at + HELD_TOGETHER);
      const held = await this.#hold(together.map(({ record }) => record));
      if (!held.ok) return held;
      for (const { record, through } of together) {
        const now = held.value.get(record.id);
        if (this.edge.work.isSpent) return refuse(workIsSpent(versionOf(record)));
        const policy = policies.value.subjects[items.length]!;
        const item = now
          ? await this.#referringItem({ record, through }, now, policy)
          : ok({ ...this.#judging({ ...policy, book: EMPTY_RULE_BOOK, errors: [] }).verdict(false), record, through });
        if (!item.ok) return item;
        items.push(item.value);
      }
    }
    return ok(items);
  }

  async #referringItem(
    { record, through }: Referrer,
    now: HeldSchema,
    policy: SubjectPolicy,
  ): Promise<Result<ReferringItem, Refusal>> {
    const source = withMembers(this.#members, record, now.source);
    const dialect = record.dialect ?? NATIVE_DIALECT;
    const options = { strictness: "stored", defaultDialect: dialect } as const;
    const parsed = await this.edge.work.run(formatNamed(record.format).parseInSlices(source, options));
    const invalid = through
      .map(printSubjectName)
      .filter((name) => this.#members.bySubject.get(name)?.schema === undefined);
    const errors =
      invalid.length > 0
        ? invalid.map((name) => ({ rule: "reference_invalid", message: `The new schema of "${name}" is not valid.` }))
        : parsed.ok
          ? []
          : parsed.refusal.problems;
    const book = mergeRuleBooks(this.policies.tenantRules, policy.rules);
    const judging = this.#judging({ ...policy, book, errors });
    if (errors.length > 0) return ok({ ...judging.verdict(false), record, through });
    const compatible = await judging.compare(
      new HeldSchema(record.format, source, record.dialect, parsed),
      now,
      record,
    );
    if (!compatible.ok) return compatible;
    return ok({ ...judging.verdict(true), record, through });
  }

  /** The other schemas of the bundle in their new and old form: for Buf's categories all are files of one module. */
  #beside(member: Member, policy: Policy, held: Held): Record<"backward" | "forward", HeldSchema[]> {
    if (!policy.startsWith("buf_")) return { backward: [], forward: [] };
    const others = this.#members.all.filter((other) => other !== member && other.format === member.format);
    return {
      backward: others.flatMap(({ schema }) => schema ?? []),
      forward: others.flatMap(({ newest }) => (newest && held.get(newest.id)) ?? []),
    };
  }

  #judging(held: HeldTo, beside?: Record<"backward" | "forward", readonly HeldSchema[]>): Judging {
    const spend = (reader: HeldSchema, writer: HeldSchema) => {
      this.#characters += reader.characters + writer.characters;
      if (this.#characters <= MAX_BUNDLE_CHARACTERS) return undefined;
      const detail = `A bundle can compare at most ${MAX_BUNDLE_CHARACTERS} characters of schemas; check it in parts.`;
      return makeRefusal("TOO_COMPLEX", [detail], detail);
    };
    return new Judging(this.edge, held, this.edge.now(), this.#left, spend, beside);
  }
}

async function parseMember({ work }: Edge, member: Member): Promise<void> {
  if (member.errors.length > 0) return;
  const { format, source, dialect = NATIVE_DIALECT } = member;
  const options = { strictness: "new", defaultDialect: dialect } as const;
  const parsed = await work.run(formatNamed(format).parseInSlices(source, options));
  if (parsed.ok) member.schema = new HeldSchema(format, source, dialect, parsed);
  else member.errors.push(...parsed.refusal.problems);
}

function versionOf(record: SchemaRecord): string {
  return `version ${record.versionNumber} of "${printSubjectName(record)}"`;
}

function subjectName({ name, subject }: BundleSchema): string {
  return name ?? subject;
}

function repeatedName(schemas: readonly BundleSchema[]): Refusal {
  const index = schemas.findIndex(
    (schema, at) => schemas.findIndex((other) => subjectName(other) === subjectName(schema)) < at,
  );
  return misplaced(`/schemas/${index}/name`, "repeated_name", "Two schemas of the bundle have the same name.");
}

/** The versions a member is compared with. */
function comparedRecords({ versions, newest }: Member): SchemaRecord[] {
  const records = versions.map(({ record }) => record);
  return newest && !records.some(({ id }) => id === newest.id) ? [...records, newest] : records;
}

function misplaced(pointer: string, rule: string, message: string): Refusal {
  return makeRefusal("BAD_REQUEST", [message], message, { items: [{ pointer, rule, message }] });
}

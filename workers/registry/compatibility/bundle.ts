/**
 * Checks new schemas of several subjects together, as if all were registered at once: each against its own subject, and
 * every referring subject as if it moved to the new versions. Registers nothing.
 */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Queries, SubjectPolicy } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { CompatibilityLevel, Policy, WriterAssumption } from "../../../schema/compatibility.ts";
import type { FormatName, JsonDialect } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import type { DataContract } from "../../../schema/rules/data-contract.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import { EMPTY_RULE_BOOK, mergeRuleBooks, type RuleBook } from "../../../schema/rules/rule-book.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import { parseNewSubject } from "../read/subject-names.ts";
import { giveTurn } from "../turns.ts";
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
const MAX_BUNDLE_CHARACTERS = 64 * 1024 * 1024;
/** Registered schemas held in memory at once. */
const HELD_TOGETHER = 50;

export type BundleSchema = {
  subject: string;
  context: string | undefined;
  /** The name by which other schemas of the bundle reference it; its subject by default. */
  name: string | undefined;
  format: FormatName | undefined;
  dialect: JsonDialect | undefined;
  textFor(format: FormatName): { ok: true; text: string } | Refusal;
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
  ok: true;
  compatible: boolean;
  items: BundleItem[];
  referring: ReferringItem[];
  asOf: AsOf;
};

export async function checkBundle(edge: Edge, question: BundleQuestion): Promise<BundleResult | Refusal> {
  const names = parseNames(question.schemas);
  if ("ok" in names) return names;
  const policies = await readPolicies(edge, names);
  if ("ok" in policies) return policies;
  const bundle = new Bundle(edge, question, names, policies);
  const built = await bundle.build();
  if (built) return built;
  const items = await bundle.items();
  if ("ok" in items) return items;
  const referring = await bundle.referring();
  if ("ok" in referring) return referring;
  const compatible = [...items, ...referring].every((verdict) => verdict.compatible === true);
  return { ok: true, compatible, items, referring, asOf: policies.asOf };
}

/** The subjects of the bundle, each at most once. */
function parseNames(schemas: readonly BundleSchema[]): SubjectName[] | Refusal {
  const names: SubjectName[] = [];
  const seen = new Set<string>();
  for (const [index, { subject, context }] of schemas.entries()) {
    const parsed = parseNewSubject(subject, context);
    if (!parsed.ok)
      return { ...parsed, items: [{ pointer: `/schemas/${index}/subject`, rule: "subject", message: parsed.detail }] };
    const printed = printSubjectName(parsed.name);
    if (seen.has(printed)) {
      const detail = `Subject "${printed}" occurs twice in the bundle.`;
      return misplaced(`/schemas/${index}/subject`, "repeated_subject", detail);
    }
    seen.add(printed);
    names.push(parsed.name);
  }
  return names;
}

type Policies = { tenantRules: RuleBook; subjects: SubjectPolicy[]; asOf: AsOf };

async function readPolicies(edge: Edge, names: readonly SubjectName[]): Promise<Policies | Refusal> {
  const subjects: SubjectPolicy[] = [];
  for (;;) {
    const rest = names.slice(subjects.length);
    const answer = await edge.primary.read("subjectPolicies", { names: rest, api: "native" });
    if ("ok" in answer) return answer;
    subjects.push(...answer.value.subjects);
    if (subjects.length >= names.length) return { tenantRules: answer.value.tenantRules, subjects, asOf: answer.asOf };
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
    if ("ok" in compared) return compared;
    // If the level compares with nothing, the newest version still supplies format and previous semver.
    const uncompared = asked.filter((_, index) => compared[index]!.versions.length === 0);
    const latest = await this.#comparedVersions(uncompared.map((one) => ({ ...one, selector: "latest" as const })));
    if ("ok" in latest) return latest;
    const findNewest = new Map(uncompared.map((one, index) => [one, latest[index]!.versions[0]?.record]));
    const all: Member[] = [];
    for (const [index, schema] of schemas.entries()) {
      const { versions, more } = compared[index]!;
      const newest = versions[0]?.record ?? findNewest.get(asked[index]!);
      const member = this.#member(index, schema, { versions, more, newest });
      if ("ok" in member) return member;
      all.push(member);
    }
    const byName = new Map(all.map((member, index) => [subjectName(schemas[index]!), member]));
    if (byName.size < all.length) return repeatedName(schemas);
    this.#members = { all, byName, bySubject: new Map(all.map((member) => [printSubjectName(member.name), member])) };
    const refused = await linkReferences(this.edge, this.#members, (index) => schemas[index]!.references);
    if (refused) return refused;
    for (const member of all) {
      await giveTurn();
      parseMember(member);
    }
    return undefined;
  }

  async items(): Promise<BundleItem[] | Refusal> {
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
      if ("ok" in held) return held;
      for (const member of together) {
        const item = await this.#item(member, held);
        if ("ok" in item) return item;
        items.push(item);
      }
    }
    return items;
  }

  /** Verdicts on subjects outside the bundle, nearest first. */
  async referring(): Promise<ReferringItem[] | Refusal> {
    const found = await findReferrers(this.edge, this.#members);
    return "ok" in found ? found : this.#referringItems(found);
  }

  async #comparedVersions(
    asked: readonly Queries["comparedVersions"][0][],
  ): Promise<Queries["comparedVersionsOfMany"][1] | Refusal> {
    const answers: Queries["comparedVersionsOfMany"][1] = [];
    while (answers.length < asked.length) {
      const rest = asked.slice(answers.length);
      const answer = await this.edge.primary.read("comparedVersionsOfMany", { asked: rest });
      if ("ok" in answer) return answer;
      answers.push(...answer.value);
    }
    return answers;
  }

  async #hold(records: readonly SchemaRecord[]): Promise<Held | Refusal> {
    const schemas = await holdRecords(this.edge, records);
    if ("ok" in schemas) return schemas;
    return new Map(
      records.flatMap(({ id }, index) => {
        const schema = schemas[index];
        return schema ? [[id, schema] as const] : [];
      }),
    );
  }

  #member(
    index: number,
    schema: BundleSchema,
    compared: Pick<Member, "versions" | "more" | "newest">,
  ): Member | Refusal {
    const name = this.names[index]!;
    const format = schema.format ?? compared.newest?.format;
    if (format === undefined) {
      const detail = `Subject "${printSubjectName(name)}" has no version yet, so its schema must name the format.`;
      return misplaced(`/schemas/${index}/format`, "required", detail);
    }
    const text = schema.textFor(format);
    if (!text.ok) {
      const items = text.items?.map((item) => ({ ...item, pointer: `/schemas/${index}${item.pointer ?? ""}` }));
      return { ...text, ...(items ? { items } : {}) };
    }
    const policy = this.policies.subjects[index]!;
    return {
      name,
      policy,
      ...compared,
      format,
      dialect: schema.dialect,
      source: { text: text.text, references: [] },
      errors: [],
      schema: undefined,
    };
  }

  async #item(member: Member, held: Held): Promise<BundleItem | Refusal> {
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
      await giveTurn();
      const compatible = judging.compare(schema!, other, record);
      if (typeof compatible === "boolean") comparedVersions.push({ record, compatible });
      else if (compatible !== null) return compatible;
    }
    const earlier = newest && held.get(newest.id);
    await giveTurn();
    const suggestion = schema ? judging.suggest(schema, earlier, newest?.semver ?? null) : null;
    if (suggestion && "ok" in suggestion) return suggestion;
    return { ...judging.verdict(schema !== undefined), name, format, comparedVersions, suggestion };
  }

  async #referringItems(found: readonly Referrer[]): Promise<ReferringItem[] | Refusal> {
    if (found.length === 0) return [];
    const names = found.map(({ record: { context, subject } }) => ({ context, subject }));
    const policies = await readPolicies(this.edge, names);
    if ("ok" in policies) return policies;
    const items: ReferringItem[] = [];
    for (let at = 0; at < found.length; at += HELD_TOGETHER) {
      const together = found.slice(at, at + HELD_TOGETHER);
      const held = await this.#hold(together.map(({ record }) => record));
      if ("ok" in held) return held;
      for (const { record, through } of together) {
        const now = held.get(record.id);
        await giveTurn();
        const policy = policies.subjects[items.length]!;
        const item = now
          ? this.#referringItem({ record, through }, now, policy)
          : { ...this.#judging({ ...policy, book: EMPTY_RULE_BOOK, errors: [] }).verdict(false), record, through };
        if ("ok" in item) return item;
        items.push(item);
      }
    }
    return items;
  }

  #referringItem({ record, through }: Referrer, now: HeldSchema, policy: SubjectPolicy): ReferringItem | Refusal {
    const source = withMembers(this.#members, record, now.source);
    const dialect = record.dialect ?? NATIVE_DIALECT;
    const parsed = formatNamed(record.format).parse(source, { strictness: "stored", defaultDialect: dialect });
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
    if (errors.length > 0) return { ...judging.verdict(false), record, through };
    const compatible = judging.compare(new HeldSchema(record.format, source, record.dialect, parsed), now, record);
    if (compatible !== null && typeof compatible !== "boolean") return compatible;
    return { ...judging.verdict(true), record, through };
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
    return new Judging(held, this.edge.now(), this.#left, spend, beside);
  }
}

function parseMember(member: Member): void {
  if (member.errors.length > 0) return;
  const { format, source, dialect = NATIVE_DIALECT } = member;
  const parsed = formatNamed(format).parse(source, { strictness: "new", defaultDialect: dialect });
  if (parsed.ok) member.schema = new HeldSchema(format, source, dialect, parsed);
  else member.errors.push(...parsed.refusal.problems);
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

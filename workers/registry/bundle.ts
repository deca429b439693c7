/**
 * New schemas of many subjects checked together, as if all were registered at once: each against its own subject, and what
 * every subject that refers to one of them would see if it moved to the new version. Registers nothing.
 */
import { type Refusal, refuse } from "../../contract/errors";
import {
  type AsOf,
  type ComparedVersion,
  MAX_QUERY_ROWS,
  type Queries,
  type RequestedReference,
  type SchemaRecord,
  type SubjectPolicy,
} from "../../durable-objects/protocol";
import type { CompatibilityLevel, Policy, WriterAssumption } from "../../schema/compatibility";
import type { Contract } from "../../schema/contract-metadata";
import type { FormatName, ResolvedReference, SchemaProblem, SchemaSource } from "../../schema/format";
import { formatNamed } from "../../schema/formats";
import type { Role } from "../../schema/roles";
import { EMPTY_RULE_BOOK, mergeRuleBooks, type RuleBook } from "../../schema/rules";
import { sourceOf } from "../../schema/sources";
import { isQualified, parseSubjectName, printSubjectName, type SubjectName } from "../../schema/subject-name";
import type { Edge } from "../edge";
import { type BundleVerdict, type HeldTo, Judging } from "./bundle-verdict";
import { MAX_WITNESSES } from "./compare";
import type { VersionSuggestion } from "./compatibility-check";
import { loadTexts } from "./facts";
import { HeldSchema, holdRecords } from "./judge";
import { NATIVE_DIALECT } from "./register";
import { parseNewSubject } from "./subject-names";

/** Schemas of one bundle (native API, limits: items of a batch). */
export const MAX_BUNDLE_SCHEMAS = 1_000;
/** Subjects that refer to the bundle's, directly or through others. */
export const MAX_REFERRING_SUBJECTS = 1_000;
/** Steps from a changed subject to one that refers to it through others. */
export const MAX_REFERRING_STEPS = 32;
/** Characters of both schemas of every pair: as much as a transitive check may read (native API, limits). */
export const MAX_BUNDLE_CHARACTERS = 64 * 1024 * 1024;
/** Registered schemas held in memory at a time. */
const HELD_TOGETHER = 50;
/** The most direct references one question to the primary may name. */
const RESOLVED_TOGETHER = 100;

/** A reference to what is registered, or, without a version, to a schema of the bundle by its subject or by its name. */
export type BundleReference = { name: string; subject: string | undefined; version: number | "latest" | undefined };

export type BundleSchema = {
  subject: string;
  context: string | undefined;
  /** What others of the bundle may call it; by default its subject. */
  name: string | undefined;
  format: FormatName | undefined;
  textFor(format: FormatName): { ok: true; text: string } | Refusal;
  references: readonly BundleReference[];
  contract: Contract;
};

export type BundleQuestion = {
  schemas: readonly BundleSchema[];
  level: CompatibilityLevel | undefined;
  policy: Policy | undefined;
  writers: WriterAssumption | undefined;
  role: Role | undefined;
  /** Whether the first breaking differences get a witness: finding one costs more than the comparison. */
  witnesses: boolean;
};

export type BundleItem = BundleVerdict & {
  name: SubjectName;
  format: FormatName | null;
  comparedVersions: { record: SchemaRecord; compatible: boolean }[];
  suggestion: VersionSuggestion | null;
};

/** What a referring subject's newest version would be with the bundle's schemas in place of what it refers to now. */
export type ReferringItem = BundleVerdict & {
  record: SchemaRecord;
  /** The subjects of the bundle that it reaches. */
  through: SubjectName[];
};

export type BundleResult = {
  ok: true;
  compatible: boolean;
  items: BundleItem[];
  referring: ReferringItem[];
  asOf: AsOf;
};

export async function checkBundle(
  edge: Edge,
  tenant: string,
  question: BundleQuestion,
): Promise<BundleResult | Refusal> {
  const names = namesOf(question.schemas);
  if ("ok" in names) return names;
  const policies = await readPolicies(edge, tenant, names);
  if ("ok" in policies) return policies;
  const bundle = new Bundle(edge, tenant, question, names, policies);
  const built = await bundle.build();
  if (built) return built;
  const items = await bundle.items();
  if ("ok" in items) return items;
  const referring = await bundle.referring();
  if ("ok" in referring) return referring;
  const compatible = [...items, ...referring].every((verdict) => verdict.compatible === true);
  return { ok: true, compatible, items, referring, asOf: policies.asOf };
}

/** The subjects, each of which may stand in the bundle once. */
function namesOf(schemas: readonly BundleSchema[]): SubjectName[] | Refusal {
  const names: SubjectName[] = [];
  const seen = new Set<string>();
  for (const [index, { subject, context }] of schemas.entries()) {
    const parsed = parseNewSubject(subject, context);
    if (!parsed.ok)
      return { ...parsed, items: [{ pointer: `/schemas/${index}/subject`, rule: "subject", message: parsed.detail }] };
    const printed = printSubjectName(parsed.name);
    if (seen.has(printed)) {
      const detail = `Subject "${printed}" stands in the bundle twice.`;
      return misplaced(`/schemas/${index}/subject`, "repeated_subject", detail);
    }
    seen.add(printed);
    names.push(parsed.name);
  }
  return names;
}

type Policies = { tenantRules: RuleBook; subjects: SubjectPolicy[]; asOf: AsOf };

async function readPolicies(edge: Edge, tenant: string, names: readonly SubjectName[]): Promise<Policies | Refusal> {
  const subjects: SubjectPolicy[] = [];
  for (;;) {
    const rest = names.slice(subjects.length);
    const answer = await edge.primary(tenant).read("subjectPolicies", { names: rest, api: "native" });
    if ("ok" in answer) return answer;
    subjects.push(...answer.value.subjects);
    if (subjects.length >= names.length) return { tenantRules: answer.value.tenantRules, subjects, asOf: answer.asOf };
  }
}

/** One of the bundle's schemas with its source, which others of the bundle refer to before its own references are known. */
type Member = {
  index: number;
  name: SubjectName;
  policy: SubjectPolicy;
  versions: readonly ComparedVersion[];
  /** Whether the level compares with more versions than were read. */
  more: boolean;
  /** The newest live version, whatever the level compares with. */
  newest: SchemaRecord | undefined;
  format: FormatName;
  source: { text: string; references: ResolvedReference[] };
  errors: SchemaProblem[];
  schema: HeldSchema | undefined;
};
/** By record id. */
type Held = ReadonlyMap<string, HeldSchema>;

class Bundle {
  readonly #members: Member[] = [];
  readonly #bySubject = new Map<string, Member>();
  readonly #byName = new Map<string, Member>();
  readonly #left: { witnesses: number };
  #characters = 0;

  constructor(
    readonly edge: Edge,
    readonly tenant: string,
    readonly question: BundleQuestion,
    readonly names: readonly SubjectName[],
    readonly policies: Policies,
  ) {
    this.#left = { witnesses: question.witnesses ? MAX_WITNESSES : 0 };
  }

  /** Reads what each schema is compared with and puts the schemas together. */
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
    // Where the level compares with nothing, the newest version still gives the format and the label to go on from.
    const uncompared = asked.filter((_, index) => compared[index]!.versions.length === 0);
    const latest = await this.#comparedVersions(uncompared.map((one) => ({ ...one, selector: "latest" as const })));
    if ("ok" in latest) return latest;
    const newestOf = new Map(uncompared.map((one, index) => [one, latest[index]!.versions[0]?.record]));
    for (const [index, schema] of schemas.entries()) {
      const { versions, more } = compared[index]!;
      const newest = versions[0]?.record ?? newestOf.get(asked[index]!);
      const member = this.#member(index, schema, { versions, more, newest });
      if ("ok" in member) return member;
      this.#members.push(member);
      this.#bySubject.set(printSubjectName(member.name), member);
      this.#byName.set(schema.name ?? schema.subject, member);
    }
    if (this.#byName.size < schemas.length) return this.#repeatedName();
    const resolved = await this.#resolveReferences();
    if (resolved) return resolved;
    for (const member of this.#members) this.#parse(member);
    return undefined;
  }

  async items(): Promise<BundleItem[] | Refusal> {
    const items: BundleItem[] = [];
    for (let at = 0; at < this.#members.length; ) {
      const together: Member[] = [];
      const records = new Map<string, SchemaRecord>();
      do {
        const member = this.#members[at]!;
        together.push(member);
        for (const record of recordsOf(member)) records.set(record.id, record);
        at += 1;
      } while (at < this.#members.length && records.size + recordsOf(this.#members[at]!).length <= HELD_TOGETHER);
      const held = await this.#hold([...records.values()]);
      if ("ok" in held) return held;
      for (const member of together) {
        const item = this.#item(member, held);
        if ("ok" in item) return item;
        items.push(item);
      }
    }
    return items;
  }

  /** Subjects outside the bundle that reach one of its subjects, nearest first. */
  async referring(): Promise<ReferringItem[] | Refusal> {
    const found = new Map<string, { record: SchemaRecord; through: Map<string, SubjectName> }>();
    let frontier = new Map(
      this.#members.map(({ name }) => [printSubjectName(name), new Map([[printSubjectName(name), name]])]),
    );
    for (let step = 0; frontier.size > 0; step += 1) {
      if (step === MAX_REFERRING_STEPS) return this.#tooManyReferrers();
      const names = [...frontier.keys()].map(parseSubjectName);
      const next = new Map<string, Map<string, SubjectName>>();
      for (let at = 0; at < names.length; at += MAX_QUERY_ROWS) {
        const asked = { names: names.slice(at, at + MAX_QUERY_ROWS), limit: MAX_REFERRING_SUBJECTS };
        const answer = await this.edge.primary(this.tenant).read("referrersOf", asked);
        if ("ok" in answer) return answer;
        if (answer.value.more) return this.#tooManyReferrers();
        for (const { record, targets } of answer.value.referrers) {
          const printed = printSubjectName(record);
          if (this.#bySubject.has(printed)) continue;
          const known = found.get(printed) ?? { record, through: new Map<string, SubjectName>() };
          const before = known.through.size;
          for (const target of targets) {
            for (const [key, name] of frontier.get(printSubjectName(target)) ?? []) known.through.set(key, name);
          }
          found.set(printed, known);
          if (known.through.size > before) next.set(printed, known.through);
          if (found.size > MAX_REFERRING_SUBJECTS) return this.#tooManyReferrers();
        }
      }
      frontier = next;
    }
    return this.#referringItems(
      [...found.values()].map(({ record, through }) => ({ record, through: [...through.values()] })),
    );
  }

  async #comparedVersions(
    asked: readonly Queries["comparedVersions"][0][],
  ): Promise<Queries["comparedVersionsOfMany"][1] | Refusal> {
    const answers: Queries["comparedVersionsOfMany"][1] = [];
    while (answers.length < asked.length) {
      const rest = asked.slice(answers.length);
      const answer = await this.edge.primary(this.tenant).read("comparedVersionsOfMany", { asked: rest });
      if ("ok" in answer) return answer;
      answers.push(...answer.value);
    }
    return answers;
  }

  async #hold(records: readonly SchemaRecord[]): Promise<Held | Refusal> {
    const schemas = await holdRecords(this.edge, this.tenant, records);
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
      index,
      name,
      policy,
      ...compared,
      format,
      source: { text: text.text, references: [] },
      errors: [],
      schema: undefined,
    };
  }

  #repeatedName(): Refusal {
    const seen = new Set<string>();
    const index = this.question.schemas.findIndex(({ name, subject }) => {
      const own = name ?? subject;
      return seen.has(own) || !seen.add(own);
    });
    return misplaced(`/schemas/${index}/name`, "repeated_name", "Two schemas of the bundle have the same name.");
  }

  /** The bundle's own schemas are linked by identity; what is registered is asked for, all of a context together. */
  async #resolveReferences(): Promise<Refusal | undefined> {
    const registered: { member: Member; at: number; reference: RequestedReference }[] = [];
    for (const member of this.#members) {
      for (const [at, reference] of this.question.schemas[member.index]!.references.entries()) {
        const target = this.#ownTarget(member, reference);
        if (target) {
          const { name } = reference;
          const subject = printSubjectName(target.name);
          member.source.references[at] = { name, subject, version: target.policy.nextNumber, source: target.source };
        } else if (reference.subject === undefined || reference.version === undefined) {
          member.errors.push({
            rule: "reference_not_found",
            message: `The bundle has no schema ${reference.subject === undefined ? `named "${reference.name}"` : `of subject "${reference.subject}"`}.`,
            pointer: `/references/${at}`,
          });
        } else {
          const version = reference.version === "latest" ? -1 : reference.version;
          registered.push({ member, at, reference: { name: reference.name, subject: reference.subject, version } });
        }
      }
    }
    for (let at = 0; at < registered.length; ) {
      const { context } = registered[at]!.member.name;
      let end = at + 1;
      while (
        end < registered.length &&
        end - at < RESOLVED_TOGETHER &&
        registered[end]!.member.name.context === context
      )
        end += 1;
      const asked = registered.slice(at, end);
      const refusal = await this.#resolveRegistered(context, asked);
      if (refusal) return refusal;
      at = end;
    }
    for (const { source } of this.#members)
      source.references = source.references.filter((reference) => reference !== undefined);
    return undefined;
  }

  async #resolveRegistered(
    context: string,
    asked: { member: Member; at: number; reference: RequestedReference }[],
  ): Promise<Refusal | undefined> {
    let open = asked;
    while (open.length > 0) {
      const references = open.map(({ reference }) => reference);
      const answer = await this.edge
        .primary(this.tenant)
        .read("resolveReferences", { context, references, deleted: false });
      if ("ok" in answer) return answer;
      if ("missing" in answer.value) {
        const { subject, version } = answer.value.missing;
        const isMissing = ({ reference }: (typeof asked)[0]) =>
          reference.subject === subject && reference.version === version;
        for (const { member, at } of open.filter(isMissing)) {
          member.errors.push({
            rule: "reference_not_found",
            message: `No schema reference found for subject "${subject}" and version ${version}`,
            pointer: `/references/${at}`,
          });
        }
        open = open.filter((one) => !isMissing(one));
        continue;
      }
      const { resolved, closures } = answer.value;
      const hashes = closures.flatMap(({ nodes }) => nodes.map(({ contentHash }) => contentHash));
      const texts = await loadTexts(this.edge, this.tenant, hashes);
      const plain = new Map([...texts].map(([hash, { text }]) => [hash, text]));
      for (const [index, { member, at }] of open.entries()) {
        const closure = closures[index]!;
        const source = sourceOf(closure.root, closure.nodes, plain);
        if (source) member.source.references[at] = { ...resolved[index]!, source };
      }
      return undefined;
    }
    return undefined;
  }

  /** The schema of the bundle that a reference means: by name, by subject, or by the version that it would become. */
  #ownTarget(member: Member, { name, subject, version }: BundleReference): Member | undefined {
    if (subject === undefined) return this.#byName.get(name);
    const target = this.#bySubject.get(printSubjectName(referredName(member.name.context, subject)));
    if (!target) return undefined;
    return version === undefined || version === "latest" || version === target.policy.nextNumber ? target : undefined;
  }

  #parse(member: Member): void {
    if (member.errors.length > 0) return;
    const parsed = formatNamed(member.format).parse(member.source, {
      strictness: "new",
      defaultDialect: NATIVE_DIALECT,
    });
    if (parsed.ok) member.schema = new HeldSchema(member.format, member.source, NATIVE_DIALECT, parsed);
    else member.errors.push(...parsed.problems);
  }

  #item(member: Member, held: Held): BundleItem | Refusal {
    const { name, policy, format, schema, errors, newest } = member;
    const { level, policy: policyName, writers, role } = this.question;
    const judging = this.#judging({
      level: level ?? policy.level,
      policy: policyName ?? policy.policy,
      writers: writers ?? policy.writers,
      role: role ?? policy.role,
      book: mergeRuleBooks(this.policies.tenantRules, policy.rules),
      errors,
    });
    const comparedVersions: BundleItem["comparedVersions"] = [];
    if (member.more) judging.leaveUndecided("The level compares with more versions than a bundle does.");
    for (const { record } of schema ? member.versions : []) {
      const other = held.get(record.id);
      if (!other) continue;
      const compatible = judging.compare(schema!, other, record);
      if (typeof compatible === "boolean") comparedVersions.push({ record, compatible });
      else if (compatible !== null) return compatible;
    }
    const earlier = newest && held.get(newest.id);
    const suggestion = schema ? judging.suggest(schema, earlier, newest?.label ?? null) : null;
    if (suggestion && "ok" in suggestion) return suggestion;
    return { ...judging.verdict(schema !== undefined), name, format, comparedVersions, suggestion };
  }

  async #referringItems(
    found: readonly { record: SchemaRecord; through: SubjectName[] }[],
  ): Promise<ReferringItem[] | Refusal> {
    if (found.length === 0) return [];
    const names = found.map(({ record: { context, subject } }) => ({ context, subject }));
    const policies = await readPolicies(this.edge, this.tenant, names);
    if ("ok" in policies) return policies;
    const items: ReferringItem[] = [];
    for (let at = 0; at < found.length; at += HELD_TOGETHER) {
      const together = found.slice(at, at + HELD_TOGETHER);
      const held = await this.#hold(together.map(({ record }) => record));
      if ("ok" in held) return held;
      for (const { record, through } of together) {
        const now = held.get(record.id);
        const policy = policies.subjects[items.length]!;
        const item = now
          ? this.#referringItem(record, through, now, policy)
          : { ...this.#judging({ ...policy, book: EMPTY_RULE_BOOK, errors: [] }).verdict(false), record, through };
        if ("ok" in item) return item;
        items.push(item);
      }
    }
    return items;
  }

  #referringItem(
    record: SchemaRecord,
    through: SubjectName[],
    now: HeldSchema,
    policy: SubjectPolicy,
  ): ReferringItem | Refusal {
    const source = this.#withBundle(record, now.source);
    const dialect = record.dialect ?? NATIVE_DIALECT;
    const parsed = formatNamed(record.format).parse(source, { strictness: "stored", defaultDialect: dialect });
    const invalid = through.map(printSubjectName).filter((name) => this.#bySubject.get(name)?.schema === undefined);
    const errors =
      invalid.length > 0
        ? invalid.map((name) => ({ rule: "reference_invalid", message: `The new schema of "${name}" is not valid.` }))
        : parsed.ok
          ? []
          : parsed.problems;
    const book = mergeRuleBooks(this.policies.tenantRules, policy.rules);
    const judging = this.#judging({ ...policy, book, errors });
    if (errors.length > 0) return { ...judging.verdict(false), record, through };
    const compatible = judging.compare(new HeldSchema(record.format, source, record.dialect, parsed), now, record);
    if (compatible !== null && typeof compatible !== "boolean") return compatible;
    return { ...judging.verdict(true), record, through };
  }

  #judging(held: HeldTo): Judging {
    const spend = (reader: HeldSchema, writer: HeldSchema) => {
      this.#characters += reader.characters + writer.characters;
      if (this.#characters <= MAX_BUNDLE_CHARACTERS) return undefined;
      const detail = `A bundle compares ${MAX_BUNDLE_CHARACTERS} characters of schemas at most; check it in parts.`;
      return refuse("TOO_COMPLEX", [detail], detail);
    };
    return new Judging(held, this.edge.now(), this.#left, spend);
  }

  #tooManyReferrers(): Refusal {
    const detail = `More than ${MAX_REFERRING_SUBJECTS} subjects refer to the bundle's, or over more than ${MAX_REFERRING_STEPS} steps; check it in parts.`;
    return refuse("TOO_COMPLEX", [detail], detail);
  }

  /** A registered schema's source with the bundle's schemas in place of the versions it refers to, however far away. */
  #withBundle(record: SchemaRecord, source: SchemaSource): SchemaSource {
    const built = new Map<SchemaSource, SchemaSource>();
    const build = (from: SchemaSource, context: string): SchemaSource => {
      const known = built.get(from);
      if (known) return known;
      const references: ResolvedReference[] = [];
      const copy: SchemaSource = { text: from.text, references };
      // Entered before its references: a cycle among contents then meets this very object.
      built.set(from, copy);
      for (const reference of from.references) {
        const target = referredName(context, reference.subject);
        const member = this.#bySubject.get(printSubjectName(target));
        references.push(
          member
            ? { ...reference, version: member.policy.nextNumber, source: member.source }
            : { ...reference, source: build(reference.source, target.context) },
        );
      }
      return copy;
    };
    return build(source, record.context);
  }
}

/** What a member is compared with. */
function recordsOf({ versions, newest }: Member): SchemaRecord[] {
  const records = versions.map(({ record }) => record);
  return newest && !records.some(({ id }) => id === newest.id) ? [...records, newest] : records;
}

/** An unqualified reference subject lies in the referring subject's context (specs: Confluent contract §4.6). */
function referredName(context: string, subject: string): SubjectName {
  return isQualified(subject) ? parseSubjectName(subject) : { context, subject };
}

function misplaced(pointer: string, rule: string, message: string): Refusal {
  return refuse("BAD_REQUEST", [message], message, { items: [{ pointer, rule, message }] });
}

/**
 * What a caller whose grants cover part of the tenant sees of each query. Every query has an entry here, or the table
 * does not compile. Data that the caller may not read is omitted.
 */
import type { Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import { NO_GOVERNANCE, type Proposal } from "../../registry/governance.ts";
import type { Permission } from "../../registry/permission.ts";
import type { Queries, QueryName, ReadAnswer } from "../../registry/questions.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { DEFAULT_CONTEXT, parseSubjectName, referenceName, type SubjectName } from "../../schema/subject-name.ts";
import type { Access } from "./access.ts";
import { denial } from "./denial.ts";
import { FilteredPages } from "./filtered-pages.ts";

type Asked<K extends QueryName> = Promise<Result<ReadAnswer<K>, Refusal>>;
type QueryGuards = { [K in QueryName]: (args: Queries[K][0]) => Asked<K> };

/** A primary, a caller's access to it, and the ways in which a query can be guarded. */
type Guarding = ReturnType<typeof guarding>;

export function guardQueries(primary: PrimaryClient, access: Access): QueryGuards {
  const guards = guarding(primary, access);
  return {
    ...guardVersions(guards),
    ...guardContents(guards),
    ...guardReferences(guards),
    ...guardSettings(guards),
    ...guardChanges(guards),
    ...guardTenant(guards),
  };
}

function guarding(primary: PrimaryClient, access: Access) {
  const passed =
    <K extends QueryName>(name: K) =>
    (args: Queries[K][0]): Asked<K> =>
      primary.read(name, args);
  const changed =
    <K extends QueryName>(name: K, change: (value: Queries[K][1], args: Queries[K][0]) => Queries[K][1]) =>
    async (args: Queries[K][0]): Asked<K> => {
      const answer = await primary.read(name, args);
      return !answer.ok ? answer : ok({ asOf: answer.value.asOf, value: change(answer.value.value, args) });
    };
  /** Only for names that the caller may know and use; others appear not to exist. */
  const named =
    <K extends QueryName>(name: K, permission: Permission, namesOf: (args: Queries[K][0]) => readonly SubjectName[]) =>
    async (args: Queries[K][0]): Asked<K> => {
      const hidden = namesOf(args).find((subject) => !mayUse(access, permission, subject));
      return hidden === undefined ? primary.read(name, args) : refuse(denial(access, permission, hidden));
    };
  const onlyForAll = <K extends QueryName>(name: K, otherwise: Queries[K][1]) =>
    changed(name, (value) => (access.coversTenant("schema:read") ? value : otherwise));
  const readable = (record: SchemaRecord | null) => (record !== null && access.mayRead(record) ? record : null);
  return { primary, access, readable, pages: new FilteredPages(primary, access), passed, changed, named, onlyForAll };
}

/** Versions and their subjects: those that the caller may read, and subjects that it may know. */
function guardVersions({ access, changed, pages, passed, readable }: Guarding) {
  const found = (value: Queries["record"][1]): Queries["record"][1] =>
    "found" in value && !access.mayRead(value.found) ? { missing: "subject" } : value;
  return {
    head: passed("head"),
    // Only for requests that name the subject, whose records are guarded themselves.
    holdsArtefacts: passed("holdsArtefacts"),
    // Used only for a quota, on behalf of the tenant.
    versionCount: passed("versionCount"),
    recordById: changed("recordById", readable),
    record: changed("record", found),
    records: (args) => pages.records(args),
    recordByProperties: changed("recordByProperties", found),
    recordsOfSubject: (args) => pages.recordsOfSubject(args),
    subjects: (args) => pages.subjects(args),
    subject: changed("subject", (summary) => (summary !== null && access.mayKnow(summary) ? summary : null)),
    subjectSummaries: changed("subjectSummaries", ({ summaries, next }) => ({
      summaries: summaries.filter((summary) => access.mayKnow(summary)),
      next,
    })),
    contexts: (args) => pages.contexts(args),
    aliases: changed("aliases", (aliases) =>
      aliases.filter(({ alias, subject }) => access.mayKnow(alias) && access.mayKnow(subject)),
    ),
  } satisfies Partial<QueryGuards>;
}

/** Contents, by the versions that have them, and the Confluent ids of these. */
function guardContents({ access, changed, pages, passed, readable }: Guarding) {
  return {
    // By hash, which appears only in responses about readable records.
    content: passed("content"),
    contents: passed("contents"),
    closure: passed("closure"),
    closures: passed("closures"),
    contentOf: (args) => pages.contentOf(args),
    recordByConfluentId: changed("recordByConfluentId", readable),
    usesOfConfluentId: (args) => pages.usesOfConfluentId(args),
    idsOfGuid: (args) => pages.idsOfGuid(args),
    // The number of ids assigned in a context would reveal its size.
    maxConfluentId: changed("maxConfluentId", (id, { context }) =>
      access.coversContext("schema:read", context) ? id : 0,
    ),
  } satisfies Partial<QueryGuards>;
}

/** References and associations: only between what the caller may read. */
function guardReferences({ access, changed, pages, primary }: Guarding) {
  return {
    resolveReferences: async (args) => {
      const missing = args.references.find(
        ({ subject }) => !access.allows("schema:read", referenceName(args.context, subject)),
      );
      const answer = await primary.read("resolveReferences", args);
      return missing === undefined || !answer.ok ? answer : ok({ asOf: answer.value.asOf, value: { missing } });
    },
    referencedBy: changed("referencedBy", (records) => records.filter((record) => access.mayRead(record))),
    referrersOf: changed("referrersOf", ({ referrers, more }) => ({
      referrers: referrers.filter(({ record }) => access.mayRead(record)),
      more,
    })),
    graph: changed("graph", (slice) => slice && visibleSlice(slice, access)),
    associations: (args) => pages.associations(args),
    associationsOfMany: changed("associationsOfMany", (lists, { names }) =>
      lists.map((list, index) => (access.mayKnow(names[index]!) ? list : [])),
    ),
  } satisfies Partial<QueryGuards>;
}

/** Settings, and what they decide, of names that the caller may use. */
function guardSettings({ access, changed, named }: Guarding) {
  return {
    config: named("config", "compatibility:config:read", ({ scope }) => [scope]),
    effectiveConfig: named("effectiveConfig", "compatibility:config:read", ({ name }) => [name]),
    rules: named("rules", "compatibility:config:read", ({ scope }) => [scope]),
    effectiveRules: named("effectiveRules", "compatibility:config:read", ({ name }) => [name]),
    exceptions: changed("exceptions", ({ scopes, next }) => ({
      scopes: scopes.filter(({ scope }) => mayUse(access, "compatibility:config:read", scope)),
      next,
    })),
    mode: named("mode", "compatibility:config:read", ({ scope }) => [scope]),
    effectiveMode: named("effectiveMode", "compatibility:config:read", ({ name }) => [name]),
    versionAliases: named("versionAliases", "schema:read", ({ name }) => [name]),
    aliasMoves: named("aliasMoves", "schema:read", ({ name }) => [name]),
    evidence: named("evidence", "schema:read", ({ name }) => [name]),
    comparedVersions: named("comparedVersions", "compatibility:check", ({ name }) => [name]),
    comparedVersionsOfMany: named("comparedVersionsOfMany", "compatibility:check", ({ asked }) =>
      asked.map(({ name }) => name),
    ),
    subjectPolicies: named("subjectPolicies", "compatibility:check", ({ names }) => names),
  } satisfies Partial<QueryGuards>;
}

/** Change sets and proposals, which show together what was changed in several subjects. */
function guardChanges({ access, changed, onlyForAll }: Guarding) {
  return {
    changeSet: onlyForAll("changeSet", null),
    changeSets: onlyForAll("changeSets", []),
    governance: onlyForAll("governance", NO_GOVERNANCE),
    proposal: changed("proposal", (whole) =>
      whole !== null && knowsAll(access, whole.proposal)
        ? { ...whole, review: visibleReview(whole.review, access) }
        : null,
    ),
    proposals: changed("proposals", (proposals) => proposals.filter((proposal) => knowsAll(access, proposal))),
  } satisfies Partial<QueryGuards>;
}

/** Their routes require permissions over the tenant, which no narrowed grant carries. */
function guardTenant({ passed }: Guarding) {
  return {
    webhooks: passed("webhooks"),
    webhook: passed("webhook"),
    copyRecords: passed("copyRecords"),
    copySubjects: passed("copySubjects"),
    copyScopes: passed("copyScopes"),
    checkpoints: passed("checkpoints"),
    checkpointKeys: passed("checkpointKeys"),
    inclusionProof: passed("inclusionProof"),
    consistencyProof: passed("consistencyProof"),
    tile: passed("tile"),
    entryBundle: passed("entryBundle"),
    auditEntries: passed("auditEntries"),
    auditEntriesAt: passed("auditEntriesAt"),
  } satisfies Partial<QueryGuards>;
}

function knowsAll(access: Access, { subjects }: Pick<Proposal, "subjects">): boolean {
  return subjects.every((subject) => access.mayKnow(parseSubjectName(subject)));
}

/** Without the referring subjects that the caller may not know; its author may have known more of them. */
function visibleReview(review: unknown, access: Access): unknown {
  const { referencing } = (review ?? {}) as { referencing?: readonly { record: SchemaRecord }[] };
  if (referencing === undefined) return review;
  return { ...(review as object), referencing: referencing.filter(({ record }) => access.mayRead(record)) };
}

/** What holds for a whole context, or for all, may be shown to any caller with the permission for something in it. */
function mayUse(access: Access, permission: Permission, name: SubjectName): boolean {
  if (name.subject !== "") return access.allows(permission, name);
  return (
    name.context === DEFAULT_CONTEXT || name.context.startsWith(".__") || access.allowsIn(permission, name.context)
  );
}

function visibleSlice(slice: NonNullable<Queries["graph"][1]>, access: Access): Queries["graph"][1] {
  const nodes = slice.nodes.filter(({ record }) => access.mayRead(record));
  const ids = new Set(nodes.map(({ record }) => record.id));
  if (!ids.has(slice.root)) return null;
  return {
    ...slice,
    nodes,
    edges: slice.edges.filter(({ from, to }) => ids.has(from) && ids.has(to)),
    missing: slice.missing.filter(({ from }) => ids.has(from)),
    frontier: slice.frontier.filter((id) => ids.has(id)),
  };
}

/**
 * The primary as seen by a caller whose grants cover part of the tenant. One typed table defines, for every query,
 * which part of the result such a caller gets, so a new query does not compile without an entry there. Data that the
 * caller may not read is omitted. Filtered pages keep the contract of their query: fewer rows than requested still mean
 * the end.
 */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import { NO_GOVERNANCE, type Proposal } from "../../registry/governance.ts";
import type { Permission } from "../../registry/permission.ts";
import type { Queries, QueryName, ReadAnswer } from "../../registry/questions.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { DEFAULT_CONTEXT, parseSubjectName, referenceName, type SubjectName } from "../../schema/subject-name.ts";
import { subjectNotFound } from "../registry/read/read.ts";
import type { Access } from "./access.ts";
import { CommandGuard } from "./guarded-commands.ts";

/**
 * Pages of hidden versions that a list skips in one request. Past it the page is empty and has a cursor, so a caller
 * who may see little of a large registry costs no more than any other.
 */
export const MAX_HIDDEN_PAGES = 20;

type Asked<K extends QueryName> = Promise<Result<ReadAnswer<K>, Refusal>>;
type Guards = { [K in QueryName]: (args: Queries[K][0]) => Asked<K> };

export function guardPrimary(primary: PrimaryClient, access: Access): PrimaryClient {
  const guards = guardsOf(primary, access);
  const commands = new CommandGuard(primary, access);
  return {
    ...primary,
    read: <K extends QueryName>(name: K, args: Queries[K][0]) => guards[name](args),
    async commit(request) {
      const refusal = await commands.refusalOf(request.command);
      if (refusal === undefined) return primary.commit(request);
      return { ...refuse(refusal), asOf: await asOf(primary) };
    },
    async lookup(request) {
      const answer = await primary.lookup(request);
      if (!answer.ok || answer.value.type === "needs" || access.mayRead(answer.value.record)) return answer;
      return { ...refuse(subjectNotFound(request.name)), asOf: answer.asOf };
    },
    async check(request) {
      const refusal = await commands.refusalOfCheck(request.name, request.references);
      if (refusal === undefined) return primary.check(request);
      return { ...refuse(refusal), asOf: await asOf(primary) };
    },
  };
}

async function asOf(primary: PrimaryClient) {
  const head = await primary.read("head", {});
  return !head.ok ? { epoch: 0, seq: 0, lastHardDelete: 0 } : head.value.asOf;
}

function guardsOf(primary: PrimaryClient, access: Access): Guards {
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
  const readable = (record: SchemaRecord | null) => (record !== null && access.mayRead(record) ? record : null);
  const found = (value: Queries["record"][1]): Queries["record"][1] =>
    "found" in value && !access.mayRead(value.found) ? { missing: "subject" } : value;
  const onlyForAll = <K extends QueryName>(name: K, otherwise: Queries[K][1]) =>
    changed(name, (value) => (access.coversTenant("schema:read") ? value : otherwise));
  const pages = new FilteredPages(primary, access);
  return {
    head: passed("head"),
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
    // By hash, which appears only in responses about readable records.
    content: passed("content"),
    contents: passed("contents"),
    closure: passed("closure"),
    closures: passed("closures"),
    contentOf: (args) => pages.contentOf(args),
    recordByConfluentId: changed("recordByConfluentId", readable),
    resolveReferences: async (args) => {
      const missing = args.references.find(
        ({ subject }) => !access.allows("schema:read", referenceName(args.context, subject)),
      );
      const answer = await primary.read("resolveReferences", args);
      return missing === undefined || !answer.ok ? answer : ok({ asOf: answer.value.asOf, value: { missing } });
    },
    usesOfConfluentId: (args) => pages.usesOfConfluentId(args),
    idsOfGuid: (args) => pages.idsOfGuid(args),
    // The number of ids assigned in a context would reveal its size.
    maxConfluentId: changed("maxConfluentId", (id, { context }) =>
      access.coversContext("schema:read", context) ? id : 0,
    ),
    referencedBy: changed("referencedBy", (records) => records.filter((record) => access.mayRead(record))),
    graph: changed("graph", (slice) => slice && visibleSlice(slice, access)),
    config: named("config", "compatibility:config:read", ({ scope }) => [scope]),
    effectiveConfig: named("effectiveConfig", "compatibility:config:read", ({ name }) => [name]),
    rules: named("rules", "compatibility:config:read", ({ scope }) => [scope]),
    effectiveRules: named("effectiveRules", "compatibility:config:read", ({ name }) => [name]),
    mode: named("mode", "compatibility:config:read", ({ scope }) => [scope]),
    effectiveMode: named("effectiveMode", "compatibility:config:read", ({ name }) => [name]),
    contexts: (args) => pages.contexts(args),
    associations: (args) => pages.associations(args),
    associationsOfMany: changed("associationsOfMany", (lists, { names }) =>
      lists.map((list, index) => (access.mayKnow(names[index]!) ? list : [])),
    ),
    // Their routes require permissions over the tenant, which no narrowed grant carries.
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
    // They show what was changed together in subjects that may be hidden.
    changeSet: onlyForAll("changeSet", null),
    changeSets: onlyForAll("changeSets", []),
    governance: onlyForAll("governance", NO_GOVERNANCE),
    proposal: changed("proposal", (whole) => (whole !== null && knowsAll(access, whole.proposal) ? whole : null)),
    proposals: changed("proposals", (proposals) => proposals.filter((proposal) => knowsAll(access, proposal))),
    aliases: changed("aliases", (aliases) =>
      aliases.filter(({ alias, subject }) => access.mayKnow(alias) && access.mayKnow(subject)),
    ),
    comparedVersions: named("comparedVersions", "compatibility:check", ({ name }) => [name]),
    comparedVersionsOfMany: named("comparedVersionsOfMany", "compatibility:check", ({ asked }) =>
      asked.map(({ name }) => name),
    ),
    subjectPolicies: named("subjectPolicies", "compatibility:check", ({ names }) => names),
    referrersOf: changed("referrersOf", ({ referrers, more }) => ({
      referrers: referrers.filter(({ record }) => access.mayRead(record)),
      more,
    })),
    exceptions: changed("exceptions", ({ scopes, next }) => ({
      scopes: scopes.filter(({ scope }) => mayUse(access, "compatibility:config:read", scope)),
      next,
    })),
  };
}

function knowsAll(access: Access, { subjects }: Pick<Proposal, "subjects">): boolean {
  return subjects.every((subject) => access.mayKnow(parseSubjectName(subject)));
}

/** What holds for a whole context, or for all, may be shown to any caller with the permission for something in it. */
function mayUse(access: Access, permission: Permission, name: SubjectName): boolean {
  if (name.subject !== "") return access.allows(permission, name);
  return (
    name.context === DEFAULT_CONTEXT || name.context.startsWith(".__") || access.allowsIn(permission, name.context)
  );
}

/** Explained to callers who may know the subject, hidden from others. */
export function denial(access: Access, permission: Permission, name: SubjectName): Refusal {
  if (name.subject !== "" && !access.mayKnow(name)) return subjectNotFound(name);
  const detail =
    name.subject === ""
      ? `The credential needs "${permission}" for the whole context "${name.context}".`
      : `The credential needs "${permission}" on the subject "${name.subject}" of the context "${name.context}".`;
  return makeRefusal("FORBIDDEN", [detail], detail);
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

/** Pages are read until the result is full or there are no more. */
class FilteredPages {
  readonly #primary: PrimaryClient;
  readonly #access: Access;

  constructor(primary: PrimaryClient, access: Access) {
    this.#primary = primary;
    this.#access = access;
  }

  /**
   * By registration, the page may be shorter than requested, and `next` says whether there is more; by subject,
   * `offset` counts visible records.
   */
  async records(args: Queries["records"][0]): Asked<"records"> {
    const isByOffset = args.order === "subject";
    const { offset = 0, limit } = args;
    const wanted = offset + limit;
    const visible: SchemaRecord[] = [];
    let { after } = args;
    for (let pages = 1; ; pages += 1) {
      const page = { ...args, after, offset: 0, limit: isByOffset ? MAX_QUERY_ROWS : limit };
      const answer = await this.#primary.read("records", page);
      if (!answer.ok) return answer;
      visible.push(...answer.value.value.records.filter((record) => this.#access.mayRead(record)));
      after = answer.value.value.next;
      const isEnough = isByOffset ? visible.length > wanted : visible.length > 0 || pages >= MAX_HIDDEN_PAGES;
      if (after === null || isEnough) {
        const records = isByOffset ? visible.slice(offset, offset + limit) : visible;
        const isMore = isByOffset ? visible.length > offset + limit : true;
        return ok({ asOf: answer.value.asOf, value: { records, next: after ?? (isByOffset && isMore ? "" : null) } });
      }
    }
  }

  async recordsOfSubject(args: Queries["recordsOfSubject"][0]): Asked<"recordsOfSubject"> {
    const visible: SchemaRecord[] = [];
    let { after } = args;
    for (;;) {
      const answer = await this.#primary.read("recordsOfSubject", { ...args, after });
      if (!answer.ok) return answer;
      const { records, subjectExists } = answer.value.value;
      visible.push(...records.filter((record) => this.#access.mayRead(record)));
      const last = records.at(-1)?.versionNumber ?? null;
      if (records.length < args.limit || last === null || visible.length >= args.limit) {
        const exists = subjectExists && (visible.length > 0 || this.#access.mayKnow(records[0] ?? args.name));
        return ok({ asOf: answer.value.asOf, value: { subjectExists: exists, records: visible.slice(0, args.limit) } });
      }
      after = last;
    }
  }

  async subjects(args: Queries["subjects"][0]): Asked<"subjects"> {
    let { after } = args;
    for (;;) {
      const answer = await this.#primary.read("subjects", { ...args, after });
      if (!answer.ok) return answer;
      const { names, next } = answer.value.value;
      const visible = names.filter((name) => this.#access.mayKnow(parseSubjectName(name)));
      if (visible.length > 0 || next === null) return ok({ asOf: answer.value.asOf, value: { names: visible, next } });
      after = next;
    }
  }

  /** Contexts with a subject that the caller may know, and the default one, which always exists. */
  async contexts(args: Queries["contexts"][0]): Asked<"contexts"> {
    const answer = await this.#primary.read("contexts", args);
    if (!answer.ok) return answer;
    const visible = [];
    for (const context of answer.value.value) {
      if (context === DEFAULT_CONTEXT || this.#access.coversContext("subject:read", context)) visible.push(context);
      else if (this.#access.allowsIn("subject:read", context) && (await this.#holdsVisible(context))) {
        visible.push(context);
      }
    }
    return ok({ asOf: answer.value.asOf, value: visible });
  }

  async #holdsVisible(context: string): Promise<boolean> {
    const page = { prefix: `:${context}:`, deleted: "no" as const, after: null, limit: MAX_QUERY_ROWS };
    const answer = await this.subjects(page);
    return answer.ok && answer.value.value.names.length > 0;
  }

  async contentOf(args: Queries["contentOf"][0]): Asked<"contentOf"> {
    const answer = await this.#primary.read("contentOf", args);
    if (!answer.ok || answer.value.value === null) return answer;
    const isReadable = await this.#isUsedReadably(args);
    if (!isReadable.ok) return isReadable;
    return isReadable.value ? answer : ok({ asOf: answer.value.asOf, value: null });
  }

  async #isUsedReadably(args: Queries["contentOf"][0]): Promise<Result<boolean, Refusal>> {
    if ("id" in args) {
      const answer = await this.#primary.read("recordById", { id: args.id, deleted: true });
      if (!answer.ok) return answer;
      return ok(answer.value.value !== null && this.#access.mayRead(answer.value.value));
    }
    if ("guid" in args) {
      const ids = await this.idsOfGuid(args);
      return ids.ok ? ok(ids.value.value.length > 0) : ids;
    }
    const uses = await this.usesOfConfluentId({ ...args, deleted: true });
    return uses.ok ? ok(uses.value.value.records.length > 0) : uses;
  }

  async usesOfConfluentId(args: Queries["usesOfConfluentId"][0]): Asked<"usesOfConfluentId"> {
    const { offset = 0 } = args;
    const visible: SchemaRecord[] = [];
    for (let read = 0; ; ) {
      const answer = await this.#primary.read("usesOfConfluentId", { ...args, offset: read });
      if (!answer.ok) return answer;
      const { records, known } = answer.value.value;
      visible.push(...records.filter((record) => this.#access.mayRead(record)));
      read += records.length;
      if (records.length < MAX_QUERY_ROWS || visible.length >= offset + MAX_QUERY_ROWS) {
        const page = visible.slice(offset, offset + MAX_QUERY_ROWS);
        return ok({ asOf: answer.value.asOf, value: { known: known && visible.length > 0, records: page } });
      }
    }
  }

  async idsOfGuid(args: Queries["idsOfGuid"][0]): Asked<"idsOfGuid"> {
    const answer = await this.#primary.read("idsOfGuid", args);
    if (!answer.ok) return answer;
    const visible: Queries["idsOfGuid"][1] = [];
    for (const { context, confluentId } of answer.value.value) {
      const uses = await this.usesOfConfluentId({ context, confluentId, deleted: true });
      if (!uses.ok) return uses;
      if (uses.value.value.records.length > 0) visible.push({ context, confluentId });
    }
    return ok({ asOf: answer.value.asOf, value: visible });
  }

  async associations(args: Queries["associations"][0]): Asked<"associations"> {
    const visible: Queries["associations"][1] = [];
    for (let read = 0; ; ) {
      const page = { ...args, offset: read, limit: MAX_QUERY_ROWS };
      const answer = await this.#primary.read("associations", page);
      if (!answer.ok) return answer;
      visible.push(...answer.value.value.filter(({ name }) => this.#access.mayKnow(name)));
      read += answer.value.value.length;
      if (answer.value.value.length < MAX_QUERY_ROWS || visible.length >= args.offset + args.limit) {
        return ok({ asOf: answer.value.asOf, value: visible.slice(args.offset, args.offset + args.limit) });
      }
    }
  }
}

/**
 * Lists without what the caller may not see. Filtered pages keep the contract of their query: fewer rows than requested
 * still mean the end.
 */
import type { Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import type { Queries, QueryName, ReadAnswer } from "../../registry/questions.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../registry/rpc.ts";
import { ok, type Result } from "../../schema/result.ts";
import { DEFAULT_CONTEXT, parseSubjectName } from "../../schema/subject-name.ts";
import type { Access } from "./access.ts";

/**
 * Pages of hidden versions that a list skips in one request. Past it the page is empty and has a cursor, so a caller
 * who may see little of a large registry costs no more than any other.
 */
export const MAX_HIDDEN_PAGES = 20;

type Asked<K extends QueryName> = Promise<Result<ReadAnswer<K>, Refusal>>;

/** Pages are read until the result is full or there are no more. */
export class FilteredPages {
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

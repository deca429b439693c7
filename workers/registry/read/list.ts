/** Lists of records and subjects, read from the primary in pages limited in rows and bytes. */

import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { RecordFilter, SubjectSummary } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { readShownTexts, type ShownText } from "../../read-path/texts.ts";
import { parseCursor, printCursor } from "./cursor.ts";
import { subjectNotFound } from "./read.ts";
import { listingPrefix, parseSubject } from "./subject-names.ts";

/** Text per page, so that responses fit into a client's memory; a page ends early if necessary. */
const MAX_PAGE_TEXT_CHARACTERS = 4 * 1024 * 1024;

type ListedRecord = { record: SchemaRecord; text: ShownText | undefined };
export type RecordPage = { items: ListedRecord[]; nextCursor: string | undefined; asOf: AsOf };

type RecordQuery = Pick<RecordFilter, "format" | "state" | "tag" | "latestOnly"> & {
  subjectPrefix: string | undefined;
  context: string | undefined;
  deleted: boolean;
  limit: number;
  cursor: string | undefined;
  withTexts: boolean;
};

export async function listRecords(edge: Edge, query: RecordQuery): Promise<Result<RecordPage, Refusal>> {
  const { subjectPrefix, context, deleted, limit, cursor, withTexts, ...conditions } = query;
  const prefix = listingPrefix(subjectPrefix, context);
  if (!prefix.ok) return prefix;
  const start = cursor === undefined ? undefined : parseCursor("records", cursor);
  if (start?.ok === false) return start;
  const after = start ? JSON.stringify(start.value) : null;
  const filter: RecordFilter = { ...conditions, subjectPrefix: prefix.value, deleted, drafts: true };
  const read = (count: number) => edge.primary.read("records", { filter, order: "registration", after, limit: count });

  let answer = await read(limit);
  if (!answer.ok) return answer;
  const texts = withTexts ? await fittingTexts(edge, answer.value.value.records) : undefined;
  if (texts && texts.count < answer.value.value.records.length) {
    // Only the primary knows where the next page starts.
    answer = await read(texts.count);
    if (!answer.ok) return answer;
  }
  const { records, next } = answer.value.value;
  return ok({
    items: records.map((record) => ({ record, text: texts?.byHash.get(record.contentHash) })),
    nextCursor: next === null ? undefined : printCursor("records", JSON.parse(next) as number[]),
    asOf: answer.value.asOf,
  });
}

type VersionQuery = {
  subject: string;
  context: string | undefined;
  deleted: boolean;
  limit: number;
  cursor: string | undefined;
  withTexts: boolean;
};

export async function listVersions(edge: Edge, query: VersionQuery): Promise<Result<RecordPage, Refusal>> {
  const { subject, context, deleted, limit, cursor, withTexts } = query;
  const parsed = parseSubject(subject, context);
  if (!parsed.ok) return parsed;
  const start = cursor === undefined ? undefined : parseCursor("versions", cursor);
  if (start?.ok === false) return start;
  const after = start ? (start.value[0] as number) : 0;
  // A query returns at most a page, so at the largest limit no extra row can be requested.
  const answer = await edge.primary.read("recordsOfSubject", {
    name: parsed.value,
    deleted,
    drafts: false,
    after,
    limit,
  });
  if (!answer.ok) return answer;
  const { subjectExists, records } = answer.value.value;
  if (!subjectExists && records.length === 0 && start === undefined) return refuse(subjectNotFound(parsed.value));
  const texts = withTexts ? await fittingTexts(edge, records) : undefined;
  const shown = records.slice(0, texts?.count ?? records.length);
  const last = shown.at(-1);
  const mayContinue = shown.length < records.length || records.length === limit;
  return ok({
    items: shown.map((record) => ({ record, text: texts?.byHash.get(record.contentHash) })),
    nextCursor: mayContinue && last ? printCursor("versions", [last.versionNumber!]) : undefined,
    asOf: answer.value.asOf,
  });
}

type SubjectPage = { items: SubjectSummary[]; nextCursor: string | undefined; asOf: AsOf };

export async function listSubjects(
  edge: Edge,
  query: {
    prefix: string | undefined;
    context: string | undefined;
    deleted: boolean;
    limit: number;
    cursor: string | undefined;
  },
): Promise<Result<SubjectPage, Refusal>> {
  const { deleted, limit, cursor } = query;
  const prefix = listingPrefix(query.prefix, query.context);
  if (!prefix.ok) return prefix;
  const start = cursor === undefined ? undefined : parseCursor("subjects", cursor);
  if (start?.ok === false) return start;
  const answer = await edge.primary.read("subjectSummaries", {
    page: {
      prefix: prefix.value,
      deleted: deleted ? "also" : "no",
      after: start ? JSON.stringify(start.value) : null,
      limit,
    },
    deleted,
  });
  if (!answer.ok) return answer;
  const { summaries, next } = answer.value.value;
  return ok({
    items: summaries,
    nextCursor: next === null ? undefined : printCursor("subjects", JSON.parse(next) as string[]),
    asOf: answer.value.asOf,
  });
}

/** Texts loaded together, so little is loaded beyond a page's limit. */
const TEXTS_AT_ONCE = 25;

/** The texts of the first records that fit into a page, at least one. */
async function fittingTexts(edge: Edge, records: readonly SchemaRecord[]) {
  const byHash = new Map<ContentHash, ShownText>();
  let characters = 0;
  let count = 0;
  while (count < records.length) {
    const hashes = records.slice(count, count + TEXTS_AT_ONCE).map(({ contentHash }) => contentHash);
    for (const [hash, text] of await readShownTexts(edge, hashes)) byHash.set(hash, text);
    for (const hash of hashes) {
      characters += byHash.get(hash)?.text.length ?? 0;
      if (count > 0 && characters > MAX_PAGE_TEXT_CHARACTERS) return { byHash, count };
      count += 1;
    }
  }
  return { byHash, count };
}

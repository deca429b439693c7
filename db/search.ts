/** Search over a tenant's versions as the searchable copy has them. What it finds is as of `seq` of the log, not of now. */
import type { SchemaRecord } from "../registry/record.ts";
import { type DatabaseAccess, type ReadDatabase, readDatabase } from "./client.ts";
import { type Candidates, type FoundRow, MAX_COUNTED, readCandidates } from "./search/candidates.ts";
import { type Match, parseCursor, printCursor, type SearchCursor } from "./search/cursor.ts";
import { type Highlight, highlightsOf, worthMarking } from "./search/highlights.ts";
import { type Correction, withSimilarWords } from "./search/similar.ts";
import type { Combination, Filters } from "./search/terms.ts";
import { type Group, groupsOf, wordsIn } from "./search/words.ts";

export const DEFAULT_SEARCH_LIMIT = 20;

export type SearchRequest = Filters & {
  /** Empty: everything that passes the filters, newest first. */
  query: string;
  limit: number;
  cursor?: string | undefined;
};

export type SearchPage = {
  items: { record: SchemaRecord; score: number; highlights: Highlight[] }[];
  nextCursor?: string;
  /** Exact where `totalRelation` is `eq`; there are at least so many where it is `gte`. */
  total: number;
  totalRelation: "eq" | "gte";
  /** How the words were found, and what was taken for words that no name has. */
  match: Match;
  corrections: readonly Correction[];
  asOf: { epoch: number; seq: number };
};

export type SearchOutcome =
  | { outcome: "found"; page: SearchPage }
  /** The cursor is none of this search. */
  | { outcome: "bad_cursor" }
  /** The query holds neither letter nor digit. */
  | { outcome: "no_words" }
  /** The copy is being emptied, to be made anew. */
  | { outcome: "rebuilding" };

/** Throws DatabaseUnreachable where there is no database or it does not answer. */
export async function searchVersions(
  access: DatabaseAccess,
  tenant: string,
  request: SearchRequest,
): Promise<SearchOutcome> {
  const { query: _, limit, cursor: given, ...filters } = request;
  const query = storable(request.query);
  if (filters.subjectPrefix) filters.subjectPrefix = storable(filters.subjectPrefix);
  const fingerprint = fingerprintOf([query, filters]);
  const cursor = given === undefined ? undefined : parseCursor(given, fingerprint);
  if (given !== undefined && cursor === undefined) return { outcome: "bad_cursor" };
  const groups = groupsOf(query);
  if (groups.length === 0 && query.trim() !== "") return { outcome: "no_words" };

  return readDatabase(access, async (db) => {
    const found = await searchOf(db, tenant, { query, groups, filters, limit, cursor });
    if (found.checkpoint.rebuild === "emptying") return { outcome: "rebuilding" };
    return { outcome: "found", page: pageOf(found, { fingerprint, limit, cursor }) };
  });
}

type Searched = Candidates & { match: Match; groups: readonly Group[]; corrections: readonly Correction[] };

type Searching = {
  query: string;
  groups: readonly Group[];
  filters: Filters;
  limit: number;
  cursor: SearchCursor | undefined;
};

/** First all words as they are; where that finds nothing, the words they may have been; where that finds nothing, any of them. */
async function searchOf(db: ReadDatabase, tenant: string, searching: Searching): Promise<Searched> {
  const { query: text, groups, filters, limit, cursor } = searching;
  const read = (groupsNow: readonly Group[], combination: Combination, corrections: readonly Correction[] = []) =>
    readCandidates(db, {
      tenant,
      text: corrected(text, corrections),
      groups: groupsNow,
      combination,
      filters,
      // One more than is shown says whether there is a next page.
      limit: limit + 1,
      after: cursor,
    });
  if (cursor !== undefined) {
    const { match, corrections } = cursor;
    return {
      ...(await read(cursor.groups, match === "any" ? "any" : "all", corrections)),
      match,
      groups: cursor.groups,
      corrections,
    };
  }
  const asTyped = { ...(await read(groups, "all")), match: "all" as const, groups, corrections: [] };
  if (asTyped.rows.length > 0 || groups.length === 0) return asTyped;
  const similar = await withSimilarWords(db, tenant, groups);
  if (similar.corrections.length > 0) {
    const found = await read(similar.groups, "all", similar.corrections);
    if (found.rows.length > 0) return { ...found, match: "similar", ...similar };
  }
  if (groups.length === 1) return asTyped;
  const some = { ...(await read(groups, "any")), match: "any" as const, groups, corrections: [] };
  if (some.rows.length > 0 || similar.corrections.length === 0) return some;
  return { ...(await read(similar.groups, "any")), match: "any", ...similar };
}

function pageOf(
  found: Searched,
  { fingerprint, limit, cursor }: { fingerprint: string; limit: number; cursor: SearchCursor | undefined },
): SearchPage {
  const { rows, counted, checkpoint, match, groups, corrections } = found;
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const marked = (stems: readonly string[] | null) => worthMarking([...wordsIn(groups), ...(stems ?? [])]);
  // Counted once, by the first page: later ones would count what came in between.
  const total = cursor?.total ?? counted;
  return {
    items: shown.map((row) => ({
      record: recordOf(row),
      score: Number(row.score) / 1_000_000,
      highlights: highlightsOf({ ...row, fields: row.fields ?? [], content: row.snippet }, marked(row.stems)),
    })),
    ...(rows.length > limit && last !== undefined
      ? {
          nextCursor: printCursor({
            fingerprint,
            match,
            groups,
            corrections,
            seq: cursor?.seq ?? checkpoint.seq,
            total,
            score: Number(last.score),
            recordKey: Number(last.record_key),
          }),
        }
      : {}),
    total: Math.min(total, MAX_COUNTED),
    totalRelation: total > MAX_COUNTED ? "gte" : "eq",
    match,
    corrections,
    asOf: { epoch: checkpoint.epoch, seq: checkpoint.seq },
  };
}

function recordOf(row: FoundRow): SchemaRecord {
  const number = (value: string | null) => (value === null ? null : Number(value));
  return {
    id: row.id,
    context: row.context,
    subject: row.subject,
    versionNumber: number(row.number),
    semver: row.semver,
    confluentId: number(row.confluent_id),
    state: row.state as SchemaRecord["state"],
    deleted: row.deleted,
    format: row.format as SchemaRecord["format"],
    dialect: row.dialect as SchemaRecord["dialect"],
    contentHash: row.content_hash as SchemaRecord["contentHash"],
    guid: row.guid,
    references: (row.references ?? []).map(({ name, context, subject, version }) => ({
      name,
      // As a reference is spelled: bare within its own context.
      subject: context === row.context ? subject : `:${context}:${subject}`,
      version,
    })),
    contract: (row.contract ?? { metadata: null, ruleSet: null }) as SchemaRecord["contract"],
    attributes: {
      description: row.description,
      tags: row.tags,
      owner: row.owner,
      metadata: row.metadata,
      role: row.role as SchemaRecord["attributes"]["role"],
    },
    createdAtMs: Number(row.created_ms),
    createdBy: row.created_by,
    updatedAtMs: Number(row.updated_ms),
    seq: Number(row.updated_seq),
  };
}

/** The query as it was probably meant: it may be a subject's name. */
function corrected(text: string, corrections: readonly Correction[]): string {
  return corrections.reduce((meant, { from, to }) => meant.toLowerCase().replaceAll(from, to[0]!), text);
}

/** As the copy holds text: Postgres stores neither the character 0 nor half of a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\ufffd");
}

/** FNV-1a over the JSON: it tells searches apart, it guards nothing. */
function fingerprintOf(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(value))) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(36);
}

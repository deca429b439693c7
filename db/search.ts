/** Search over a tenant's versions in the read model. Results are as of the log's `seq` that the read model has reached. */
import type { SchemaRecord } from "../registry/record.ts";
import { type DatabaseAccess, type ReadDatabase, readDatabase } from "./client.ts";
import { type Candidates, type FoundRow, MAX_COUNTED, readCandidates } from "./search/candidates.ts";
import { type Match, parseSearchCursor, printSearchCursor, type SearchCursor } from "./search/cursor.ts";
import { findHighlights, type Highlight, worthMarking } from "./search/highlights.ts";
import { type Correction, withSimilarWords } from "./search/similar.ts";
import type { Combination, Filters } from "./search/terms.ts";
import { type Group, parseGroups, wordsIn } from "./search/words.ts";

export const DEFAULT_SEARCH_LIMIT = 20;

export type SearchRequest = Filters & {
  /** Empty: all versions that pass the filters, newest first. */
  query: string;
  limit: number;
  cursor?: string | undefined;
};

export type SearchPage = {
  items: { record: SchemaRecord; score: number; highlights: Highlight[] }[];
  nextCursor?: string;
  /** Exact if `totalRelation` is `eq`, a lower bound if it is `gte`. */
  total: number;
  totalRelation: "eq" | "gte";
  /** How the words matched, and the replacements for words that no name contains. */
  match: Match;
  corrections: readonly Correction[];
  asOf: { epoch: number; seq: number };
};

export type SearchOutcome =
  | { outcome: "found"; page: SearchPage }
  /** The cursor does not belong to this search. */
  | { outcome: "bad_cursor" }
  /** The query has no letters or digits. */
  | { outcome: "no_words" }
  /** A rebuild is emptying the read model. */
  | { outcome: "rebuilding" };

/** Throws DatabaseUnreachable if there is no database or it does not answer. */
export async function searchVersions(
  access: DatabaseAccess,
  tenant: string,
  request: SearchRequest,
): Promise<SearchOutcome> {
  const { query: _, limit, cursor: given, ...filters } = request;
  const query = storable(request.query);
  if (filters.subjectPrefix) filters.subjectPrefix = storable(filters.subjectPrefix);
  const fingerprint = computeFingerprint([query, filters]);
  const cursor = given === undefined ? undefined : parseSearchCursor(given, fingerprint);
  if (given !== undefined && cursor === undefined) return { outcome: "bad_cursor" };
  const groups = parseGroups(query);
  if (groups.length === 0 && query.trim() !== "") return { outcome: "no_words" };

  return readDatabase(access, async (db) => {
    const found = await searchInStages(db, tenant, { query, groups, filters, limit, cursor });
    if (found.checkpoint.rebuild === "emptying") return { outcome: "rebuilding" };
    return { outcome: "found", page: toPage(found, { fingerprint, limit, cursor }) };
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

/** Tries all words as typed, then similar words, then any of the words. */
async function searchInStages(db: ReadDatabase, tenant: string, searching: Searching): Promise<Searched> {
  const { query: text, groups, filters, limit, cursor } = searching;
  const read = (groupsNow: readonly Group[], combination: Combination, corrections: readonly Correction[] = []) =>
    readCandidates(db, {
      tenant,
      text: corrected(text, corrections),
      groups: groupsNow,
      combination,
      filters,
      // One extra row shows whether there is a next page.
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
  const anyOf = async () => ({ ...(await read(groups, "any")), match: "any" as const, groups, corrections: [] });
  const asTyped = { ...(await read(groups, "all")), match: "all" as const, groups, corrections: [] };
  if (asTyped.rows.length > 0 || groups.length === 0) return asTyped;
  // Similar words come from the names of the whole tenant, which a caller with access to part of it must not learn.
  if (filters.within !== undefined) return groups.length === 1 ? asTyped : anyOf();
  const similar = await withSimilarWords(db, tenant, groups);
  if (similar.corrections.length > 0) {
    const found = await read(similar.groups, "all", similar.corrections);
    if (found.rows.length > 0) return { ...found, match: "similar", ...similar };
  }
  if (groups.length === 1) return asTyped;
  const some = await anyOf();
  if (some.rows.length > 0 || similar.corrections.length === 0) return some;
  return { ...(await read(similar.groups, "any")), match: "any", ...similar };
}

function toPage(
  found: Searched,
  { fingerprint, limit, cursor }: { fingerprint: string; limit: number; cursor: SearchCursor | undefined },
): SearchPage {
  const { rows, counted, checkpoint, match, groups, corrections } = found;
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const marked = (stems: readonly string[] | null) => worthMarking([...wordsIn(groups), ...(stems ?? [])]);
  // Counted by the first page only: later counts would include versions added since.
  const total = cursor?.total ?? counted;
  return {
    items: shown.map((row) => ({
      record: toRecord(row),
      score: Number(row.score) / 1_000_000,
      highlights: findHighlights({ ...row, fields: row.fields ?? [], content: row.snippet }, marked(row.stems)),
    })),
    ...(rows.length > limit && last !== undefined
      ? {
          nextCursor: printSearchCursor({
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

function toRecord(row: FoundRow): SchemaRecord {
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
      // References are spelled unqualified within their own context.
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

/** The query with its corrections applied, because it may be a subject's name. */
function corrected(text: string, corrections: readonly Correction[]): string {
  return corrections.reduce((meant, { from, to }) => meant.toLowerCase().replaceAll(from, to[0]!), text);
}

/** Text as the read model stores it: Postgres accepts neither U+0000 nor lone surrogates. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\ufffd");
}

/** FNV-1a over the JSON: distinguishes searches, is not a security measure. */
function computeFingerprint(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(value))) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(36);
}

/**
 * The search statement. It collects bounded sets of candidates from the index, place by place, and continues to a worse
 * place only while the better ones do not fill the page, so a very common word costs little more than a rare one. Then it
 * ranks them and returns one page with everything to display.
 */
import { type SQL, sql } from "drizzle-orm";
import type { ReadDatabase } from "../client.ts";
import { type HighlightSource, worthMarking } from "./highlights.ts";
import { type Combination, type Filters, type SearchPlace, Terms } from "./terms.ts";
import { type Group, wordsIn } from "./words.ts";

/** `total` is exact up to this number, and paging ends here. */
export const MAX_COUNTED = 1_000;
/** Candidates that are ranked among matches in names; any others follow unranked. */
const MAX_RANKED = 500;
/** Subjects that start with the query. */
const MAX_BEGINNING = 200;
/** Matching fields listed per version. */
const MAX_FIELDS_SHOWN = 5;
/** Aborts a search whose caller has given up. */
const STATEMENT_MS = 5_000;

type CandidateQuery = {
  tenant: string;
  /** As typed. */
  text: string;
  groups: readonly Group[];
  combination: Combination;
  filters: Filters;
  limit: number;
  /** The end of the previous page. */
  after?: { seq: number; score: number; recordKey: number } | undefined;
};

export type FoundRow = {
  record_key: string;
  /** In millionths. */
  score: string;
  id: string;
  context: string;
  subject: string;
  number: string | null;
  semver: string | null;
  confluent_id: string | null;
  guid: string;
  content_hash: string;
  format: string;
  dialect: string | null;
  contract: unknown;
  state: string;
  deleted: boolean;
  description: string | null;
  tags: string[];
  owner: string | null;
  role: string | null;
  metadata: Record<string, unknown>;
  created_ms: string;
  created_by: string;
  updated_ms: string;
  updated_seq: string;
  references: { name: string; context: string; subject: string; version: number }[] | null;
  fields: HighlightSource["fields"] | null;
  snippet: string | null;
  /** Stems of the query's words, as used to search prose. */
  stems: string[] | null;
};

/** The read model's checkpoint. */
type Checkpoint = { epoch: number; seq: number; rebuild: string | null };

export type Candidates = {
  rows: FoundRow[];
  /** At most MAX_COUNTED + 1. */
  counted: number;
  checkpoint: Checkpoint;
};

/** Tiers of the score: a match in a better place always ranks higher. */
const TIERS = { exact: 20, beginning: 15, subject: 10, names: 5, prose: 2, texts: 1 } as const;
const MILLION = 1_000_000;

/** One request and one snapshot, so the rows are as of the checkpoint. */
export async function readCandidates(db: ReadDatabase, query: CandidateQuery): Promise<Candidates> {
  const [, checkpoints, found] = await db.batch([
    db.execute(settings()),
    db.execute<{ epoch: number; seq: string; rebuild: string | null }>(
      sql`SELECT epoch, seq, rebuild FROM tenants WHERE tenant = ${query.tenant}`,
    ),
    db.execute<FoundRow & { counted: string }>(searchStatement(query)),
  ]);
  const { epoch = 1, seq = 0, rebuild = null } = checkpoints.rows[0] ?? {};
  return {
    rows: found.rows.filter(({ record_key }) => record_key !== null),
    counted: Number(found.rows[0]?.counted ?? 0),
    checkpoint: { epoch: Number(epoch), seq: Number(seq), rebuild },
  };
}

/**
 * Applies to this transaction only. The planner assumes that words are independent and may prefer a sequential scan in the
 * hope of finding matches early; an index scan is never slow.
 */
function settings(): SQL {
  return sql`SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
    set_config('statement_timeout', ${String(STATEMENT_MS)}, true)`;
}

function searchStatement(query: CandidateQuery): SQL {
  const { tenant, groups, limit, after } = query;
  const hasWords = groups.length > 0;
  const next =
    after === undefined ? sql`` : sql`WHERE (score, record_key) < (${after.score}::bigint, ${after.recordKey}::bigint)`;
  return sql`
    WITH ${hasWords ? byWords(query) : byTime(query)},
    page AS (SELECT record_key, score FROM ranked ${next} ORDER BY score DESC, record_key DESC LIMIT ${limit})
    SELECT (SELECT count(*) FROM everywhere) AS counted, page.record_key, page.score,
      v.id, v.context, v.subject, v.number, v.semver, v.confluent_id, v.guid, v.content_hash, v.format, v.dialect, v.contract,
      v.state, v.deleted, v.description, v.tags, v.owner, v.role, v.metadata, v.created_by, v.updated_seq,
      (extract(epoch FROM v.created_at) * 1000)::bigint AS created_ms,
      (extract(epoch FROM v.updated_at) * 1000)::bigint AS updated_ms,
      (SELECT json_agg(json_build_object('name', r.name, 'context', r.target_context, 'subject', r.target_subject,
          'version', r.target_number) ORDER BY r.position)
        FROM version_references r WHERE r.tenant = v.tenant AND r.record_key = v.record_key) AS references,
      ${hasWords ? sql`marks.stems, ${SHOWN_FIELDS} AS fields, ${SNIPPET} AS snippet` : sql`NULL AS stems, NULL AS fields, NULL AS snippet`}
    FROM (SELECT) AS one LEFT JOIN page ON true
      ${hasWords ? marks(groups) : sql``}
      LEFT JOIN versions v ON v.tenant = ${tenant} AND v.record_key = page.record_key
    ORDER BY page.score DESC, page.record_key DESC`;
}

/** All versions that pass the filters, newest first: the score is the registration time. */
function byTime({ tenant, filters, limit, after }: CandidateQuery): SQL {
  const passing = passes(tenant, filters, after);
  const terms = new Terms(tenant).filters(filters);
  return sql`
    everywhere AS MATERIALIZED (SELECT FROM ${documents(filters)} d WHERE ${passing} AND d.terms @@ ${terms} LIMIT ${MAX_COUNTED + 1}),
    ranked AS (SELECT d.record_key, 0::bigint AS score FROM ${documents(filters)} d WHERE ${passing} AND d.terms @@ ${terms}
      ${after === undefined ? sql`` : sql`AND d.record_key < ${after.recordKey}`}
      ORDER BY d.record_key DESC LIMIT ${limit})`;
}

function byWords({ tenant, text, groups, combination, filters, limit, after }: CandidateQuery): SQL {
  const terms = new Terms(tenant);
  const found = (columns: SQL, query: SQL, atMost: number, condition: SQL = sql`true`) => sql`MATERIALIZED (
    SELECT ${columns} FROM ${documents(filters)} d WHERE ${passes(tenant, filters, after)}
      AND d.terms @@ (${query} && ${terms.filters(filters)}) AND ${condition} LIMIT ${atMost})`;
  // A later page may start in any place.
  const wanted = after === undefined ? limit : Number.MAX_SAFE_INTEGER;
  const unless = (better: string) => sql`(SELECT count(*) FROM ${sql.raw(better)}) < ${wanted}`;
  const inPlace = (place: SearchPlace) => terms.words(groups, combination, place);
  const whole = text.trim();
  const named = sql`d.record_key, d.subject_words, d.names`;
  const key = sql`d.record_key`;
  const tier = (value: number, fraction: SQL) => sql`(${value * MILLION} + ${MILLION} * (${fraction}))::bigint`;
  const letters = wordsIn(groups).join(" ").length;
  const share = sql`least(1, ${letters}::float / greatest(1, length(subject_words)))`;
  return sql`
    exact AS ${found(key, terms.subject(whole, "is"), MAX_COUNTED)},
    beginning AS ${found(named, terms.subject(whole, "begins"), MAX_BEGINNING)},
    in_subject AS ${found(named, inPlace("subject"), MAX_RANKED)},
    in_names AS ${found(named, inPlace("names"), MAX_RANKED, unless("in_subject"))},
    in_prose AS ${found(key, inPlace("prose"), MAX_RANKED, sql`${unless("in_subject")} AND ${unless("in_names")}`)},
    everywhere AS ${found(key, inPlace("anywhere"), MAX_COUNTED + 1)},
    ranked AS MATERIALIZED (
      SELECT record_key, max(score) AS score FROM (
        SELECT record_key, ${TIERS.exact * MILLION}::bigint AS score FROM exact
        UNION ALL SELECT record_key, ${tier(TIERS.beginning, share)} FROM beginning
        UNION ALL SELECT record_key, ${tier(TIERS.subject, sql`${asTyped(groups, sql`(' ' || subject_words || ' ')`)} + 0.9 * ${share}`)}
          FROM in_subject
        UNION ALL SELECT record_key, ${tier(TIERS.names, sql`${asTyped(groups, sql`names`)} + 0.9 / (1 + ln(1 + octet_length(names) / 100.0))`)}
          FROM in_names
        UNION ALL SELECT record_key, ${TIERS.prose * MILLION}::bigint FROM in_prose
        UNION ALL SELECT record_key, ${TIERS.texts * MILLION}::bigint FROM everywhere
      ) AS places GROUP BY record_key
    )`;
}

/** Naming the partition avoids scanning the other one. */
function documents({ versions }: Filters): SQL {
  return sql.raw(versions === "latest" ? "search_documents_latest" : "search_documents");
}

function passes(tenant: string, { subjectPrefix }: Filters, after: CandidateQuery["after"]): SQL {
  const conditions = [
    sql`d.tenant = ${tenant}`,
    // Versions added after the first page must not shift later pages.
    ...(after === undefined ? [] : [sql`d.record_key <= ${after.seq}`]),
    ...(subjectPrefix ? [sql`starts_with(d.subject, ${subjectPrefix})`] : []),
  ];
  return sql.join(conditions, sql` AND `);
}

/**
 * How closely a list of words matches the query as typed rather than by prefix: the share of its words, where a compound
 * present only in parts counts half, times 1.5 if they are consecutive.
 */
function asTyped(groups: readonly Group[], list: SQL): SQL {
  const has = (words: readonly string[]) => sql`strpos(${list}, ${` ${words.join(" ")} `}) > 0`;
  const found = groups.map(
    ({ alternatives: [whole, ...others] }) =>
      sql`CASE WHEN ${has(whole!)} THEN 1 ${
        others.length === 0
          ? sql``
          : sql`WHEN ${sql.join(
              others.map((words) =>
                sql.join(
                  words.map((word) => has([word])),
                  sql` AND `,
                ),
              ),
              sql` OR `,
            )} THEN 0.5`
      } ELSE 0 END`,
  );
  const share = sql`(${sql.join(found, sql` + `)})::float / ${groups.length}::int`;
  const sequence = groups.flatMap(({ alternatives }) => alternatives[1] ?? alternatives[0]!);
  return sequence.length === 1 ? share : sql`(${share} + 0.5 * (${has(sequence)})::int)`;
}

/** The words and stems to highlight in fields and texts. */
function marks(groups: readonly Group[]): SQL {
  return sql`CROSS JOIN (
    SELECT array_agg('%' || mark || '%') AS patterns, (array_agg(mark))[1] AS first, array_agg(mark) FILTER (WHERE is_stem) AS stems
    FROM (
      SELECT word AS mark, false AS is_stem FROM json_array_elements_text(${JSON.stringify(worthMarking(wordsIn(groups)))}::json) AS word
      UNION ALL
      SELECT (ts_lexize('english_stem', word))[1], true FROM json_array_elements_text(${JSON.stringify(worthMarking(wordsIn(groups)))}::json) AS word
    ) AS marks WHERE mark IS NOT NULL
  ) AS marks`;
}

const SHOWN_FIELDS = sql`(SELECT json_agg(json_build_object('path', shown.path, 'name', shown.name, 'documentation', shown.documentation))
    FROM (SELECT f.path, f.name, f.documentation FROM fields f
      WHERE f.tenant = v.tenant AND f.record_key = v.record_key
        AND (f.name ILIKE ANY(marks.patterns) OR f.documentation ILIKE ANY(marks.patterns))
      ORDER BY (f.name ILIKE ANY(marks.patterns)) DESC, f.position LIMIT ${MAX_FIELDS_SHOWN}) AS shown)`;

/** A snippet around the first match in the text, for matches outside names and documentation. */
const SNIPPET = sql`CASE WHEN page.score < ${TIERS.prose * MILLION} THEN
    substr(v.content, greatest(1, strpos(lower(v.content), marks.first) - 60), 240) END`;

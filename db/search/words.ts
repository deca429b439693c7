/** What a query asks for, as words; and how Postgres is asked for them. */
import { type SQL, sql } from "drizzle-orm";
import { wordsOf } from "../words";

/** Of a query. */
export const MAX_QUERY_CHARACTERS = 256;
/** More words than this are left out: nobody remembers so many, and each one is an index scan. */
export const MAX_QUERY_WORDS = 12;
/** A shorter word stands for itself only, unless it is the last one, which may still be being typed. */
const MIN_PREFIX_CHARACTERS = 3;

/**
 * One word of the query: any of its alternatives will do, and of an alternative every word must be there. `userId` asks for `userid`,
 * or for `user` and `id`.
 */
export type Group = {
  alternatives: readonly (readonly string[])[];
  /** Whether a longer word that begins like this one will do. */
  prefix: boolean;
};

const RUN = /[\p{L}\p{M}\p{N}]+/gu;

/** The groups of a query, none where it holds neither letter nor digit. */
export function groupsOf(query: string): Group[] {
  const runs = (query.match(RUN) ?? []).slice(0, MAX_QUERY_WORDS);
  return runs
    .map((run, at) => groupOf(run, at === runs.length - 1))
    .filter(({ alternatives }) => alternatives.length > 0);
}

function groupOf(run: string, isLast: boolean): Group {
  const [whole, ...parts] = wordsOf(run, MAX_QUERY_WORDS);
  return {
    alternatives: [...(whole === undefined ? [] : [[whole]]), ...(parts.length > 0 ? [parts] : [])],
    prefix: isLast || run.length >= MIN_PREFIX_CHARACTERS,
  };
}

/** Every word that may be found, for marking. */
export function wordsIn(groups: readonly Group[]): string[] {
  return [...new Set(groups.flatMap(({ alternatives }) => alternatives.flat()))];
}

/** How groups are combined: all of them, or any. */
export type Combination = "all" | "any";

/** Words as they are, such as those of `versions.name_search`; before each one `mark`. */
export function literalQuery(
  groups: readonly Group[],
  combination: Combination,
  { mark = "", exact = false } = {},
): SQL {
  return sql`${groups.map((group) => groupText(group, mark, exact)).join(OPERATORS[combination])}::tsquery`;
}

/** The same, and the stems of the words, for `versions.search`. */
export function textQuery(groups: readonly Group[], combination: Combination): SQL {
  const operator = sql.raw(combination === "all" ? " && " : " || ");
  return sql`(${sql.join(
    groups.map(
      (group) => sql`(${groupText(group, "", false)}::tsquery || to_tsquery('english', ${groupText(group, "", true)}))`,
    ),
    operator,
  )})`;
}

const OPERATORS = { all: " & ", any: " | " } as const;

/** Only letters, marks and digits come here, so a quote can end no word (`wordsOf`). */
function groupText({ alternatives, prefix }: Group, mark: string, exact: boolean): string {
  const suffix = prefix && !exact ? ":*" : "";
  const spelled = alternatives.map((words) => `(${words.map((word) => `'${mark}${word}'${suffix}`).join(" & ")})`);
  return `(${spelled.join(" | ")})`;
}

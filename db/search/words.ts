/** What a query asks for, as words. */
import { MAX_WORD_CHARACTERS, wordsOf } from "../words.ts";

/** More words than this are left out: nobody remembers so many, and each one is a scan of an index. */
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
  // Of a longer one no text has kept more.
  const [whole, ...parts] = wordsOf(run.slice(0, MAX_WORD_CHARACTERS), MAX_QUERY_WORDS);
  return {
    alternatives: [...(whole === undefined ? [] : [[whole]]), ...(parts.length > 0 ? [parts] : [])],
    prefix: isLast || run.length >= MIN_PREFIX_CHARACTERS,
  };
}

/** Every word that may be found, for marking. */
export function wordsIn(groups: readonly Group[]): string[] {
  return [...new Set(groups.flatMap(({ alternatives }) => alternatives.flat()))];
}

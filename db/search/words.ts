/** Splits a query into groups of words. */
import { MAX_WORD_CHARACTERS, splitWords } from "../words.ts";

/** Further words are ignored: each one is an index scan. */
export const MAX_QUERY_WORDS = 12;
/** Shorter words match only exactly, except the last one, which may still be incomplete. */
const MIN_PREFIX_CHARACTERS = 3;

/** One word of the query. Any alternative may match, and all words of an alternative must: `userId` searches `userid`, or `user` and `id`. */
export type Group = {
  alternatives: readonly (readonly string[])[];
  /** Whether longer words with this prefix match. */
  prefix: boolean;
};

const RUN = /[\p{L}\p{M}\p{N}]+/gu;

/** The groups of a query; empty if it has no letters or digits. */
export function parseGroups(query: string): Group[] {
  const runs = (query.match(RUN) ?? []).slice(0, MAX_QUERY_WORDS);
  return runs
    .map((run, at) => parseGroup(run, at === runs.length - 1))
    .filter(({ alternatives }) => alternatives.length > 0);
}

function parseGroup(run: string, isLast: boolean): Group {
  // Indexed words are no longer than this.
  const [whole, ...parts] = splitWords(run.slice(0, MAX_WORD_CHARACTERS), MAX_QUERY_WORDS);
  return {
    alternatives: [...(whole === undefined ? [] : [[whole]]), ...(parts.length > 0 ? [parts] : [])],
    prefix: isLast || run.length >= MIN_PREFIX_CHARACTERS,
  };
}

/** All words that can match, for highlighting. */
export function wordsIn(groups: readonly Group[]): string[] {
  return [...new Set(groups.flatMap(({ alternatives }) => alternatives.flat()))];
}

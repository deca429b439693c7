/** Finds words of a tenant's names that a misspelt word may mean. */
import { sql } from "drizzle-orm";
import type { ReadDatabase } from "../client.ts";
import type { Group } from "./words.ts";

/** Candidates share this much of their trigrams; a transposition leaves a short word little more. */
const MIN_TRIGRAM_SIMILARITY = 0.2;
const MAX_LOOKED_AT = 100;
/** Replacements per misspelt word. */
const MAX_SIMILAR_WORDS = 5;

/** The edits (insertions, deletions, substitutions, transpositions) allowed in a word of this length. */
function allowedEdits(characters: number): number {
  if (characters < 3) return 0;
  return characters < 8 ? 1 : 2;
}

export type Correction = { from: string; to: string[] };

/** Adds the nearest words to every word that starts no name, and returns the corrections. */
export async function withSimilarWords(
  db: ReadDatabase,
  tenant: string,
  groups: readonly Group[],
): Promise<{ groups: Group[]; corrections: Correction[] }> {
  const asked = [...new Set(groups.flatMap(({ alternatives }) => alternatives.flat()))];
  const known = await readSimilar(db, tenant, asked);
  const corrections = asked
    .map((from) => ({ from, to: nearest(from, known.get(from) ?? []) }))
    .filter(({ to }) => to.length > 0);
  const similar = new Map(corrections.map(({ from, to }) => [from, to]));
  return {
    groups: groups.map((group) => ({ ...group, alternatives: widened(group.alternatives, similar) })),
    corrections,
  };
}

type Known = { word: string; uses: number };

async function readSimilar(
  db: ReadDatabase,
  tenant: string,
  asked: readonly string[],
): Promise<Map<string, readonly Known[]>> {
  // One request and one transaction, which limits the threshold's scope.
  const [, found] = await db.batch([
    db.execute(sql`SELECT set_config('pg_trgm.similarity_threshold', ${String(MIN_TRIGRAM_SIMILARITY)}, true)`),
    db.execute<{ asked: string; words: Known[] }>(sql`
      SELECT asked, (
        SELECT json_agg(json_build_object('word', word, 'uses', uses)) FROM (
          SELECT word, uses FROM search_words WHERE tenant = ${tenant} AND word % asked AND NOT EXISTS (
            SELECT FROM search_words AS known WHERE known.tenant = ${tenant} AND known.word LIKE asked || '%')
          ORDER BY similarity(word, asked) DESC, uses DESC, word LIMIT ${MAX_LOOKED_AT}
        ) AS nearby
      ) AS words
      FROM json_array_elements_text(${JSON.stringify(asked)}::json) AS asked`),
  ]);
  return new Map(found.rows.map(({ asked: word, words }) => [word, words ?? []]));
}

function nearest(word: string, known: readonly Known[]): string[] {
  const letters = [...word];
  const edits = allowedEdits(letters.length);
  return known
    .map((candidate) => ({ ...candidate, distance: editDistance(letters, [...candidate.word], edits) }))
    .filter(({ word: other, distance }) => other !== word && distance <= edits)
    .sort((a, b) => a.distance - b.distance || b.uses - a.uses || (a.word < b.word ? -1 : 1))
    .slice(0, MAX_SIMILAR_WORDS)
    .map((candidate) => candidate.word);
}

/** Each alternative, plus variants with one word replaced by a correction. */
function widened(
  alternatives: Group["alternatives"],
  similar: ReadonlyMap<string, readonly string[]>,
): (readonly string[])[] {
  return alternatives.flatMap((words) => {
    if (words.length === 1) return [words, ...(similar.get(words[0]!) ?? []).map((word) => [word])];
    // Misspelling one part of a compound is more likely than two.
    return [words, ...words.flatMap((word, at) => (similar.get(word) ?? []).map((other) => words.with(at, other)))];
  });
}

/** Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment); anything above `limit` is `limit` + 1. */
function editDistance(a: readonly string[], b: readonly string[], limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, beforeLast[column - 2]! + 1);
      }
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return Math.min(last[b.length]!, limit + 1);
}

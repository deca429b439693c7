/** A cursor of a search: opaque to callers, and valid only for the search that produced it. */
import { MAX_WORD_CHARACTERS } from "../words.ts";
import type { Correction } from "./similar.ts";
import { type Group, MAX_QUERY_WORDS } from "./words.ts";

/** How the query matched: all words as typed, all words with similar ones as alternatives, or any word. */
export type Match = "all" | "similar" | "any";

export type SearchCursor = {
  /** Identifies the search; other searches refuse the cursor. */
  fingerprint: string;
  match: Match;
  groups: readonly Group[];
  corrections: readonly Correction[];
  /** Excludes versions added after the first page. */
  seq: number;
  total: number;
  /** The last result returned. */
  score: number;
  recordKey: number;
};

const VERSION = 1;
/** Longer than any cursor this server produces. */
const MAX_CURSOR_CHARACTERS = 16_384;

export function printSearchCursor(cursor: SearchCursor): string {
  return Buffer.from(JSON.stringify({ v: VERSION, ...cursor })).toString("base64url");
}

/** Undefined if the text is not a cursor of this search. Its contents reach Postgres only as values. */
export function parseSearchCursor(text: string, fingerprint: string): SearchCursor | undefined {
  if (text.length > MAX_CURSOR_CHARACTERS || !/^[\w-]+$/.test(text)) return undefined;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  const { v, ...cursor } = value ?? {};
  if (v !== VERSION || cursor.fingerprint !== fingerprint) return undefined;
  const numbers = [cursor.seq, cursor.total, cursor.score, cursor.recordKey];
  if (!numbers.every((number) => Number.isSafeInteger(number) && (number as number) >= 0)) return undefined;
  if (!["all", "similar", "any"].includes(cursor.match as string)) return undefined;
  if (!isListOf(cursor.groups, isGroup, MAX_QUERY_WORDS)) return undefined;
  if (!isListOf(cursor.corrections, isCorrection, MAX_CORRECTIONS)) return undefined;
  return cursor as SearchCursor;
}

/** Each part of a compound can be corrected separately. */
const MAX_CORRECTIONS = MAX_QUERY_WORDS * MAX_QUERY_WORDS;
/** Upper limit for the lower-case form of a word of MAX_WORD_CHARACTERS. */
const MAX_LOWER_CASE_CHARACTERS = 3 * MAX_WORD_CHARACTERS;

function isListOf(value: unknown, isItem: (item: unknown) => boolean, atMost = Number.MAX_SAFE_INTEGER): boolean {
  return Array.isArray(value) && value.length <= atMost && value.every(isItem);
}

function isGroup(value: unknown): boolean {
  const { alternatives, prefix } = (value ?? {}) as Partial<Group>;
  const isAlternative = (words: unknown) => isListOf(words, isWord) && (words as unknown[]).length > 0;
  return typeof prefix === "boolean" && isListOf(alternatives, isAlternative) && alternatives!.length > 0;
}

function isCorrection(value: unknown): boolean {
  const { from, to } = (value ?? {}) as Partial<Correction>;
  return isWord(from) && isListOf(to, isWord) && to!.length > 0;
}

/** Words are quoted in a tsquery, so anything else is refused, as are words too long for Postgres. */
function isWord(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_LOWER_CASE_CHARACTERS && /^[\p{L}\p{M}\p{N}]+$/u.test(value);
}

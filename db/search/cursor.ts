/** Where a page of a search ended. Opaque to callers, and good for the search that gave it only. */
import { MAX_WORD_CHARACTERS } from "../words.ts";
import type { Correction } from "./similar.ts";
import { type Group, MAX_QUERY_WORDS } from "./words.ts";

/** How the words of a query were found: all as they are, all with similar words beside them, or any. */
export type Match = "all" | "similar" | "any";

export type SearchCursor = {
  /** What the search was for; a cursor of another one is refused. */
  fingerprint: string;
  match: Match;
  groups: readonly Group[];
  corrections: readonly Correction[];
  /** Versions that came later do not move the pages. */
  seq: number;
  total: number;
  /** The last one that was given. */
  score: number;
  recordKey: number;
};

const VERSION = 1;
/** Longer than any this server gives. */
const MAX_CURSOR_CHARACTERS = 16_384;

export function printCursor(cursor: SearchCursor): string {
  return Buffer.from(JSON.stringify({ v: VERSION, ...cursor })).toString("base64url");
}

/** Undefined where the text is no cursor of this search. What it holds only ever reaches Postgres as values. */
export function parseCursor(text: string, fingerprint: string): SearchCursor | undefined {
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

/** A compound's parts can be corrected one by one. */
const MAX_CORRECTIONS = MAX_QUERY_WORDS * MAX_QUERY_WORDS;
/** What a word of that many characters may have grown to in lower case. */
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

/** Words must be words here too: they are put between quotes, and Postgres takes none that is much longer. */
function isWord(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_LOWER_CASE_CHARACTERS && /^[\p{L}\p{M}\p{N}]+$/u.test(value);
}

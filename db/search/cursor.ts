/** Where a page of a search ended. Opaque to callers, and good for the search that gave it only. */
import type { Correction } from "./similar";
import type { Group } from "./words";

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
export const MAX_CURSOR_CHARACTERS = 16_384;

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
  if (!isGroups(cursor.groups) || !Array.isArray(cursor.corrections)) return undefined;
  return cursor as SearchCursor;
}

/** Words must be words here too: they are put between quotes. */
function isGroups(value: unknown): value is Group[] {
  return (
    Array.isArray(value) &&
    value.every(
      ({ alternatives, prefix }: Group) =>
        typeof prefix === "boolean" &&
        Array.isArray(alternatives) &&
        alternatives.every((words) => Array.isArray(words) && words.length > 0 && words.every(isWord)),
    )
  );
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && /^[\p{L}\p{M}\p{N}]+$/u.test(value);
}

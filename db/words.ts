/**
 * How text becomes the words that are searched. The same function makes the words of a query, so both sides always agree;
 * what Postgres makes of a word after that is lower case, and a stem in the columns of prose.
 */

/** A longer word is data, such as a hash or an embedded image, and nobody types it. */
export const MAX_WORD_CHARACTERS = 64;

/** Letters and digits of any script. Marks belong to the letter before them. */
const RUN = /[\p{L}\p{M}\p{N}]+/gu;
/** Where one run holds several words: `userName`, `HTTPServer`, `area51`. */
const SEAM = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u;

/** The words of a text in lower case and in their order, each once, at most `limit`: whole runs, and the parts of compound names. */
export function wordsOf(text: string, limit: number): string[] {
  const words = new Set<string>();
  for (const [run] of text.matchAll(RUN)) {
    if (words.size >= limit) break;
    if (run.length > MAX_WORD_CHARACTERS) continue;
    words.add(run.toLowerCase());
    const parts = run.split(SEAM);
    if (parts.length > 1) for (const part of parts) words.add(part.toLowerCase());
  }
  return [...words].slice(0, limit);
}

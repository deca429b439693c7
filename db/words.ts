/**
 * Splits text into searchable words. Documents and queries use the same function, so both sides agree; Postgres then only
 * lower-cases words and stems those of prose.
 */

/** Longer words are data, such as hashes or embedded images, which users do not search for. */
export const MAX_WORD_CHARACTERS = 64;

/** Letters and digits of any script; combining marks belong to the letter before them. */
const RUN = /[\p{L}\p{M}\p{N}]+/gu;
/** Splits compound names: `userName`, `HTTPServer`, `area51`. */
const SEAM = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u;

/** The distinct words of a text, lower-cased and in order, at most `limit`: whole runs and the parts of compound names. */
export function splitWords(text: string, limit: number): string[] {
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

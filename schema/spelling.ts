/** Suggests the known word for a misspelt name in a message. */

/** Shorter words resemble too many others. */
const MIN_GUESSED_CHARACTERS = 4;
/** From this length on, two typing errors are tolerated. */
const TWO_SLIPS_FROM_CHARACTERS = 7;
/** Longer names are not misspelt keywords, and comparing them takes quadratic time. */
const MAX_GUESSED_CHARACTERS = 64;

/** The known word within the tolerated edits of `word`, ignoring case; undefined if there is none or `word` is known. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  if (word.length < MIN_GUESSED_CHARACTERS - 1 || word.length > MAX_GUESSED_CHARACTERS) return undefined;
  const lower = word.toLowerCase();
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate === word) return undefined;
    if (candidate.length < MIN_GUESSED_CHARACTERS) continue;
    const allowed = Math.min(fewest - 1, candidate.length >= TWO_SLIPS_FROM_CHARACTERS ? 2 : 1);
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const slips = slipsBetween(lower, candidate.toLowerCase());
    if (slips > allowed) continue;
    nearest = candidate;
    fewest = slips;
  }
  return nearest;
}

/** The optimal string alignment distance: insertions, deletions, substitutions and transpositions. */
function slipsBetween(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchanged = last![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let slips = Math.min(exchanged, last![j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        slips = Math.min(slips, beforeLast![j - 2]! + 1);
      }
      row.push(slips);
    }
    [beforeLast, last] = [last, row];
  }
  return last![b.length]!;
}

/** The one wildcard matcher: over the characters of a name, and over the tokens of a JSON pointer. */

type Wildcards = { any: string; one: string };

/** `*` stands for any characters, none included, and `?` for exactly one. */
export function matchesGlob(glob: string, name: string): boolean {
  return matchesSequence(glob, name, { any: "*", one: "?" });
}

/** `**` stands for any tokens, none included, and `*` for exactly one. */
export function matchesPointerPattern(pattern: string, pointer: string): boolean {
  return matchesSequence(pattern.split("/"), pointer.split("/"), { any: "**", one: "*" });
}

/**
 * Only the last `any` is ever tried again, so the steps are at most the length of the pattern times that of the sequence,
 * however many wildcards there are.
 */
function matchesSequence(pattern: ArrayLike<string>, sequence: ArrayLike<string>, { any, one }: Wildcards): boolean {
  let at = 0;
  let inPattern = 0;
  let retryPattern = -1;
  let retryAt = 0;
  while (at < sequence.length) {
    const wanted = pattern[inPattern];
    if (wanted === any) {
      retryPattern = inPattern;
      retryAt = at;
      inPattern += 1;
    } else if (wanted !== undefined && (wanted === one || wanted === sequence[at])) {
      inPattern += 1;
      at += 1;
    } else if (retryPattern !== -1) {
      inPattern = retryPattern + 1;
      retryAt += 1;
      at = retryAt;
    } else return false;
  }
  while (pattern[inPattern] === any) inPattern += 1;
  return inPattern === pattern.length;
}

/** The wildcard matcher for names (characters) and JSON pointers (tokens). */

type Wildcards = { any: string; one: string };

/** `*` matches any number of characters, `?` exactly one. */
export function matchesGlob(glob: string, name: string): boolean {
  return matchesSequence(glob, name, { any: "*", one: "?" });
}

/** `**` matches any number of tokens, `*` exactly one. */
export function matchesPointerPattern(pattern: string, pointer: string): boolean {
  return matchesSequence(pattern.split("/"), pointer.split("/"), { any: "**", one: "*" });
}

/** Backtracks only to the last `any`, so the steps are at most the product of both lengths, however many wildcards there are. */
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

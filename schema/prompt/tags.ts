/** Finds the tags of a template in one pass: a regular expression would try every unclosed one to the end of the text. */

type TemplateTag = { text: string; offset: number };

/** The tags between pairs of delimiters, in order; the first delimiters that fit count. */
export function* templateTags(
  text: string,
  delimiters: readonly (readonly [open: string, close: string])[],
): Generator<TemplateTag, void, undefined> {
  const unclosed = new Set<string>();
  const starts = [...new Set(delimiters.map(([open]) => open[0]!))];
  let at = 0;
  for (;;) {
    const next = starts.map((start) => text.indexOf(start, at)).filter((found) => found !== -1);
    if (next.length === 0) return;
    const offset = Math.min(...next);
    const pair = delimiters.find(([open, close]) => text.startsWith(open, offset) && !unclosed.has(close));
    const end = pair === undefined ? -1 : text.indexOf(pair[1], offset + pair[0].length);
    if (pair === undefined || end === -1) {
      if (pair !== undefined) unclosed.add(pair[1]);
      else at = offset + 1;
      continue;
    }
    at = end + pair[1].length;
    yield { text: text.slice(offset, at), offset };
  }
}

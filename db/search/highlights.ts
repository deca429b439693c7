/** The matching names and texts of a version, with the words marked. Text is only truncated and split, never escaped or changed. */

/** A piece of text; `match` if it is a searched word. */
type MarkedPart = { text: string; match: boolean };

export type Highlight = {
  in: "subject" | "owner" | "tag" | "field" | "description" | "documentation" | "content";
  /** Path of the field, for `field` and `documentation`. */
  path?: string;
  parts: MarkedPart[];
};

/** Texts a highlight can come from. */
export type HighlightSource = {
  subject: string;
  owner: string | null;
  tags: readonly string[];
  description: string | null;
  fields: readonly { path: string; name: string; documentation: string | null }[];
  /** A snippet around the first match; null if names and documentation suffice. */
  content: string | null;
};

/** Per version. */
const MAX_HIGHLIGHTS = 8;
/** Length of an excerpt around the first match in prose. */
const SNIPPET_CHARACTERS = 160;
const BEFORE_MATCH = 40;

/** Stop words of English prose, useless as highlights. */
const SMALL_WORDS = new Set("a an and are as at be by for from in is it of on or that the this to was with".split(" "));

/** Drops stop words, unless there are no others. */
export function worthMarking(words: readonly string[]): string[] {
  const telling = words.filter((word) => !SMALL_WORDS.has(word));
  return telling.length > 0 ? telling : [...words];
}

/** `words` are lower case; a word of the text matches if it starts with one of them. */
export function findHighlights(source: HighlightSource, words: readonly string[]): Highlight[] {
  const found: Highlight[] = [];
  const add = (place: Omit<Highlight, "parts">, text: string | null) => {
    if (text === null || found.length >= MAX_HIGHLIGHTS) return;
    const parts = markedParts(text, words);
    if (parts !== undefined) found.push({ ...place, parts });
  };
  add({ in: "subject" }, source.subject);
  for (const { path, name } of source.fields) {
    if (findRanges(name, words).length > 0) add({ in: "field", path }, name);
  }
  for (const tag of source.tags) add({ in: "tag" }, tag);
  add({ in: "owner" }, source.owner);
  add({ in: "description" }, source.description);
  for (const { path, documentation } of source.fields) add({ in: "documentation", path }, documentation);
  if (found.length === 0) add({ in: "content" }, source.content);
  return found;
}

/** The text in pieces, shortened around the first match; undefined if nothing matches. */
function markedParts(text: string, words: readonly string[]): MarkedPart[] | undefined {
  const ranges = findRanges(text, words);
  const [first] = ranges;
  if (first === undefined) return undefined;
  const from = text.length <= SNIPPET_CHARACTERS ? 0 : wordStart(text, Math.max(0, first.start - BEFORE_MATCH));
  const to = Math.min(text.length, wordEnd(text, from + SNIPPET_CHARACTERS));
  const parts: MarkedPart[] = [];
  let at = from;
  for (const { start, end } of ranges) {
    if (start < at || end > to) continue;
    if (start > at) parts.push({ text: text.slice(at, start), match: false });
    parts.push({ text: text.slice(start, end), match: true });
    at = end;
  }
  if (at < to) parts.push({ text: text.slice(at, to), match: false });
  return parts;
}

type Range = { start: number; end: number };

const RUN = /[\p{L}\p{M}\p{N}]+/gu;
/** The same split of compound names as in db/words.ts. */
const SEAM = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u;

function findRanges(text: string, words: readonly string[]): Range[] {
  const ranges: Range[] = [];
  for (const match of text.matchAll(RUN)) {
    const [run] = match;
    const whole = beginsLike(run, words);
    if (whole !== undefined) ranges.push({ start: match.index, end: match.index + markedLength(run, whole) });
    let start = match.index;
    for (const part of run.split(SEAM)) {
      if (beginsLike(part, words) !== undefined) ranges.push({ start, end: start + part.length });
      start += part.length;
    }
  }
  return joined(ranges);
}

function beginsLike(text: string, words: readonly string[]): string | undefined {
  const lower = text.toLowerCase();
  return words.find((word) => lower.startsWith(word));
}

/** Marks only the first part of a compound name if only that part was searched. */
function markedLength(run: string, word: string): number {
  let length = 0;
  for (const part of run.split(SEAM)) {
    length += part.length;
    if (length >= word.length) return length;
  }
  return run.length;
}

/** Merges touching ranges, which arrive sorted by start. */
function joined(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const range of ranges) {
    const last = all.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else all.push({ ...range });
  }
  return all;
}

function wordStart(text: string, at: number): number {
  const space = text.slice(0, at).search(/\s\S*$/);
  return at === 0 || space === -1 ? withoutHalf(text, at) : space + 1;
}

function wordEnd(text: string, at: number): number {
  const space = text.slice(at).search(/\s/);
  return space === -1 || space > BEFORE_MATCH ? withoutHalf(text, at) : at + space;
}

/** Moves a position out of the middle of a surrogate pair. */
function withoutHalf(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

/** Lengths, patterns and formats of strings. */
import { toPlainValue } from "../../../json-text.ts";
import { FORMATS } from "../../validate/format-keyword.ts";
import type { Evaluator } from "./evaluate.ts";
import { formatImplies, patternOfFormat } from "./format-keyword.ts";
import { type FoundDifference, NONE, writerPointer } from "./found.ts";
import { MAX_HINTS, namedValues } from "./inclusion-values.ts";
import type { PatternSearch, StringAnswer } from "./pattern-search.ts";
import type { State } from "./state.ts";
import { TYPE, type View } from "./view.ts";

const MAX_HINT_LENGTH = 4_096;

export function checkString(
  state: State,
  reader: View,
  evaluator: Evaluator,
  search: PatternSearch,
): readonly FoundDifference[] {
  if ((state.types & TYPE.string) === 0 || !isAboutStrings(reader)) return NONE;
  if (state.values !== undefined) return checkListedStrings(state, reader, evaluator);
  return [
    ...checkLeastLength(state, reader, search),
    ...checkMostLength(state, reader, search),
    ...checkMatches(state, reader, search),
    ...checkFormat(state, reader),
  ];
}

function isAboutStrings({ minLength, maxLength, pattern, format }: View): boolean {
  return minLength > 0 || maxLength !== undefined || pattern !== undefined || format !== undefined;
}

function checkLeastLength(state: State, reader: View, search: PatternSearch): readonly FoundDifference[] {
  const { shape } = state;
  const { minLength } = reader;
  if (minLength <= shape.minLength) return NONE;
  const shorter = findStray(state, search, { maxLength: minLength - 1 });
  if (shorter.kind === "none") return NONE;
  const hints = [shape.minLength, minLength - 1].map((length) => "x".repeat(Math.min(length, MAX_HINT_LENGTH)));
  return [
    {
      kind: shape.minLength > 0 ? "MIN_LENGTH_INCREASED" : "MIN_LENGTH_ADDED",
      reader: reader.at("minLength"),
      writer: sourceOf(state, "minLength"),
      message: `The reader requires strings of at least ${minLength} characters; the writer may produce shorter ones.`,
      fix: `Lower the reader's minLength to ${shape.minLength}.`,
      traces: [{ at: "end", state, reader, hints: [...textsOf(shorter), ...hints] }],
    },
  ];
}

function checkMostLength(state: State, reader: View, search: PatternSearch): readonly FoundDifference[] {
  const { shape } = state;
  const { maxLength } = reader;
  if (maxLength === undefined || maxLength >= (shape.maxLength ?? Number.POSITIVE_INFINITY)) return NONE;
  const longer = findStray(state, search, { minLength: maxLength + 1 });
  if (longer.kind === "none") return NONE;
  const hint = maxLength < MAX_HINT_LENGTH ? ["x".repeat(maxLength + 1)] : [];
  return [
    {
      kind: shape.maxLength === undefined ? "MAX_LENGTH_ADDED" : "MAX_LENGTH_DECREASED",
      reader: reader.at("maxLength"),
      writer: sourceOf(state, "maxLength"),
      message: `The reader accepts at most ${maxLength} characters; the writer may produce longer strings.`,
      fix:
        shape.maxLength === undefined
          ? "Remove maxLength from the reader."
          : `Raise the reader's maxLength to ${shape.maxLength}.`,
      traces: [{ at: "end", state, reader, hints: [...textsOf(longer), ...hint] }],
    },
  ];
}

function checkMatches(state: State, reader: View, search: PatternSearch): readonly FoundDifference[] {
  if (reader.pattern === undefined || state.shape.patterns.has(reader.pattern)) return NONE;
  const other = findStray(state, search, { notMatching: reader.pattern });
  return other.kind === "none" ? NONE : [patternFound(state, reader, reader.pattern, other)];
}

function checkFormat(state: State, reader: View): readonly FoundDifference[] {
  const { format } = reader;
  if (format === undefined || fitsFormat(state, format)) return NONE;
  return [
    {
      kind: state.shape.formats.size > 0 ? "FORMAT_CHANGED" : "FORMAT_ADDED",
      reader: reader.at("format"),
      writer: sourceOf(state, "format"),
      message: `The reader requires the format ${format}; the writer does not guarantee it.`,
      fix: "Remove the format from the reader, or state it in the writer first.",
      traces: [{ at: "end", state, reader, hints: ["", "x", " "] }],
    },
  ];
}

function patternFound(state: State, reader: View, pattern: string, other: StringAnswer): FoundDifference {
  const { shape } = state;
  return {
    kind: shape.patterns.size > 0 ? "PATTERN_CHANGED" : "PATTERN_ADDED",
    reader: reader.at("pattern"),
    writer: sourceOf(state, "pattern"),
    message:
      other.kind === "found"
        ? `The writer may produce ${JSON.stringify(other.text)}, which does not match the reader's pattern ${pattern}.`
        : `The reader requires strings that match ${pattern}; it cannot be shown that the writer's strings all do.`,
    traces: [{ at: "end", state, reader, hints: textsOf(other) }],
  };
}

/** A string that the writer's patterns and lengths admit and that exceeds the reader's limit. */
function findStray(
  { shape }: State,
  search: PatternSearch,
  beyond: { minLength?: number; maxLength?: number; notMatching?: string },
): StringAnswer {
  const formats = [...shape.formats.keys()].flatMap((format) => patternOfFormat(format) ?? []);
  const matching = [...new Set([...shape.patterns.keys(), ...formats])];
  if (matching.length === 0 && beyond.notMatching === undefined) return { kind: "unknown" };
  const most = Math.min(shape.maxLength ?? Number.POSITIVE_INFINITY, beyond.maxLength ?? Number.POSITIVE_INFINITY);
  return search.find({
    matching,
    notMatching: beyond.notMatching === undefined ? [] : [beyond.notMatching],
    minLength: Math.max(shape.minLength, beyond.minLength ?? 0),
    maxLength: Number.isFinite(most) ? most : undefined,
  });
}

function textsOf(answer: StringAnswer): string[] {
  return answer.kind === "found" ? [answer.text] : [];
}

function checkListedStrings(state: State, reader: View, evaluator: Evaluator): readonly FoundDifference[] {
  for (const keyword of STRING_KEYWORDS) {
    const refused = state.values!.filter(
      (value) => value.type === "string" && evaluator.acceptsString(reader, keyword, value.value) !== true,
    );
    if (refused.length === 0) continue;
    return [
      {
        kind: LISTED_KINDS[keyword],
        reader: reader.at(keyword),
        writer: writerPointer(state),
        message: `The writer may produce ${namedValues(refused)}, which the reader's ${keyword} refuses.`,
        traces: [{ at: "end", state, reader, hints: refused.slice(0, MAX_HINTS).map(toPlainValue) }],
      },
    ];
  }
  return NONE;
}

const STRING_KEYWORDS = ["minLength", "maxLength", "pattern", "format"] as const;

const LISTED_KINDS = {
  minLength: "MIN_LENGTH_ADDED",
  maxLength: "MAX_LENGTH_ADDED",
  pattern: "PATTERN_ADDED",
  format: "FORMAT_ADDED",
} as const;

function sourceOf(state: State, keyword: (typeof STRING_KEYWORDS)[number]): string | null {
  const atom = state.atoms.find(({ view }) => view.location && view[keyword] !== undefined && view[keyword] !== 0);
  return atom ? atom.view.at(keyword) : writerPointer(state);
}

/** A format that no validator knows asserts nothing. */
function fitsFormat(state: State, format: string): boolean {
  if (!FORMATS.has(format)) return true;
  return [...state.shape.formats.keys()].some((each) => formatImplies(each, format));
}

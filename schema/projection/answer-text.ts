/** Extracts a value from a model's output: plain JSON, JSON in code fences or prose, or JSON inside a JSON string. */

import { isDeeperThan } from "../json/validate/evaluation.ts";
import { ok, type Result, refuse } from "../result.ts";
import { MAX_ANSWER_CHARACTERS, MAX_ANSWER_DEPTH } from "./bounds.ts";

/** Notes on where the value was found. */
export type AnswerNote = "fenced" | "surrounded_by_text" | "json_in_string";

export type TextReading = Result<
  { readonly value: unknown; readonly notes: readonly AnswerNote[] },
  { readonly reason: "empty" | "not_json" | "too_large"; readonly message: string }
>;

const FENCE = /```[A-Za-z0-9_-]*[ \t]*\r?\n([\s\S]*?)(?:\r?\n)?```/;

export function readAnswerText(text: string): TextReading {
  if (text.length > MAX_ANSWER_CHARACTERS) {
    return refuse({
      reason: "too_large",
      message: `The answer is longer than ${MAX_ANSWER_CHARACTERS} characters.`,
    });
  }
  const trimmed = text.trim();
  if (trimmed === "") return refuse({ reason: "empty", message: "The answer has no text." });
  const plain = parse(trimmed);
  if (plain !== undefined) return whole(plain.value, []);
  const fenced = FENCE.exec(trimmed)?.[1];
  const inside = fenced === undefined ? undefined : parse(fenced);
  if (inside !== undefined) return whole(inside.value, ["fenced"]);
  const found = parse(between(trimmed));
  if (found !== undefined) return whole(found.value, ["surrounded_by_text"]);
  return refuse({ reason: "not_json", message: `The answer is not JSON: it begins with ${shown(trimmed)}.` });
}

/** The text after a fence or an introductory sentence, for truncated JSON. */
export function beginningOfJson(text: string): string {
  const fence = /```[A-Za-z0-9_-]*[ \t]*\r?\n/.exec(text);
  if (fence !== null) return text.slice(fence.index + fence[0].length);
  const start = text.search(/[{[]/);
  return start === -1 || /^\s*["\d\-tfn]/.test(text) ? text : text.slice(start);
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** From the first bracket to the last one. */
function between(text: string): string {
  const start = text.search(/[{[]/);
  const end = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  return start === -1 ? "" : text.slice(start, end + 1);
}

/** Arguments that were serialised twice are a string that contains an object. */
function whole(value: unknown, notes: readonly AnswerNote[]): TextReading {
  const inner = typeof value === "string" && /^\s*[{[]/.test(value) ? parse(value) : undefined;
  const found = inner === undefined ? value : inner.value;
  if (isDeeperThan(found, MAX_ANSWER_DEPTH)) {
    return refuse({ reason: "too_large", message: `The answer is nested deeper than ${MAX_ANSWER_DEPTH} levels.` });
  }
  return ok({ value: found, notes: inner === undefined ? notes : [...notes, "json_in_string"] });
}

const MAX_SHOWN_CHARACTERS = 60;

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text);
}

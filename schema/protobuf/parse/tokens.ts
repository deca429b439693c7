/** The tokens of a .proto text, one at a time, with as little backtracking as the parser needs. */
import type { RefusalReason, SchemaProblem } from "../../format.ts";
import { positionAt } from "../../json-text.ts";

/** The reason a text is not valid .proto text, with the location. */
export class ProtoTextError extends Error {
  readonly rule: string;
  readonly offset: number;
  readonly reason: RefusalReason;

  constructor(rule: string, message: string, offset: number, reason: RefusalReason = "invalid") {
    super(message);
    this.rule = rule;
    this.offset = offset;
    this.reason = reason;
  }
}

type TokenKind = "identifier" | "integer" | "float" | "string" | "symbol" | "end";

/** Names are shown in messages up to this length, because a hostile one may have a megabyte. */
const MAX_SHOWN_LENGTH = 100;

export function shown(text: string): string {
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
}

const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
/** Everything that is lexically part of a number; its kind is determined afterwards. */
const NUMBER = /(?:\d|\.\d)(?:[eE][+-]|[\w.])*/y;
const INTEGER = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/;
const FLOAT = /^(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?$/;
const SYMBOLS = /[{}[\]()<>;,.=:+\-/]/;
const PLAIN_SINGLE = /[^'\\\n\0]*/y;
const PLAIN_DOUBLE = /[^"\\\n\0]*/y;
const SPACE = /[ \t\r\n\v\f]*/y;

/**
 * Fields, values, options and the parts of their values, in one schema and all its imports. An element takes some
 * hundred bytes, and a Worker has 128 MB. The largest published schemas have about 10,000.
 */
export const MAX_ELEMENTS = 100_000;
/** Code units of one text. The largest published schema has 4.3 million, most of them comments. */
export const MAX_TEXT_LENGTH = 8_388_608;

export class Lexer {
  kind: TokenKind = "end";
  /** Offsets of the current token. */
  start = 0;
  end = 0;
  /** End of the previous token: only spaces and comments are in between. */
  previousEnd = 0;
  #hasComment = false;
  /** The number of elements counted so far. */
  elements = 0;

  readonly text: string;

  constructor(text: string) {
    this.text = text;
    if (text.length > MAX_TEXT_LENGTH) {
      throw new ProtoTextError(
        "text_too_long",
        `The text is longer than ${MAX_TEXT_LENGTH} characters.`,
        0,
        "too_complex",
      );
    }
    // A byte order mark is tolerated at the start, as in protoc.
    if (text.charCodeAt(0) === 0xfeff) this.end = 1;
    this.advance();
  }

  /** The current token as written. */
  get word(): string {
    return this.text.slice(this.start, this.end);
  }

  get isAtEnd(): boolean {
    return this.kind === "end";
  }

  is(word: string): boolean {
    return (
      this.end - this.start === word.length &&
      (this.kind === "symbol" || this.kind === "identifier") &&
      this.text.startsWith(word, this.start)
    );
  }

  /** Consumes the current token if it is this word. */
  take(word: string): boolean {
    if (!this.is(word)) return false;
    this.advance();
    return true;
  }

  takeInteger(): boolean {
    if (this.kind !== "integer") return false;
    this.advance();
    return true;
  }

  expect(word: string, where: string): void {
    if (!this.take(word)) this.fail(`Expected "${word}" ${where}`);
  }

  identifier(what: string): string {
    if (this.kind !== "identifier") this.fail(`Expected ${what}`);
    const word = this.word;
    this.advance();
    return word;
  }

  /** Returns to a token that began at `start`, after one that ended at `previousEnd`. */
  rewind(start: number, previousEnd: number): void {
    // Lexing again from the end of the previous token finds the comment in between again.
    this.end = previousEnd;
    this.advance();
    if (this.start !== start) throw new Error("A lexer goes back to the start of a token only.");
  }

  advance(): void {
    this.previousEnd = this.end;
    this.#skip();
    const { text } = this;
    const start = this.end;
    this.start = start;
    if (start >= text.length) {
      this.kind = "end";
      return;
    }
    IDENTIFIER.lastIndex = start;
    if (IDENTIFIER.test(text)) {
      this.kind = "identifier";
      this.end = IDENTIFIER.lastIndex;
      return;
    }
    NUMBER.lastIndex = start;
    if (NUMBER.test(text)) {
      this.end = NUMBER.lastIndex;
      this.kind = this.#numberKind(text.slice(start, this.end));
      return;
    }
    const character = text[start]!;
    if (character === '"' || character === "'") {
      this.#string(character);
      return;
    }
    if (!SYMBOLS.test(character)) {
      throw new ProtoTextError("syntax", `Unexpected character ${showCharacter(text, start)}.`, start);
    }
    this.kind = "symbol";
    this.end = start + 1;
  }

  /** Counts one element towards the limit. */
  count(): void {
    this.elements += 1;
    if (this.elements > MAX_ELEMENTS) {
      throw new ProtoTextError(
        "too_many_elements",
        `The schema has more than ${MAX_ELEMENTS} elements.`,
        this.start,
        "too_complex",
      );
    }
  }

  fail(expectation: string): never {
    const found = this.kind === "end" ? "the end of the text" : JSON.stringify(shown(this.word));
    throw new ProtoTextError("syntax", `${expectation}, found ${found}.`, this.start);
  }

  /**
   * The comment immediately before the current token, without its markers; null if there is none or a blank line
   * follows it.
   */
  leadingComment(): string | null {
    return this.#hasComment ? leadingComment(this.text, this.previousEnd, this.start) : null;
  }

  #numberKind(word: string): TokenKind {
    if (INTEGER.test(word)) return "integer";
    if (/^0\d+$/.test(word)) {
      throw new ProtoTextError("syntax", `Number ${shown(word)} starts with 0 and must be octal.`, this.start);
    }
    if (FLOAT.test(word)) return "float";
    throw new ProtoTextError("syntax", `Malformed number ${shown(word)}.`, this.start);
  }

  #string(quote: string): void {
    const plain = quote === '"' ? PLAIN_DOUBLE : PLAIN_SINGLE;
    let at = this.start + 1;
    for (;;) {
      plain.lastIndex = at;
      plain.test(this.text);
      at = plain.lastIndex;
      const character = this.text[at];
      if (character === quote) {
        this.kind = "string";
        this.end = at + 1;
        return;
      }
      if (character !== "\\") {
        const message =
          character === undefined ? "Unterminated string." : "A string must end on its line and hold no NUL.";
        throw new ProtoTextError("syntax", message, this.start);
      }
      at += 2;
      if (this.text[at - 1] === "\n") throw new ProtoTextError("syntax", "A string must end on its line.", this.start);
    }
  }

  #skip(): void {
    const { text } = this;
    this.#hasComment = false;
    for (;;) {
      SPACE.lastIndex = this.end;
      SPACE.test(text);
      this.end = SPACE.lastIndex;
      if (text[this.end] !== "/") return;
      const next = text[this.end + 1];
      if (next === "/") {
        const lineEnd = text.indexOf("\n", this.end);
        this.end = lineEnd === -1 ? text.length : lineEnd;
      } else if (next === "*") {
        const commentEnd = text.indexOf("*/", this.end + 2);
        if (commentEnd === -1) throw new ProtoTextError("syntax", "Unterminated comment.", this.end);
        this.end = commentEnd + 2;
      } else return;
      this.#hasComment = true;
    }
  }
}

function showCharacter(text: string, at: number): string {
  const code = text.codePointAt(at)!;
  return code > 0x20 && code < 0x7f
    ? JSON.stringify(String.fromCharCode(code))
    : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * A comment that starts on the line of the previous token and ends with that line belongs to that token; a blank line
 * detaches.
 */
function leadingComment(text: string, from: number, to: number): string | null {
  let lines: string[] = [];
  let lastWasLine = false;
  let newlines = from === 0 ? 1 : 0;
  let isTrailing = false;
  let at = from;
  while (at < to) {
    if (text[at] === "\n") {
      newlines += 1;
      if (newlines > 1 || isTrailing) lines = [];
      isTrailing = false;
      at += 1;
    } else if (text[at] === "/") {
      const isLine = text[at + 1] === "/";
      const end = isLine ? lineEnd(text, at) : text.indexOf("*/", at + 2) + 2;
      if (!isLine || !lastWasLine) lines = [];
      if (newlines === 0 && lines.length === 0) isTrailing = true;
      if (isLine) lines.push(text.slice(at + 2, end));
      else lines = blockLines(text.slice(at + 2, end - 2));
      lastWasLine = isLine;
      newlines = 0;
      at = end;
    } else at += 1;
  }
  return lines.length === 0 ? null : tidy(lines);
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

function blockLines(comment: string): string[] {
  return comment.split("\n").map((line, index) => line.replace(index === 0 ? /^\*/ : /^\s*\*?/, ""));
}

function tidy(lines: readonly string[]): string | null {
  const documentation = lines
    .map((line) => line.replace(/^ /, "").trimEnd())
    .join("\n")
    .trim();
  return documentation === "" ? null : documentation;
}

export type StringValue = { readonly value: string; readonly bytes?: Uint8Array };

/** The value of a string token, with escapes resolved. `start` is its offset, for messages. */
export function decodeString(literal: string, start: number): StringValue {
  const body = literal.slice(1, -1);
  if (!body.isWellFormed()) {
    throw new ProtoTextError("invalid_string", "A string holds half of a surrogate pair.", start);
  }
  if (!body.includes("\\")) return { value: body };
  return fromBytes(decodeEscapes(body, start));
}

/** Adjacent literals form one string; their bytes may be valid UTF-8 only together. */
export function joinStrings(values: readonly StringValue[]): StringValue {
  if (values.length === 1) return values[0]!;
  if (values.every(({ bytes }) => bytes === undefined)) return { value: values.map(({ value }) => value).join("") };
  return fromBytes(concatenate(values.map(stringBytes)));
}

export function stringBytes({ value, bytes }: StringValue): Uint8Array {
  return bytes ?? new TextEncoder().encode(value);
}

/** Bytes as a string value: `bytes` is kept only if they are not UTF-8. */
export function fromBytes(bytes: Uint8Array): StringValue {
  try {
    return { value: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { value: new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes), bytes };
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 0x5c,
  "?": 0x3f,
  "'": 0x27,
  '"': 0x22,
};
const ESCAPE =
  /\\(?:([abfnrtv\\?'"])|([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))/y;

function decodeEscapes(body: string, start: number): Uint8Array {
  const parts: Uint8Array[] = [];
  const encoder = new TextEncoder();
  let at = 0;
  let pending: number[] = [];
  while (at < body.length) {
    const slash = body.indexOf("\\", at);
    const end = slash === -1 ? body.length : slash;
    if (end > at) {
      parts.push(Uint8Array.from(pending), encoder.encode(body.slice(at, end)));
      pending = [];
    }
    if (slash === -1) break;
    ESCAPE.lastIndex = slash;
    const match = ESCAPE.exec(body);
    const invalid = (): never => {
      throw new ProtoTextError("invalid_escape", "Unknown escape in a string.", start + 1 + slash);
    };
    if (!match) return invalid();
    const [whole, simple, octal, hex, unicode] = match;
    if (simple !== undefined) pending.push(SIMPLE_ESCAPES[simple]!);
    else if (octal !== undefined) pending.push(Number.parseInt(octal, 8) & 0xff);
    else if (hex !== undefined) pending.push(Number.parseInt(hex, 16));
    else {
      const character = unicodeEscape(unicode!);
      if (character === undefined) return invalid();
      pending.push(...encoder.encode(character));
    }
    at = slash + whole.length;
  }
  parts.push(Uint8Array.from(pending));
  return concatenate(parts);
}

function unicodeEscape(digits: string): string | undefined {
  if (digits.length === 11) {
    return String.fromCharCode(Number.parseInt(digits.slice(1, 5), 16), Number.parseInt(digits.slice(7), 16));
  }
  const code = Number.parseInt(digits.slice(1), 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return String.fromCodePoint(code);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A problem at an offset, as a SchemaProblem. A file made from a descriptor has no positions. */
export function textProblem(text: string, error: { rule: string; message: string; offset: number }): SchemaProblem {
  const { rule, message, offset } = error;
  return text === "" ? { rule, message } : { rule, message, ...positionAt(text, offset) };
}

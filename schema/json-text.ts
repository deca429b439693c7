/**
 * JSON texts as ordered trees with source positions and the spelling of numbers. JSON.parse provides neither: it reorders
 * integer-like keys, rounds numbers and has no positions. Parser and writer share a file because together they define the
 * canonical text.
 */

import type { TextRefusal } from "./format.ts";
import { ok, type Result, refuse } from "./result.ts";

/** Deeper than any real schema (the deepest of the corpus is below 40), shallow enough for recursive walks. */
export const MAX_JSON_DEPTH = 512;

export type JsonObject = { type: "object"; start: number; members: Map<string, JsonNode> };
export type JsonArray = { type: "array"; start: number; items: JsonNode[] };
export type JsonString = { type: "string"; start: number; value: string };
/** `text` is the number as written; `value` may be rounded. */
export type JsonNumber = { type: "number"; start: number; text: string; value: number };
type JsonBoolean = { type: "boolean"; start: number; value: boolean };
type JsonNull = { type: "null"; start: number };
export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonBoolean | JsonNull;

type JsonTextOptions = {
  /** Accepts block and line comments, as Avro's own parser does. */
  allowComments?: boolean;
};

type JsonTextResult =
  /** `duplicates`: offsets of keys that repeat an earlier key of the same object; the last value wins. */
  Result<{ root: JsonNode; duplicates: readonly number[] }, TextRefusal>;

/** Parses one JSON text (RFC 8259). */
export function parseJsonText(text: string, options: JsonTextOptions = {}): JsonTextResult {
  const parser = new JsonTextParser(text, options.allowComments === true);
  try {
    return ok({ root: parser.document(), duplicates: parser.duplicates });
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return refuse({
      reason: error.rule === "json_too_deep" ? "too_complex" : "invalid",
      problem: { rule: error.rule, message: error.message, ...positionAt(text, error.offset) },
    });
  }
}

/** Line and column of an offset, both from 1. */
export function positionAt(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** One reference token of a JSON pointer, escaped (RFC 6901). */
export function pointerToken(token: string | number): string {
  const text = String(token);
  return text.includes("~") || text.includes("/") ? text.replaceAll("~", "~0").replaceAll("/", "~1") : text;
}

/** The inverse of `pointerToken`. */
export function unescapePointerToken(token: string): string {
  return token.includes("~") ? token.replaceAll("~1", "/").replaceAll("~0", "~") : token;
}

/** The node a JSON pointer refers to, or undefined. The empty pointer refers to the root. */
export function nodeAtPointer(root: JsonNode, pointer: string): JsonNode | undefined {
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) return undefined;
  let node: JsonNode | undefined = root;
  for (const raw of pointer.slice(1).split("/")) {
    const token = unescapePointerToken(raw);
    if (node?.type === "object") node = node.members.get(token);
    else if (node?.type === "array") node = /^(0|[1-9]\d*)$/.test(token) ? node.items[Number(token)] : undefined;
    else return undefined;
  }
  return node;
}

/** The tree as plain JavaScript values: numbers become doubles, keys get JavaScript's order. */
export function toPlainValue(node: JsonNode): unknown {
  switch (node.type) {
    case "object": {
      const plain: Record<string, unknown> = {};
      for (const [key, member] of node.members) {
        // Assigning it would set the prototype instead of a property.
        if (key === "__proto__") {
          Object.defineProperty(plain, key, {
            value: toPlainValue(member),
            enumerable: true,
            writable: true,
            configurable: true,
          });
        } else plain[key] = toPlainValue(member);
      }
      return plain;
    }
    case "array":
      return node.items.map(toPlainValue);
    case "null":
      return null;
    default:
      return node.value;
  }
}

type WriteJsonOptions = {
  /** Sorts the keys of every object by UTF-16 code unit. */
  sortKeys?: boolean;
  /** How numbers are printed; by default like Jackson with exact big numbers. */
  number?: (node: JsonNumber) => string;
};

/** The tree as compact JSON text, spelled like Jackson's. */
export function writeJsonText(node: JsonNode, options: WriteJsonOptions = {}): string {
  const writeNumber = options.number ?? writeExactNumber;
  return options.sortKeys ? writeSorted(node, writeNumber) : writeNode(node, writeNumber);
}

/** Recursion is bounded by MAX_JSON_DEPTH. */
function writeNode(node: JsonNode, writeNumber: (node: JsonNumber) => string): string {
  switch (node.type) {
    case "object": {
      let text = "";
      for (const [key, member] of node.members) {
        text += `${text === "" ? "{" : ","}${writeJsonString(key)}:${writeNode(member, writeNumber)}`;
      }
      return text === "" ? "{}" : `${text}}`;
    }
    case "array": {
      let text = "";
      for (const item of node.items) text += `${text === "" ? "[" : ","}${writeNode(item, writeNumber)}`;
      return text === "" ? "[]" : `${text}]`;
    }
    case "string":
      return writeJsonString(node.value);
    case "number":
      return writeNumber(node);
    case "boolean":
      return node.value ? "true" : "false";
    default:
      return "null";
  }
}

function writeSorted(node: JsonNode, writeNumber: (node: JsonNumber) => string): string {
  if (node.type === "array") return `[${node.items.map((item) => writeSorted(item, writeNumber)).join(",")}]`;
  if (node.type !== "object") return writeNode(node, writeNumber);
  const keys = [...node.members.keys()].sort(compareCodeUnits);
  return `{${keys.map((key) => `${writeJsonString(key)}:${writeSorted(node.members.get(key)!, writeNumber)}`).join(",")}}`;
}

export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const NEEDS_ESCAPE = /["\\\u0000-\u001f]/;
const ESCAPED = /["\\\u0000-\u001f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SHORT_ESCAPES: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

/**
 * A JSON string spelled like Jackson's: only quotes, backslashes and control characters are escaped, with upper-case hex.
 * Lone surrogates are escaped too: they have no UTF-8 form, and two such texts would end up as the same bytes.
 */
export function writeJsonString(value: string): string {
  if (!NEEDS_ESCAPE.test(value) && value.isWellFormed()) return `"${value}"`;
  const escaped = value.replace(
    ESCAPED,
    (character) =>
      SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/** The largest exponent of java.math.BigDecimal. Larger ones are kept as written: no number has them. */
const MAX_EXPONENT = 0x7fffffff;

/** Integers as written, decimals like java.math.BigDecimal.toString: `1.0` stays, `1e2` becomes `1E+2`. */
export function writeExactNumber({ text }: JsonNumber): string {
  const match = DECIMAL.exec(text);
  if (!match) return text === "-0" ? "0" : text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (Math.abs(Number(exponent)) > MAX_EXPONENT) return text;
  const digits = `${whole}${fraction}`.replace(/^0+(?=\d)/, "");
  const scale = fraction.length - Number(exponent);
  // Java has no negative zero; a zero keeps its scale.
  const minus = /^0+$/.test(digits) ? "" : sign;
  const adjusted = digits.length - 1 - scale;
  if (scale >= 0 && adjusted >= -6) {
    if (scale === 0) return minus + digits;
    const padded = digits.padStart(scale + 1, "0");
    return `${minus}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return adjusted === 0 ? minus + mantissa : `${minus}${mantissa}E${adjusted > 0 ? "+" : ""}${adjusted}`;
}

/** A number with a fraction, an exponent or both. */
const DECIMAL = /^(-?)(\d+)(?=[.eE])(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

class JsonTextError extends Error {
  readonly rule: string;
  readonly offset: number;

  constructor(rule: string, message: string, offset: number) {
    super(message);
    this.rule = rule;
    this.offset = offset;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const UNESCAPED: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Characters of the JSON grammar. */
const Code = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  slash: 0x2f,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** Uses character codes, which is twice as fast as one-character strings. NaN represents the end of the text. */
class JsonTextParser {
  readonly duplicates: number[] = [];
  #at = 0;
  #depth = 0;
  readonly #text: string;
  readonly #allowComments: boolean;

  constructor(text: string, allowComments: boolean) {
    this.#text = text;
    this.#allowComments = allowComments;
    // Accepts a byte order mark at the start, as browsers and Jackson do.
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  document(): JsonNode {
    const root = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("Unexpected text after the end of the JSON value");
    return root;
  }

  /** Recursion is bounded by MAX_JSON_DEPTH. */
  #value(): JsonNode {
    this.#skip();
    const start = this.#at;
    switch (this.#text.charCodeAt(start)) {
      case Code.openBrace:
        return this.#object(start);
      case Code.openBracket:
        return this.#array(start);
      case Code.quote:
        return { type: "string", start, value: this.#string() };
      case Code.t:
        return this.#word("true", { type: "boolean", start, value: true });
      case Code.f:
        return this.#word("false", { type: "boolean", start, value: false });
      case Code.n:
        return this.#word("null", { type: "null", start });
      default:
        if (start >= this.#text.length) this.#fail("Unexpected end of the text, expected a JSON value");
        return this.#number(start);
    }
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_JSON_DEPTH) {
      throw new JsonTextError("json_too_deep", `JSON is nested deeper than ${MAX_JSON_DEPTH} levels.`, this.#at);
    }
    this.#at += 1;
    this.#skip();
  }

  #object(start: number): JsonObject {
    const members = new Map<string, JsonNode>();
    this.#enter();
    if (this.#text.charCodeAt(this.#at) !== Code.closeBrace) {
      for (;;) {
        const keyStart = this.#at;
        if (this.#text.charCodeAt(keyStart) !== Code.quote) {
          this.#fail("Expected a string as the name of an object member");
        }
        const key = this.#string();
        this.#skip();
        if (this.#text.charCodeAt(this.#at) !== Code.colon)
          this.#fail('Expected ":" after the name of an object member');
        this.#at += 1;
        const { size } = members;
        members.set(key, this.#value());
        if (members.size === size) this.duplicates.push(keyStart);
        this.#skip();
        const next = this.#text.charCodeAt(this.#at);
        if (next === Code.closeBrace) break;
        if (next !== Code.comma) this.#fail('Expected "," or "}" in an object');
        this.#at += 1;
        this.#skip();
      }
    }
    this.#at += 1;
    this.#depth -= 1;
    return { type: "object", start, members };
  }

  #array(start: number): JsonArray {
    const items: JsonNode[] = [];
    this.#enter();
    if (this.#text.charCodeAt(this.#at) !== Code.closeBracket) {
      for (;;) {
        items.push(this.#value());
        this.#skip();
        const next = this.#text.charCodeAt(this.#at);
        if (next === Code.closeBracket) break;
        if (next !== Code.comma) this.#fail('Expected "," or "]" in an array');
        this.#at += 1;
      }
    }
    this.#at += 1;
    this.#depth -= 1;
    return { type: "array", start, items };
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    for (let at = start; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === Code.quote) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === Code.backslash) return this.#stringWithEscapes(start, at);
      // False for ordinary characters; true for control characters and, by negation, for NaN at the end.
      if (!(code >= Code.space)) this.#failInString(at);
    }
  }

  #stringWithEscapes(start: number, firstEscape: number): string {
    const text = this.#text;
    const parts: string[] = [text.slice(start, firstEscape)];
    this.#at = firstEscape;
    for (;;) {
      const from = this.#at;
      let at = from;
      let code = text.charCodeAt(at);
      while (code >= Code.space && code !== Code.quote && code !== Code.backslash) {
        at += 1;
        code = text.charCodeAt(at);
      }
      if (at > from) parts.push(text.slice(from, at));
      this.#at = at;
      if (code === Code.quote) {
        this.#at = at + 1;
        return parts.join("");
      }
      if (code !== Code.backslash) this.#failInString(at);
      parts.push(this.#escape());
    }
  }

  #failInString(at: number): never {
    this.#at = at;
    if (at >= this.#text.length) return this.#fail("Unexpected end of the text in a string");
    return this.#fail("A control character in a string must be escaped");
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1];
    if (letter === "u") {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail("Expected four hex digits after \\u");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const character = letter === undefined ? undefined : UNESCAPED[letter];
    if (character === undefined) this.#fail("Unknown escape in a string");
    this.#at += 2;
    return character;
  }

  #number(start: number): JsonNumber {
    NUMBER.lastIndex = start;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) return this.#fail("Expected a JSON value");
    this.#at += text.length;
    if (/[\w.]/.test(this.#text[this.#at] ?? "")) this.#fail("Malformed number");
    return { type: "number", start, text, value: Number(text) };
  }

  #word<T extends JsonNode>(word: string, node: T): T {
    if (!this.#text.startsWith(word, this.#at) || /\w/.test(this.#text[this.#at + word.length] ?? "")) {
      this.#fail("Expected a JSON value");
    }
    this.#at += word.length;
    return node;
  }

  #skip(): void {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === Code.space || code === Code.lineFeed || code === Code.carriageReturn || code === Code.tab) at += 1;
      else if (code === Code.slash && this.#allowComments) at = this.#comment(at);
      else break;
    }
    this.#at = at;
  }

  /** The offset after a comment that starts at `at`. */
  #comment(at: number): number {
    const kind = this.#text[at + 1];
    const end = kind === "*" ? this.#text.indexOf("*/", at + 2) + 2 : this.#text.indexOf("\n", at);
    if (kind === "*" && end >= 2) return end;
    if (kind === "/") return end === -1 ? this.#text.length : end;
    this.#at = at;
    return this.#fail("Malformed comment");
  }

  #fail(message: string): never {
    const found = this.#text[this.#at];
    throw new JsonTextError(
      "json_syntax",
      found === undefined ? `${message}.` : `${message}, found ${JSON.stringify(found)}.`,
      this.#at,
    );
  }
}

/** Parses JSON that has not completely arrived: the value so far, and where it may still grow. */

import { pointerToken } from "../json-text.ts";
import { ok, type Result, refuse } from "../result.ts";
import { MAX_ANSWER_DEPTH } from "./bounds.ts";

type PartialJson = Result<
  {
    /**
     * The value so far; undefined before the first value. Members and items that have only begun are omitted, strings
     * are kept as far as they go.
     */
    readonly value: unknown;
    readonly isComplete: boolean;
    /** Pointers of the values that may still grow, from the outside in. */
    readonly open: readonly string[];
  },
  /** The text cannot be continued to JSON; `offset` is the location of the error. */
  { readonly offset: number; readonly message: string }
>;

export function parsePartialJson(text: string): PartialJson {
  const parser = new PartialParser(text);
  try {
    return parser.document();
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    return refuse({ offset: error.offset, message: error.message });
  }
}

class NotJson extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Marks a value of which nothing can be kept yet. */
const NOTHING = Symbol("nothing yet");

const LITERALS: readonly (readonly [string, unknown])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];
/** Prefixes of numbers, and numbers. */
const NUMBER_BEGINNING = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:(?<=\d)[eE][+-]?\d*)?)?$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

class PartialParser {
  readonly #text: string;
  readonly #open: string[] = [];
  #at = 0;
  #ended = false;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PartialJson {
    const value = this.#value("", 0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("Text follows the end of the JSON value");
    return ok({ value: value === NOTHING ? undefined : value, isComplete: !this.#ended, open: this.#open });
  }

  /** Recursion is bounded by MAX_ANSWER_DEPTH. */
  #value(pointer: string, depth: number): unknown {
    if (depth > MAX_ANSWER_DEPTH) this.#fail(`The value is nested deeper than ${MAX_ANSWER_DEPTH} levels`);
    this.#skip();
    const first = this.#text[this.#at];
    if (first === undefined) return this.#end(NOTHING);
    if (first === "{") return this.#object(pointer, depth);
    if (first === "[") return this.#array(pointer, depth);
    if (first === '"') return this.#string(pointer);
    return this.#word(pointer);
  }

  #object(pointer: string, depth: number): unknown {
    const members = new Map<string, unknown>();
    const done = () => Object.fromEntries(members);
    this.#enter(pointer);
    if (this.#take("}")) return this.#leave(done());
    for (;;) {
      if (this.#isAtEnd()) return this.#end(done());
      if (this.#text[this.#at] !== '"') this.#fail("Expected the name of a member");
      const key = this.#string(undefined);
      if (this.#ended || this.#isAtEnd()) return this.#end(done());
      if (!this.#take(":")) this.#fail('Expected ":" after the name of a member');
      const value = this.#value(`${pointer}/${pointerToken(String(key))}`, depth + 1);
      if (value !== NOTHING) members.set(String(key), value);
      if (this.#ended || this.#isAtEnd()) return this.#end(done());
      if (this.#take("}")) return this.#leave(done());
      if (!this.#take(",")) this.#fail('Expected "," or "}" in an object');
    }
  }

  #array(pointer: string, depth: number): unknown {
    const items: unknown[] = [];
    this.#enter(pointer);
    if (this.#take("]")) return this.#leave(items);
    for (;;) {
      const item = this.#value(`${pointer}/${items.length}`, depth + 1);
      if (item !== NOTHING) items.push(item);
      if (this.#ended || this.#isAtEnd()) return this.#end(items);
      if (this.#take("]")) return this.#leave(items);
      if (!this.#take(",")) this.#fail('Expected "," or "]" in an array');
    }
  }

  #enter(pointer: string): void {
    this.#open.push(pointer);
    this.#at += 1;
    this.#skip();
  }

  #leave(value: unknown): unknown {
    this.#open.pop();
    return value;
  }

  #end(value: unknown): unknown {
    this.#ended = true;
    return value;
  }

  /** A string that has not ended is kept without its incomplete escape. Names have no pointer and are not kept. */
  #string(pointer: string | undefined): unknown {
    const start = this.#at;
    let at = start + 1;
    for (; at < this.#text.length && this.#text[at] !== '"'; at += 1) {
      if (this.#text.charCodeAt(at) < 0x20) this.#failAt("A control character in a string must be escaped", at);
      if (this.#text[at] === "\\") at += 1;
    }
    if (at < this.#text.length) {
      this.#at = at + 1;
      return this.#unescaped(this.#text.slice(start, at + 1), start);
    }
    this.#at = this.#text.length;
    if (pointer !== undefined) this.#open.push(pointer);
    const begun = this.#text.slice(start).replace(/(?<=(?:^|[^\\])(?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$/, "");
    return this.#end(this.#unescaped(`${begun}"`, start));
  }

  #unescaped(literal: string, start: number): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      return this.#failAt("A malformed escape in a string", start);
    }
  }

  #word(pointer: string): unknown {
    const [word = ""] = /^[^\s,\]}]*/.exec(this.#text.slice(this.#at)) ?? [];
    const isLast = this.#at + word.length === this.#text.length;
    for (const [literal, value] of LITERALS) {
      if (word === literal) return this.#took(word, value);
      if (isLast && word !== "" && literal.startsWith(word)) return this.#begun(word, pointer);
    }
    // A number at the end of the text may have more digits, unless it is the whole value.
    if (isLast && pointer !== "" && NUMBER_BEGINNING.test(word)) return this.#begun(word, pointer);
    if (NUMBER.test(word)) return this.#took(word, Number(word));
    if (isLast && NUMBER_BEGINNING.test(word)) return this.#begun(word, pointer);
    return this.#fail("Expected a JSON value");
  }

  #took(word: string, value: unknown): unknown {
    this.#at += word.length;
    return value;
  }

  #begun(word: string, pointer: string): unknown {
    this.#at += word.length;
    this.#open.push(pointer);
    return this.#end(NOTHING);
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    this.#skip();
    return true;
  }

  #isAtEnd(): boolean {
    this.#skip();
    return this.#at >= this.#text.length;
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #fail(message: string): never {
    return this.#failAt(message, this.#at);
  }

  #failAt(message: string, offset: number): never {
    throw new NotJson(`${message}, at character ${offset + 1}.`, offset);
  }
}

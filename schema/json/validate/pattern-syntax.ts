/**
 * Parses ECMA-262 regular expressions into trees over code points. It accepts what the `u` flag allows and, because
 * real schemas are written carelessly, also unnecessary escapes that are only allowed without `u`. Captures are treated
 * as plain groups.
 */

/** A set of code points. */
export type CodePointSet = { negated: boolean; ranges: [number, number][]; tests: ((codePoint: number) => boolean)[] };

export type PatternNode =
  | { kind: "set"; set: CodePointSet }
  | { kind: "sequence"; items: PatternNode[] }
  | { kind: "choice"; items: PatternNode[] }
  | { kind: "repeat"; item: PatternNode; min: number; max: number }
  | { kind: "start" | "end" }
  | { kind: "boundary"; negated: boolean }
  | { kind: "look"; behind: boolean; negated: boolean; item: PatternNode };

export class UnreadablePattern extends Error {
  readonly reason: "invalid" | "unsupported";

  constructor(reason: "invalid" | "unsupported", message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Maximum nesting of groups. */
export const MAX_PATTERN_DEPTH = 200;

const LINE_ENDS: [number, number][] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const DIGITS: [number, number][] = [[0x30, 0x39]];
const WORD: [number, number][] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACES: [number, number][] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const CONTROL_ESCAPES: Record<string, number> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d };

function inRanges(ranges: readonly [number, number][], codePoint: number): boolean {
  return ranges.some(([low, high]) => codePoint >= low && codePoint <= high);
}

export function isWordCharacter(codePoint: number | undefined): boolean {
  return codePoint !== undefined && inRanges(WORD, codePoint);
}

/** Parses a pattern, or throws UnreadablePattern. */
export function readPattern(source: string): PatternNode {
  return new PatternReader(source).pattern();
}

class PatternReader {
  readonly #characters: string[];
  readonly #groups: number;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = Array.from(source);
    this.#groups = countGroups(this.#characters);
  }

  pattern(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#characters.length) this.#fail('An unmatched ")"');
    return node;
  }

  #choice(): PatternNode {
    const items = [this.#sequence()];
    while (this.#take("|")) items.push(this.#sequence());
    return items.length === 1 ? items[0]! : { kind: "choice", items };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      items.push(this.#quantified(this.#atom()));
    }
    return items.length === 1 ? items[0]! : { kind: "sequence", items };
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "set", set: { negated: true, ranges: LINE_ENDS, tests: [] } };
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#class() };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        return this.#fail("Nothing to repeat");
      case "{":
        return this.#readCounts() === undefined ? single(character) : this.#fail("Nothing to repeat");
      default:
        return single(character);
    }
  }

  #group(): PatternNode {
    this.#depth += 1;
    if (this.#depth > MAX_PATTERN_DEPTH) {
      throw new UnreadablePattern("unsupported", `Groups are nested deeper than ${MAX_PATTERN_DEPTH} levels.`);
    }
    let wrap = (item: PatternNode): PatternNode => item;
    if (this.#take("?")) {
      if (this.#take("=")) wrap = (item) => ({ kind: "look", behind: false, negated: false, item });
      else if (this.#take("!")) wrap = (item) => ({ kind: "look", behind: false, negated: true, item });
      else if (this.#take("<")) {
        if (this.#take("=")) wrap = (item) => ({ kind: "look", behind: true, negated: false, item });
        else if (this.#take("!")) wrap = (item) => ({ kind: "look", behind: true, negated: true, item });
        else this.#groupName();
      } else if (!this.#take(":")) this.#fail("An unknown kind of group");
    }
    const item = this.#choice();
    if (!this.#take(")")) this.#fail("A group without end");
    this.#depth -= 1;
    return wrap(item);
  }

  #groupName(): void {
    const start = this.#at;
    while (this.#peek() !== undefined && this.#peek() !== ">") this.#at += 1;
    if (!this.#take(">") || this.#at === start + 1) this.#fail("A malformed group name");
  }

  #quantified(item: PatternNode): PatternNode {
    const counts = this.#quantifier();
    if (counts === undefined) return item;
    this.#take("?");
    const [min, max] = counts;
    if (this.#quantifier() !== undefined) this.#fail("Nothing to repeat");
    return { kind: "repeat", item, min, max };
  }

  #quantifier(): [number, number] | undefined {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    if (this.#peek() !== "{") return undefined;
    this.#at += 1;
    const counts = this.#readCounts();
    if (counts === undefined) this.#at -= 1;
    return counts;
  }

  /** The counts after an opening brace, which is a literal character if no counts follow. */
  #readCounts(): [number, number] | undefined {
    const start = this.#at;
    const min = this.#digits();
    const hasComma = this.#take(",");
    const max = hasComma ? this.#digits() : min;
    if (min === "" || !this.#take("}")) {
      this.#at = start;
      return undefined;
    }
    const counts: [number, number] = [Number(min), max === "" ? Number.POSITIVE_INFINITY : Number(max)];
    if (counts[0] > counts[1]) this.#fail("Numbers out of order in a quantifier");
    return counts;
  }

  #digits(): string {
    let digits = "";
    for (let next = this.#peek(); next !== undefined && next >= "0" && next <= "9"; next = this.#peek()) {
      digits += next;
      this.#at += 1;
    }
    return digits;
  }

  #escape(): PatternNode {
    const next = this.#peek();
    if (next === "b" || next === "B") {
      this.#at += 1;
      return { kind: "boundary", negated: next === "B" };
    }
    if (next !== undefined && next >= "1" && next <= "9") {
      const start = this.#at;
      if (Number(this.#digits()) <= this.#groups) this.#backReference();
      this.#at = start;
    }
    if (next === "k" && this.#characters[this.#at + 1] === "<") this.#backReference();
    const escaped = this.#escapedSet();
    return { kind: "set", set: typeof escaped === "number" ? setOf(escaped) : escaped };
  }

  #backReference(): never {
    throw new UnreadablePattern("unsupported", "A back reference cannot be matched in linear time.");
  }

  /** The meaning of an escape inside or outside a class: one code point, or a set of them. */
  #escapedSet(): number | CodePointSet {
    const character = this.#next();
    switch (character) {
      case undefined:
        return this.#fail("A backslash at the end");
      case "d":
      case "D":
        return { negated: character === "D", ranges: DIGITS, tests: [] };
      case "w":
      case "W":
        return { negated: character === "W", ranges: WORD, tests: [] };
      case "s":
      case "S":
        return { negated: character === "S", ranges: SPACES, tests: [] };
      case "p":
      case "P":
        return this.#property(character === "P");
      case "u":
        return this.#unicodeEscape();
      case "x":
        return this.#hex(2) ?? character.charCodeAt(0);
      case "c": {
        const letter = this.#peek();
        if (letter === undefined || !/[A-Za-z]/.test(letter)) return this.#fail("A malformed control escape");
        this.#at += 1;
        return letter.charCodeAt(0) % 32;
      }
      default:
        if (character >= "0" && character <= "7") return this.#octal(character);
        return CONTROL_ESCAPES[character] ?? character.codePointAt(0)!;
    }
  }

  #property(negated: boolean): CodePointSet {
    const end = this.#characters.indexOf("}", this.#at);
    const name = this.#peek() === "{" && end !== -1 ? this.#characters.slice(this.#at + 1, end).join("") : "";
    if (!/^[A-Za-z0-9_]+(?:=[A-Za-z0-9_]+)?$/.test(name)) this.#fail("A malformed Unicode property");
    this.#at = end + 1;
    let expression: RegExp;
    try {
      // Run on single characters only, so it cannot backtrack.
      expression = new RegExp(`^\\p{${name}}$`, "u");
    } catch {
      return this.#fail(`An unknown Unicode property, ${name}`);
    }
    return { negated, ranges: [], tests: [(codePoint) => expression.test(String.fromCodePoint(codePoint))] };
  }

  #unicodeEscape(): number {
    if (this.#take("{")) {
      const end = this.#characters.indexOf("}", this.#at);
      const digits = end === -1 ? "" : this.#characters.slice(this.#at, end).join("");
      const codePoint = /^[0-9a-fA-F]{1,8}$/.test(digits) ? Number.parseInt(digits, 16) : Number.POSITIVE_INFINITY;
      if (codePoint > 0x10ffff) this.#fail("A malformed Unicode escape");
      this.#at = end + 1;
      return codePoint;
    }
    const high = this.#hex(4);
    if (high === undefined) return 0x75;
    if (high < 0xd800 || high > 0xdbff || this.#peek() !== "\\" || this.#characters[this.#at + 1] !== "u") return high;
    const start = this.#at;
    this.#at += 2;
    const low = this.#hex(4);
    if (low !== undefined && low >= 0xdc00 && low <= 0xdfff) return ((high - 0xd800) << 10) + (low - 0xdc00) + 0x10000;
    this.#at = start;
    return high;
  }

  #hex(length: number): number | undefined {
    const digits = this.#characters.slice(this.#at, this.#at + length).join("");
    if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    this.#at += length;
    return Number.parseInt(digits, 16);
  }

  #octal(first: string): number {
    let digits = first;
    for (let next = this.#peek(); next !== undefined && next >= "0" && next <= "7"; next = this.#peek()) {
      if (Number.parseInt(digits + next, 8) > 0xff) break;
      digits += next;
      this.#at += 1;
    }
    return Number.parseInt(digits, 8);
  }

  #class(): CodePointSet {
    const set: CodePointSet = { negated: this.#take("^"), ranges: [], tests: [] };
    for (;;) {
      if (this.#peek() === undefined) this.#fail("A character class without end");
      if (this.#take("]")) return set;
      const low = this.#classAtom();
      const next = this.#characters[this.#at + 1];
      if (this.#peek() !== "-" || next === undefined || next === "]") {
        addToSet(set, low);
        continue;
      }
      this.#at += 1;
      const high = this.#classAtom();
      if (typeof low === "number" && typeof high === "number") {
        if (low > high) this.#fail("A character range out of order");
        set.ranges.push([low, high]);
        continue;
      }
      for (const member of [low, 0x2d, high]) addToSet(set, member);
    }
  }

  #classAtom(): number | CodePointSet {
    const character = this.#next()!;
    if (character !== "\\") return character.codePointAt(0)!;
    if (this.#take("b")) return 0x08;
    return this.#escapedSet();
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string | undefined {
    return this.#characters[this.#at++];
  }

  #take(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #fail(what: string): never {
    throw new UnreadablePattern("invalid", `${what} in the pattern, at character ${this.#at}.`);
  }
}

function single(character: string | undefined): PatternNode {
  return { kind: "set", set: setOf(character!.codePointAt(0)!) };
}

function setOf(codePoint: number): CodePointSet {
  return { negated: false, ranges: [[codePoint, codePoint]], tests: [] };
}

function addToSet(set: CodePointSet, member: number | CodePointSet): void {
  if (typeof member === "number") set.ranges.push([member, member]);
  else if (member.negated || member.tests.length > 0) set.tests.push((codePoint) => isInSet(member, codePoint));
  else set.ranges.push(...member.ranges);
}

export function isInSet(set: CodePointSet, codePoint: number): boolean {
  return (inRanges(set.ranges, codePoint) || set.tests.some((test) => test(codePoint))) !== set.negated;
}

/** The number of capturing groups, which determines whether `\2` is a back reference. */
function countGroups(characters: readonly string[]): number {
  let count = 0;
  let inClass = false;
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at];
    if (character === "\\") at += 1;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "(" && !inClass) {
      const isNamed =
        characters[at + 1] === "?" && characters[at + 2] === "<" && !"=!".includes(characters[at + 3] ?? "=");
      if (characters[at + 1] !== "?" || isNamed) count += 1;
    }
  }
  return count;
}

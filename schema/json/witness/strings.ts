/** Strings that match a pattern or have a format, as candidates that must be checked before use. */

import type { Random } from "../../random.ts";
import {
  type CodePointSet,
  isInSet,
  type PatternNode,
  readPattern,
  UnreadablePattern,
} from "../validate/pattern-syntax.ts";

/** Longer strings do not show more than shorter ones. */
const MAX_STRING_CHARACTERS = 6_000;
/** Repetitions beyond the minimum. */
const MAX_EXTRA_REPETITIONS = 4;

const EXAMPLES: Record<string, readonly string[]> = {
  "date-time": ["2024-02-29T12:30:00Z", "1999-12-31T23:59:59.5+01:00"],
  date: ["2024-02-29", "1999-12-31"],
  time: ["12:30:00Z", "23:59:59.5+01:00"],
  duration: ["P1D", "PT1H30M"],
  email: ["a@example.com", "first.last@mail.example.org"],
  "idn-email": ["a@example.com", "\u00e4@example.com"],
  hostname: ["example.com", "a"],
  "idn-hostname": ["example.com", "\u00fc.example"],
  ipv4: ["127.0.0.1", "255.255.255.255"],
  ipv6: ["::1", "2001:db8::8"],
  uri: ["http://example.com/a?b=c#d", "urn:example:a", "a:b"],
  "uri-reference": ["../a", "http://example.com/", "#a", ""],
  iri: ["http://example.com/\u00e4", "urn:example:a"],
  "iri-reference": ["../\u00e4", ""],
  "uri-template": ["http://example.com/{id}", ""],
  uuid: ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000"],
  "json-pointer": ["/a/0", ""],
  "relative-json-pointer": ["0#", "1/a"],
  regex: ["^a+$", ""],
};

/** Strings of a format; none for an unknown format. */
export function formatExamples(format: string): readonly string[] {
  return Object.hasOwn(EXAMPLES, format) ? EXAMPLES[format]! : [];
}

/** All examples of all formats. */
export const ALL_EXAMPLES: readonly string[] = Object.values(EXAMPLES).flat();

/** A string that likely matches a pattern; look-around is ignored. Undefined if the pattern cannot be parsed. */
export function stringMatching(pattern: string, random: Random): string | undefined {
  let tree: PatternNode;
  try {
    tree = readPattern(pattern);
  } catch (error) {
    if (!(error instanceof UnreadablePattern)) throw error;
    return undefined;
  }
  const parts: string[] = [];
  write(tree, random, parts);
  return parts.join("").slice(0, MAX_STRING_CHARACTERS);
}

function write(node: PatternNode, random: Random, parts: string[]): void {
  if (parts.length > MAX_STRING_CHARACTERS) return;
  switch (node.kind) {
    case "set":
      parts.push(characterOf(node.set, random));
      return;
    case "sequence":
      for (const item of node.items) write(item, random, parts);
      return;
    case "choice":
      write(random.pick(node.items), random, parts);
      return;
    case "repeat": {
      const most = Math.min(node.max, node.min + MAX_EXTRA_REPETITIONS, MAX_STRING_CHARACTERS);
      const count = random.chance(0.4) ? node.min : random.integer(Math.min(node.min, most), most);
      for (let done = 0; done < count && parts.length <= MAX_STRING_CHARACTERS; done += 1)
        write(node.item, random, parts);
      return;
    }
    case "look":
      if (!node.negated && !node.behind && random.chance(0.3)) write(node.item, random, parts);
      return;
    default:
  }
}

const PRINTABLE = Array.from({ length: 95 }, (_, index) => 0x20 + index);
const UNUSUAL = [0x09, 0x0a, 0xe4, 0x3b1, 0x4e2d, 0x1f600, 0x0d];

function characterOf(set: CodePointSet, random: Random): string {
  if (!set.negated && set.ranges.length > 0 && (set.tests.length === 0 || random.chance(0.7))) {
    const [low, high] = random.pick(set.ranges);
    const codePoint = random.chance(0.5) ? random.pick([low, high]) : random.integer(low, Math.min(high, low + 100));
    return String.fromCodePoint(codePoint);
  }
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const codePoint = random.pick(random.chance(0.9) ? PRINTABLE : UNUSUAL);
    if (isInSet(set, codePoint)) return String.fromCodePoint(codePoint);
  }
  const found = [...PRINTABLE, ...UNUSUAL].find((codePoint) => isInSet(set, codePoint));
  return found === undefined ? "" : String.fromCodePoint(found);
}

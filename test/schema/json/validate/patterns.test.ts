import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PATTERN_DEPTH } from "../../../../schema/json/validate/pattern-syntax.ts";
import {
  compilePattern,
  isValidPattern,
  MAX_PATTERN_CHARACTERS,
  MAX_PATTERN_STATES,
} from "../../../../schema/json/validate/patterns.ts";

const SEED = 7_300_419;
const BUDGET = 10_000_000;

function matches(source: string, text: string): boolean | undefined {
  const compiled = compilePattern(source);
  if (!compiled.ok) throw new Error(compiled.refusal.message);
  return compiled.value.matches(text, { remaining: BUDGET });
}

const atom = fc.constantFrom(
  ..."abc.^$- 1é😀",
  ..."\\d \\D \\w \\W \\s \\S \\b \\B \\. \\- \\/ \\t \\u0061 \\u{1F600} \\x61 \\cJ \\0 \\p{L} \\P{L} \\p{Script=Greek}".split(
    " ",
  ),
  ..."[ab] [^a] [a-c1] [] [^] [\\d-] [😀-😂] [\\b] [\\]] [^\\w\\s]".split(" "),
);
const pattern = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.array(tie("pattern"), { maxLength: 3 }).map((parts) => parts.join("")),
    fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie("pattern"), fc.constantFrom(..."* + ? {2} {1,3} {0,} *? +? {0}".split(" ")))
      .map(([item, quantifier]) => `(${item})${quantifier}`),
    fc
      .tuple(fc.constantFrom("(?=", "(?!", "(?<=", "(?<!", "(?<name>"), tie("pattern"))
      .map(([open, item]) => `${open}${item})`),
  ),
})).pattern;
const text = fc.string({ unit: fc.constantFrom(..."abc1 -é😀\n.\tαA"), maxLength: 10 });

describe("compilePattern", () => {
  it("matches what ECMA-262 matches with the u flag", () => {
    const seen = { yes: 0, no: 0 };
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        fc.pre(isValidPattern(source));
        const found = new RegExp(source, "u").exec(subject);
        // Engines also look for matches inside surrogate pairs, contrary to the standard's algorithm.
        fc.pre(found === null || !/[\udc00-\udfff]/.test(subject[found.index] ?? "") || found.index === 0);
        seen[found === null ? "no" : "yes"] += 1;
        expect({ source, subject, found: matches(source, subject) }).toEqual({
          source,
          subject,
          found: found !== null,
        });
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(2_000);
  });

  it.each([
    ["^[\\w-\\.]+$", "a.b-c"],
    ["\\_\\@\\-", "_@-"],
    ["^a{,2}$", "a{,2}"],
    ["^x{$", "x{"],
    ["]}", "]}"],
    ["\\8", "8"],
    ["\\101", "A"],
  ])("reads %s like a pattern without the u flag", (source, subject) => {
    expect(matches(source, subject)).toBe(true);
  });

  it.each(["(", ")", "[", "a**", "*", "(?x)", "\\", "[b-a]", "a{2,1}", "\\p{Nothing}", "\\u{110000}", "(?<", "\\c1"])(
    "refuses %s as invalid",
    (source) => {
      expect(compilePattern(source)).toMatchObject({ ok: false, refusal: { reason: "invalid" } });
    },
  );

  it.each(["(a)\\1", "(?<n>a)\\k<n>"])("refuses the back reference in %s as unsupported", (source) => {
    expect(compilePattern(source)).toMatchObject({ ok: false, refusal: { reason: "unsupported" } });
  });

  it("accepts patterns up to each limit and no further", () => {
    const nested = (depth: number) => "(".repeat(depth) + ")".repeat(depth);

    expect(compilePattern(`a{${MAX_PATTERN_STATES}}`).ok).toBe(true);
    expect(compilePattern(`a{${MAX_PATTERN_STATES + 1}}`).ok).toBe(false);
    expect(compilePattern("((a{1000}){1000}){1000}").ok).toBe(false);
    expect(compilePattern(nested(MAX_PATTERN_DEPTH)).ok).toBe(true);
    expect(compilePattern(nested(MAX_PATTERN_DEPTH + 1)).ok).toBe(false);
    expect(compilePattern(`[${"a".repeat(MAX_PATTERN_CHARACTERS - 2)}]`).ok).toBe(true);
    expect(compilePattern(`[${"a".repeat(MAX_PATTERN_CHARACTERS - 1)}]`).ok).toBe(false);
  });

  it("takes time proportional to the text where backtracking would be exponential", () => {
    const subject = `${"a".repeat(20_000)}!`;

    for (const source of ["^(a+)+$", "^(a|aa)*$", "(a*)*b", "(?=(a+)+$)b", "(?<!(a+)+)c"]) {
      expect(matches(source, subject)).toBe(false);
    }
  });

  it("gives up when the budget is exhausted", () => {
    const compiled = compilePattern("^(a?){100}$");

    expect(compiled.ok && compiled.value.matches("a".repeat(1_000), { remaining: 1_000 })).toBeUndefined();
    expect(compiled.ok && compiled.value.matches("aa", { remaining: 1_000 })).toBe(true);
  });
});

describe("isValidPattern", () => {
  it("agrees with ECMA-262 with the u flag", () => {
    expect(isValidPattern("^[a-z]+(?=x)$")).toBe(true);
    expect(isValidPattern("^[\\w-\\.]+$")).toBe(false);
    expect(isValidPattern("(".repeat(100_000))).toBe(false);
  });
});

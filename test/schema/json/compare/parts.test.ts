import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ComparisonMeter, MAX_COMPARE_WORK } from "../../../../schema/json/compare/bounds.ts";
import { maximumMatching } from "../../../../schema/json/compare/confluent/matching.ts";
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOfNumber,
  decimalText,
  floorToMultiple,
  isMultipleOf,
  leastCommonMultiple,
  MAX_ADDED_DIGITS,
  MAX_DECIMAL_DIGITS,
  MAX_DECIMAL_EXPONENT,
  readDecimal,
} from "../../../../schema/json/compare/decimal.ts";
import { literalPattern, PatternSearch } from "../../../../schema/json/compare/semantic/pattern-search.ts";
import { stringMatching } from "../../../../schema/json/witness/strings.ts";
import { parseJsonText } from "../../../../schema/json-text.ts";
import { Random } from "../../../../schema/random.ts";
import { TooComplexComparison } from "../../../../schema/work-meter.ts";

const SEED = 20_261_124;

function decimal(text: string): Decimal {
  const parsed = parseJsonText(text);
  if (!parsed.ok || parsed.value.root.type !== "number") throw new Error(text);
  return readDecimal(parsed.value.root);
}

describe("decimals", () => {
  it.each([
    ["0.1", "0.10", 0],
    ["9007199254740993", "9007199254740992", 1],
    ["-1e-3", "-0.0011", 1],
    ["1e400", "1e399", 1],
    ["0", "-0.0", 0],
  ])("compares %s with %s exactly", (a, b, order) => {
    expect(compareDecimals(decimal(a), decimal(b))).toBe(order);
  });

  it.each([
    ["0.3", "0.1", true],
    ["0.35", "0.1", false],
    ["1e20", "3", false],
    ["0", "7", true],
    ["5", "0", false],
  ])("decides whether %s is a multiple of %s", (a, b, is) => {
    expect(isMultipleOf(decimal(a), decimal(b))).toBe(is);
  });

  it.each([
    ["1e400", "1e401", -1],
    [`1${"0".repeat(400)}`, `1${"0".repeat(401)}`, -1],
    ["1e999999999", "1e1000", 1],
    ["-1e999999999", "-1e1000", -1],
    ["12e-999999999", "1.2e-999999998", 0],
    [`0.${"1".repeat(401)}`, `0.${"1".repeat(402)}`, -1],
  ])("compares %s with %s without expanding them", (a, b, order) => {
    expect(Math.sign(compareDecimals(decimal(a), decimal(b)))).toBe(order);
  });

  it.each([
    ["3e-1500", "1e-1500", true],
    ["1e-1500", "3e-1500", false],
    ["6e999999999", "7", false],
    ["7e999999999", "7", true],
    ["1e999999999", "1e-999999999", true],
    ["1e-999999999", "1e999999999", false],
  ])("decides whether %s is a multiple of %s, for any exponents", (a, b, is) => {
    expect(isMultipleOf(decimal(a), decimal(b))).toBe(is);
  });

  it("is undefined if the result has more digits than both operands together", () => {
    const [huge, one] = [decimal(`1e${MAX_ADDED_DIGITS + 1}`), decimal("1")];

    expect(addDecimals(huge, one)).toBeUndefined();
    expect(floorToMultiple(huge, one)).toBeUndefined();
    expect(leastCommonMultiple(huge, one)).toBeUndefined();
    expect(addDecimals(decimal(`1e${MAX_ADDED_DIGITS}`), one)).toBeDefined();
  });

  it("accepts numbers up to the digit limit and refuses longer ones with their location", () => {
    expect(compareDecimals(decimal("1".repeat(MAX_DECIMAL_DIGITS)), decimal("1"))).toBe(1);
    expect(() => decimal("1".repeat(MAX_DECIMAL_DIGITS + 1))).toThrow(TooComplexComparison);
    expect(compareDecimals(decimal(`1e${MAX_DECIMAL_EXPONENT}`), decimal("1"))).toBe(1);
    expect(() => decimal(`1e${MAX_DECIMAL_EXPONENT}0`)).toThrow(TooComplexComparison);
  });

  it("adds, rounds down and finds common multiples correctly", () => {
    const tenths = fc.integer({ min: -10_000, max: 10_000 }).map((value) => value / 10);
    fc.assert(
      fc.property(tenths, tenths, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (a, b, c, d) => {
        const [x, y, step, other] = [a, b, c / 10, d / 10].map(decimalOfNumber) as [Decimal, Decimal, Decimal, Decimal];
        const floor = floorToMultiple(x, step)!;
        const common = leastCommonMultiple(step, other)!;

        expect(Number(decimalText(addDecimals(x, y)!))).toBeCloseTo(a + b, 9);
        expect(isMultipleOf(floor, step) && compareDecimals(floor, x) <= 0).toBe(true);
        expect(compareDecimals(addDecimals(floor, step)!, x)).toBe(1);
        expect(isMultipleOf(common, step) && isMultipleOf(common, other)).toBe(true);
      }),
      { seed: SEED },
    );
  });
});

describe("maximumMatching", () => {
  it("finds as many pairs as exhaustive search", () => {
    const graph = fc
      .integer({ min: 1, max: 5 })
      .chain((right) =>
        fc.record({ right: fc.constant(right), edges: fc.array(fc.uniqueArray(fc.nat(right - 1)), { maxLength: 5 }) }),
      );
    const best = (edges: readonly number[][], at: number, taken: ReadonlySet<number>): number => {
      const own = edges[at];
      if (own === undefined) return 0;
      const free = own.filter((node) => !taken.has(node));
      return Math.max(
        best(edges, at + 1, taken),
        ...free.map((node) => 1 + best(edges, at + 1, new Set([...taken, node]))),
      );
    };
    fc.assert(
      fc.property(graph, ({ right, edges }) => {
        const partners = maximumMatching(
          edges.length,
          right,
          (left) => edges[left]!,
          () => true,
        );

        const matched = partners.filter((partner) => partner !== -1);
        expect(new Set(matched).size).toBe(matched.length);
        expect(partners.every((partner, left) => partner === -1 || edges[left]!.includes(partner))).toBe(true);
        expect(matched).toHaveLength(best(edges, 0, new Set()));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe("PatternSearch", () => {
  const patterns = [
    "^a",
    "b$",
    "^[a-c]+$",
    "^[a-z]*$",
    "\\d",
    "^a{1,2}$",
    ".",
    "^(ab|c)*$",
    "a.b",
    "[^a]",
    "^[^a]*$",
    "(a|b)c?$",
    "^$",
    "a$|^b",
    "x*",
    "^(?:a|bc){2,3}d$",
    "\\s",
    "^[^\\s]{2}$",
    "[\\u4e00-\\u9fff]",
    "\\.",
    "^\\w+-\\w+$",
  ];

  it("finds matching strings, and none if there are none", () => {
    const search = new PatternSearch(new ComparisonMeter(MAX_COMPARE_WORK));
    const some = fc.array(fc.constantFrom(...patterns), { minLength: 1, maxLength: 2 });
    const query = fc.record({
      matching: some,
      notMatching: fc.array(fc.constantFrom(...patterns), { maxLength: 1 }),
      minLength: fc.nat(3),
      maxLength: fc.option(fc.nat(5), { nil: undefined }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(query, ({ seed, ...asked }) => {
        const isAsked = (text: string) => {
          const length = Array.from(text).length;
          return (
            length >= asked.minLength &&
            length <= (asked.maxLength ?? length) &&
            asked.matching.every((pattern) => new RegExp(pattern, "u").test(text)) &&
            !asked.notMatching.some((pattern) => new RegExp(pattern, "u").test(text))
          );
        };

        const answer = search.find(asked);

        if (answer.kind === "found") expect(isAsked(answer.text)).toBe(true);
        if (answer.kind !== "none") return;
        const random = new Random(seed);
        for (let count = 0; count < 20; count += 1) {
          const text = stringMatching(random.pick(asked.matching), random) ?? "";
          expect(isAsked(text), text).toBe(false);
        }
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it.each(["^(?=a)b", "\\bword\\b", "(a)\\1", "\\p{L}+", "^(?:a{1000}){1000}$"])(
    "gives no result for %s",
    (pattern) => {
      const answer = new PatternSearch(new ComparisonMeter(MAX_COMPARE_WORK)).find({
        matching: [pattern],
        notMatching: [],
        minLength: 0,
        maxLength: undefined,
      });

      expect(answer).toEqual({ kind: "unknown" });
    },
  );

  it("gives up on automata that grow without limit", () => {
    const query = { matching: ["^.*a.{14}$"], notMatching: ["^.*b.{13}$"], minLength: 200, maxLength: undefined };

    expect(new PatternSearch(new ComparisonMeter(MAX_COMPARE_WORK)).find(query).kind).toBe("unknown");
  });
});

describe("literalPattern", () => {
  it.each(["a.b", "^$", "[x]{2}", "\\d", "(a|b)*+?", "a/b"])("matches %s and nothing else", (text) => {
    const pattern = new RegExp(literalPattern(text), "u");

    expect(pattern.test(text)).toBe(true);
    expect(pattern.test(`${text}x`) || pattern.test("axb")).toBe(false);
  });
});

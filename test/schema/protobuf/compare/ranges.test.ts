import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoveredNumbers, showRange } from "../../../../schema/protobuf/compare/ranges.ts";

describe("CoveredNumbers", () => {
  it("covers a range that several cover together, in whatever order they stand", () => {
    const adjacent = new CoveredNumbers([
      { from: 10, to: 20 },
      { from: 1, to: 4 },
      { from: 5, to: 9 },
    ]);

    expect(adjacent.covers({ from: 1, to: 20 })).toBe(true);
    expect(adjacent.covers({ from: 1, to: 21 })).toBe(false);
    expect(adjacent.covers({ from: 0, to: 20 })).toBe(false);
  });

  it("leaves out the numbers between two ranges", () => {
    const apart = new CoveredNumbers([
      { from: 1, to: 4 },
      { from: 6, to: 9 },
    ]);

    expect(apart.covers({ from: 1, to: 9 })).toBe(false);
    expect([4, 5, 6].map((number) => apart.has(number))).toEqual([true, false, true]);
  });

  it("covers what a set of the numbers would contain", () => {
    const range = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 10 }))
      .map(([from, more]) => ({ from, to: from + more }));

    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), range, (ranges, asked) => {
        const numbersOf = ({ from, to }: typeof asked) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
        const all = new Set(ranges.flatMap(numbersOf));

        expect(new CoveredNumbers(ranges).covers(asked)).toBe(numbersOf(asked).every((number) => all.has(number)));
      }),
    );
  });
});

describe("showRange", () => {
  it.each([
    [{ from: 5, to: 5 }, "5"],
    [{ from: 5, to: 9 }, "5 to 9"],
  ])("prints %o as %s", (range, printed) => {
    expect(showRange(range)).toBe(printed);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareJsonSchemas } from "../../../../schema/json/compare/compare.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";

/** Both ends inclusive; `to` is null if there is no upper bound. */
type Range = { from: number; to: number | null };

const KINDS = {
  number: ["minimum", "maximum"],
  integer: ["minimum", "maximum"],
  string: ["minLength", "maxLength"],
  array: ["minItems", "maxItems"],
  object: ["minProperties", "maxProperties"],
} as const;
type Kind = keyof typeof KINDS;

const FURTHEST = 12;

function modelOf(schema: unknown) {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: "draft-07" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems));
  return parsed.value.model;
}

function bounds(kind: Kind, { from, to }: Range): object {
  const [least, most] = KINDS[kind];
  return { [least]: from, ...(to !== null && { [most]: to }) };
}

function isCompatible(reader: unknown, writer: unknown): boolean {
  const comparison = compareJsonSchemas(modelOf(reader), modelOf(writer), { policy: "semantic", writers: "declared" });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences.every(({ severity }) => severity !== "breaking");
}

function isRead(kind: Kind, alternatives: readonly Range[], written: Range): boolean {
  const reader = { type: kind, anyOf: alternatives.map((range) => bounds(kind, range)) };
  return isCompatible(reader, { type: kind, ...bounds(kind, written) });
}

/** Counts and integers step by one; a number may also lie between two of them. */
function isCovered(kind: Kind, alternatives: readonly Range[], { from, to }: Range): boolean {
  const step = kind === "number" ? 0.5 : 1;
  const isIn = (value: number) => alternatives.some((each) => value >= each.from && value <= (each.to ?? value));
  for (let value = from; value <= (to ?? FURTHEST + 1); value += step) if (!isIn(value)) return false;
  return true;
}

const range: fc.Arbitrary<Range> = fc
  .tuple(fc.nat(FURTHEST), fc.nat(5), fc.boolean())
  .map(([from, more, isOpen]) => ({ from, to: isOpen ? null : Math.min(from + more, FURTHEST) }));

describe.each(Object.keys(KINDS) as Kind[])("alternatives of %s", (kind) => {
  it("read a writer's range exactly if they cover it together", () => {
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 4 }), range, (alternatives, written) => {
        expect(isRead(kind, alternatives, written)).toBe(isCovered(kind, alternatives, written));
      }),
      { numRuns: 300 },
    );
  });

  it("leave a gap, wherever it lies", () => {
    const written = { from: 0, to: null };

    expect(
      isRead(
        kind,
        [
          { from: 9, to: null },
          { from: 0, to: 4 },
          { from: 4, to: 9 },
        ],
        written,
      ),
    ).toBe(true);
    expect(
      isRead(
        kind,
        [
          { from: 9, to: null },
          { from: 0, to: 4 },
          { from: 6, to: 9 },
        ],
        written,
      ),
    ).toBe(false);
    expect(
      isRead(
        kind,
        [
          { from: 9, to: null },
          { from: 1, to: 9 },
        ],
        written,
      ),
    ).toBe(false);
    expect(
      isRead(
        kind,
        [
          { from: 0, to: 4 },
          { from: 4, to: 9 },
        ],
        written,
      ),
    ).toBe(false);
  });
});

describe("alternatives with many bounds", () => {
  const lengths = (count: number) => Array.from({ length: count }, (_, at) => ({ from: at, to: at }));

  it("are split at up to 256 of them; beyond that the comparison is too complex", () => {
    expect(isRead("string", lengths(257), { from: 0, to: 256 })).toBe(true);
    expect(isRead("string", lengths(257).toSpliced(100, 1), { from: 0, to: 256 })).toBe(false);
    expect(() => isRead("string", lengths(258), { from: 0, to: 257 })).toThrow(
      'The alternatives at "" have more than 256 different bounds.',
    );
  });

  it("are found among thousands of alternatives without bounds", () => {
    const names = Array.from({ length: 3_000 }, (_, at) => ({ const: `name ${at}` }));
    const reader = (gap: number) => ({
      type: "string",
      anyOf: [{ maxLength: 4 }, { minLength: 5 + gap }, ...names],
    });

    expect(isCompatible(reader(0), { type: "string" })).toBe(true);
    expect(isCompatible(reader(1), { type: "string" })).toBe(false);
  });

  it("are found in conditions and negations too", () => {
    const reader = { type: "string", not: { allOf: [{ minLength: 3 }, { maxLength: 5 }] } };

    expect(isCompatible(reader, { type: "string", anyOf: [{ maxLength: 2 }, { minLength: 6 }] })).toBe(true);
    expect(isCompatible(reader, { type: "string" })).toBe(false);
  });
});

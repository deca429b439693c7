import { describe, expect, it } from "vitest";
import {
  ComparisonMeter,
  MAX_COMPARE_BYTES,
  MAX_COMPARE_WORK,
  MAX_CONFLUENT_WORK,
  MAX_PATTERN_WORK,
} from "../../../../../schema/json/compare/bounds.ts";
import { compareInSlices, compareJsonSchemas } from "../../../../../schema/json/compare/compare.ts";
import { PatternMatches } from "../../../../../schema/json/compare/pattern-matches.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { TooComplexComparison } from "../../../../../schema/work-meter.ts";
import { manyDependents, manyDivisors, untaggedObjects } from "../../../../support/hostile-schemas.ts";

function modelOf(schema: unknown) {
  const parsed = parseJsonSchema(
    { text: typeof schema === "string" ? schema : JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: "2020-12" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems).slice(0, 300));
  return parsed.value.model;
}

describe("compareJsonSchemas under strict", () => {
  /** Members that are all compatible with each other take two steps per pair until one is found. */
  const alternatives = (count: number, type: string) =>
    modelOf({ anyOf: Array.from({ length: count }, (_, index) => ({ type, title: `${type} ${index}` })) });

  it(`takes at most ${MAX_CONFLUENT_WORK} steps`, () => {
    const count = Math.floor(Math.sqrt(MAX_CONFLUENT_WORK));
    const compare = (size: number) =>
      compareJsonSchemas(alternatives(size, "string"), alternatives(size, "integer"), {
        policy: "strict",
        writers: "declared",
      });

    expect(compare(Math.floor(count / 2))).toMatchObject({ ok: true });
    expect(compare(count)).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", message: expect.stringContaining(String(MAX_CONFLUENT_WORK)) },
    });
  });
});

describe("compareInSlices under semantic", () => {
  // Uncounted, each of them took seconds within one slice.
  it.each([manyDependents(8_000), manyDivisors(100, 3_000), untaggedObjects(800)])(
    "counts the work on $name",
    ({ reader, writer }) => {
      const options = { policy: "semantic", writers: "declared", beside: [] } as const;
      let micros = 0;

      const compared = compareInSlices(modelOf(reader), modelOf(writer), options);
      for (let next = compared.next(); !next.done; next = compared.next()) micros += next.value;

      expect(micros).toBeGreaterThan(250_000);
    },
  );
});

describe("ComparisonMeter", () => {
  it(`keeps ${MAX_COMPARE_BYTES} bytes and no more`, () => {
    const meter = new ComparisonMeter(MAX_COMPARE_WORK);

    meter.keep(MAX_COMPARE_BYTES, "/a");

    expect(() => meter.keep(1, "/b")).toThrow(TooComplexComparison);
  });
});

describe("PatternMatches", () => {
  it(`answers until ${MAX_PATTERN_WORK} states have been advanced`, () => {
    const patterns = new PatternMatches(new ComparisonMeter(MAX_COMPARE_WORK));
    const statesEach = 10_000;
    const text = (index: number) => `${index}${"a".repeat(statesEach)}`;
    const answers = Array.from({ length: (2 * MAX_PATTERN_WORK) / statesEach }, (_, index) =>
      patterns.matches("a+b", text(index)),
    );

    expect(answers[0]).toBe(false);
    expect(answers.at(-1)).toBeUndefined();
    expect(answers.filter((answer) => answer === false).length).toBeGreaterThan(0);
    expect(patterns.matches("a+b", text(0))).toBe(false);
  });
});

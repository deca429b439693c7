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
import {
  conjoinedAlternatives,
  manyDependents,
  manyDivisors,
  untaggedObjects,
} from "../../../../support/hostile-schemas.ts";

/** Half of what may pass without a pause. */
const LONGEST_SLICE_MICROS = 100_000;

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

describe("compareInSlices under semantic, on conditions", () => {
  type Conditions = (count: number, name: string) => object;
  const condition = (index: number) => ({ required: [`p${index}`] });
  const nested =
    (inner: "then" | "else", outer: "then" | "else"): Conditions =>
    (count, name) =>
      Array.from({ length: count }).reduce<object>(
        (chain, _, index) => ({ if: condition(index), [inner]: chain, [outer]: { required: [`${name}${index}`] } }),
        {},
      );
  const conjoined: Conditions = (count, name) => ({
    allOf: Array.from({ length: count }, (_, index) => ({
      if: condition(index),
      then: { required: [`${name}${index}`] },
    })),
  });

  // Uncounted, they ended with the memory instead, after several seconds and stretches of one second.
  it.each<[string, Conditions]>([
    ["nested in `else`", nested("else", "then")],
    ["nested in `then`", nested("then", "else")],
    ["beside each other", conjoined],
  ])("counts those %s", (_, of) => {
    const compared = compareJsonSchemas(modelOf(of(120, "r")), modelOf(of(120, "w")), {
      policy: "semantic",
      writers: "declared",
    });

    expect(compared).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", message: expect.stringContaining(`${MAX_COMPARE_WORK} steps`) },
    });
  });
});

describe("compareInSlices under semantic, on many alternatives of one location", () => {
  it("pauses between their cases", () => {
    const { reader, writer } = conjoinedAlternatives(100);
    const options = { policy: "semantic", writers: "declared", beside: [] } as const;

    const compared = compareInSlices(modelOf(reader), modelOf(writer), options);
    let longest = 0;
    let next = compared.next();
    for (; !next.done; next = compared.next()) longest = Math.max(longest, next.value);

    expect(next.value).toMatchObject({ ok: true });
    expect(longest).toBeLessThan(LONGEST_SLICE_MICROS);
  });
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

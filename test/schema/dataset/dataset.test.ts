import { describe, expect, it } from "vitest";
import { ExpectationCheck, MAX_UNIQUE_VALUES } from "../../../schema/dataset/expectations.ts";
import type { DatasetModel, Expectation } from "../../../schema/dataset/model.ts";
import { proposeRow } from "../../../schema/dataset/propose.ts";
import { compareSketches, type Sketch, sketchProblem } from "../../../schema/dataset/sketch.ts";
import { modelOf, rulesOf } from "../artefacts/models.ts";

const ROW = { type: "object", properties: { text: { type: "string" }, age: { type: "integer" } }, required: ["text"] };

function results(expectation: Partial<Expectation>, rows: readonly unknown[]) {
  const { own } = modelOf("dataset", { row: ROW, expectations: [{ name: "e", ...expectation }] }) as DatasetModel;
  const check = new ExpectationCheck(own.expectations);
  for (const [index, row] of rows.entries()) check.add(row, index + 1);
  return check.results()[0];
}

describe("registering a data set", () => {
  it.each([
    ["an expectation about nothing", { expectations: [{ name: "e" }] }, "expectation"],
    ["a check without a column", { expectations: [{ name: "e", minimum: 0 }] }, "expectation"],
    ["an empty range", { expectations: [{ name: "e", column: "age", minimum: 2, maximum: 1 }] }, "expectation"],
    ["an expression that cannot be read", { expectations: [{ name: "e", expression: "row." }] }, "cel"],
    ["a pattern that is none", { expectations: [{ name: "e", column: "text", pattern: "(" }] }, "pattern"],
    [
      "two expectations of one name",
      { expectations: [1, 2].map(() => ({ name: "e", expression: "true" })) },
      "repeated_name",
    ],
    ["repeated labels", { classes: { age: ["a", "a"] } }, "uniqueItems"],
    ["an impossible sketch", { sketch: { rows: 1, columns: { a: { nulls: 2, types: {} } } } }, "impossible"],
  ])("refuses %s", (_, more, rule) => {
    expect(rulesOf("dataset", { row: ROW, ...more })).toContain(rule);
  });
});

describe("expectations", () => {
  const rows = [{ text: "a", age: 1 }, { text: "b" }, { text: "a", age: 200 }, { text: "c", age: 3 }];

  it.each<[string, Partial<Expectation>, boolean, number[]]>([
    ["a share of nulls", { column: "age", max_null_rate: 0.25 }, true, []],
    ["too many nulls", { column: "age", max_null_rate: 0.2 }, false, []],
    ["a range", { column: "age", maximum: 120 }, false, [3]],
    ["unique values", { column: "text", unique: true }, false, [3]],
    ["a pattern", { column: "text", pattern: "^[ab]$" }, false, [4]],
    ["an expression", { expression: "size(row.text) == 1" }, true, []],
    ["an expression that fails on a row", { expression: "row.age > 0" }, false, [2]],
    ["only some rows", { when: 'row.text == "a"', column: "age", maximum: 120 }, false, [3]],
  ])("are held against %s", (_, expectation, met, lines) => {
    expect(results(expectation, rows)).toMatchObject({ met, lines });
  });

  it.each([
    ["the order of members", [{ text: { x: 1, y: [2] } }, { text: { y: [2], x: 1 } }], [2]],
    ["numbers beyond 2^53", [{ text: { x: 12345678901234567890n } }, { text: { x: 12345678901234567891n } }], []],
    ["the same number beyond 2^53", [{ text: [2n ** 64n] }, { text: [2n ** 64n] }], [2]],
    ["a text like a number", [{ text: 2n ** 64n }, { text: `${2n ** 64n}` }], []],
  ])("find repeated values despite %s", (_, repeated, lines) => {
    expect(results({ column: "text", unique: true }, repeated)).toMatchObject({ met: lines.length === 0, lines });
  });

  it("are not decided beyond a number of distinct values", () => {
    const distinct = (count: number) => Array.from({ length: count }, (_, index) => ({ text: String(index) }));

    expect(results({ column: "text", unique: true }, distinct(MAX_UNIQUE_VALUES))).toMatchObject({ met: true });
    expect(results({ column: "text", unique: true }, distinct(MAX_UNIQUE_VALUES + 1))).toMatchObject({ met: null });
  });
});

describe("sketches", () => {
  const sketch = (column: object, rows = 100): Sketch => ({
    rows,
    columns: { age: column as Sketch["columns"][string] },
  });
  const numbers = (from: number, to: number) => ({
    nulls: 0,
    types: { integer: 100 },
    quantiles: Array.from({ length: 11 }, (_, index) => from + ((to - from) * index) / 10),
  });

  it.each([
    ["more nulls than rows", { nulls: 101, types: {} }, "/columns/age/nulls"],
    ["other counts than rows", { nulls: 1, types: { integer: 100 } }, "/columns/age/types"],
    ["quantiles that descend", { nulls: 0, types: { integer: 100 }, quantiles: [2, 1] }, "/columns/age/quantiles"],
    [
      "more top values than rows",
      { nulls: 0, types: { integer: 100 }, top: [{ value: 1, count: 101 }] },
      "/columns/age/top",
    ],
    [
      "a top value listed twice",
      { nulls: 0, types: { integer: 100 }, top: [1, 1].map((value) => ({ value, count: 50 })) },
      "/columns/age/top",
    ],
    ["a type that JSON does not have", { nulls: 0, types: { banana: 100 } }, "/columns/age/types"],
    ["quantiles and no numbers", { nulls: 0, types: { string: 100 }, quantiles: [1, 2] }, "/columns/age/quantiles"],
    [
      "a quantile that no number can hold",
      { nulls: 0, types: { integer: 100 }, quantiles: [1, Number.POSITIVE_INFINITY] },
      "/columns/age/quantiles",
    ],
  ])("are impossible with %s", (_, column, pointer) => {
    expect(sketchProblem(sketch(column))).toMatchObject({ rule: "impossible", pointer });
  });

  it("do not drift from themselves", () => {
    expect(compareSketches(sketch(numbers(0, 100)), sketch(numbers(0, 100)))).toMatchObject([
      { drift: "none", psi: 0, ks: 0, jensen_shannon: 0, structure: [] },
    ]);
  });

  it("drift with their distribution", () => {
    const [drift] = compareSketches(sketch(numbers(0, 100)), sketch(numbers(50, 150)));

    expect(drift).toMatchObject({ drift: "strong", structure: [] });
    expect(drift!.ks).toBeCloseTo(0.5, 5);
    expect(drift!.psi).toBeGreaterThan(0.25);
  });

  it.each<[string, object, string[]]>([
    ["types", { nulls: 0, types: { string: 100 } }, ["types"]],
    ["nulls", { nulls: 50, types: { integer: 50 } }, ["nulls"]],
    ["values", { nulls: 0, types: { integer: 100 }, top: [{ value: 3, count: 100 }] }, ["values"]],
  ])("drift in structure by their %s", (_, column, structure) => {
    const before = sketch({
      nulls: 0,
      types: { integer: 100 },
      top: [
        { value: 1, count: 60 },
        { value: 2, count: 40 },
      ],
    });

    expect(compareSketches(before, sketch(column))).toMatchObject([{ structure, drift: "strong" }]);
  });

  it("propose the row that takes the drift up", () => {
    const { root } = modelOf("dataset", { row: ROW }) as DatasetModel;
    const before: Sketch = {
      rows: 2,
      columns: { text: { nulls: 0, types: { string: 2 } }, age: { nulls: 0, types: { integer: 2 } } },
    };
    const after: Sketch = {
      rows: 2,
      columns: {
        text: { nulls: 1, types: { string: 1 } },
        age: { nulls: 0, types: { number: 2 } },
        lang: { nulls: 0, types: { string: 2 } },
      },
    };

    expect(proposeRow(root, compareSketches(before, after), after)).toEqual({
      type: "object",
      properties: { text: { type: ["string", "null"] }, age: { type: "number" }, lang: { type: "string" } },
      required: ["lang"],
    });
    expect(proposeRow(root, compareSketches(before, before), before)).toBeUndefined();
  });
});

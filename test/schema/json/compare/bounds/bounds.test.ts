import { describe, expect, it } from "vitest";
import { type Policy, WRITER_ASSUMPTIONS, type WriterAssumption } from "../../../../../schema/compatibility.ts";
import {
  ComparisonMeter,
  MAX_COMPARE_DEPTH,
  MAX_COMPARE_WORK,
  MAX_LISTED_DIFFERENCES,
} from "../../../../../schema/json/compare/bounds.ts";
import { compareJsonSchemas } from "../../../../../schema/json/compare/compare.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { jsonWitnesses } from "../../../../../schema/json/witness/witness.ts";
import { TooComplexComparison } from "../../../../../schema/work-meter.ts";
import { HOSTILE } from "./hostile.ts";

/** Far above what any of them takes on an idle machine, because the test looks for hangs. */
const PATIENCE_MS = 20_000;

const CASES: [Policy, WriterAssumption][] = [
  ["strict", "declared"],
  ["lenient", "declared"],
  ["semantic", "declared"],
  ["semantic", "any"],
];

function modelOf(schema: unknown) {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: "draft-07" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems).slice(0, 300));
  return parsed.value.model;
}

describe.each(Object.entries(HOSTILE))("compareJsonSchemas and jsonWitnesses on %s", (_name, { reader, writer }) => {
  it.each(CASES)(
    "terminate under %s with writers %s",
    (policy, writers) => {
      const models = { reader: modelOf(reader), writer: modelOf(writer) };

      const comparison = compareJsonSchemas(models.reader, models.writer, { policy, writers });

      const breaking = comparison.ok
        ? comparison.value.differences.filter(({ severity }) => severity === "breaking")
        : [];
      const witnesses = jsonWitnesses(models.reader, models.writer, breaking.slice(0, 3), {
        seed: 1,
        maxAttempts: 50,
        writers,
      });
      expect(witnesses).toHaveLength(Math.min(3, breaking.length));
      if (!comparison.ok)
        expect(comparison).toMatchObject({ refusal: { reason: "too_complex", message: expect.stringMatching(/./) } });
    },
    PATIENCE_MS,
  );
});

describe("compareJsonSchemas", () => {
  /** A chain of references, nested at the same location or one part deeper each time. */
  const chain = (length: number, leaf: unknown, link: (next: unknown) => unknown) => ({
    definitions: Object.fromEntries([
      ...Array.from({ length }, (_, index) => [`d${index}`, link({ $ref: `#/definitions/d${index + 1}` })]),
      [`d${length}`, leaf],
    ]),
    $ref: "#/definitions/d0",
  });
  const compareChains = (
    length: number,
    link: (next: unknown) => unknown,
    policy: Policy,
    writers: WriterAssumption,
  ) => {
    const [reader, writer] = [chain(length, { type: "number" }, link), chain(length, { type: "integer" }, link)];
    return compareJsonSchemas(modelOf(reader), modelOf(writer), { policy, writers });
  };
  const inPlace = (next: unknown) => ({ allOf: [next, { title: "other" }] });
  const below = (next: unknown) => ({ type: "object", properties: { next } });

  it.each(WRITER_ASSUMPTIONS)(
    "decides schemas nested at one location up to a limit, and refuses deeper ones, with writers %s",
    (writers) => {
      expect(compareChains(MAX_COMPARE_DEPTH / 4, inPlace, "semantic", writers)).toMatchObject({ ok: true });
      expect(compareChains(MAX_COMPARE_DEPTH + 1, inPlace, "semantic", writers)).toMatchObject({
        ok: false,
        refusal: { reason: "too_complex" },
      });
    },
  );

  it.each(CASES)("decides deeply nested parts of values, under %s with writers %s", (policy, writers) => {
    const [reader, writer] = [chain(2_000, { type: "integer" }, below), chain(2_000, { type: "number" }, below)];

    const comparison = compareJsonSchemas(modelOf(reader), modelOf(writer), { policy, writers });

    if (!comparison.ok) throw new Error(comparison.refusal.message);
    const breaking = comparison.value.differences.filter(({ severity }) => severity === "breaking");
    expect(breaking).toMatchObject([{ kind: "TYPE_NARROWED" }]);
    expect(compareChains(2_000, below, policy, writers)).toMatchObject({
      ok: true,
      value: { differences: [{ kind: "TYPE_EXTENDED" }] },
    });
  });

  it("lists a limited number of differences, breaking ones first, and reports the total", () => {
    const names = Array.from({ length: MAX_LISTED_DIFFERENCES + 10 }, (_, index) => `p${index}`);
    const schema = (type: string, title: string) => ({
      properties: Object.fromEntries([...names.map((name) => [name, { title }]), ["last", { type }]]),
    });

    for (const policy of ["strict", "semantic"] as const) {
      const options = { policy, writers: "declared" } as const;
      const comparison = compareJsonSchemas(modelOf(schema("string", "a")), modelOf(schema("integer", "b")), options);

      if (!comparison.ok) throw new Error(comparison.refusal.message);
      expect(comparison.value.differences).toHaveLength(MAX_LISTED_DIFFERENCES);
      expect(comparison.value.differences_total).toBe(MAX_LISTED_DIFFERENCES + 11);
      expect(comparison.value.differences[0]).toMatchObject({ severity: "breaking" });
      expect(comparison.value.differences.filter(({ severity }) => severity === "breaking")).toHaveLength(1);
    }
  });
});

describe("ComparisonMeter", () => {
  it("allows work up to its limit and refuses the next step with the location", () => {
    const meter = new ComparisonMeter(MAX_COMPARE_WORK);

    meter.spend(MAX_COMPARE_WORK, "/a");

    expect(() => meter.spend(1, "/b")).toThrow(TooComplexComparison);
    expect(() => meter.spend(1, "/b")).toThrow('"/b"');
  });

  it("allows nesting up to its limit and refuses one more level", () => {
    const meter = new ComparisonMeter(MAX_COMPARE_WORK);
    const nest = (levels: number) => {
      let entered = 0;
      try {
        for (; entered < levels; entered += 1) meter.enter("/a");
        return entered;
      } finally {
        for (; entered > 0; entered -= 1) meter.leave();
      }
    };

    expect(nest(MAX_COMPARE_DEPTH)).toBe(MAX_COMPARE_DEPTH);
    expect(() => nest(MAX_COMPARE_DEPTH + 1)).toThrow(TooComplexComparison);
    expect(nest(1)).toBe(1);
  });
});

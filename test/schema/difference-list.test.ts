import { describe, expect, it } from "vitest";
import {
  type Comparison,
  type Difference,
  findUndecided,
  type Severity,
  sortByImportance,
  toUndecidedDifference,
} from "../../schema/compatibility.ts";
import {
  boundedComparison,
  listWithin,
  MAX_DIFFERENCES,
  MAX_MESSAGE_CHARACTERS,
  trimComparison,
} from "../../schema/difference-list.ts";
import { computeVerdict } from "../../schema/facts.ts";
import { formatNamed } from "../../schema/formats.ts";

const difference = (severity: Severity, message = "m"): Difference => ({
  kind: "K",
  reader_pointer: "",
  writer_pointer: "",
  message,
  severity,
});
const many = (count: number, severity: Severity) => Array.from({ length: count }, () => difference(severity));
const compared = (differences: Difference[]): Comparison => ({ ok: true, value: { differences } });

describe("boundedComparison", () => {
  it("leaves a list within the limit unchanged", () => {
    const all = many(MAX_DIFFERENCES, "breaking");

    expect(boundedComparison(compared(all))).toEqual({ ok: true, value: { differences: all } });
  });

  it("reports that breaking ones may be hidden only if all listed ones break", () => {
    const breaking = boundedComparison(compared(many(MAX_DIFFERENCES + 1, "breaking")));
    const mixed = boundedComparison(compared([...many(MAX_DIFFERENCES, "info"), difference("breaking")]));

    expect(breaking).toMatchObject({ value: { differences_total: MAX_DIFFERENCES + 1, hides_breaking: true } });
    expect(mixed).toMatchObject({ value: { differences_total: MAX_DIFFERENCES + 1 } });
    expect(mixed).not.toHaveProperty("value.hides_breaking");
    expect(mixed.ok && mixed.value.differences.at(-1)?.severity).toBe("breaking");
  });

  it("truncates messages with long names", () => {
    const whole = boundedComparison(compared([difference("info", "x".repeat(MAX_MESSAGE_CHARACTERS))]));
    const cut = boundedComparison(compared([difference("info", "x".repeat(MAX_MESSAGE_CHARACTERS + 1))]));

    expect(whole.ok && whole.value.differences[0]!.message.endsWith("x")).toBe(true);
    expect(cut.ok && cut.value.differences[0]!.message.endsWith("x…")).toBe(true);
  });
});

describe("that semantic could not decide", () => {
  const undecided = toUndecidedDifference({ reason: "too_complex", pointer: "/a", message: "Too much." });
  const breaking = many(MAX_DIFFERENCES, "breaking");

  it("stays in a list full of breaking differences", () => {
    const bounded = boundedComparison(compared([undecided, ...breaking]));
    const trimmed = trimComparison(compared([undecided, ...breaking]), 1_000);

    for (const comparison of [bounded, trimmed]) {
      expect(comparison).toMatchObject({
        value: { differences_total: MAX_DIFFERENCES + 1, hides_breaking: true },
      });
      expect(comparison.ok && comparison.value.differences[0]).toEqual(undecided);
      expect(
        comparison.ok && comparison.value.differences.slice(1).every(({ severity }) => severity === "breaking"),
      ).toBe(true);
    }
    expect(sortByImportance([...breaking, undecided])[0]).toEqual(undecided);
  });

  it("is the first difference of a verdict by strict, and is counted", () => {
    const sets = (type: string) => {
      const properties = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`p${index}`, { type }]));
      return Object.fromEntries(
        Array.from({ length: 80 }, (_, index) => [`o${index}`, { type: "object", properties }]),
      );
    };
    const side = (type: string) => ({
      source: { text: JSON.stringify({ type: "object", properties: sets(type) }), references: [] },
      dialect: null,
    });
    const options = { policy: "semantic", writers: "declared" } as const;

    const verdict = computeVerdict(formatNamed("json-schema"), side("string"), side("integer"), options);

    expect(verdict).toMatchObject({ value: { differences_total: 80 * 300 + 1, hides_breaking: true } });
    expect(verdict.ok && findUndecided(verdict.value.differences)).toBe(verdict.ok && verdict.value.differences[0]);
  });
});

describe("trimComparison", () => {
  it("keeps the count, and the report of hidden breaking ones after a rule has lowered listed ones", () => {
    const lowered: Comparison = {
      ok: true,
      value: { differences: many(10, "info"), differences_total: 700, hides_breaking: true },
    };

    const trimmed = trimComparison(lowered, 300);

    expect(trimmed).toMatchObject({ value: { differences_total: 700, hides_breaking: true } });
    expect(trimmed.ok && trimmed.value.differences.length).toBeLessThan(10);
  });

  it("hides breaking ones only if no other difference is left", () => {
    const bytes = JSON.stringify(difference("breaking")).length + 1;
    const all = [...many(2, "info"), ...many(2, "breaking")];

    expect(trimComparison(compared(all), 2 * bytes)).toMatchObject({
      value: { differences_total: 4, hides_breaking: true },
    });
    expect(trimComparison(compared(all), 3 * bytes)).not.toHaveProperty("value.hides_breaking");
  });
});

describe("listWithin", () => {
  it("selects breaking ones first, and keeps their order", () => {
    const [info, warning, breaking] = [difference("info"), difference("warning"), difference("breaking")];
    const bytes = JSON.stringify(warning).length + JSON.stringify(breaking).length + 2;

    expect(listWithin([info, warning, breaking], bytes)).toEqual([warning, breaking]);
    expect(listWithin([info, warning, breaking], bytes - 1)).toEqual([breaking]);
  });
});

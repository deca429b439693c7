import { describe, expect, it } from "vitest";
import { MAX_REASONS, suggestBump } from "../../schema/bump.ts";
import type { Difference } from "../../schema/compatibility.ts";
import {
  bumpBetween,
  compareSemvers,
  isRange,
  isStepEnough,
  MAX_SEMVER_CHARACTERS,
  nextSemver,
  parseSemver,
  satisfiesRange,
} from "../../schema/semver.ts";

describe("parseSemver", () => {
  it("keeps pre-release and build metadata and refuses anything but a semver", () => {
    expect(parseSemver("1.2.3-rc.1+build.5")).toBe("1.2.3-rc.1+build.5");
    expect(["1.2", "v1.2.3", "01.2.3", "latest", ""].map(parseSemver)).toEqual(Array(5).fill(undefined));
  });

  it("accepts 128 characters and refuses 129", () => {
    const semver = (length: number) => `1.0.0-${"a".repeat(length - 6)}`;

    expect(parseSemver(semver(MAX_SEMVER_CHARACTERS))).toHaveLength(MAX_SEMVER_CHARACTERS);
    expect(parseSemver(semver(MAX_SEMVER_CHARACTERS + 1))).toBeUndefined();
  });
});

describe("ranges", () => {
  it("have an operator, an x or fewer than three parts", () => {
    expect(["^2", "~1.4", "1.x", ">=1 <3", "1"].map(isRange)).toEqual([true, true, true, true, true]);
    expect(["1.2.3", "nonsense", ""].map(isRange)).toEqual([false, false, false]);
  });

  it("match semvers by precedence", () => {
    expect(satisfiesRange("2.3.1", "^2")).toBe(true);
    expect(satisfiesRange("3.0.0", "^2")).toBe(false);
    expect(compareSemvers("1.10.0", "1.9.0")).toBe(1);
  });
});

describe("nextSemver", () => {
  it.each([
    ["1.2.3", "major", "2.0.0"],
    ["1.2.3", "minor", "1.3.0"],
    ["1.2.3", "patch", "1.2.4"],
    ["0.4.1", "major", "0.5.0"],
    ["0.4.1", "minor", "0.4.2"],
    ["2.0.0-rc.1+b", "patch", "2.0.0-rc.2"],
    ["2.0.0-rc.1", "major", "2.0.0-rc.2"],
    ["1.5.0-rc.4", "major", "2.0.0-rc.1"],
    ["1.5.0-alpha", "minor", "1.5.0-alpha.0"],
    ["1.5.1-alpha", "minor", "1.6.0-alpha"],
    ["0.5.0-rc.1", "major", "0.5.0-rc.2"],
    ["1.0.9007199254740991", "patch", undefined],
  ] as const)("follows %s after a %s change with %s", (previous, bump, next) => {
    expect(nextSemver(previous, bump)).toBe(next);
  });
});

describe("isStepEnough", () => {
  it.each([
    ["2.0.0", "1.4.2", "major", true],
    ["1.5.0", "1.4.2", "major", false],
    ["2.0.0-rc.1+build.7", "1.4.2", "major", true],
    ["1.4.3", "1.4.2", "minor", false],
    ["1.5.0-beta", "1.4.2", "minor", true],
    ["1.4.3", "1.4.2", "patch", true],
    ["0.5.0", "0.4.2", "major", true],
    ["0.4.3", "0.4.2", "major", false],
    ["0.4.3", "0.4.2", "minor", true],
    ["1.0.0", "0.4.2", "major", true],
    ["2.0.0-rc.2", "2.0.0-rc.1", "major", true],
    ["1.5.0-rc.2", "1.5.0-rc.1", "major", false],
    ["1.5.0", "1.5.0-rc.1", "minor", true],
  ] as const)("decides whether %s is enough from %s for a %s: %s", (semver, previous, bump, enough) => {
    expect(isStepEnough(semver, previous, bump)).toBe(enough);
  });
});

describe("bumpBetween", () => {
  it.each([
    ["1.2.3", "2.0.0", "major"],
    ["1.2.3", "1.3.0", "minor"],
    ["1.2.3", "1.2.4", "patch"],
    ["0.4.1", "0.5.0", "major"],
    ["0.4.1", "0.4.2", "minor"],
  ] as const)("reads %s to %s as a %s", (previous, next, bump) => {
    expect(bumpBetween(previous, next)).toBe(bump);
  });
});

describe("suggestBump", () => {
  const difference = (kind: string, severity: Difference["severity"]): Difference => ({
    kind,
    severity,
    reader_pointer: "",
    writer_pointer: "",
    message: kind,
  });
  const breaks = { backward: [difference("TYPE_CHANGED", "breaking")], forward: [] };

  it("suggests a major only if a guaranteed direction breaks", () => {
    expect(suggestBump(breaks, "BACKWARD").bump).toBe("major");
    expect(suggestBump(breaks, "NONE").bump).toBe("major");
    expect(suggestBump(breaks, "FORWARD").bump).toBe("minor");
  });

  it("suggests a minor if programs can observe the change, and a patch if only humans can", () => {
    const added = { backward: [], forward: [difference("FIELD_ADDED", "info")] };
    const described = { backward: [difference("DESCRIPTION_CHANGED", "info")], forward: [] };

    expect(suggestBump(added, "FULL").bump).toBe("minor");
    expect(suggestBump(described, "FULL").bump).toBe("patch");
    expect(suggestBump({ backward: [], forward: [] }, "FULL")).toMatchObject({ bump: "patch" });
  });

  it("suggests a minor if a role or a rule raised the severity above information", () => {
    const steering = { backward: [difference("DESCRIPTION_CHANGED", "warning")], forward: [] };

    expect(suggestBump(steering, "FULL").bump).toBe("minor");
  });

  it(`gives ${MAX_REASONS} reasons, and the number of further ones`, () => {
    const breaking = (count: number) =>
      Array.from({ length: count }, (_, index) => difference(`KIND_${index}`, "breaking"));

    expect(suggestBump({ backward: breaking(MAX_REASONS), forward: [] }, "FULL").reasons).toHaveLength(MAX_REASONS);
    expect(suggestBump({ backward: breaking(MAX_REASONS + 1), forward: [] }, "FULL").reasons.at(-1)).toBe(
      "And 2 more.",
    );
  });
});

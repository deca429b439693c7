import { describe, expect, it } from "vitest";
import {
  contentSatisfies,
  isOlder,
  parseToken,
  printToken,
  recordSatisfies,
} from "../../../workers/read-path/token.ts";

const asOf = (epoch: number, seq: number, lastHardDelete = 0) => ({ epoch, seq, lastHardDelete });

describe("parseToken", () => {
  it("parses a printed token", () => {
    expect(parseToken(printToken(asOf(1, 17, 5)))).toEqual(asOf(1, 17, 5));
  });

  it.each([
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "a.b.c",
    "1.2.-3",
    " 1.2.1",
    "1.2.1 ",
    "1.5.6",
    "1e1.2.1",
    `1.${"9".repeat(16)}.1`,
  ])("returns undefined for %j", (text) => {
    expect(parseToken(text)).toBeUndefined();
  });
});

describe("contentSatisfies", () => {
  it("depends only on the caller's last hard delete", () => {
    expect(contentSatisfies(asOf(1, 5), asOf(1, 100, 5))).toBe(true);
    expect(contentSatisfies(asOf(1, 4), asOf(1, 100, 5))).toBe(false);
    expect(contentSatisfies(asOf(1, 0), undefined)).toBe(true);
  });
});

describe("recordSatisfies", () => {
  it("depends on the last entry that the caller has seen", () => {
    expect(recordSatisfies(asOf(1, 100), asOf(1, 100, 5))).toBe(true);
    expect(recordSatisfies(asOf(1, 99), asOf(1, 100, 5))).toBe(false);
  });

  it("compares the epoch before any seq", () => {
    expect(recordSatisfies(asOf(2, 1), asOf(1, 100))).toBe(true);
    expect(recordSatisfies(asOf(1, 100), asOf(2, 1))).toBe(false);
  });
});

describe("isOlder", () => {
  it("compares by epoch, then by seq", () => {
    expect(isOlder(asOf(1, 9), asOf(2, 1))).toBe(true);
    expect(isOlder(asOf(1, 1), asOf(1, 2))).toBe(true);
    expect(isOlder(asOf(1, 2), asOf(1, 2))).toBe(false);
  });
});

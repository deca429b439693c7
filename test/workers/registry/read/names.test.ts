import { describe, expect, it } from "vitest";
import { parseCursor, printCursor } from "../../../../workers/registry/read/cursor.ts";
import { parseSelector } from "../../../../workers/registry/read/selectors.ts";
import {
  listingPrefix,
  parseContext,
  parseNewSubject,
  parseSubject,
} from "../../../../workers/registry/read/subject-names.ts";

describe("parseContext", () => {
  it.each([
    [undefined, "."],
    [".", "."],
    ["eu", ".eu"],
    [".eu", ".eu"],
    [":.eu:", ".eu"],
    [".__GLOBAL", ".__GLOBAL"],
  ])("reads %j as %s", (text, context) => {
    expect(parseContext(text)).toEqual({ ok: true, value: context });
  });

  it.each(["a:b", ":eu:", "a\u0000", "x".repeat(300)])("refuses %j", (text) => {
    expect(parseContext(text)).toMatchObject({ ok: false, refusal: { error: "BAD_REQUEST" } });
  });
});

describe("parseSubject", () => {
  it("puts a bare name into the given context", () => {
    expect(parseSubject("a", "eu")).toEqual({ ok: true, value: { context: ".eu", subject: "a" } });
  });

  it("keeps a qualified name, and refuses a different context next to it", () => {
    expect(parseSubject(":.eu:a", "eu")).toEqual({ ok: true, value: { context: ".eu", subject: "a" } });
    expect(parseSubject(":.eu:a", "us")).toMatchObject({ ok: false });
  });
});

describe("parseNewSubject", () => {
  it.each(["a", "a/b", "ünïcode ☃", "...", ":.eu:..x", "x".repeat(255)])("accepts %j", (text) => {
    expect(parseNewSubject(text)).toMatchObject({ ok: true });
  });

  it.each(["", ".", "..", ":.eu:", ":.eu:..", "a\u0007", "__GLOBAL", ":.__GLOBAL:a", ":*:a", "x".repeat(256)])(
    "refuses %j",
    (text) => {
      expect(parseNewSubject(text)).toMatchObject({ ok: false, refusal: { error: "INVALID_SUBJECT" } });
    },
  );
});

describe("listingPrefix", () => {
  it.each([
    [undefined, undefined, ":*:"],
    ["a", undefined, ":*:a"],
    ["a", "eu", ":.eu:a"],
    [undefined, ".", ":.:"],
    [":.eu:a", undefined, ":.eu:a"],
  ])("reads prefix %j and context %j as %s", (prefix, context, expected) => {
    expect(listingPrefix(prefix, context)).toEqual({ ok: true, value: expected });
  });
});

describe("parseSelector", () => {
  it.each([
    ["1", 1],
    ["2147483647", 2147483647],
    ["latest", "latest"],
    [" latest ", "latest"],
    ["1.2.3", "1.2.3"],
    ["1.2.3-rc.1+b", "1.2.3-rc.1+b"],
    ["^2", "^2"],
    [">=1 <3", ">=1 <3"],
    ["1.x", "1.x"],
    ["production", "production"],
  ])("reads %j", (text, selector) => {
    expect(parseSelector(text)).toEqual({ ok: true, value: selector });
  });

  it.each(["0", "2147483648", "9".repeat(40), "-1", "", "no name", "1.2.3.4", "v1.2.3"])("refuses %j", (text) => {
    expect(parseSelector(text)).toMatchObject({ ok: false, refusal: { error: "INVALID_VERSION" } });
  });
});

describe("cursors", () => {
  it("parse back to the printed position", () => {
    expect(parseCursor("subjects", printCursor("subjects", [".eu", "ünï"]))).toEqual({
      ok: true,
      value: [".eu", "ünï"],
    });
  });

  it.each([
    ["nothing", ""],
    ["nonsense", "%%%"],
    ["a cursor of another list", printCursor("records", [1])],
    ["too few parts", printCursor("subjects", ["."])],
    ["parts of another type", printCursor("subjects", [1, 2])],
    ["JSON that is not a list", Buffer.from('{"a":1}').toString("base64url")],
  ])("refuse %s", (_, text) => {
    expect(parseCursor("subjects", text)).toMatchObject({ ok: false, refusal: { error: "BAD_REQUEST" } });
  });
});

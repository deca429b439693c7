import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFile } from "../../../../schema/protobuf/parse/file.ts";
import { CORPUS, hasCorpus } from "../../../support/corpus.ts";

const PARSE_CASES = join(CORPUS, "protobuf", "parse-cases.json");
type ParseCase = { path: string; proto: string; has_error: boolean; expected_diagnostics: string | null };

const strict = { path: "", reference: null, isBuiltin: false, isLenient: false };

describe.skipIf(!hasCorpus)("parseFile on the corpus", () => {
  const cases: ParseCase[] = hasCorpus ? JSON.parse(readFileSync(PARSE_CASES, "utf8")) : [];

  it("has cases to parse", () => {
    expect(cases.length).toBeGreaterThan(50);
  });

  it.each(cases)("accepts or refuses $path as protoc does", ({ proto, has_error }) => {
    const result = parseFile(proto, strict);

    expect(result.ok ? [] : [result.refusal.problem]).toHaveLength(has_error ? 1 : 0);
  });
});

describe("parseFile", () => {
  it.each([
    ["a stray word", 'syntax = "proto3";\nfoo', 2, 1, 'Expected a declaration, found "foo".'],
    [
      "an unfinished field",
      "message A {\n  optional string a;\n}",
      2,
      20,
      'Expected "=" after the name of a field, found ";".',
    ],
    ["an unknown syntax", 'syntax = "proto4";', 1, 10, 'Unknown syntax "proto4", expected "proto2" or "proto3".'],
    [
      "the end of the text",
      "message A {\n",
      2,
      1,
      "Expected a field, a type or a statement, found the end of the text.",
    ],
    ["an odd character", "message A {\n\t@ }", 2, 2, 'Unexpected character "@".'],
    ["a control character", "message A \u0001{}", 1, 11, "Unexpected character U+0001."],
    ["a letter beyond ASCII", "message Ä {}", 1, 9, "Unexpected character U+00C4."],
    ["an unterminated string", 'option a = "x', 1, 12, "Unterminated string."],
    ["an unterminated comment", "message A {}\n/* x", 2, 1, "Unterminated comment."],
    ["a bad number", "message A { optional string a = 08; }", 1, 33, "Number 08 starts with 0 and must be octal."],
    ["a bad escape", 'option a = "x\\q";', 1, 14, "Unknown escape in a string."],
  ])("reports where and why it refuses %s", (_, text, line, column, message) => {
    expect(parseFile(text, strict)).toMatchObject({ ok: false, refusal: { problem: { line, column, message } } });
  });

  it("counts columns in code units and lines by line feeds", () => {
    expect(parseFile('// 😀\r\noption a = "😀" x', strict)).toMatchObject({
      ok: false,
      refusal: { problem: { line: 2, column: 17 } },
    });
  });

  it("keeps comments immediately before a declaration", () => {
    const text = `syntax = "proto3";
      // Detached.

      // Two
      //   lines.
      message A { // Trails.
        /** A field. */ string a = 1; /* trails */
        string b = 2;
      }
      /* An enum
       * of two. */
      enum E {
        // Zero.
        Z = 0; // trails
        // One.
        O = 1;
      }`;
    const result = parseFile(text, strict);
    if (!result.ok) throw new Error(result.refusal.problem.message);
    const [message] = result.value.file.messages;
    const [element] = result.value.file.enums;

    expect(message!.documentation).toBe("Two\n  lines.");
    expect(message!.fields.map(({ documentation }) => documentation)).toEqual(["A field.", null]);
    expect(element!.documentation).toBe("An enum\nof two.");
    expect(element!.values.map(({ documentation }) => documentation)).toEqual(["Zero.", "One."]);
  });

  it.each([
    ['"a\\x41\\101\\u00e9\\U0001F600"', "aAAé😀"],
    ['"\\xc3" "\\xa9"', "é"],
    ["'it''s'", "its"],
    ['"\\ud83d\\ude00"', "😀"],
    ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\'\\""', "\u0007\b\f\n\r\t\v\\?'\""],
  ])("reads the string %s", (literal, expected) => {
    const result = parseFile(`option a = ${literal};`, strict);

    expect(result.ok ? result.value.file.options[0]!.value : result.refusal.problem).toEqual({
      kind: "string",
      value: expected,
    });
  });

  it("keeps bytes that are not UTF-8", () => {
    const result = parseFile('option a = "\\377x";', strict);

    expect(result.ok ? result.value.file.options[0]!.value : result.refusal.problem).toMatchObject({
      kind: "string",
      bytes: Uint8Array.from([0xff, 0x78]),
    });
  });

  it.each([
    ["1", { kind: "integer", value: 1n, text: "1" }],
    ["-0x1F", { kind: "integer", value: -31n, text: "-0x1F" }],
    ["017", { kind: "integer", value: 15n, text: "017" }],
    ["18446744073709551615", { kind: "integer", value: 18446744073709551615n, text: "18446744073709551615" }],
    ["18446744073709551616", { kind: "float", value: 2 ** 64, text: "18446744073709551616" }],
    ["1.5e3", { kind: "float", value: 1500, text: "1.5e3" }],
    ["-.5", { kind: "float", value: -0.5, text: "-.5" }],
    ["-inf", { kind: "identifier", name: "-inf" }],
    ["true", { kind: "identifier", name: "true" }],
  ])("reads the value %s", (written, expected) => {
    const result = parseFile(`option a = ${written};`, strict);

    expect(result.ok ? result.value.file.options[0]!.value : result.refusal.problem).toEqual(expected);
  });
});

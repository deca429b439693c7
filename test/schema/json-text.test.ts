import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_JSON_DEPTH,
  nodeAtPointer,
  parseJsonText,
  pointerToken,
  positionAt,
  toPlainValue,
  writeExactNumber,
  writeJsonString,
  writeJsonText,
} from "../../schema/json-text.ts";

const SEED = 7_300_418;

function parsed(text: string) {
  const result = parseJsonText(text);
  if (!result.ok) throw new Error(result.refusal.problem.message);
  return result.value.root;
}

function numberText(text: string): string {
  return writeExactNumber({ type: "number", start: 0, text, value: Number(text) });
}

describe("parseJsonText", () => {
  it("reads what JSON.parse reads, with the same result", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(toPlainValue(parsed(text))).toEqual(JSON.parse(text));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("accepts and refuses the same texts as JSON.parse", () => {
    const piece = fc.constantFrom(
      ...'{}[]:,"\\ \n\t-+.0123eEu',
      "true",
      "false",
      "null",
      '"a"',
      "\\u00",
      "\u0001",
      "\u2028",
      "é",
    );
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        const text = pieces.join("");
        let accepts = true;
        try {
          JSON.parse(text);
        } catch {
          accepts = false;
        }
        seen[accepts ? "accepted" : "refused"] += 1;
        expect({ text, ok: parseJsonText(text).ok }).toEqual({ text, ok: accepts });
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(seen.accepted).toBeGreaterThan(300);
  });

  it("keeps members in the order written, even integer-like names", () => {
    expect(writeJsonText(parsed('{"b":1,"10":2,"a":3,"2":4}'))).toBe('{"b":1,"10":2,"a":3,"2":4}');
  });

  it("reports the offsets of repeated keys and uses the last value in the first position", () => {
    const result = parseJsonText('{"a":1,"b":2,"a":3}');

    expect(result).toMatchObject({ ok: true, value: { duplicates: [13] } });
    expect(result.ok && writeJsonText(result.value.root)).toBe('{"a":3,"b":2}');
  });

  it("reports line and column of an error", () => {
    expect(parseJsonText('{\n  "a": tru\n}')).toEqual({
      ok: false,
      refusal: {
        reason: "invalid",
        problem: { rule: "json_syntax", message: 'Expected a JSON value, found "t".', line: 2, column: 8 },
      },
    });
    expect(parseJsonText("")).toMatchObject({
      refusal: { problem: { message: "Unexpected end of the text, expected a JSON value." } },
    });
    expect(parseJsonText('"a\u0000"')).toMatchObject({ refusal: { problem: { line: 1, column: 3 } } });
  });

  it("accepts texts of the maximum depth and refuses deeper ones as too complex", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

    expect(parseJsonText(nested(MAX_JSON_DEPTH)).ok).toBe(true);
    expect(parseJsonText(nested(MAX_JSON_DEPTH + 1))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problem: { rule: "json_too_deep" } },
    });
  });

  it("accepts comments only if they are allowed", () => {
    const text = "/* a */ {// b\n}";

    expect(parseJsonText(text, { allowComments: true }).ok).toBe(true);
    expect(parseJsonText(text).ok).toBe(false);
    expect(parseJsonText("{} /* open", { allowComments: true }).ok).toBe(false);
    expect(parseJsonText("{} /", { allowComments: true }).ok).toBe(false);
    expect(parseJsonText("{} // end", { allowComments: true }).ok).toBe(true);
  });

  it("skips a byte order mark", () => {
    expect(parseJsonText("\ufeff{}").ok).toBe(true);
  });
});

describe("writeExactNumber", () => {
  it.each([
    ["1", "1"],
    ["-0", "0"],
    ["-7", "-7"],
    ["1.0", "1.0"],
    ["1.50", "1.50"],
    ["0.0", "0.0"],
    ["-0.0", "0.0"],
    ["1e2", "1E+2"],
    ["1E2", "1E+2"],
    ["1.5e3", "1.5E+3"],
    ["1e-2", "0.01"],
    ["0.000001", "0.000001"],
    ["0.0000001", "1E-7"],
    ["1.23e-7", "1.23E-7"],
    ["123456789012345678901234567890", "123456789012345678901234567890"],
    ["0.1234567890123456789012345", "0.1234567890123456789012345"],
    ["100e-2", "1.00"],
    ["0e5", "0E+5"],
    ["12.5e1", "125"],
  ])("prints %s as java.math.BigDecimal prints it: %s", (text, expected) => {
    expect(numberText(text)).toBe(expected);
  });

  it("prints its own output unchanged, and keeps the value", () => {
    const digits = fc.integer({ min: 0, max: 9_999_999 });
    const number = fc.tuple(fc.boolean(), digits, fc.option(digits), fc.option(fc.integer({ min: -30, max: 30 })));
    fc.assert(
      fc.property(number, ([isNegative, whole, fraction, exponent]) => {
        const text = `${isNegative ? "-" : ""}${whole}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`;
        const once = numberText(text);

        expect(numberText(once)).toBe(once);
        expect(Number(once)).toBe(Number(text) === 0 ? 0 : Number(text));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("keeps an exponent beyond the range of numbers", () => {
    expect(numberText("1e99999999999999999999")).toBe("1e99999999999999999999");
  });
});

describe("writeJsonString", () => {
  it("escapes only quotes, backslashes and control characters, with upper-case hex", () => {
    expect(writeJsonString('"\\/\b\t\n\f\r\u0000\u001f\u007f\u2028é😀')).toBe(
      '"\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001F\u007f\u2028é😀"',
    );
  });

  it("escapes a lone surrogate, which UTF-8 cannot represent", () => {
    expect(writeJsonString("a\ud800b\udc00😀")).toBe('"a\\uD800b\\uDC00😀"');
  });

  it("writes what JSON.parse reads back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(JSON.parse(writeJsonString(value))).toBe(value);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});

describe("writeJsonText", () => {
  it("sorts the keys of every object by code unit on request, and leaves arrays unchanged", () => {
    const root = parsed('{"b":{"z":1,"a":[{"d":1,"c":2},3]},"B":2,"\u00e9":3,"a":4}');

    expect(writeJsonText(root, { sortKeys: true })).toBe('{"B":2,"a":4,"b":{"a":[{"c":2,"d":1},3],"z":1},"\u00e9":3}');
  });

  it("writes numbers with the caller's function", () => {
    expect(writeJsonText(parsed("[1.0,2]"), { number: ({ value }) => String(value) })).toBe("[1,2]");
  });
});

describe("nodeAtPointer", () => {
  it("finds the target of a pointer, including escapes", () => {
    const root = parsed('{"a/b":{"~":[10,20]},"":5}');

    expect(nodeAtPointer(root, `/${pointerToken("a/b")}/${pointerToken("~")}/1`)).toMatchObject({ value: 20 });
    expect(nodeAtPointer(root, "/")).toMatchObject({ value: 5 });
    expect(nodeAtPointer(root, "")).toBe(root);
  });

  it("returns nothing for a pointer that does not resolve", () => {
    const root = parsed('{"a":[1]}');

    for (const pointer of ["a", "/b", "/a/01", "/a/-", "/a/1", "/a/0/x"])
      expect(nodeAtPointer(root, pointer)).toBeUndefined();
  });
});

describe("positionAt", () => {
  it("counts lines and columns from one", () => {
    expect(positionAt("ab\ncd", 0)).toEqual({ line: 1, column: 1 });
    expect(positionAt("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
    expect(positionAt("ab\n", 3)).toEqual({ line: 2, column: 1 });
  });
});

describe("toPlainValue", () => {
  it("makes a member named __proto__ an ordinary member", () => {
    const plain = toPlainValue(parsed('{"__proto__":{"a":1}}')) as object;

    expect(Object.keys(plain)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
  });
});

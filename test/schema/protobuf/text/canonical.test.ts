import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { protobuf } from "../../../../schema/protobuf/format.ts";
import { canonicalText } from "../../../../schema/protobuf/text/canonical.ts";
import { normalisedText } from "../../../../schema/protobuf/text/normalise.ts";
import { modelOf } from "../sources.ts";

type CanonicalVector = { description: string; text: string; canonical: string; normalised: string };

const vectors: CanonicalVector[] = JSON.parse(readFileSync("contract/vectors/protobuf/canonical.json", "utf8"));

describe("canonicalText", () => {
  it.each(vectors)("prints $description", ({ text, canonical }) => {
    expect(canonicalText(modelOf(text))).toBe(canonical);
  });

  it.each(vectors)("prints canonical text unchanged: $description", ({ canonical }) => {
    expect(canonicalText(modelOf(canonical))).toBe(canonical);
  });

  it("drops comments and keeps comment-like text in strings", () => {
    const model = modelOf('/* a */ syntax = "proto3"; // b\noption java_package = "http://x /* y */"; // c');

    expect(canonicalText(model)).toBe('syntax = "proto3";\n\noption java_package = "http://x /* y */";\n');
  });
});

describe("normalisedText", () => {
  it.each(vectors)("prints $description", ({ text, normalised }) => {
    expect(normalisedText(modelOf(text))).toBe(normalised);
  });

  it.each(vectors)("prints canonical text unchanged: $description", ({ normalised }) => {
    expect(normalisedText(modelOf(normalised))).toBe(normalised);
  });

  it("prints the same text for a different order", () => {
    const one = modelOf(
      'syntax = "proto3"; message A { string a = 1; B b = 2; message B { int32 x = 1; int32 y = 2; } }',
    );
    const other = modelOf(
      'syntax = "proto3"; message A { message B { int32 y = 2; int32 x = 1; } A.B b = 2; string a = 1; }',
    );

    expect(normalisedText(other)).toBe(normalisedText(one));
    expect(canonicalText(other)).not.toBe(canonicalText(one));
  });

  it("keeps the order of messages, which message indexes depend on", () => {
    const one = modelOf('syntax = "proto3"; message A {} message B {}');
    const other = modelOf('syntax = "proto3"; message B {} message A {}');

    expect(normalisedText(other)).not.toBe(normalisedText(one));
  });

  it("keeps the default of an enum if a smaller number follows it", () => {
    const model = modelOf('syntax = "proto2"; enum E { TWO = 2; ONE = 1; ZERO = 0; }');

    expect(normalisedText(model)).toBe("\nenum E {\n  TWO = 2;\n  ZERO = 0;\n  ONE = 1;\n}\n");
  });
});

describe("equivalent", () => {
  it("treats texts as equal that differ only in layout and comments", () => {
    const a = modelOf('syntax = "proto3"; message A { string a = 1; }');
    const b = modelOf('syntax = "proto3";\n\n// An A.\nmessage A {\n  string a = 1; /* of it */\n}\n');

    expect(protobuf.equivalent(a, b)).toBe(true);
  });

  it("distinguishes texts that differ in an option", () => {
    const a = modelOf('syntax = "proto3"; message A { string a = 1; }');
    const b = modelOf('syntax = "proto3"; message A { string a = 1 [deprecated = true]; }');

    expect(protobuf.equivalent(a, b)).toBe(false);
  });
});

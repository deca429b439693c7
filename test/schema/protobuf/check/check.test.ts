import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseNew, references } from "../sources.ts";

type CheckVector = {
  description: string;
  text: string;
  imports?: Record<string, string>;
  errors: string[];
  warnings?: string[];
};

const vectors: CheckVector[] = JSON.parse(readFileSync("contract/vectors/protobuf/checks.json", "utf8"));

describe("checkModel", () => {
  it.each(vectors)("accepts or refuses: $description", ({ text, imports = {}, errors, warnings = [] }) => {
    const result = parseNew(text, references(imports));

    expect({
      errors: result.ok ? [] : rules(result.refusal.problems),
      warnings: result.ok ? rules(result.value.warnings) : [],
    }).toEqual({ errors, warnings });
  });

  it("reports line and column of every problem", () => {
    const result = parseNew('syntax = "proto3";\nmessage A {\n  string a = 1;\n  Missing b = 2;\n}\n');

    expect(result).toMatchObject({
      ok: false,
      refusal: {
        reason: "invalid",
        problems: [{ rule: "unresolved_type", line: 4, column: 11, message: 'Type "Missing" is not defined.' }],
      },
    });
  });

  it("names the file to import if a type is defined in one that is not imported", () => {
    const result = parseNew(
      'syntax = "proto3"; import "a.proto"; message X { b.B b = 1; }',
      references({
        "a.proto": 'syntax = "proto3"; import "b.proto"; message A { b.B b = 1; }',
        "b.proto": 'syntax = "proto3"; package b; message B {}',
      }),
    );

    expect(result.ok ? "" : result.refusal.problems[0]!.message).toContain(
      '"b.B" is in "b.proto", which is not imported',
    );
  });

  it("names the missing import", () => {
    const result = parseNew('syntax = "proto3";\nimport "shop/order.proto";');

    expect(result).toMatchObject({
      ok: false,
      refusal: {
        problems: [
          {
            rule: "unresolved_import",
            line: 2,
            message: 'Import "shop/order.proto" is neither referenced nor built in.',
          },
        ],
      },
    });
  });

  it("reports several problems together", () => {
    const result = parseNew('syntax = "proto3"; message A { B b = 1; C c = 1; string d = 19000; }');

    expect(result.ok ? [] : rules(result.refusal.problems)).toEqual([
      "duplicate_number",
      "field_number",
      "unresolved_type",
    ]);
  });
});

function rules(problems: readonly { rule: string }[]): string[] {
  return [...new Set(problems.map(({ rule }) => rule))];
}

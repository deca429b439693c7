import { describe, expect, it } from "vitest";
import { printDataError } from "../../schema/data.ts";
import type { FormatName } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";

function sentencesOf(schema: unknown, value: unknown, name: FormatName = "json-schema"): string[] {
  const format = formatNamed(name);
  const source = { text: JSON.stringify(schema), references: [] };
  const parsed = format.parse(source, { strictness: "new", defaultDialect: "2020-12" });
  if (!parsed.ok) throw new Error(parsed.refusal.problems[0]!.message);
  const verdict = format.data.validate(parsed.value.model, value, { formats: true });
  return verdict.ok ? verdict.value.errors.map(printDataError) : [];
}

describe("printDataError", () => {
  it.each([
    [{ minimum: 1 }, 0, "The value as a whole must be a number of at least 1, but it is 0."],
    [{ required: ["id"] }, {}, 'The value as a whole must have a member "id".'],
    [{ properties: { a: { required: ["id"] } } }, { a: {} }, 'The value at /a must have a member "id".'],
    [
      { additionalProperties: false },
      { extra: 1 },
      "The value at /extra must be left out: expected no further members.",
    ],
    [{ prefixItems: [true], items: false }, [1, 2], "The value at /1 must be left out: expected no further items."],
    [{ unevaluatedProperties: false }, { b: 1 }, "The value at /b must be left out: expected no further members."],
    [{ properties: { a: false } }, { a: 1 }, "The value at /a must be left out: expected no member of this name."],
  ])("says what to change for %j", (schema, value, sentence) => {
    expect(sentencesOf(schema, value)).toEqual([sentence]);
  });

  it("says the same about Avro's fields", () => {
    const record = { type: "record", name: "R", fields: [{ name: "id", type: "int" }] };

    expect(sentencesOf(record, { x: 1 }, "avro")).toEqual([
      'The value as a whole must have the field "id", which has no default.',
      "The value at /x must be left out: expected no more than the fields of R: id.",
    ]);
  });
});

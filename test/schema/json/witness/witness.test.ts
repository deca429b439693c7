import { describe, expect, it } from "vitest";
import type { Difference, Policy, WriterAssumption } from "../../../../schema/compatibility.ts";
import { compareJsonSchemas } from "../../../../schema/json/compare/compare.ts";
import type { JsonSchemaModel } from "../../../../schema/json/model.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { jsonWitnesses } from "../../../../schema/json/witness/witness.ts";
import { MAX_WITNESS_BYTES, type Witness } from "../../../../schema/witness.ts";
import { validatorOf } from "../compare/soundness/oracle.ts";

function modelOf(schema: unknown): JsonSchemaModel {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: "draft-07" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems));
  return parsed.value.model;
}

function witnessesOf(
  writer: unknown,
  reader: unknown,
  {
    policy = "semantic",
    writers = "declared",
    seed = 1,
  }: { policy?: Policy; writers?: WriterAssumption; seed?: number } = {},
): { breaking: Difference[]; witnesses: Witness[] } {
  const models = { reader: modelOf(reader), writer: modelOf(writer) };
  const comparison = compareJsonSchemas(models.reader, models.writer, { policy, writers });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  const breaking = comparison.value.differences.filter(({ severity }) => severity === "breaking");
  return {
    breaking,
    witnesses: jsonWitnesses(models.reader, models.writer, breaking, { seed, maxAttempts: 200, writers }),
  };
}

const S = { type: "string" };
const tagged = (kind: string, extra: object = {}) => ({
  type: "object",
  properties: { kind: { const: kind }, ...extra },
  required: ["kind"],
});

const BREAKS: [string, unknown, unknown, WriterAssumption?][] = [
  ["a type", { type: ["string", "integer"] }, S],
  ["a value of an enumeration", { enum: ["a", "b"] }, { enum: ["a"] }],
  ["a constant", S, { const: "a" }],
  ["a longer string", S, { type: "string", maxLength: 100 }],
  ["a shorter string", { type: "string", maxLength: 9 }, { type: "string", minLength: 3, maxLength: 9 }],
  [
    "a string beside a pattern",
    { type: "string", pattern: "^[A-Z]{2}\\d+$" },
    { type: "string", pattern: "^[A-Z]{2}\\d{1,4}$" },
  ],
  ["a string without format", S, { type: "string", format: "date-time" }],
  ["a number beyond a limit", { type: "number", maximum: 10 }, { type: "number", exclusiveMaximum: 10 }],
  ["a number between multiples", { type: "integer", multipleOf: 2 }, { type: "integer", multipleOf: 4 }],
  ["a fraction", { type: "number" }, { type: "integer" }],
  [
    "a missing property",
    { properties: { a: S, b: S }, required: ["a"] },
    { properties: { a: S }, required: ["a", "b"] },
  ],
  ["a property that is gone", { properties: { a: S, b: S } }, { properties: { a: S }, additionalProperties: false }],
  ["an undeclared property", { type: "object" }, { properties: { a: { type: "integer" } } }, "any"],
  [
    "an undeclared property of any name",
    { properties: { a: S } },
    { properties: { a: S }, additionalProperties: false },
    "any",
  ],
  ["a property of a pattern", { patternProperties: { "^x-": {} } }, { patternProperties: { "^x-": S } }],
  ["a name", { properties: { long: S, b: S } }, { propertyNames: { maxLength: 2 } }],
  ["too many properties", { properties: { a: S, b: S, c: S } }, { maxProperties: 2 }],
  ["too few properties", { properties: { a: S } }, { minProperties: 1 }],
  ["a missing dependency", { properties: { a: S, b: S } }, { dependencies: { a: ["b"] } }],
  ["an item", { type: "array", items: { type: "number" } }, { type: "array", items: { type: "integer" } }],
  [
    "an item of a tuple",
    { type: "array", items: [S, S] },
    { type: "array", items: [S, { type: "string", maxLength: 1 }] },
  ],
  ["too many items", { type: "array", items: S }, { type: "array", items: S, maxItems: 3 }],
  ["equal items", { type: "array", items: S }, { type: "array", items: S, uniqueItems: true }],
  ["no item of a kind", { type: "array", items: { type: "number" } }, { type: "array", contains: { type: "integer" } }],
  ["an alternative", { oneOf: [S, { type: "integer" }] }, { oneOf: [S] }],
  [
    "one tagged alternative",
    { oneOf: [tagged("a"), tagged("b", { x: S })] },
    { oneOf: [tagged("a"), tagged("b", { x: { type: "null" } })] },
  ],
  ["what is forbidden", S, { not: { enum: ["secret"] } }],
  [
    "a condition",
    { properties: { a: S, b: S } },
    JSON.parse('{"if": {"required": ["a"]}, "then": {"required": ["b"]}}'),
  ],
];

describe("jsonWitnesses", () => {
  it.each(BREAKS)("shows %s, which ajv refuses too", (_what, writer, reader, writers = "declared") => {
    const { breaking, witnesses } = witnessesOf(writer, reader, { writers });

    const accepts = { writer: validatorOf(writer, "draft-07")!, reader: validatorOf(reader, "draft-07")! };
    expect(breaking.length).toBeGreaterThan(0);
    for (const witness of witnesses) {
      if (witness.status !== "confirmed") throw new Error(witness.reason);
      expect([accepts.writer(witness.datum), accepts.reader(witness.datum)]).toEqual([true, false]);
      expect(witness.confirmed_by).toBe("json schema interpreter");
    }
  });

  it("describes the reader's result", () => {
    const writer = { properties: { age: { type: "number" } } };
    const reader = { properties: { age: { type: "integer" } } };

    expect(witnessesOf(writer, reader).witnesses).toEqual([
      {
        status: "confirmed",
        datum: { age: 0.5 },
        reader_result: "Expected an integer, got 0.5 at /age.",
        confirmed_by: "json schema interpreter",
      },
    ]);
  });

  it("reaches a difference deep inside, through lists and references", () => {
    const schema = (leaf: unknown) => ({
      type: "object",
      required: ["id"],
      properties: {
        id: { type: "string", format: "uuid" },
        orders: { type: "array", items: { $ref: "#/definitions/order" } },
      },
      definitions: {
        order: {
          type: "object",
          required: ["lines"],
          properties: { lines: { type: "array", minItems: 1, items: leaf } },
        },
      },
    });

    const { witnesses } = witnessesOf(schema({ type: "integer", minimum: 1 }), schema({ type: "integer", minimum: 5 }));

    expect(witnesses).toMatchObject([{ status: "confirmed", datum: { orders: [{ lines: [4] }] } }]);
  });

  it("gives the same witnesses for the same seed", () => {
    const [writer, reader] = [
      { type: "object", properties: { a: { type: ["string", "array"] } } },
      { properties: { a: S } },
    ];

    expect(witnessesOf(writer, reader, { seed: 7 })).toEqual(witnessesOf(writer, reader, { seed: 7 }));
  });

  it("returns a result for every difference in order, including harmless ones", () => {
    const [reader, writer] = [modelOf({ title: "a", maxLength: 3 }), modelOf({ title: "b" })];
    const comparison = compareJsonSchemas(reader, writer, { policy: "semantic", writers: "declared" });
    if (!comparison.ok) throw new Error(comparison.refusal.message);

    const witnesses = jsonWitnesses(reader, writer, comparison.value.differences, {
      seed: 1,
      maxAttempts: 50,
      writers: "declared",
    });

    expect(comparison.value.differences.map(({ kind }) => kind)).toEqual(["MAX_LENGTH_ADDED", "TITLE_CHANGED"]);
    expect(witnesses).toMatchObject([
      { status: "confirmed" },
      { status: "not_found", reason: expect.stringMatching(/is not breaking/) },
    ]);
  });

  it("confirms differences of the Confluent rules if a value shows them, and explains if none does", () => {
    const open = { properties: { a: S } };
    const more = { properties: { a: S, b: { type: "integer" } } };

    const any = witnessesOf(open, more, { policy: "strict", writers: "any" });
    const declared = witnessesOf(open, more, { policy: "strict", writers: "declared" });

    expect(any.witnesses).toMatchObject([{ status: "confirmed", datum: { b: expect.anything() } }]);
    expect(declared.witnesses).toMatchObject([
      { status: "not_found", reason: expect.stringMatching(/accepts everything/) },
    ]);
  });

  it("does not show values that are too large to read", () => {
    const { witnesses } = witnessesOf(
      { type: "string", minLength: MAX_WITNESS_BYTES + 1 },
      { type: "string", minLength: MAX_WITNESS_BYTES + 2 },
    );

    expect(witnesses).toMatchObject([{ status: "not_found" }]);
  });

  it("gives the reason if a schema cannot be validated", () => {
    const { witnesses } = witnessesOf(S, { allOf: [{ $ref: "gone.json" }, { type: "string" }] });

    expect(witnesses).toMatchObject([{ status: "not_found", reason: expect.stringMatching(/cannot validate/) }]);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Severity, WriterAssumption } from "../../../../schema/compatibility.ts";
import type { ResolvedReference } from "../../../../schema/format.ts";
import { compareJsonSchemas, confluentLine } from "../../../../schema/json/compare/compare.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { jsonWitnesses } from "../../../../schema/json/witness/witness.ts";

const FOLDER = "contract/vectors/compatibility/json-schema";

type Vector = {
  description: string;
  writers: WriterAssumption;
  reader: unknown;
  writer: unknown;
  differences: { kind: string; pointer: string; severity: Severity }[];
};

function modelOf(schema: unknown, references: readonly ResolvedReference[] = []) {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references },
    { strictness: "stored", defaultDialect: "draft-07" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems));
  return parsed.value.model;
}

function differencesOf(reader: unknown, writer: unknown, writers: WriterAssumption = "declared") {
  const comparison = compareJsonSchemas(modelOf(reader), modelOf(writer), { policy: "semantic", writers });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences;
}

function breaks(reader: unknown, writer: unknown, writers: WriterAssumption = "declared"): string[] {
  return differencesOf(reader, writer, writers)
    .filter(({ severity }) => severity === "breaking")
    .map(({ kind }) => kind);
}

const files = readdirSync(FOLDER).filter((name) => /^semantic-.*\.json$/.test(name));

describe.each(files)("compareJsonSchemas on %s", (name) => {
  const vectors = JSON.parse(readFileSync(`${FOLDER}/${name}`, "utf8")) as Vector[];

  it.each(vectors.map((vector) => [`${vector.writers}: ${vector.description}`, vector] as const))(
    "%s",
    (_title, vector) => {
      const found = differencesOf(vector.reader, vector.writer, vector.writers).map((difference) => ({
        kind: difference.kind,
        pointer: difference.reader_pointer ?? difference.writer_pointer,
        severity: difference.severity,
      }));

      expect(new Set(found.map((each) => JSON.stringify(each)))).toEqual(
        new Set(vector.differences.map(({ kind, pointer, severity }) => JSON.stringify({ kind, pointer, severity }))),
      );
    },
  );
});

type Verdict = { id: string; why: string; reader: unknown; writer: unknown; compatible: boolean };

describe("compareJsonSchemas on verdicts.json", () => {
  const verdicts = JSON.parse(readFileSync(`${FOLDER}/verdicts.json`, "utf8")) as Verdict[];

  it.each(verdicts.map((verdict) => [`${verdict.id}: ${verdict.why}`, verdict] as const))("%s", (_title, verdict) => {
    const { reader, writer, compatible } = verdict;
    const breaking = differencesOf(reader, writer).filter(({ severity }) => severity === "breaking");
    const witnesses = jsonWitnesses(modelOf(reader), modelOf(writer), breaking, {
      seed: 1,
      maxAttempts: 200,
      writers: "declared",
    });

    expect(breaking.length === 0, JSON.stringify(breaking)).toBe(compatible);
    expect(witnesses.map(({ status }) => status)).toEqual(breaking.map(() => "confirmed"));
  });
});

describe("compareJsonSchemas under the semantic policy", () => {
  it("gives the location in reader and writer, a message and a fix", () => {
    const writer = { type: "object", properties: { name: { type: "string", maxLength: 50 } } };
    const reader = { type: "object", properties: { name: { type: "string", maxLength: 20 } } };

    const [difference] = differencesOf(reader, writer);

    expect(difference).toEqual({
      kind: "MAX_LENGTH_DECREASED",
      reader_pointer: "/properties/name/maxLength",
      writer_pointer: "/properties/name/maxLength",
      message: "The reader accepts at most 20 characters; the writer may produce longer strings.",
      severity: "breaking",
      fix: "Raise the reader's maxLength to 50.",
    });
  });

  it("finds every difference, not only the first", () => {
    const writer = { properties: { a: { type: "string" }, b: { type: "string" }, c: { type: "string" } } };
    const reader = { properties: { a: { type: "integer" }, b: { maxLength: 1 }, c: { enum: ["x"] } }, required: ["a"] };

    const found = breaks(reader, writer);

    expect(found.sort()).toEqual(["ENUM_ARRAY_ADDED", "MAX_LENGTH_ADDED", "REQUIRED_ATTRIBUTE_ADDED", "TYPE_CHANGED"]);
  });

  it("treats names declared in one alternative as declared in all", () => {
    const writer = { anyOf: [{ properties: { a: { type: "integer" } } }, { properties: { b: { type: "integer" } } }] };
    const reader = { properties: { a: { type: "integer" } } };

    const found = breaks(reader, writer);

    // {"a": "x", "b": 1} takes the second alternative, and `a` is declared.
    expect(found).toEqual(["OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"]);
  });

  it("closes objects that declare properties and are silent about others, but not explicitly open ones", () => {
    const reader = { properties: { a: { type: "integer" } } };

    expect(breaks(reader, { properties: { b: {} } })).toEqual([]);
    expect(breaks(reader, { additionalProperties: { type: "string" } })).toEqual(["TYPE_CHANGED"]);
    expect(breaks(reader, { type: "object" })).toEqual(["OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"]);
    expect(breaks(reader, { properties: { b: {} }, additionalProperties: {} })).toEqual(["TYPE_CHANGED"]);
    expect(breaks(reader, { properties: { b: {} }, additionalProperties: true })).toEqual(["TYPE_CHANGED"]);
  });

  it("does not treat values that only the reader lists as declaring names", () => {
    const reader = { not: { enum: [{ b: "a" }] } };
    const writer = { type: "object", properties: { a: {} } };

    expect(breaks(reader, writer)).toEqual([]);
    expect(breaks(reader, writer, "any")).toEqual(["NOT_TYPE_EXTENDED"]);
  });

  it.each([
    ["minimum", 5, 3, "The reader requires numbers ≥ 5; the writer may produce values down to 3."],
    ["exclusiveMinimum", 5, 3, "The reader requires numbers > 5; the writer may produce values down to 3."],
    ["maximum", 3, 5, "The reader requires numbers ≤ 3; the writer may produce values up to 5."],
    ["exclusiveMaximum", 3, 5, "The reader requires numbers < 3; the writer may produce values up to 5."],
    ["minimum", 5, undefined, "The reader requires numbers ≥ 5; the writer may produce any number."],
  ])("describes for %s the reader's requirement and the writer's range", (keyword, reader, writer, message) => {
    const differences = differencesOf(
      { type: "number", [keyword]: reader },
      { type: "number", ...(writer === undefined ? {} : { [keyword]: writer }) },
    );

    expect(differences).toMatchObject([{ message }]);
  });

  it("names the registered reference in a difference", () => {
    const shared = (type: string): ResolvedReference => ({
      name: "shared.json",
      subject: "shared",
      version: 1,
      source: { text: JSON.stringify({ type }), references: [] },
    });
    const schema = { properties: { a: { $ref: "shared.json" } } };
    const options = { policy: "semantic", writers: "declared" } as const;

    const comparison = compareJsonSchemas(
      modelOf(schema, [shared("integer")]),
      modelOf(schema, [shared("string")]),
      options,
    );

    expect(comparison.ok && comparison.value.differences).toMatchObject([
      { kind: "TYPE_CHANGED", reader_pointer: "shared.json#/type", writer_pointer: "shared.json#/type" },
    ]);
  });

  it("treats the same unresolved reference on both sides as equal, and any other as unknown", () => {
    expect(breaks({ $ref: "gone.json" }, { $ref: "gone.json" })).toEqual([]);
    expect(breaks({ $ref: "gone.json" }, { type: "string" })).toEqual(["UNDECIDED"]);
  });

  it("follows dynamic references through the scope of their use", () => {
    const dialect = "https://json-schema.org/draft/2020-12/schema";
    const list = (item: unknown) => ({
      $schema: dialect,
      $id: "http://schemas.example/strings",
      $ref: "list",
      $defs: {
        item: { $dynamicAnchor: "item", ...(item as object) },
        list: {
          $id: "list",
          type: "array",
          items: { $dynamicRef: "#item" },
          $defs: { any: { $dynamicAnchor: "item" } },
        },
      },
    });

    expect(breaks(list({ type: "number" }), list({ type: "integer" }))).toEqual([]);
    expect(breaks(list({ type: "integer" }), list({ type: "number" }))).toEqual(["TYPE_NARROWED"]);
  });

  it("does not prove a schema that refers to itself in place by itself", () => {
    expect(
      breaks({ definitions: { a: { $ref: "#/definitions/a" } }, $ref: "#/definitions/a" }, { type: "string" }),
    ).toEqual(["UNDECIDED"]);
  });

  it("warns about a changed default", () => {
    const [difference] = differencesOf({ properties: { a: { default: 1 } } }, { properties: { a: { default: 2 } } });

    expect(difference).toMatchObject({ kind: "DEFAULT_CHANGED", severity: "warning" });
  });

  it("lists changes in unused definitions", () => {
    const found = differencesOf({ $defs: { a: { type: "string" } } }, { $defs: { a: { type: "integer" } } });

    expect(found).toMatchObject([{ kind: "DEFINITION_CHANGED", severity: "info", reader_pointer: "/$defs/a" }]);
  });
});

describe("confluentLine", () => {
  it("prints the Confluent server's line, with its unbalanced quotes", () => {
    const options = { policy: "strict", writers: "declared" } as const;
    const comparison = compareJsonSchemas(modelOf({ type: "integer" }), modelOf({ type: "string" }), options);

    expect(comparison.ok && comparison.value.differences.map(confluentLine)).toEqual([
      `{errorType:"TYPE_CHANGED", description:"The new schema has another type than the old schema at path '#/''}`,
    ]);
  });

  it("prints differences of other policies in the same form, with new for the reader", () => {
    const lines = differencesOf({ type: "string", format: "date" }, { type: "string" }).map(confluentLine);

    expect(lines).toEqual([
      `{errorType:"FORMAT_ADDED", description:"The new schema requires the format date; the old schema does not guarantee it. (at path '#/format')'}`,
    ]);
  });
});

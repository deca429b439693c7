import { describe, expect, it } from "vitest";
import { avro } from "../../../../schema/avro/format.ts";
import type { Difference, Policy } from "../../../../schema/compatibility.ts";
import { isCompatible } from "../../../../schema/compatibility.ts";
import { modelOf, record } from "../schemas.ts";

const compare = (reader: unknown, writer: unknown, policy: Policy = "strict") =>
  avro.compare(modelOf(reader), modelOf(writer), { policy, writers: "declared" });

function differencesOf(reader: unknown, writer: unknown, policy?: Policy): readonly Difference[] {
  const comparison = compare(reader, writer, policy);
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences;
}

describe("compare", () => {
  it("describes a difference, its locations and a fix", () => {
    expect(differencesOf(record("A", ["x", "int"], ["y", "string"]), record("A", ["x", "int"]))).toEqual([
      {
        kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
        severity: "breaking",
        reader_pointer: "/fields/1",
        writer_pointer: null,
        message: 'Field "y" of the reader\'s A has no default, and the writer has no such field.',
        fix: 'Give "y" a default in the reader.',
      },
    ]);
  });

  it("lets a default that fits a later branch fill a missing field, but none that fits no branch", () => {
    const reader = (value: unknown) => record("A", ["x", ["null", "string"], value]);

    expect(isCompatible(differencesOf(reader("s"), record("A"), "semantic"))).toBe(true);
    expect(differencesOf(reader(5), record("A"), "semantic")).toMatchObject([
      { kind: "READER_FIELD_MISSING_DEFAULT_VALUE" },
    ]);
    expect(isCompatible(differencesOf(reader(5), record("A"), "strict"))).toBe(true);
  });

  it("adds only compatible kinds under strict to those of the Confluent server", () => {
    const reader = record("A", ["x", "double"], ["e", { type: "enum", name: "E", symbols: ["A"], default: "A" }]);
    const writer = record("A", ["x", "long"], ["e", { type: "enum", name: "E", symbols: ["A", "B"] }]);

    expect(differencesOf(reader, writer).map(({ kind, severity }) => [kind, severity])).toEqual([
      ["PRECISION_LOST", "info"],
      ["ENUM_DEFAULT_SUBSTITUTED", "info"],
      ["DEFAULT_CHANGED", "info"],
    ]);
    expect(isCompatible(differencesOf(reader, writer, "semantic"))).toBe(false);
  });

  it("reports a difference in a type that is used twice once", () => {
    const pair = (type: string) => [
      record("A", ["x", type]),
      record("B", ["a", "A"], ["b", { type: "array", items: "A" }]),
    ];

    expect(differencesOf(pair("int")[1] && [...pair("int")], [...pair("string")], "semantic")).toMatchObject([
      { kind: "TYPE_MISMATCH", reader_pointer: "/0/fields/0/type" },
    ]);
  });

  it("finds breaking differences behind unions and recursion", () => {
    const tree = (leaf: string) =>
      record(
        "Tree",
        ["left", ["null", "Tree"]],
        ["right", ["null", "Tree"]],
        ["leaf", ["null", record("Leaf", ["x", leaf])]],
      );

    expect(differencesOf(tree("int"), tree("string"))).toMatchObject([
      { kind: "MISSING_UNION_BRANCH", reader_pointer: "/fields/2/type", writer_pointer: "/fields/2/type/1" },
    ]);
    expect(differencesOf(tree("int"), tree("string"), "semantic")).toMatchObject([
      {
        kind: "TYPE_MISMATCH",
        reader_pointer: "/fields/2/type/1/fields/0/type",
        writer_pointer: "/fields/2/type/1/fields/0/type",
      },
    ]);
    expect(differencesOf(tree("long"), tree("int"), "semantic")).toMatchObject([
      { kind: "TYPE_PROMOTED", severity: "info" },
    ]);
  });

  it("decides records that fail only through each other", () => {
    // Both records fail, each only through the other and the field that differs at the end.
    const schema = (end: string) => record("A", ["b", ["null", record("B", ["a", ["null", "A"]], ["end", end])]]);

    expect(isCompatible(differencesOf(schema("int"), schema("string")))).toBe(false);
    expect(isCompatible(differencesOf(schema("int"), schema("int")))).toBe(true);
  });

  it("compares a chain of names far deeper than the call stack", () => {
    const chain = (end: string) =>
      [
        record("R0", ["x", end]),
        ...Array.from({ length: 5_000 }, (_, at) => record(`R${at + 1}`, ["x", `R${at}`])),
      ].reverse();
    const ordered = (end: string) => chain(end).reverse();

    expect(isCompatible(differencesOf(ordered("long"), ordered("int")))).toBe(true);
    expect(isCompatible(differencesOf(ordered("int"), ordered("long")))).toBe(false);
    expect(isCompatible(differencesOf(ordered("int"), ordered("long"), "semantic"))).toBe(false);
  });
});

describe("confluentLine", () => {
  it("renders a difference in the form that tools search for", () => {
    const [difference] = differencesOf(record("A", ["x", "int"]), record("A", ["x", "string"]));

    expect(avro.confluentLine(difference!)).toBe(
      "{errorType:'TYPE_MISMATCH', description:'The reader expects int, the writer has string.', additionalInfo:'reader: /fields/0/type, writer: /fields/0/type'}",
    );
  });

  it("prints the root as a slash and omits a missing location", () => {
    const [mismatch] = differencesOf("int", "string");
    const [missing] = differencesOf(record("A", ["x", "int"]), record("A"));

    expect(avro.confluentLine(mismatch!)).toContain("additionalInfo:'reader: /, writer: /'}");
    expect(avro.confluentLine(missing!)).toContain("additionalInfo:'reader: /fields/0'}");
  });
});

import { describe, expect, it } from "vitest";
import { avro } from "../../../../schema/avro/format.ts";
import type { Difference, Policy } from "../../../../schema/compatibility.ts";
import { isCompatible } from "../../../../schema/compatibility.ts";
import { MAX_DIFFERENCES } from "../../../../schema/difference-list.ts";
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

describe("compare, at its bounds", () => {
  /** Rings of records with coprime lengths: walking both, every record meets every other. */
  const ring = (prefix: string, length: number) => {
    const body = (at: number): unknown =>
      at === length
        ? `${prefix}0`
        : {
            type: "record",
            name: `${prefix}${at}`,
            aliases: [],
            fields: [{ name: "next", type: ["null", body(at + 1)] }],
          };
    return body(0);
  };
  const ladder = (length: number, aliases: number) => [
    ...Array.from({ length }, (_, at) => ({
      type: "record",
      name: `L${length}_${at}`,
      aliases: Array.from({ length: aliases }, (_, other) => `L${aliases}_${other}`),
      fields: at === 0 ? [] : [{ name: "next", type: Array.from({ length: at }, (_, lower) => `L${length}_${lower}`) }],
    })),
  ];

  it("decides schemas whose types form many combinations", () => {
    expect(compare(ring("A", 31), ring("A", 29)).ok).toBe(true);
    expect(compare(ladder(30, 30), ladder(30, 30)).ok).toBe(true);
  });

  const SIMPLE_NAME_IN_MANY_NAMESPACES = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, at) => ({ type: "fixed", name: `${prefix}${at}.F`, size: 1 }));

  it.each([
    ["names and aliases", ladder(460, 461), ladder(461, 460)],
    [
      "one name in many namespaces",
      SIMPLE_NAME_IN_MANY_NAMESPACES(15_000, "a"),
      SIMPLE_NAME_IN_MANY_NAMESPACES(15_000, "b"),
    ],
    [
      "large enums",
      { type: "enum", name: "E", symbols: Array.from({ length: 20_000 }, (_, at) => `s${at}`) },
      Array.from({ length: 2_000 }, (_, at) => ({ type: "enum", name: `n${at}.E`, symbols: ["A"] })),
    ],
  ])("refuses with the location if too many types are paired: %s", (_, reader, writer) => {
    const [readerModel, writerModel] = [modelOf(reader), modelOf(writer)];
    const startedMs = performance.now();

    const comparison = avro.compare(readerModel, writerModel, { policy: "strict", writers: "declared" });

    expect(comparison).toMatchObject({
      ok: false,
      refusal: {
        reason: "too_complex",
        pointer: expect.any(String),
        message: expect.stringContaining("too complex to compare, at"),
      },
    });
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });

  it("decides semantically between unions of thousands of branches of one name", () => {
    const reader = SIMPLE_NAME_IN_MANY_NAMESPACES(5_000, "a");

    expect(isCompatible(differencesOf(reader, SIMPLE_NAME_IN_MANY_NAMESPACES(5_000, "b"), "semantic"))).toBe(true);
  });

  it("decides between records of 50,000 fields that all changed", () => {
    const fields = (type: (at: number) => unknown) =>
      record("A", ...Array.from({ length: 50_000 }, (_, at): [string, unknown] => [`f${at}`, type(at)]));

    const arrays = (type: string) => ({ type: "array", items: ["null", type] });
    const changed = (at: number) => arrays(at === 49_999 ? "string" : "int");

    const exact = differencesOf(
      fields(() => "long"),
      fields(() => "int"),
      "semantic",
    );
    const broken = differencesOf(
      fields(() => arrays("long")),
      fields(changed),
      "semantic",
    );

    expect(exact).toHaveLength(MAX_DIFFERENCES);
    expect(isCompatible(exact)).toBe(true);
    expect(broken.find(({ severity }) => severity === "breaking")).toMatchObject({
      reader_pointer: "/fields/49999/type/items",
    });
  });

  it("compares a megabyte of properties with a thousand types", () => {
    const large = "x".repeat(1_000_000);
    const types = (prefix: string, meta: unknown) =>
      Array.from({ length: 1_000 }, (_, at) => ({ ...record(`${prefix}${at}.A`), ...(at === 0 ? { meta } : {}) }));

    const differences = differencesOf([types("z", [large])[0]], types("a", [`${large}y`]), "strict");

    expect(differences.filter(({ kind }) => kind === "PROPERTIES_CHANGED").length).toBeGreaterThan(100);
  });

  it("refuses if checking the defaults of missing fields takes too long", () => {
    const large = record(
      "W",
      ...Array.from({ length: 2_000 }, (_, at): [string, unknown, unknown] => [`f${at}`, "int", 1]),
    );
    const reader = (count: number) =>
      record(
        "A",
        ["w", large, {}],
        ...Array.from({ length: count }, (_, at): [string, unknown, unknown] => [`g${at}`, "W", {}]),
      );

    expect(compare(reader(900), record("A"), "semantic").ok).toBe(true);
    expect(compare(reader(1_100), record("A"), "semantic")).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("caps the reported differences, breaking ones first", () => {
    const count = MAX_DIFFERENCES + 10;
    const fields = (doc: string, last: string) =>
      Array.from({ length: count }, (_, at) => ({ name: `f${at}`, type: at === count - 1 ? last : "int", doc }));
    const schema = (doc: string, last: string) => ({ type: "record", name: "A", fields: fields(doc, last) });

    const all = differencesOf(schema("new", "int"), {
      ...schema("old", "int"),
      fields: fields("old", "int").slice(10),
    });
    const harmless = differencesOf(schema("new", "int"), schema("old", "int"));
    const breaking = differencesOf(schema("new", "int"), schema("old", "string"));

    expect(compare(schema("new", "int"), schema("old", "string"))).toMatchObject({
      value: { differences_total: count + 1 },
    });
    expect(compare(record("A", ["x", "long"]), record("A", ["x", "int"]))).not.toHaveProperty(
      "value.differences_total",
    );
    expect(all).toHaveLength(MAX_DIFFERENCES);
    expect(harmless).toHaveLength(MAX_DIFFERENCES);
    expect(isCompatible(harmless)).toBe(true);
    expect(breaking).toHaveLength(MAX_DIFFERENCES);
    expect(breaking.at(-1)).toMatchObject({ kind: "TYPE_MISMATCH", reader_pointer: `/fields/${count - 1}/type` });
  });

  it("keeps its result below a megabyte, for pointers of any length", () => {
    const chain = (leaf: string) => {
      const types = [record("R0", ["x", leaf])];
      for (let at = 1; at < 9_000; at += 1) types.push(record(`R${at}`, ["x", `R${at - 1}`], ["y", leaf]));
      return [record("Top", ["x", types[0]]), ...types.slice(1)].reverse();
    };
    const reordered = (leaf: string) => [...chain(leaf)].reverse();

    for (const policy of ["strict", "semantic"] as const) {
      const differences = differencesOf(reordered("int"), reordered("string"), policy);

      expect(isCompatible(differences)).toBe(false);
      expect(JSON.stringify(differences).length).toBeLessThan(2 ** 20);
    }
  });

  it("keeps its messages short, for names of any length", () => {
    const long = "n".repeat(100_000);

    const differences = differencesOf(record(`${long}1`, [`${long}2`, "int"]), record("A", ["x", "int"]), "semantic");

    expect(differences.map(({ kind }) => kind)).toEqual([
      "NAME_MISMATCH",
      "READER_FIELD_MISSING_DEFAULT_VALUE",
      "FIELD_REMOVED",
    ]);
    expect(JSON.stringify(differences).length).toBeLessThan(3_000);
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

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

    const comparison = avro.compare(readerModel, writerModel, { policy: "strict", writers: "declared" });

    expect(comparison).toMatchObject({
      ok: false,
      refusal: {
        reason: "too_complex",
        pointer: expect.any(String),
        message: expect.stringContaining("too complex to compare, at"),
      },
    });
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

import { describe, expect, it } from "vitest";
import { avro } from "../../../../schema/avro/format.ts";
import { modelIn, modelOf, parse, parseText, record, reference } from "../schemas.ts";

const equivalent = (a: unknown, b: unknown) => avro.equivalent(modelOf(a), modelOf(b));

describe("equivalent", () => {
  const base = {
    ...record("A", ["x", "int", 1]),
    namespace: "n",
    doc: "d",
    aliases: ["B", "C"],
    p: 1,
    q: { a: 1, b: 2 },
  };

  it("ignores the spelling of a text", () => {
    const other = {
      q: { b: 2, a: 1 },
      p: 1,
      aliases: ["n.C", "n.B"],
      fields: [{ default: 1, type: { type: "int" }, name: "x" }],
      name: "n.A",
      doc: "d",
      type: "record",
    };

    expect(equivalent(base, other)).toBe(true);
  });

  it.each([
    ["a doc", { ...base, doc: "e" }],
    ["an alias", { ...base, aliases: ["B"] }],
    ["a property", { ...base, p: 2 }],
    ["a property of a property", { ...base, q: { a: 1, b: 3 } }],
    ["a namespace", { ...base, namespace: "m" }],
    ["a field's default", { ...base, fields: [{ name: "x", type: "int", default: 2 }] }],
    ["a field without default", { ...base, fields: [{ name: "x", type: "int" }] }],
    ["a field's type", { ...base, fields: [{ name: "x", type: "long", default: 1 }] }],
    ["a logical type", { ...base, fields: [{ name: "x", type: { type: "int", logicalType: "date" }, default: 1 }] }],
    ["a field's order", { ...base, fields: [{ name: "x", type: "int", default: 1, order: "ignore" }] }],
    ["a field's alias", { ...base, fields: [{ name: "x", type: "int", default: 1, aliases: ["y"] }] }],
    ["another field", { ...base, fields: [...base.fields, { name: "y", type: "int" }] }],
  ])("distinguishes %s", (_, other) => {
    expect(equivalent(base, other)).toBe(false);
  });

  it("distinguishes symbols, their order, the default and the size", () => {
    const letters = { type: "enum", name: "E", symbols: ["A", "B"], default: "A" };

    expect(equivalent(letters, { ...letters, symbols: ["B", "A"] })).toBe(false);
    expect(equivalent(letters, { ...letters, default: "B" })).toBe(false);
    expect(equivalent({ type: "fixed", name: "F", size: 1 }, { type: "fixed", name: "F", size: 2 })).toBe(false);
    expect(equivalent(["int", "string"], ["string", "int"])).toBe(false);
  });

  it("distinguishes an integer default from a fractional one, as its text does", () => {
    const of = (text: string) =>
      modelIn(parseText(`{"type":"record","name":"A","fields":[{"name":"x","type":"double","default":${text}}]}`));

    expect(avro.equivalent(of("1"), of("1.0"))).toBe(false);
    expect(avro.equivalent(of("1.50"), of("15e-1"))).toBe(true);
  });

  it("ignores whether a type is inlined or referenced", () => {
    const inner = record("n.B", ["y", "int"]);
    const outer = (use: unknown) => record("A", ["x", use], ["z", "n.B"]);

    const written = modelIn(parse(outer(inner)));
    const referenced = modelIn(parse(outer("n.B"), "new", [reference("n.B", inner)]));

    expect(avro.equivalent(written, referenced)).toBe(true);
  });

  it("compares recursive schemas, and chains of names deeper than a text nests", () => {
    const list = (value: string) => record("List", ["value", value], ["next", ["null", "List"]]);
    const chain = (end: string) =>
      [record("R0", ["x", end]), ...Array.from({ length: 5_000 }, (_, at) => record(`R${at + 1}`, ["x", `R${at}`]))]
        .reverse()
        .toReversed();

    expect(equivalent(list("int"), list("int"))).toBe(true);
    expect(equivalent(list("int"), list("long"))).toBe(false);
    expect(equivalent(chain("int"), chain("int"))).toBe(true);
    expect(equivalent(chain("int"), chain("long"))).toBe(false);
  });
});

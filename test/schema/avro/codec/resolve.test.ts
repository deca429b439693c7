import { describe, expect, it } from "vitest";
import type { AvroDatum } from "../../../../schema/avro/codec/datum.ts";
import { resolveDatum } from "../../../../schema/avro/codec/resolve.ts";
import { modelOf, record } from "../schemas.ts";

const read = (reader: unknown, writer: unknown, datum: AvroDatum) =>
  resolveDatum(modelOf(reader).root, modelOf(writer).root, datum);
const map = (entries: Record<string, AvroDatum>) => new Map(Object.entries(entries));

describe("resolveDatum", () => {
  it("reads fields by name or alias, fills defaults and skips fields that the reader lacks", () => {
    const reader = {
      type: "record",
      name: "A",
      fields: [
        { name: "renamed", type: "long", aliases: ["old"] },
        {
          name: "list",
          type: { type: "array", items: record("B", ["x", "int", 7], ["u", ["string", "null"], "s"]) },
          default: [{}],
        },
        { name: "bytes", type: "bytes", default: "\u00ff" },
      ],
    };

    const { datum, failures } = read(
      reader,
      record("A", ["gone", "string"], ["old", "int"]),
      map({ gone: "x", old: 5 }),
    );

    expect(failures).toEqual([]);
    expect(datum).toEqual(
      map({ renamed: 5n, list: [map({ x: 7, u: { branch: 0, value: "s" } })], bytes: Uint8Array.of(0xff) }),
    );
  });

  it.each<[unknown, unknown, AvroDatum, AvroDatum]>([
    ["long", "int", -1, -1n],
    ["double", "float", 0.5, 0.5],
    ["float", "int", 3, 3],
    ["double", "long", 2n ** 53n, 2 ** 53],
    ["bytes", "string", "é", Uint8Array.of(0xc3, 0xa9)],
    ["string", "bytes", Uint8Array.of(0xc3, 0xa9), "é"],
    [["null", "long"], "int", 1, { branch: 1, value: 1n }],
    [["double", "int"], "int", 1, { branch: 1, value: 1 }],
    ["int", ["string", "int"], { branch: 1, value: 4 }, 4],
    [{ type: "map", values: "double" }, { type: "map", values: "int" }, map({ k: 1 }), map({ k: 1 })],
  ])("reads as %j a datum written as %j", (reader, writer, written, arrived) => {
    expect(read(reader, writer, written)).toMatchObject({ datum: arrived, failures: [] });
  });

  it("continues after a failure and locates each in both schemas", () => {
    const reader = record("A", ["c", "int"], ["a", ["null", "string"]], ["b", { type: "array", items: "int" }]);
    const writer = record("A", ["a", ["null", "long"]], ["b", { type: "array", items: "string" }]);

    const { failures } = read(reader, writer, map({ a: { branch: 1, value: 1n }, b: ["x"] }));

    expect(failures.map(({ kind, readerPointer, writerPointer }) => [kind, readerPointer, writerPointer])).toEqual([
      ["refused", "/fields/0", ""],
      ["refused", "/fields/1/type", "/fields/0/type/1"],
      ["refused", "/fields/2/type/items", "/fields/1/type/items"],
    ]);
  });

  it("finds no loss if the meaning is preserved", () => {
    const decimal = (precision: number, scale: number) => ({ type: "bytes", logicalType: "decimal", precision, scale });

    expect(read(decimal(9, 3), decimal(9, 2), Uint8Array.of(0)).failures).toEqual([]);
    expect(read(decimal(9, 2), decimal(5, 2), Uint8Array.of(0xff)).failures).toEqual([]);
    expect(
      read({ type: "string", logicalType: "uuid" }, "string", "123e4567-e89b-12d3-a456-426614174000").failures,
    ).toEqual([]);
    expect(read("float", "int", 2 ** 24).failures).toEqual([]);
  });
});

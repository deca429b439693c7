import { describe, expect, it } from "vitest";
import { decodeDatum, encodeDatum } from "../../../../schema/avro/codec/binary.ts";
import {
  type AvroDatum,
  DatumError,
  datumToJson,
  MAX_DATUM_DEPTH,
  MAX_DATUM_NODES,
} from "../../../../schema/avro/codec/datum.ts";
import { modelOf, record } from "../schemas.ts";

const encode = (schema: unknown, datum: AvroDatum) => [...encodeDatum(modelOf(schema).root, datum)];
const decode = (schema: unknown, ...bytes: number[]) => decodeDatum(modelOf(schema).root, Uint8Array.from(bytes));

describe("encodeDatum", () => {
  // The examples of the specification's chapter on binary encoding, and the edges of the number types.
  it.each<[string, unknown, AvroDatum, number[]]>([
    ["null", "null", null, []],
    ["true", "boolean", true, [1]],
    ["0", "int", 0, [0]],
    ["-1", "int", -1, [1]],
    ["1", "int", 1, [2]],
    ["-64", "int", -64, [0x7f]],
    ["64", "int", 64, [0x80, 1]],
    ["the least int", "int", -(2 ** 31), [0xff, 0xff, 0xff, 0xff, 0x0f]],
    ["the greatest long", "long", 2n ** 63n - 1n, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ["the least long", "long", -(2n ** 63n), [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ["a float", "float", 1, [0, 0, 0x80, 0x3f]],
    ["a double", "double", 1, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]],
    ["a string", "string", "foo", [6, 0x66, 0x6f, 0x6f]],
    ["bytes", "bytes", Uint8Array.of(0xff), [2, 0xff]],
    ["a fixed", { type: "fixed", name: "F", size: 2 }, Uint8Array.of(1, 2), [1, 2]],
    [
      "a record",
      record("A", ["a", "long"], ["b", "string"]),
      new Map<string, AvroDatum>([
        ["a", 27n],
        ["b", "foo"],
      ]),
      [0x36, 6, 0x66, 0x6f, 0x6f],
    ],
    ["an enum", { type: "enum", name: "E", symbols: ["A", "B", "C", "D"] }, "D", [6]],
    ["an array", { type: "array", items: "long" }, [3n, 27n], [4, 6, 0x36, 0]],
    ["an empty array", { type: "array", items: "long" }, [], [0]],
    ["a map", { type: "map", values: "int" }, new Map([["a", 1]]), [2, 2, 0x61, 2, 0]],
    ["null in a union", ["null", "string"], { branch: 0, value: null }, [0]],
    ["a string in a union", ["null", "string"], { branch: 1, value: "a" }, [2, 2, 0x61]],
  ])("writes %s", (_, schema, datum, bytes) => {
    expect(encode(schema, datum)).toEqual(bytes);
    expect(decode(schema, ...bytes)).toEqual(datum);
  });
});

describe("decodeDatum", () => {
  it("reads arrays and maps in several blocks, with and without a size in bytes", () => {
    expect(decode({ type: "array", items: "int" }, 2, 2, 3, 2, 4, 6, 0)).toEqual([1, 2, 3].slice(0, 2).concat(3));
    expect(decode({ type: "map", values: "int" }, 1, 6, 2, 0x61, 2, 2, 2, 0x62, 4, 0)).toEqual(
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
    );
  });

  it.each<[string, unknown, number[]]>([
    ["bytes that end too early", "string", [6, 0x66]],
    ["bytes that are left over", "int", [0, 0]],
    ["a boolean that is neither 0 nor 1", "boolean", [2]],
    ["an int of more than 32 bits", "int", [0x80, 0x80, 0x80, 0x80, 0x10]],
    ["a number without end", "long", Array.from({ length: 11 }, () => 0xff)],
    ["a negative length", "bytes", [1]],
    ["a length beyond the bytes", "bytes", [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    ["text that is not UTF-8", "string", [2, 0xff]],
    ["a symbol that is not there", { type: "enum", name: "E", symbols: ["A"] }, [2]],
    ["a branch that is not there", ["null"], [2]],
    ["a negative branch", ["null"], [1]],
  ])("refuses %s", (_, schema, bytes) => {
    expect(() => decode(schema, ...bytes)).toThrow(DatumError);
  });

  it("reads data up to the depth limit, and refuses deeper data", () => {
    const list = record("L", ["next", ["null", "L"]]);
    // Each level is a record and a union.
    const nested = (levels: number) => [...Array.from({ length: levels }, () => 2), 0];

    expect(decode(list, ...nested(MAX_DATUM_DEPTH / 2 - 2))).toBeInstanceOf(Map);
    expect(() => decode(list, ...nested(MAX_DATUM_DEPTH / 2))).toThrow(DatumError);
    expect(() => decodeDatum(modelOf(list).root, Uint8Array.from(nested(1_000_000)))).toThrow(DatumError);
  });

  it("reads values up to the limit, and refuses a few bytes that claim more", () => {
    const count = (items: number) => [...encodeDatum(modelOf("int").root, items)];

    expect(decode({ type: "array", items: "null" }, ...count(MAX_DATUM_NODES - 1), 0)).toHaveLength(
      MAX_DATUM_NODES - 1,
    );
    expect(() => decode({ type: "array", items: "null" }, ...count(MAX_DATUM_NODES), 0)).toThrow(DatumError);
    expect(() =>
      decode({ type: "array", items: "null" }, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
    ).toThrow(DatumError);
  });
});

describe("datumToJson", () => {
  it("returns the JSON encoding, with named branches and bytes as characters", () => {
    const schema = record(
      "A",
      ["b", "bytes"],
      ["u", ["null", record("n.B", ["x", "int"])]],
      ["n", ["null", "string"]],
      ["l", "long"],
      ["d", "double"],
    );
    const datum = new Map<string, AvroDatum>([
      ["b", Uint8Array.of(0, 0xff)],
      ["u", { branch: 1, value: new Map([["x", 1]]) }],
      ["n", { branch: 0, value: null }],
      ["l", 2n ** 60n],
      ["d", Number.NaN],
    ]);

    expect(datumToJson(modelOf(schema).root, datum)).toEqual({
      b: "\u0000ÿ",
      u: { "n.B": { x: 1 } },
      n: null,
      l: "1152921504606846976",
      d: "NaN",
    });
  });

  it("keeps keys that are special in JavaScript", () => {
    const json = datumToJson(modelOf({ type: "map", values: "int" }).root, new Map([["__proto__", 1]]));

    expect(JSON.stringify(json)).toBe('{"__proto__":1}');
  });
});

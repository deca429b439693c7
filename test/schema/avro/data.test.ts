import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { avroData, MAX_AVRO_VALUES } from "../../../schema/avro/data.ts";
import { parseAvro } from "../../../schema/avro/parse/parse.ts";
import { schemaFingerprint } from "../../../schema/avro/text/fingerprint.ts";
import { hex } from "../../../schema/framing.ts";

const OPTIONS = { formats: true };
const ORDER = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "string" },
    { name: "count", type: "int" },
    { name: "price", type: "double" },
    { name: "kind", type: { type: "enum", name: "Kind", symbols: ["A", "B"] } },
    { name: "note", type: ["null", "string"], default: null },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "sizes", type: { type: "map", values: "long" } },
    { name: "parts", type: { type: "array", items: ["null", "Order"] } },
  ],
};

function modelOf(schema: unknown) {
  const parsed = parseAvro(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "new", defaultDialect: "2020-12" },
  );
  if (!parsed.ok) throw new Error(parsed.refusal.problems[0]?.message);
  return parsed.value.model;
}

const { order } = fc.letrec<{ order: object }>((tie) => ({
  order: fc.record({
    id: fc.string({ unit: "binary" }),
    count: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    price: fc.double({ noNaN: true, noDefaultInfinity: true }),
    kind: fc.constantFrom("A", "B"),
    note: fc.option(fc.string().map((text) => ({ string: text }))),
    tags: fc.array(fc.string(), { maxLength: 3 }),
    // avsc writes longs of up to 52 bits.
    sizes: fc.dictionary(fc.string(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), { maxKeys: 3 }),
    parts: fc.array(fc.option(tie("order").map((inner) => ({ "shop.Order": inner }))), {
      maxLength: 2,
    }),
  }),
}));

describe("avroData", () => {
  const model = modelOf(ORDER);
  const peer = avsc.Type.forSchema(ORDER as avsc.Schema, { wrapUnions: true });

  it("writes the bytes that avsc writes, and reads them back", () => {
    fc.assert(
      fc.property(order, (value) => {
        const encoded = avroData.encode(model, value, OPTIONS);
        if (!encoded.ok) throw new Error(JSON.stringify(encoded.refusal));
        const decoded = avroData.decode(model, encoded.value, OPTIONS);

        expect(hex(encoded.value)).toBe(peer.toBuffer(value).toString("hex"));
        expect(decoded.ok && JSON.stringify(decoded.value.value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it("refuses what avsc refuses of damaged bytes, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = avroData.decode(model, bytes, OPTIONS);
        let isReadByPeer = true;
        try {
          peer.fromBuffer(Buffer.from(bytes));
        } catch {
          isReadByPeer = false;
        }

        // avsc repairs strings that are not UTF-8 and numbers beyond their type, so it may read more.
        if (decoded.ok) expect(isReadByPeer).toBe(true);
      }),
    );
  });

  it("fingerprints as avsc's canonical form does", () => {
    expect(hex(schemaFingerprint(modelOf("int")))).toBe("8f5c393f1ad57572");
  });

  it(`reads ${MAX_AVRO_VALUES} values and no more`, () => {
    const nulls = modelOf({ type: "array", items: "null" });
    const array = (count: number) => Array.from({ length: count }, () => null);
    const read = (count: number) => avroData.validate(nulls, array(count), OPTIONS);

    expect(read(MAX_AVRO_VALUES - 1).ok).toBe(true);
    expect(read(MAX_AVRO_VALUES)).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
  });

  it("takes the branch of a union that is named before one that fits", () => {
    const union = modelOf([
      { type: "map", values: "string" },
      { type: "record", name: "R", fields: [{ name: "R", type: "int" }] },
    ]);
    const encode = (value: unknown) => {
      const encoded = avroData.encode(union, value, OPTIONS);
      return encoded.ok ? encoded.value[0]! >> 1 : encoded.refusal;
    };

    expect([encode({ map: { a: "b" } }), encode({ a: "b" }), encode({ R: { R: 1 } }), encode({ R: 1 })]).toEqual([
      0, 0, 1, 1,
    ]);
  });
});

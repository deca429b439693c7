import { describe, expect, it } from "vitest";
import { MAX_TRIED_PARTS } from "../../../schema/protobuf/data/explain.ts";
import { MAX_PROTOBUF_VALUES } from "../../../schema/protobuf/data/value-count.ts";
import { protobuf } from "../../../schema/protobuf/format.ts";
import { modelIfValid } from "./compare/models.ts";

const MODEL = modelIfValid(
  'syntax = "proto3"; message M { repeated M m = 1; repeated int32 n = 2; repeated string s = 3; map<string, M> k = 4; }',
)!;
const OPTIONS = { formats: true };
const decode = (bytes: Uint8Array) => protobuf.data.decode(MODEL, bytes, OPTIONS);
const repeated = (part: readonly number[], count: number) =>
  Uint8Array.from({ length: part.length * count }, (_, index) => part[index % part.length]!);
const tooComplex = { ok: false, refusal: { reason: "too_complex" } };

describe("decoding a Protobuf message", () => {
  it.each([
    ["empty messages", [0x0a, 0]],
    ["unpacked numbers", [0x10, 1]],
    ["empty strings", [0x1a, 0]],
    ["unknown numbers", [0x50, 1]],
  ])(`reads ${MAX_PROTOBUF_VALUES} values and no more, as %s`, (_, part) => {
    expect(decode(repeated(part, MAX_PROTOBUF_VALUES)).ok).toBe(true);
    expect(decode(repeated(part, MAX_PROTOBUF_VALUES + 1))).toMatchObject(tooComplex);
  });

  it("counts the values of nested messages and of packed lists", () => {
    const nested = (count: number) => {
      const inner = repeated([0x0a, 0], count);
      const length = [(inner.length & 0x7f) | 0x80, ((inner.length >> 7) & 0x7f) | 0x80, inner.length >> 14];
      return Uint8Array.from([0x0a, ...length, ...inner]);
    };

    expect(decode(nested(MAX_PROTOBUF_VALUES - 1)).ok).toBe(true);
    expect(decode(nested(MAX_PROTOBUF_VALUES))).toMatchObject(tooComplex);
    expect(decode(Uint8Array.from([0x12, 0xff, 0xff, 0x3f, ...repeated([1], 0xfffff)]))).toMatchObject(tooComplex);
  });

  it("leaves malformed bytes to the reader", () => {
    expect(decode(Uint8Array.of(0x0a, 0xff))).toMatchObject({ ok: false, refusal: { valid: false } });
    expect(decode(repeated([0xff], 100_000))).toMatchObject({ ok: false, refusal: { valid: false } });
  });
});

describe("validating a Protobuf value", () => {
  it(`reads ${MAX_PROTOBUF_VALUES} parts and no more`, () => {
    const validate = (count: number) =>
      protobuf.data.validate(MODEL, { n: Array.from({ length: count }, () => 1) }, OPTIONS);

    expect(validate(MAX_PROTOBUF_VALUES - 1)).toMatchObject({ ok: true, value: { valid: true } });
    expect(validate(MAX_PROTOBUF_VALUES)).toMatchObject(tooComplex);
  });

  it(`explains what is wrong among ${MAX_TRIED_PARTS} parts, and beyond that only that the data is invalid`, () => {
    const errorsOf = (good: number) => {
      const verdict = protobuf.data.validate(MODEL, { n: [...Array.from({ length: good }, () => 1), "x"] }, OPTIONS);
      return verdict.ok ? verdict.value.errors : [];
    };

    expect(errorsOf(MAX_TRIED_PARTS - 1)).toMatchObject([{ pointer: `/n/${MAX_TRIED_PARTS - 1}`, keyword: "scalar" }]);
    expect(errorsOf(MAX_TRIED_PARTS)).toMatchObject([{ pointer: "", keyword: "message" }]);
  });
});

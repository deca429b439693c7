import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProtobufModel } from "../../../../schema/protobuf/model.ts";
import { canonicalText } from "../../../../schema/protobuf/text/canonical.ts";
import { normalisedText } from "../../../../schema/protobuf/text/normalise.ts";
import { renderProtobuf } from "../../../../schema/protobuf/text/render.ts";
import { protoText } from "../generated.ts";
import { modelOf, parseNew, parseStored } from "../sources.ts";

/** Fixed, so that a failure can be reproduced; fast-check prints it with the smallest text. */
const RUNS = { seed: 20_260_101, numRuns: 300 };

describe("canonicalText of generated schemas", () => {
  it("has the meaning of the original text", () => {
    fc.assert(
      fc.property(protoText, (text) => {
        const model = modelOf(text);
        const again = modelOf(canonicalText(model));

        expect(normalisedText(again)).toBe(normalisedText(model));
      }),
      RUNS,
    );
  });

  it("is unchanged when applied twice", () => {
    fc.assert(
      fc.property(protoText, (text) => {
        const canonical = canonicalText(modelOf(text));

        expect(canonicalText(modelOf(canonical))).toBe(canonical);
      }),
      RUNS,
    );
  });
});

describe("normalisedText of generated schemas", () => {
  it("is unchanged when applied twice", () => {
    fc.assert(
      fc.property(protoText, (text) => {
        const normalised = normalisedText(modelOf(text));

        expect(normalisedText(modelOf(normalised))).toBe(normalised);
      }),
      RUNS,
    );
  });
});

describe("descriptors of generated schemas", () => {
  it("keep the content of the original text", () => {
    fc.assert(
      fc.property(protoText, (text) => {
        const model = modelOf(text);
        const fromDescriptor = modelOf(renderProtobuf(model, "serialized")!);

        expect(normalisedWithoutCustomOptions(fromDescriptor)).toBe(normalisedWithoutCustomOptions(model));
      }),
      RUNS,
    );
  });

  it("are unchanged after being read and written again, byte for byte", () => {
    fc.assert(
      fc.property(protoText, (text) => {
        const serialized = renderProtobuf(modelOf(text), "serialized")!;

        expect(renderProtobuf(modelOf(serialized), "serialized")).toBe(serialized);
      }),
      RUNS,
    );
  });
});

describe("parseProtobuf of damaged texts", () => {
  it("gives a model or problems, never an exception", () => {
    const damage = fc.record({
      at: fc.nat(4_000),
      length: fc.nat(30),
      insert: fc.string({ unit: "binary", maxLength: 8 }),
    });
    fc.assert(
      fc.property(protoText, fc.array(damage, { minLength: 1, maxLength: 4 }), (text, damages) => {
        const damaged = damages.reduce(
          (now, { at, length, insert }) =>
            now.slice(0, at % now.length) + insert + now.slice((at % now.length) + length),
          text,
        );

        for (const parse of [parseNew, parseStored]) {
          const result = parse(damaged);
          if (result.ok) canonicalText(result.value.model);
          else expect(result.refusal.problems.length).toBeGreaterThan(0);
        }
      }),
      { ...RUNS, numRuns: 1_000 },
    );
  });
});

/** An option can be written in many ways; the byte-for-byte test shows that its bytes are equal. */
function normalisedWithoutCustomOptions(model: ProtobufModel): string {
  return normalisedText(modelOf(renderProtobuf(model, "ignore_extensions")!));
}

import { describe, expect, it } from "vitest";
import { BUF_RULES } from "../../../../schema/protobuf/compare/buf/categories.ts";
import { CONFLUENT_KINDS } from "../../../../schema/protobuf/compare/confluent/kinds.ts";
import { LOSSES } from "../../../../schema/protobuf/compare/semantic/losses.ts";
import { differencesOf, kindsOf, model } from "./models.ts";
import { compatibilityVectors } from "./vectors.ts";

const VECTORS = compatibilityVectors();

describe("compareProtobuf", () => {
  it.each(VECTORS)("finds the differences: $policy: $description", ({ policy, reader, writer, differences }) => {
    expect(kindsOf(model(reader), model(writer), policy)).toEqual(differences);
  });

  it.each(VECTORS.filter(({ severity }) => severity !== undefined))(
    "has the highest severity: $policy: $description",
    ({ policy, reader, writer, severity }) => {
      const found = differencesOf(model(reader), model(writer), policy).map((difference) => difference.severity);

      expect((["breaking", "warning", "info"] as const).find((one) => found.includes(one)) ?? null).toBe(severity);
    },
  );

  it.each(VECTORS)(
    "has pointers into both sides and a message: $policy: $description",
    ({ policy, reader, writer }) => {
      for (const difference of differencesOf(model(reader), model(writer), policy)) {
        expect(difference.reader_pointer ?? difference.writer_pointer).toMatch(/^#/);
        expect(difference.message).toMatch(/^[A-Z].+\.$/);
        if (difference.severity === "breaking") expect(difference.fix).toMatch(/^[A-Z].+\.$/);
      }
    },
  );

  it("has a case for every kind of every policy", () => {
    const found = new Set(VECTORS.flatMap(({ differences }) => differences));
    const kinds = [...Object.keys(CONFLUENT_KINDS), ...Object.keys(LOSSES), ...Object.keys(BUF_RULES)];

    // An unresolved name occurs only in a schema that was stored without its references.
    expect(kinds.filter((kind) => !found.has(kind) && kind !== "TYPE_UNRESOLVED")).toEqual([]);
  });

  it("has every case in both directions", () => {
    const pairs = new Set(VECTORS.map(({ policy, reader, writer }) => `${policy}\n${reader}\n${writer}`));

    const alone = VECTORS.filter(({ policy, reader, writer }) => !pairs.has(`${policy}\n${writer}\n${reader}`));

    expect(alone.map(({ description }) => description)).toEqual([]);
  });

  it("finds no difference between a schema and itself under any policy", () => {
    for (const { policy, writer } of VECTORS) expect(kindsOf(model(writer), model(writer), policy)).toEqual([]);
  });

  it("gives the same verdicts under lenient as under strict", () => {
    for (const { policy, reader, writer, differences } of VECTORS) {
      if (policy === "strict") expect(kindsOf(model(reader), model(writer), "lenient")).toEqual(differences);
    }
  });
});

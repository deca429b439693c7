import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../schema/compatibility.ts";
import { compareJsonSchemas } from "../../../../schema/json/compare/compare.ts";
import { CONFLUENT_KINDS, isBreaking, isConfluentKind } from "../../../../schema/json/compare/confluent/kinds.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";

const FOLDER = "contract/vectors/compatibility/json-schema";

type Vector = {
  description: string;
  policy: Policy;
  reader: unknown;
  writer: unknown;
  differences: { kind: string; pointer: string }[];
};

const files = readdirSync(FOLDER).filter((name) => /^(strict|lenient)-.*\.json$/.test(name));
const vectors = new Map(
  files.map((name) => [name, JSON.parse(readFileSync(`${FOLDER}/${name}`, "utf8")) as Vector[]] as const),
);

function modelOf(schema: unknown) {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: "draft-07" },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems));
  return parsed.value.model;
}

describe.each([...vectors])("compareJsonSchemas on %s", (_name, cases) => {
  it.each(cases.map((vector) => [`${vector.policy}: ${vector.description}`, vector] as const))(
    "%s",
    (_title, vector) => {
      const { policy } = vector;

      const comparison = compareJsonSchemas(modelOf(vector.reader), modelOf(vector.writer), {
        policy,
        writers: "declared",
      });

      if (!comparison.ok) throw new Error(comparison.refusal.message);
      const found = comparison.value.differences.map(({ kind, reader_pointer, writer_pointer }) => ({
        kind,
        pointer: reader_pointer ?? writer_pointer,
      }));
      expect(new Set(found.map((difference) => JSON.stringify(difference)))).toEqual(
        new Set(vector.differences.map((difference) => JSON.stringify(difference))),
      );
      const breaks = comparison.value.differences
        .filter(({ severity }) => severity === "breaking")
        .map(({ kind }) => kind);
      const expected = vector.differences
        .map(({ kind }) => kind)
        .filter((kind) => isConfluentKind(kind) && isBreaking(kind, policy as "strict" | "lenient"));
      expect(new Set(breaks)).toEqual(new Set(expected));
    },
  );
});

describe("the vectors of the Confluent rules", () => {
  it("cover every kind that the comparison itself produces", () => {
    const shown = new Set(
      [...vectors.values()].flat().flatMap(({ differences }) => differences.map(({ kind }) => kind)),
    );

    const missing = CONFLUENT_KINDS.filter((kind) => !shown.has(kind));

    // The two kinds about reserved fields come from the metadata of versions, not from schemas.
    expect(missing).toEqual(["RESERVED_PROPERTY_REMOVED", "RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY"]);
  });
});

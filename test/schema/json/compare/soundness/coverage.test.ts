import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Difference } from "../../../../../schema/compatibility.ts";
import { compareJsonSchemas } from "../../../../../schema/json/compare/compare.ts";
import { CONFLUENT_KINDS } from "../../../../../schema/json/compare/confluent/kinds.ts";
import { OWN_KINDS } from "../../../../../schema/json/compare/semantic/change-kinds.ts";
import { JSON_DIALECTS } from "../../../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { Random } from "../../../../../schema/random.ts";
import { SchemaGenerator } from "./generate.ts";

const PAIRS = 20_000;
const SEED = 5;

/**
 * Kinds by which the Confluent policies distinguish content models; under semantic the counterexample decides, with a
 * single kind.
 */
const OF_REFERENCE_POLICIES_ONLY =
  /CONTENT_MODEL$|^RESERVED_PROPERTY|^COMBINED_TYPE|_WITH_DEFAULT_ADDED$|^DEPENDENCY_ARRAY_NARROWED$|^NOT_TYPE_NARROWED$/;
/** The same meaning, which semantic also reports. */
const OF_BOTH = [
  "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
  "PATTERN_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
  "PATTERN_PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
  "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
  "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
  "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
];

describe("the generator of pairs", () => {
  it("covers every kind of difference of the semantic policy", { timeout: 120_000 }, () => {
    const reached = new Map<string, number>();
    for (const seed of fc.sample(fc.nat(), { numRuns: PAIRS, seed: SEED })) {
      for (const { kind } of differencesOfPair(seed)) reached.set(kind, (reached.get(kind) ?? 0) + 1);
    }

    const expected = [
      ...OWN_KINDS,
      ...CONFLUENT_KINDS.filter((kind) => !OF_REFERENCE_POLICIES_ONLY.test(kind)),
      ...OF_BOTH,
    ];
    const missing = expected.filter((kind) => !reached.has(kind));

    console.info(`${reached.size} kinds in ${PAIRS} pairs, both ways: ${printCounts(reached)}`);
    expect(missing).toEqual([]);
  });
});

/** In both directions, so that an addition is also tested as a removal. */
function differencesOfPair(seed: number): readonly Difference[] {
  const random = new Random(seed);
  const dialect = random.pick(JSON_DIALECTS);
  const generator = new SchemaGenerator(random, dialect);
  const first = generator.root();
  const [one, other] = [first, generator.changed(first)].map((schema) => {
    const text = JSON.stringify(schema);
    const parsed = parseJsonSchema({ text, references: [] }, { strictness: "stored", defaultDialect: dialect });
    return parsed.ok ? parsed.value.model : undefined;
  });
  if (!one || !other) return [];
  const answers = [
    compareJsonSchemas(one, other, { policy: "semantic", writers: "any" }),
    compareJsonSchemas(other, one, { policy: "semantic", writers: "any" }),
  ];
  return answers.flatMap((answer) => (answer.ok ? answer.value.differences : []));
}

function printCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(", ");
}

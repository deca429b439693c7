import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { WRITER_ASSUMPTIONS, type WriterAssumption } from "../../../../../schema/compatibility.ts";
import type { JsonDialect } from "../../../../../schema/format.ts";
import { compareJsonSchemas } from "../../../../../schema/json/compare/compare.ts";
import { findBreaks } from "../../../../../schema/json/compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../../../../../schema/json/model.ts";
import { ignoresRefSiblings, JSON_DIALECTS } from "../../../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../../../schema/json/parse/parse.ts";
import { validateInstance } from "../../../../../schema/json/validate/validate.ts";
import { collectPool } from "../../../../../schema/json/witness/pool.ts";
import { NO_SAMPLE, Sampler } from "../../../../../schema/json/witness/sample.ts";
import { jsonWitnesses } from "../../../../../schema/json/witness/witness.ts";
import { Random } from "../../../../../schema/random.ts";
import { runAtOnce } from "../../../../../schema/slices.ts";
import { usesDeclaredNamesOnly } from "./declares.ts";
import { type Schema, SchemaGenerator } from "./generate.ts";
import { validatorOf } from "./oracle.ts";

/** Pairs for every change; set FUZZ_RUNS=20000 for the long run. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);
const VALUES_PER_PAIR = 40;
const TIMEOUT_MS = 60_000 + RUNS * 100;

type Pair = { seed: number; dialect: JsonDialect; writer: Schema; reader: Schema };

/** Three of four readers are the writer with a few changes, as authors make them. */
const pairs: fc.Arbitrary<Pair> = fc.noShrink(fc.nat()).map((seed) => {
  const random = new Random(seed);
  const dialect = random.pick(JSON_DIALECTS);
  const generator = new SchemaGenerator(random, dialect);
  const writer = generator.root();
  return { seed, dialect, writer, reader: random.chance(0.75) ? generator.changed(writer) : generator.root() };
});

function modelOf(schema: Schema, dialect: JsonDialect): JsonSchemaModel | undefined {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(schema), references: [] },
    { strictness: "stored", defaultDialect: dialect },
  );
  return parsed.ok ? parsed.value.model : undefined;
}

/**
 * Valid for the writer and invalid for the reader, according to both ajv and the interpreter; their disagreements are
 * ignored.
 */
class Judge {
  readonly models: { reader: JsonSchemaModel; writer: JsonSchemaModel };
  readonly ajv: { reader: (value: unknown) => boolean | undefined; writer: (value: unknown) => boolean | undefined };

  constructor(
    models: { reader: JsonSchemaModel; writer: JsonSchemaModel },
    ajv: { reader: (value: unknown) => boolean | undefined; writer: (value: unknown) => boolean | undefined },
  ) {
    this.models = models;
    this.ajv = ajv;
  }

  verdict(side: "reader" | "writer", value: unknown): boolean | undefined {
    const answer = validateInstance(this.models[side], value, { formats: true });
    return answer.ok && answer.value.valid === this.ajv[side](value) ? answer.value.valid : undefined;
  }

  isCounterexample(value: unknown): boolean {
    return this.verdict("writer", value) === true && this.verdict("reader", value) === false;
  }
}

function judgeOf({ dialect, reader, writer }: Pair): Judge | undefined {
  const models = { reader: modelOf(reader, dialect), writer: modelOf(writer, dialect) };
  const ajv = { reader: validatorOf(reader, dialect), writer: validatorOf(writer, dialect) };
  if (!models.reader || !models.writer || !ajv.reader || !ajv.writer) return undefined;
  return new Judge({ reader: models.reader, writer: models.writer }, { reader: ajv.reader, writer: ajv.writer });
}

/** Values that the writer may produce, from the sampler and at random. */
function* valuesOf(pair: Pair, { models }: Judge, writers: WriterAssumption): Generator<unknown> {
  const random = new Random(pair.seed + 1);
  const generator = new SchemaGenerator(random, pair.dialect);
  const pool = collectPool(models.reader, models.writer);
  const { inclusion, state } = runAtOnce(findBreaks(models.reader, models.writer, { writers: "any" }));
  for (let count = 0; count < VALUES_PER_PAIR; count += 1) {
    const sampler = new Sampler(inclusion.views, random, pool, random.pick([0.2, 0.5, 0.9]), { remaining: 10_000 });
    const value = count % 4 === 3 ? generator.value(3) : sampler.sample(state);
    if (value === NO_SAMPLE) continue;
    // Specified independently, so that the engine's notion of declared names is tested as well.
    const isAdmitted = writers === "any" || usesDeclaredNamesOnly(pair.writer, value, ignoresRefSiblings(pair.dialect));
    if (isAdmitted) yield value;
  }
}

const counts = { pairs: 0, compatible: 0, incompatible: 0, refused: 0, withWitness: 0, witnesses: 0, agreed: 0 };
const kinds = new Map<string, number>();

afterAll(() => {
  const rate = ((100 * counts.withWitness) / Math.max(1, counts.incompatible)).toFixed(1);
  console.info(`soundness, seed ${SEED}: ${JSON.stringify(counts)}, incompatible pairs with a witness: ${rate} %`);
  if (process.env.FUZZ_RUNS)
    console.info(
      [...kinds]
        .sort(([, a], [, b]) => b - a)
        .map(([kind, count]) => `${kind} ${count}`)
        .join("\n"),
    );
});

describe.each(WRITER_ASSUMPTIONS)("compareJsonSchemas under the semantic policy, writers: %s", (writers) => {
  it(
    "has no counterexample to a compatible verdict, and a witness for incompatible ones",
    () => {
      fc.assert(
        fc.property(pairs, (pair) => {
          const judge = judgeOf(pair);
          if (judge === undefined) return;
          counts.pairs += 1;
          const { reader, writer } = judge.models;

          const comparison = compareJsonSchemas(reader, writer, { policy: "semantic", writers });

          if (!comparison.ok) {
            counts.refused += 1;
            return;
          }
          const breaking = comparison.value.differences.filter(({ severity }) => severity === "breaking");
          for (const { kind } of breaking) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
          if (breaking.length === 0) {
            counts.compatible += 1;
            for (const value of valuesOf(pair, judge, writers)) {
              const shown = JSON.stringify({ ...pair, value });
              expect(judge.isCounterexample(value), `a counterexample to "compatible": ${shown}`).toBe(false);
            }
            return;
          }
          counts.incompatible += 1;
          const witnesses = jsonWitnesses(reader, writer, breaking.slice(0, 5), { seed: 1, maxAttempts: 200, writers });
          const confirmed = witnesses.flatMap((witness) => (witness.status === "confirmed" ? [witness.datum] : []));
          if (confirmed.length > 0) counts.withWitness += 1;
          for (const datum of confirmed) {
            counts.witnesses += 1;
            if (judge.isCounterexample(datum)) counts.agreed += 1;
            if (writers === "declared") {
              const isDeclared = usesDeclaredNamesOnly(pair.writer, datum, ignoresRefSiblings(pair.dialect));
              expect(isDeclared, `a witness with undeclared names: ${JSON.stringify({ ...pair, datum })}`).toBe(true);
            }
          }
        }),
        { numRuns: RUNS, seed: SEED, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );
});

describe("the witnesses of generated pairs", () => {
  it("exist for nine of ten incompatible pairs, and ajv agrees with nearly all", () => {
    expect(counts.withWitness / counts.incompatible).toBeGreaterThan(0.9);
    expect(counts.agreed / counts.witnesses).toBeGreaterThan(0.97);
  });
});

describe("the schema generator", () => {
  it("covers every keyword", () => {
    const reached = new Set<string>();
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(collect);
      else if (typeof value === "object" && value !== null) {
        for (const [keyword, inner] of Object.entries(value)) {
          reached.add(keyword);
          collect(inner);
        }
      }
    };
    for (const { writer } of fc.sample(pairs, { numRuns: 1_000, seed: SEED })) collect(writer);

    const missing = KEYWORDS.filter((keyword) => !reached.has(keyword));

    expect(missing).toEqual([]);
  });
});

const KEYWORDS =
  `type enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format
  properties required patternProperties additionalProperties propertyNames minProperties maxProperties dependencies
  dependentRequired dependentSchemas unevaluatedProperties items prefixItems additionalItems contains minContains maxContains
  minItems maxItems uniqueItems unevaluatedItems allOf anyOf oneOf not if then else $ref $dynamicRef $recursiveRef $anchor
  $dynamicAnchor default description`.split(/\s+/);

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { JsonDialect } from "../../../schema/format.ts";
import { findBreaks } from "../../../schema/json/compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { ignoresRefSiblings, JSON_DIALECTS } from "../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../schema/json/parse/parse.ts";
import { validateInstance } from "../../../schema/json/validate/validate.ts";
import { collectPool } from "../../../schema/json/witness/pool.ts";
import { NO_SAMPLE, Sampler } from "../../../schema/json/witness/sample.ts";
import { writeJsonText } from "../../../schema/json-text.ts";
import { AnswerContext } from "../../../schema/projection/answer-context.ts";
import { decodeValue, isSameValue } from "../../../schema/projection/decode.ts";
import { PROFILES } from "../../../schema/projection/profiles.ts";
import { type Projection, projectSchema } from "../../../schema/projection/project.ts";
import { Random } from "../../../schema/random.ts";
import { runAtOnce } from "../../../schema/slices.ts";
import { usesDeclaredNamesOnly } from "../json/compare/soundness/declares.ts";
import { type Schema, SchemaGenerator } from "../json/compare/soundness/generate.ts";
import { encodeValue } from "./encode.ts";

/** Schemas per profile for every change; set FUZZ_RUNS=20000 for the long run. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 120);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_130);
const VALUES_PER_SCHEMA = 20;
const TIMEOUT_MS = 60_000 + RUNS * 100;

type Case = { seed: number; dialect: JsonDialect; schema: Schema };

const cases: fc.Arbitrary<Case> = fc.noShrink(fc.nat()).map((seed) => {
  const random = new Random(seed);
  const dialect = random.pick(JSON_DIALECTS);
  return { seed, dialect, schema: new SchemaGenerator(random, dialect).root() };
});

function modelOf(text: string, dialect: JsonDialect): JsonSchemaModel | undefined {
  const parsed = parseJsonSchema({ text, references: [] }, { strictness: "stored", defaultDialect: dialect });
  return parsed.ok ? parsed.value.model : undefined;
}

function* samplesOf(model: JsonSchemaModel, seed: number): Generator<unknown> {
  const random = new Random(seed + 1);
  const pool = collectPool(model);
  const { inclusion, state } = runAtOnce(findBreaks(model, model, { writers: "any" }));
  for (let count = 0; count < VALUES_PER_SCHEMA; count += 1) {
    const sampler = new Sampler(inclusion.views, random, pool, random.pick([0.2, 0.5, 0.9]), { remaining: 10_000 });
    const value = sampler.sample(state);
    if (value !== NO_SAMPLE && isValid(model, value)) yield value;
  }
}

function isValid(model: JsonSchemaModel, value: unknown, formats = true): boolean {
  const validation = validateInstance(model, value, { formats });
  return validation.ok && validation.value.valid;
}

function isExact({ changes, changesTotal }: Projection): boolean {
  return changes.length === changesTotal && changes.every(({ loss }) => loss !== "checked_after");
}

const counts: Record<
  string,
  { ready: number; lossless: number; lossy: number; refused: number; decoded: number; encoded: number }
> = {};

afterAll(() => console.info(`projections, seed ${SEED}: ${JSON.stringify(counts)}`));

describe.each(PROFILES.map((profile) => [profile.name, profile] as const))("projectSchema for %s", (name, profile) => {
  it(
    "produces answers that decode to valid values, and encodes every valid value unless something is lost",
    () => {
      const count = { ready: 0, lossless: 0, lossy: 0, refused: 0, decoded: 0, encoded: 0 };
      counts[name] = count;
      fc.assert(
        fc.property(cases, ({ seed, dialect, schema }) => {
          const registered = modelOf(JSON.stringify(schema), dialect);
          if (registered === undefined) return;
          const result = projectSchema(registered, profile);
          if (!result.ok) {
            count.refused += 1;
            return;
          }
          const projection = result.value;
          const { loss } = projection;
          count[loss === null ? "ready" : loss === "lossless" ? "lossless" : "lossy"] += 1;
          const projected = modelOf(writeJsonText(projection.plainSchema), loss === null ? dialect : "2020-12");
          expect(projected).toBeDefined();
          const context = new AnswerContext(projection.decoder, registered);

          if (isExact(projection)) {
            for (const answer of samplesOf(projected!, seed)) {
              const value = decodeValue(context, answer);
              count.decoded += 1;
              if (!isValid(registered, value, true) && !isValid(registered, value, false))
                expect({ answer, value, schema, projection: shown(projection) }).toBe("valid");
            }
          }
          if (loss !== null && loss !== "lossless") return;
          // A name that only another alternative declares cannot occur in a closed alternative.
          if (
            /"(?:anyOf|oneOf)".*"(?:additionalProperties|patternProperties)":(?:true|\{)/.test(JSON.stringify(schema))
          )
            return;
          const hasNullDefaults = JSON.stringify(projection.decoder).includes('"nullable":true');
          for (const value of samplesOf(registered, seed)) {
            // Under "not" and "oneOf" an ignored format admits less.
            if (!isValid(registered, value, false)) continue;
            if (!usesDeclaredNamesOnly(schema, value, ignoresRefSiblings(dialect))) continue;
            const answer = encodeValue(context, value);
            count.encoded += 1;
            const decoded = decodeValue(context, answer);
            // If the default is null, absence and null are equivalent.
            const isBack = isSameValue(decoded, value) || (hasNullDefaults && isValid(registered, decoded));
            const isTaken = isValid(projected!, answer) && isBack;
            if (!isTaken)
              expect({
                value,
                answer,
                decoded: decodeValue(context, answer),
                schema,
                projection: shown(projection),
              }).toBe("taken");
          }
        }),
        { numRuns: RUNS, seed: SEED },
      );
    },
    TIMEOUT_MS,
  );
});

function shown({ plainSchema, changes, decoder }: Projection) {
  return {
    schema: writeJsonText(plainSchema),
    changes: changes.map(({ kind, pointer, loss }) => `${kind} ${pointer} ${loss}`),
    decoder,
  };
}

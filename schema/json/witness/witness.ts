/**
 * Witnesses: values that a writer may produce and a reader refuses, shown only after the interpreter has confirmed
 * both.
 */
import type { Difference } from "../../compatibility.ts";
import { runAtOnce, type Sliced } from "../../slices.ts";
import { MAX_WITNESS_BYTES, type Witness, type WitnessOptions } from "../../witness.ts";
import { TooComplexComparison } from "../../work-meter.ts";
import { type Breaks, findBreaks } from "../compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../model.ts";
import { MAX_EVALUATIONS } from "../validate/evaluation.ts";
import { validateInstance } from "../validate/validate.ts";
import { candidatesFor } from "./candidates.ts";
import { foundFor } from "./located.ts";
import { collectPool } from "./pool.ts";
import type { Pool, SampleBudget } from "./sample.ts";

/** The validator that confirms a witness. */
const CONFIRMED_BY = "json schema interpreter";
/** Values generated per witness, including their parts: about 25 ms. */
const MAX_SAMPLED_VALUES_EACH = 10_000;
/** Values generated for all witnesses of one comparison: about 150 ms. */
const MAX_SAMPLED_VALUES = 60_000;
/** Values that the interpreter cannot validate before the search is abandoned. */
const MAX_UNJUDGED = 10;
/** The time to generate and try a value on the slowest core in use. */
const SAMPLE_MICROS = 2.5;
/** The time to evaluate one schema against a value that is tried. */
const EVALUATION_MICROS = 0.5;
/** The time after which the search pauses. */
const SLICE_MICROS = 20_000;

const BREAKS_NOTHING = "The difference is not breaking, so it has no witness.";
const NOTHING_REFUSED =
  "The reader accepts everything that the writer may produce here; the policy forbids the change because of its form.";

/**
 * One witness per difference, in order: confirmed, or the reason why there is none. The same seed gives the same
 * witnesses.
 */
export function jsonWitnesses(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Witness[] {
  return runAtOnce(witnessesInSlices(reader, writer, differences, options));
}

/** The same in slices, so that callers can yield in between. */
export function* witnessesInSlices(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Sliced<Witness[]> {
  if (differences.every(({ severity }) => severity !== "breaking"))
    return differences.map(() => notFound(BREAKS_NOTHING));
  try {
    const breaks = yield* findBreaks(reader, writer, options);
    breaks.inclusion.meter.restart();
    const search = new WitnessSearch(reader, writer, breaks, options);
    const witnesses: Witness[] = [];
    for (const [index, difference] of differences.entries()) witnesses.push(yield* search.witnessOf(difference, index));
    return witnesses;
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return differences.map(() => notFound(error.message));
  }
}

class WitnessSearch {
  readonly #pool: Pool;
  #remaining = MAX_SAMPLED_VALUES;

  readonly reader: JsonSchemaModel;
  readonly writer: JsonSchemaModel;
  readonly breaks: Breaks;
  readonly options: WitnessOptions;

  constructor(reader: JsonSchemaModel, writer: JsonSchemaModel, breaks: Breaks, options: WitnessOptions) {
    this.reader = reader;
    this.writer = writer;
    this.breaks = breaks;
    this.options = options;
    this.#pool = collectPool(reader, writer);
  }

  *witnessOf(difference: Difference, index: number): Sliced<Witness> {
    if (difference.severity !== "breaking") return notFound(BREAKS_NOTHING);
    const granted = Math.min(this.#remaining, MAX_SAMPLED_VALUES_EACH);
    const budget = { remaining: granted };
    try {
      const found = yield* foundFor(difference, this.breaks);
      if (found.every(({ traces }) => traces.length === 0)) return notFound(NOTHING_REFUSED);
      const { seed, maxAttempts } = this.options;
      const candidates = candidatesFor(this.breaks.inclusion, found, this.#pool, seed + index, maxAttempts, budget);
      return yield* this.#firstConfirmed(candidates, budget);
    } catch (error) {
      if (!(error instanceof TooComplexComparison)) throw error;
      return notFound(error.message);
    } finally {
      const made = granted - budget.remaining;
      this.#remaining -= made;
      yield this.breaks.inclusion.meter.takeMicros() + made * SAMPLE_MICROS;
    }
  }

  *#firstConfirmed(candidates: Iterable<unknown>, budget: SampleBudget): Sliced<Witness> {
    let tried = 0;
    let unjudged = 0;
    let sampled = budget.remaining;
    const work: Work = { evaluationMicros: 0 };
    for (const datum of candidates) {
      tried += 1;
      const witness = confirmed(this.reader, this.writer, datum, work);
      if (typeof witness === "object") return witness;
      if (witness === "unjudged") unjudged += 1;
      if (unjudged === MAX_UNJUDGED)
        return notFound("The interpreter cannot validate values against one of the schemas.");
      // The caller counts the generated values.
      if ((sampled - budget.remaining) * SAMPLE_MICROS + work.evaluationMicros < SLICE_MICROS) continue;
      yield work.evaluationMicros;
      work.evaluationMicros = 0;
      sampled = budget.remaining;
    }
    return notFound(`None of the ${tried} values tried was accepted by the writer and refused by the reader.`);
  }
}

function notFound(reason: string): Witness {
  return { status: "not_found", reason };
}

function stepsOf(validation: ReturnType<typeof validateInstance>): number {
  if (validation.ok) return validation.value.steps;
  return validation.refusal.reason === "too_complex" ? MAX_EVALUATIONS : 0;
}

/** The work since the last pause. */
type Work = { evaluationMicros: number };

function confirmed(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  datum: unknown,
  work: Work,
): Witness | "refuted" | "unjudged" {
  const text = JSON.stringify(datum);
  if (text === undefined || new TextEncoder().encode(text).length > MAX_WITNESS_BYTES) return "refuted";
  const written = validateInstance(writer, datum, { formats: true });
  work.evaluationMicros += stepsOf(written) * EVALUATION_MICROS;
  if (!written.ok) return "unjudged";
  if (!written.value.valid) return "refuted";
  const read = validateInstance(reader, datum, { formats: true });
  work.evaluationMicros += stepsOf(read) * EVALUATION_MICROS;
  if (!read.ok) return "unjudged";
  if (read.value.valid) return "refuted";
  const [error] = read.value.errors;
  const where = error === undefined || error.pointer === "" ? "" : ` at ${error.pointer}`;
  return {
    status: "confirmed",
    datum,
    reader_result: error === undefined ? "The reader refuses it." : `${error.message.replace(/\.$/, "")}${where}.`,
    confirmed_by: CONFIRMED_BY,
  };
}

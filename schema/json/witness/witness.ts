/** Witnesses: concrete values that a writer may write and a reader refuses, shown only after the interpreter has confirmed both. */
import type { Difference } from "../../compatibility.ts";
import { MAX_WITNESS_BYTES, type Witness, type WitnessOptions } from "../../witness.ts";
import { TooComplexComparison } from "../compare/bounds.ts";
import { findBreaks } from "../compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../model.ts";
import { validateInstance } from "../validate/validate.ts";
import { candidatesFor } from "./candidates.ts";
import { foundFor } from "./located.ts";
import { poolOf } from "./pool.ts";

/** What confirms a witness. */
const CONFIRMED_BY = "json schema interpreter";

/** One witness per difference, in order: confirmed, or why there is none. Same seed, same witnesses. */
export function jsonWitnesses(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Witness[] {
  if (differences.every(({ severity }) => severity !== "breaking"))
    return differences.map(() => notFound(BREAKS_NOTHING));
  let breaks: ReturnType<typeof findBreaks>;
  try {
    breaks = findBreaks(reader, writer, options.writers);
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return differences.map(() => notFound(error.message));
  }
  breaks.inclusion.meter.restart();
  const pool = poolOf(reader, writer);
  const budget = { remaining: MAX_SAMPLED_VALUES };
  return differences.map((difference, index) => {
    if (difference.severity !== "breaking") return notFound(BREAKS_NOTHING);
    const own = { remaining: Math.min(budget.remaining, MAX_SAMPLED_VALUES_EACH) };
    const granted = own.remaining;
    try {
      const found = foundFor(difference, breaks.inclusion, breaks.state, breaks.found);
      if (found.length === 0) return notFound(NOTHING_REFUSED);
      const seed = options.seed + index;
      return firstConfirmed(
        reader,
        writer,
        candidatesFor(breaks.inclusion, found, pool, seed, options.maxAttempts, own),
      );
    } catch (error) {
      if (!(error instanceof TooComplexComparison)) throw error;
      return notFound(error.message);
    } finally {
      budget.remaining -= granted - own.remaining;
    }
  });
}

/** Values made in search of one witness, parts of values included: some 50 ms. */
const MAX_SAMPLED_VALUES_EACH = 20_000;
/** Values made in search of all witnesses of one comparison. */
const MAX_SAMPLED_VALUES = 400_000;
/** Values that the interpreter cannot judge before the search is given up. */
const MAX_UNJUDGED = 10;

function firstConfirmed(reader: JsonSchemaModel, writer: JsonSchemaModel, candidates: Iterable<unknown>): Witness {
  let tried = 0;
  let unjudged = 0;
  for (const datum of candidates) {
    tried += 1;
    const witness = confirmed(reader, writer, datum);
    if (typeof witness === "object") return witness;
    if (witness === "unjudged") unjudged += 1;
    if (unjudged === MAX_UNJUDGED) return notFound("The interpreter cannot judge values against one of the schemas.");
  }
  return notFound(`None of the ${tried} values tried was accepted by the writer and refused by the reader.`);
}

function notFound(reason: string): Witness {
  return { status: "not_found", reason };
}

const BREAKS_NOTHING = "The difference breaks nothing, so no value shows it.";
const NOTHING_REFUSED =
  "Everything the writer may write here is accepted by the reader: the policy forbids the change for its form.";

function confirmed(reader: JsonSchemaModel, writer: JsonSchemaModel, datum: unknown): Witness | "refuted" | "unjudged" {
  const text = JSON.stringify(datum);
  if (text === undefined || new TextEncoder().encode(text).length > MAX_WITNESS_BYTES) return "refuted";
  const written = validateInstance(writer, datum, { formats: true });
  if (!written.ok) return "unjudged";
  if (!written.valid) return "refuted";
  const read = validateInstance(reader, datum, { formats: true });
  if (!read.ok) return "unjudged";
  if (read.valid) return "refuted";
  const [error] = read.errors;
  const where = error === undefined || error.pointer === "" ? "" : ` at ${error.pointer}`;
  return {
    status: "confirmed",
    datum,
    reader_result: error === undefined ? "The reader refuses it." : `${error.message.replace(/\.$/, "")}${where}.`,
    confirmed_by: CONFIRMED_BY,
  };
}

/** Witnesses: concrete values that a writer may write and a reader refuses, shown only after the interpreter has confirmed both. */
import type { Difference } from "../compatibility";
import { MAX_WITNESS_BYTES, type Witness, type WitnessOptions } from "../witness";
import { TooComplexComparison } from "./compare/bounds";
import { findBreaks } from "./compare/semantic";
import type { JsonSchemaModel } from "./model";
import { validateInstance } from "./validate";
import { candidatesFor } from "./witness/candidates";
import { foundFor } from "./witness/located";
import { poolOf } from "./witness/pool";

/** What confirms a witness. */
const CONFIRMED_BY = "json schema interpreter";

/** One witness per difference, in order: confirmed, or why there is none. Same seed, same witnesses. */
export function jsonWitnesses(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  differences: readonly Difference[],
  options: WitnessOptions,
): Witness[] {
  let breaks: ReturnType<typeof findBreaks>;
  try {
    breaks = findBreaks(reader, writer, options.writers);
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return differences.map(() => notFound(error.message));
  }
  const pool = poolOf(reader, writer);
  const budget = { remaining: MAX_SAMPLED_VALUES };
  return differences.map((difference, index) => {
    if (difference.severity !== "breaking") return notFound("The difference breaks nothing, so no value shows it.");
    const found = foundFor(difference, breaks.inclusion, breaks.state, breaks.found);
    if (found.length === 0) return notFound(NOTHING_REFUSED);
    const own = { remaining: Math.min(budget.remaining, MAX_SAMPLED_VALUES_EACH) };
    const granted = own.remaining;
    const candidates = candidatesFor(breaks.inclusion, found, pool, options.seed + index, options.maxAttempts, own);
    const witness = firstConfirmed(reader, writer, candidates);
    budget.remaining -= granted - own.remaining;
    return witness;
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
  try {
    for (const datum of candidates) {
      tried += 1;
      const witness = confirmed(reader, writer, datum);
      if (typeof witness === "object") return witness;
      if (witness !== "unjudged") continue;
      unjudged += 1;
      if (unjudged === MAX_UNJUDGED) return notFound("The interpreter cannot judge values against one of the schemas.");
    }
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return notFound(error.message);
  }
  return notFound(`None of the ${tried} values tried was accepted by the writer and refused by the reader.`);
}

function notFound(reason: string): Witness {
  return { status: "not_found", reason };
}

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

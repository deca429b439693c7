/** Witnesses: concrete values that a writer may write and a reader refuses, shown only after the interpreter has confirmed both. */
import type { Difference } from "../compatibility";
import { MAX_WITNESS_BYTES, type Witness, type WitnessOptions } from "../witness";
import { TooComplexComparison } from "./compare/bounds";
import type { Found, Inclusion } from "./compare/inclusion";
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
  let breaks: { inclusion: Inclusion; found: readonly Found[] };
  try {
    breaks = findBreaks(reader, writer, options.writers);
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return differences.map(() => ({ status: "not_found", reason: error.message }));
  }
  const pool = poolOf(reader, writer);
  return differences.map((difference, index) => {
    if (difference.severity !== "breaking") {
      return { status: "not_found", reason: "The difference breaks nothing, so no value shows it." };
    }
    const found = foundFor(difference, breaks.found);
    if (found.length === 0) return { status: "not_found", reason: NOTHING_REFUSED };
    const seed = options.seed + index;
    try {
      for (const candidate of candidatesFor(breaks.inclusion, found, pool, seed, options.maxAttempts)) {
        const witness = confirmed(reader, writer, candidate);
        if (witness) return witness;
      }
    } catch (error) {
      if (!(error instanceof TooComplexComparison)) throw error;
      return { status: "not_found", reason: error.message };
    }
    return {
      status: "not_found",
      reason: `None of ${options.maxAttempts} values tried was accepted by the writer and refused by the reader.`,
    };
  });
}

const NOTHING_REFUSED =
  "Everything the writer may write here is accepted by the reader: the policy forbids the change for its form.";

function confirmed(reader: JsonSchemaModel, writer: JsonSchemaModel, datum: unknown): Witness | undefined {
  const text = JSON.stringify(datum);
  if (text === undefined || text.length > MAX_WITNESS_BYTES) return undefined;
  const written = validateInstance(writer, datum, { formats: true });
  if (!written.ok || !written.valid) return undefined;
  const read = validateInstance(reader, datum, { formats: true });
  if (!read.ok || read.valid) return undefined;
  const [error] = read.errors;
  const where = error === undefined || error.pointer === "" ? "" : ` at ${error.pointer}`;
  return {
    status: "confirmed",
    datum,
    reader_result: error === undefined ? "The reader refuses it." : `${error.message.replace(/\.$/, "")}${where}.`,
    confirmed_by: CONFIRMED_BY,
  };
}

/** Compatibility of JSON Schemas: the differences between a reader and a writer. */

import type { CompareOptions, Comparison, Difference } from "../../compatibility.ts";
import { ok, refuse } from "../../result.ts";
import { runAtOnce, type Sliced } from "../../slices.ts";
import { TooComplexComparison } from "../../work-meter.ts";
import type { JsonSchemaModel } from "../model.ts";
import { compareByConfluentRules } from "./confluent/compare.ts";
import { describeKind, isConfluentKind } from "./confluent/kinds.ts";
import { compareBySemantics } from "./semantic/compare.ts";

/** The differences between two schemas under a policy. Never throws. */
export function compareJsonSchemas(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  options: CompareOptions,
): Comparison {
  return runAtOnce(compareInSlices(reader, writer, options));
}

/** The same in slices, so that callers can yield in between. */
export function* compareInSlices(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  options: CompareOptions,
): Sliced<Comparison> {
  const { policy } = options;
  try {
    const { differences, total } =
      policy === "strict" || policy === "lenient"
        ? yield* compareByConfluentRules(reader, writer, policy)
        : yield* compareBySemantics(reader, writer, options);
    const isCut = total > differences.length;
    return ok({ differences, ...(isCut ? { differences_total: total } : {}) });
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return refuse({ reason: "too_complex", pointer: error.pointer, message: error.message });
  }
}

/** The difference as a line of a verbose Confluent response; the unbalanced quotes are part of that contract. */
export function confluentLine(difference: Difference): string {
  const pointer = difference.reader_pointer ?? difference.writer_pointer ?? "";
  const path = pointer === "" ? "#/" : pointer.includes("#") ? pointer : `#${pointer}`;
  const words = isConfluentKind(difference.kind)
    ? `${describeKind(difference.kind)} at path '${path}'`
    : `${difference.message.replace(/\breader\b/g, "new schema").replace(/\bwriter\b/g, "old schema")} (at path '${path}')`;
  return `{errorType:"${difference.kind}", description:"${words}'}`;
}

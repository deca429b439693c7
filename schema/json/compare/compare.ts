/** Compatibility of JSON Schemas: what keeps a reader from accepting what a writer wrote. */
import type { CompareOptions, Comparison, Difference } from "../../compatibility.ts";
import type { JsonSchemaModel } from "../model.ts";
import { TooComplexComparison } from "./bounds.ts";
import { compareByReference } from "./confluent/compare.ts";
import { descriptionOf, isReferenceKind } from "./confluent/kinds.ts";
import { compareBySemantics } from "./semantic/compare.ts";

/** Every difference between two schemas under a policy; never an exception, whatever the schemas. */
export function compareJsonSchemas(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  options: CompareOptions,
): Comparison {
  try {
    const { policy, writers } = options;
    if (policy === "strict" || policy === "lenient") {
      return { ok: true, differences: compareByReference(reader, writer, policy).differences() };
    }
    return { ok: true, differences: compareBySemantics(reader, writer, writers) };
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    return { ok: false, reason: "too_complex", pointer: error.pointer, message: error.message };
  }
}

/** The difference as a line of a verbose Confluent answer; the quotes that do not match are the contract's (specs: Confluent contract §5.5). */
export function confluentLine(difference: Difference): string {
  const pointer = difference.reader_pointer ?? difference.writer_pointer ?? "";
  const path = pointer === "" ? "#/" : pointer.includes("#") ? pointer : `#${pointer}`;
  const words = isReferenceKind(difference.kind)
    ? `${descriptionOf(difference.kind)} at path '${path}'`
    : `${difference.message.replace(/\breader\b/g, "new schema").replace(/\bwriter\b/g, "old schema")} (at path '${path}')`;
  return `{errorType:"${difference.kind}", description:"${words}'}`;
}

/**
 * Whether a reader with one Protobuf schema can read what a writer with another wrote, and everything that differs.
 * The writer is the earlier side of the rules ("original"), the reader the later one ("update").
 */
import type { CompareOptions, Comparison, Difference } from "../../compatibility.ts";
import type { ProtobufModel } from "../model.ts";
import { isBufPolicy } from "./buf/categories.ts";
import { compareByBufRules } from "./buf/rules.ts";
import { compareByConfluentRules } from "./confluent/rules.ts";
import { compareByMeaning } from "./semantic/semantic.ts";
import { MAX_COMPARE_WORK, Work, WorkExceeded } from "./work.ts";

/** Every difference that matters when `reader` reads what `writer` wrote. */
export function compareProtobuf(
  reader: ProtobufModel,
  writer: ProtobufModel,
  options: CompareOptions,
  maxWork: number = MAX_COMPARE_WORK,
): Comparison {
  try {
    return { ok: true, differences: differencesOf(reader, writer, options, new Work(maxWork)) };
  } catch (error) {
    if (!(error instanceof WorkExceeded)) throw error;
    return {
      ok: false,
      reason: "too_complex",
      pointer: error.pointer,
      message: `The comparison looked at more than ${maxWork} elements; it stopped at ${error.pointer}.`,
    };
  }
}

function differencesOf(
  reader: ProtobufModel,
  writer: ProtobufModel,
  options: CompareOptions,
  work: Work,
): Difference[] {
  const { policy } = options;
  if (isBufPolicy(policy)) return compareByBufRules(reader, writer, policy, work);
  if (policy === "semantic") return compareByMeaning(reader, writer, options, work);
  return compareByConfluentRules(reader, writer, work);
}

/** The difference as one line of a verbose Confluent compatibility answer. */
export function confluentLine({ kind, reader_pointer, writer_pointer, message }: Difference): string {
  // The description stands in double quotes, which the contract does not escape.
  const description = message.replaceAll('"', "'");
  return `{errorType:"${kind}", description:"${description} (at '${writer_pointer ?? reader_pointer ?? "#"}')"}`;
}

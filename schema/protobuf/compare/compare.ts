/**
 * Compares two Protobuf schemas: whether the reader can read the writer's data, and everything that differs. In Buf's
 * and Confluent's terms the writer is the earlier side ("original"), the reader the later one ("update").
 */

import type { CompareOptionsOf, Comparison, Difference } from "../../compatibility.ts";
import { DifferenceList, toComparison } from "../../difference-list.ts";
import { refuse } from "../../result.ts";
import { runAtOnce, type Sliced } from "../../slices.ts";
import { TooComplexComparison, WorkMeter } from "../../work-meter.ts";
import type { ProtobufModel } from "../model.ts";
import { isBufPolicy } from "./buf/categories.ts";
import { compareByBufRules } from "./buf/rules.ts";
import { compareByConfluentRules } from "./confluent/rules.ts";
import { compareByMeaning } from "./semantic/semantic.ts";

/**
 * Fields, values and names examined, about half a second. The largest file of the corpus takes below 10,000, two files
 * of 100,000 changed fields a fifth of it.
 */
export const MAX_COMPARE_WORK = 1_500_000;

/**
 * All relevant differences when `reader` reads what `writer` wrote; if the list is truncated, breaking ones come first.
 */
export function compareProtobuf(
  reader: ProtobufModel,
  writer: ProtobufModel,
  options: CompareOptionsOf<ProtobufModel>,
  maxWork: number = MAX_COMPARE_WORK,
): Comparison {
  return runAtOnce(compareInSlices(reader, writer, options, maxWork));
}

/** The same, pausing now and then so that others get a turn. */
export function* compareInSlices(
  reader: ProtobufModel,
  writer: ProtobufModel,
  options: CompareOptionsOf<ProtobufModel>,
  maxWork: number = MAX_COMPARE_WORK,
): Sliced<Comparison> {
  const list = new DifferenceList<Difference>((difference) => difference);
  const work = new WorkMeter(maxWork);
  try {
    yield* listDifferences(reader, writer, options, work, list);
    return toComparison(list.reported(), list.total);
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    const { pointer } = error;
    const message = `Reader and writer are too complex to compare, at ${pointer}: the bound is ${maxWork} fields, values and names.`;
    return refuse({ reason: "too_complex", pointer, message });
  } finally {
    yield work.takeMicros();
  }
}

function* listDifferences(
  reader: ProtobufModel,
  writer: ProtobufModel,
  options: CompareOptionsOf<ProtobufModel>,
  work: WorkMeter,
  list: DifferenceList<Difference>,
): Sliced<void> {
  const { policy } = options;
  if (isBufPolicy(policy)) {
    yield* compareByBufRules({ reader, beside: options.beside ?? [] }, writer, policy, work, list);
  } else if (policy === "semantic") yield* compareByMeaning(reader, writer, options, work, list);
  else yield* compareByConfluentRules(reader, writer, work, list);
}

/** The difference as one line of a verbose Confluent compatibility response. */
export function confluentLine({ kind, reader_pointer, writer_pointer, message }: Difference): string {
  // The description is in double quotes, which the Confluent server does not escape.
  const description = message.replaceAll('"', "'");
  return `{errorType:"${kind}", description:"${description} (at '${writer_pointer ?? reader_pointer ?? "#"}')"}`;
}

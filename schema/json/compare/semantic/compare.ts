/**
 * The semantic policy: a difference breaks if it admits a value that the reader refuses; all other changes are reported
 * as well.
 */
import type { CompareOptions, Difference } from "../../../compatibility.ts";
import type { Sliced } from "../../../slices.ts";
import type { JsonSchemaModel } from "../../model.ts";
import { MAX_LISTED_DIFFERENCES } from "../bounds.ts";
import { changesBetween } from "./changes.ts";
import type { FoundDifference } from "./found.ts";
import { Inclusion } from "./inclusion.ts";
import type { State } from "./state.ts";

/** The differences that could not be proven harmless, with the data from which a witness can be built. */
export type Breaks = {
  readonly inclusion: Inclusion;
  readonly state: State;
  readonly found: readonly FoundDifference[];
};

type WriterOptions = Pick<CompareOptions, "writers" | "isBareRootEmpty">;

/** Throws TooComplexComparison. */
export function* findBreaks(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  { writers, isBareRootEmpty = false }: WriterOptions,
): Sliced<Breaks> {
  const inclusion = new Inclusion(reader, writer);
  const written = inclusion.views.root("writer");
  const declaring = writers === "declared" ? [written] : null;
  try {
    const state = inclusion.states.of({
      written: [written],
      known: [],
      nots: [],
      declaring,
      isBareEmpty: isBareRootEmpty,
    });
    return { inclusion, state, found: yield* inclusion.proveAll(state, inclusion.views.root("reader")) };
  } finally {
    yield inclusion.meter.takeMicros();
  }
}

/** The differences under the semantic policy, breaking ones first, and their total number. */
export function* compareBySemantics(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  options: WriterOptions,
): Sliced<{ differences: Difference[]; total: number }> {
  const { inclusion, found } = yield* findBreaks(reader, writer, options);
  const breaks = found.slice(0, MAX_LISTED_DIFFERENCES).map(breakingDifference);
  const readers = new Set(found.map((each) => each.reader));
  const written = new Set(found.map((each) => each.writer));
  // A breaking change is reported once, as the difference that breaks.
  const isReported = (reader: string | null, writer: string | null) =>
    reader === null ? written.has(writer) : readers.has(reader);
  const left = MAX_LISTED_DIFFERENCES - breaks.length;
  try {
    const others = yield* changesBetween(inclusion, { reader, writer }, isReported, left);
    return { differences: [...breaks, ...others.listed], total: found.length + others.total };
  } finally {
    yield inclusion.meter.takeMicros();
  }
}

function breakingDifference({ kind, reader, writer, message, fix }: FoundDifference): Difference {
  return {
    kind,
    reader_pointer: reader,
    writer_pointer: writer,
    message,
    severity: "breaking",
    ...(fix === undefined ? {} : { fix }),
  };
}

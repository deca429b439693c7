/** The semantic policy: breaking is what lets a value through that the reader refuses; everything else that changed is reported as well. */
import type { Difference, WriterAssumption } from "../../../compatibility.ts";
import type { Sliced } from "../../../slices.ts";
import type { JsonSchemaModel } from "../../model.ts";
import { MAX_LISTED_DIFFERENCES } from "../bounds.ts";
import { changesBetween } from "./changes.ts";
import type { Found } from "./found.ts";
import { Inclusion } from "./inclusion.ts";
import type { State } from "./state.ts";

/** What is not proven harmless, with what a witness can be built from. */
export type Breaks = { readonly inclusion: Inclusion; readonly state: State; readonly found: readonly Found[] };

/** Throws TooComplexComparison. */
export function* findBreaks(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  writers: WriterAssumption,
): Sliced<Breaks> {
  const inclusion = new Inclusion(reader, writer);
  const written = inclusion.views.root("writer");
  const declaring = writers === "declared" ? [written] : null;
  const state = inclusion.states.of({ written: [written], known: [], nots: [], declaring });
  return { inclusion, state, found: yield* inclusion.proveAll(state, inclusion.views.root("reader")) };
}

/** The differences under the semantic policy, those that break first, and how many there are. */
export function* compareBySemantics(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  writers: WriterAssumption,
): Sliced<{ differences: Difference[]; total: number }> {
  const { inclusion, found } = yield* findBreaks(reader, writer, writers);
  const breaks = found.slice(0, MAX_LISTED_DIFFERENCES).map(breakingDifference);
  const readers = new Set(found.map((each) => each.reader));
  const written = new Set(found.map((each) => each.writer));
  // A change that breaks is reported once, as what it breaks.
  const isReported = (reader: string | null, writer: string | null) =>
    reader === null ? written.has(writer) : readers.has(reader);
  const left = MAX_LISTED_DIFFERENCES - breaks.length;
  const others = yield* changesBetween(inclusion, { reader, writer }, isReported, left);
  return { differences: [...breaks, ...others.listed], total: found.length + others.total };
}

function breakingDifference({ kind, reader, writer, message, fix }: Found): Difference {
  return {
    kind,
    reader_pointer: reader,
    writer_pointer: writer,
    message,
    severity: "breaking",
    ...(fix === undefined ? {} : { fix }),
  };
}

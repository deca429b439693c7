/** The semantic policy: breaking is what lets a value through that the reader refuses; everything else that changed is told as well. */
import type { Difference, WriterAssumption } from "../../../compatibility.ts";
import type { JsonSchemaModel } from "../../model.ts";
import { changesBetween } from "./changes.ts";
import { type Found, Inclusion } from "./inclusion.ts";
import type { State } from "./state.ts";

/** What is not proven harmless, with what a witness can be built from. Throws TooComplexComparison. */
export function findBreaks(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  writers: WriterAssumption,
): { inclusion: Inclusion; state: State; found: readonly Found[] } {
  const inclusion = new Inclusion(reader, writer);
  const written = inclusion.views.root("writer");
  const declaring = writers === "declared" ? [written] : null;
  const state = inclusion.states.of({ written: [written], known: [], nots: [], declaring });
  return { inclusion, state, found: inclusion.proveAll(state, inclusion.views.root("reader")) };
}

/** Every difference under the semantic policy. */
export function compareBySemantics(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  writers: WriterAssumption,
): Difference[] {
  const { inclusion, found } = findBreaks(reader, writer, writers);
  const breaks = found.map(breakingDifference);
  const readers = new Set(found.map((each) => each.reader));
  const written = new Set(found.map((each) => each.writer));
  // A change that breaks is told once, as what it breaks.
  const others = changesBetween(inclusion, reader, writer).filter(({ reader_pointer, writer_pointer }) =>
    reader_pointer === null ? !written.has(writer_pointer) : !readers.has(reader_pointer),
  );
  return [...breaks, ...others];
}

export function breakingDifference({ kind, reader, writer, message, fix }: Found): Difference {
  return {
    kind,
    reader_pointer: reader,
    writer_pointer: writer,
    message,
    severity: "breaking",
    ...(fix === undefined ? {} : { fix }),
  };
}

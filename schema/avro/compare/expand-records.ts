/** Compares a reader's record with a writer's record, field by field. */
import type { AvroField, AvroRecord, AvroType } from "../model.ts";
import { shorten } from "../names.ts";
import { describeFieldChanges } from "./changes.ts";
import { type Entry, type LocalDifference, listNames, only } from "./entry.ts";
import type { CompareContext } from "./policy-rules.ts";
import { findWriterFields } from "./record-fields.ts";

export function* expandRecords(reader: AvroRecord, writer: AvroRecord, context: CompareContext): Generator<Entry> {
  const writerFields = new Map(writer.fields.map((field, index) => [field.name, index]));
  const read = new Set<number>();
  for (const [index, field] of reader.fields.entries()) {
    const readerStep = `/fields/${index}`;
    const matches = findWriterFields(field, writerFields);
    for (const match of matches) read.add(match);
    const [match] = matches;
    if (matches.length > 1) yield ambiguousField(field, { reader, writer }, matches, readerStep);
    else if (match !== undefined) yield* expandField(field, writer.fields[match]!, index, match, context);
    else
      yield context.rules.expandMissingField(field, readerStep, { reader, writer }, context) ??
        added(field, reader, readerStep);
  }
  if (context.isDeciding) return;
  for (const [index, field] of writer.fields.entries()) {
    if (read.has(index)) continue;
    yield {
      kind: "FIELD_REMOVED",
      severity: "info",
      message: `The writer's field "${shorten(field.name)}" of ${shorten(writer.name.full)} is not in the reader, which skips it.`,
      readerStep: null,
      writerStep: `/fields/${index}`,
    };
  }
}

function* expandField(
  reader: AvroField,
  writer: AvroField,
  readerIndex: number,
  writerIndex: number,
  context: CompareContext,
): Generator<Entry> {
  const readerStep = `/fields/${readerIndex}`;
  const writerStep = `/fields/${writerIndex}`;
  if (!context.isDeciding) yield* describeFieldChanges(reader, writer, readerStep, writerStep, context.texts);
  if (!isSamePlainType(reader.type, writer.type)) {
    yield only(reader.type, writer.type, `${readerStep}/type`, `${writerStep}/type`);
  }
}

/** A fast path for equal primitives without properties and unions of them, which most fields are. */
function isSamePlainType(reader: AvroType, writer: AvroType): boolean {
  if (reader === writer) return "logicalType" in reader;
  if (reader.kind !== "union" || writer.kind !== "union") return false;
  const { branches } = reader;
  if (branches.length !== writer.branches.length) return false;
  return branches.every((branch, index) => branch === writer.branches[index] && "logicalType" in branch);
}

function ambiguousField(
  field: AvroField,
  { reader, writer }: { reader: AvroRecord; writer: AvroRecord },
  matches: readonly number[],
  readerStep: string,
): LocalDifference {
  const names = listNames(matches.map((match) => writer.fields[match]!.name));
  return {
    kind: "AMBIGUOUS_FIELD",
    severity: "breaking",
    message: `Field "${shorten(field.name)}" of the reader's ${shorten(reader.name.full)} matches, by its name and aliases, several of the writer's fields: ${names}.`,
    fix: "Remove the aliases that name another field of the writer.",
    readerStep,
    writerStep: null,
  };
}

export function missingDefault(field: AvroField, reader: AvroRecord, readerStep: string): LocalDifference {
  return {
    kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
    severity: "breaking",
    message: `Field "${shorten(field.name)}" of the reader's ${shorten(reader.name.full)} has no default, and the writer has no such field.`,
    fix: `Give "${shorten(field.name)}" a default in the reader.`,
    readerStep,
    writerStep: null,
  };
}

function added(field: AvroField, reader: AvroRecord, readerStep: string): LocalDifference {
  return {
    kind: "FIELD_ADDED",
    severity: "info",
    message: `The reader's field "${shorten(field.name)}" of ${shorten(reader.name.full)} is not in the writer and reads as its default.`,
    readerStep,
    writerStep: null,
  };
}

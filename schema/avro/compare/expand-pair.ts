/** Compares one reader type with one writer type, without descending into their parts. */
import {
  type AvroEnum,
  type AvroFixed,
  type AvroNamedType,
  type AvroPrimitive,
  type AvroType,
  type AvroUnion,
  isNamed,
} from "../model.ts";
import { namesMatch, shorten } from "../names.ts";
import { describeChanges } from "./changes.ts";
import { describeAvroType, type Entry, type LocalDifference, listNames, only } from "./entry.ts";
import { expandRecords } from "./expand-records.ts";
import { expandReaderUnion, expandWriterUnion } from "./expand-unions.ts";
import type { CompareContext } from "./policy-rules.ts";
import { isPromotable } from "./promotions.ts";
import { findLoss } from "./semantic/find-loss.ts";
import { makeLoss } from "./semantic/losses.ts";

/** Yields the differences between the two types themselves, and their parts, in the order of the reader's text. */
export function* expandPair(reader: AvroType, writer: AvroType, context: CompareContext): Generator<Entry> {
  context.spend(workOf(reader) + workOf(writer));
  if (writer.kind === "union") yield* expandWriterUnion(reader, writer, context);
  else if (reader.kind === "union") yield* expandReaderUnion(reader, writer, "", !context.isDeciding, context);
  if (reader.kind === "union") {
    if (!context.isDeciding) yield* describeChanges(reader, writer, context);
  } else if (writer.kind !== "union") yield* expandSingle(reader, writer, context);
}

function* expandSingle(
  reader: Exclude<AvroType, AvroUnion>,
  writer: Exclude<AvroType, AvroUnion>,
  context: CompareContext,
): Generator<Entry> {
  if (isNamed(reader) && reader.kind === writer.kind && !namesMatch(reader, writer as AvroNamedType)) {
    yield nameMismatch(reader, writer as AvroNamedType);
  }
  if (reader.kind === "record" && writer.kind === "record") {
    yield* expandRecords(reader, writer, context);
  } else if (reader.kind === "enum" && writer.kind === "enum") {
    yield* compareSymbols(reader, writer, context);
  } else if (reader.kind === "fixed" && writer.kind === "fixed") {
    if (reader.size !== writer.size) yield sizeMismatch(reader, writer);
  } else if (reader.kind === "array" && writer.kind === "array") {
    yield only(reader.items, writer.items, "/items", "/items");
  } else if (reader.kind === "map" && writer.kind === "map") {
    yield only(reader.values, writer.values, "/values", "/values");
  } else if (reader.kind !== writer.kind && !isPromotable(writer, reader)) {
    yield typeMismatch(reader, writer);
    return;
  }
  if (!context.isDeciding) yield* describeChanges(reader, writer, context);
  const loss = findLoss(reader, writer);
  if (loss !== null) {
    yield { ...loss, severity: context.rules.severityOfLoss(loss.severity), readerStep: "", writerStep: "" };
  }
}

function* compareSymbols(reader: AvroEnum, writer: AvroEnum, context: CompareContext): Generator<LocalDifference> {
  const missing = writer.symbols.filter((symbol) => !reader.ordinals.has(symbol));
  if (missing.length === 0) return;
  const lack = `The reader's enum ${shorten(reader.name.full)} lacks the writer's symbols ${listNames(missing)}`;
  const steps = { readerStep: "/symbols", writerStep: "/symbols" };
  if (reader.defaultSymbol === null || !reader.ordinals.has(reader.defaultSymbol)) {
    yield {
      kind: "MISSING_ENUM_SYMBOLS",
      severity: "breaking",
      message: `${lack} and has no default.`,
      fix: `Add ${listNames(missing)} to the reader's symbols, or give its enum a default.`,
      ...steps,
    };
    return;
  }
  const message = `${lack} and reads its default ${shorten(reader.defaultSymbol)} instead.`;
  const loss = makeLoss("ENUM_DEFAULT_SUBSTITUTED", message);
  yield { ...loss, severity: context.rules.severityOfLoss(loss.severity), ...steps };
}

function nameMismatch(reader: AvroNamedType, writer: AvroNamedType): LocalDifference {
  return {
    kind: "NAME_MISMATCH",
    severity: "breaking",
    message: `The reader's ${reader.kind} is named ${shorten(reader.name.full)}, the writer's ${shorten(writer.name.full)}.`,
    fix: `Add "${shorten(writer.name.full)}" to the aliases of the reader's ${shorten(reader.name.full)}.`,
    readerStep: "/name",
    writerStep: "/name",
  };
}

function sizeMismatch(reader: AvroFixed, writer: AvroFixed): LocalDifference {
  return {
    kind: "FIXED_SIZE_MISMATCH",
    severity: "breaking",
    message: `The reader's ${shorten(reader.name.full)} has ${reader.size} bytes, the writer's has ${writer.size}.`,
    fix: `Keep ${writer.size} bytes, or use a new name for the other size.`,
    readerStep: "/size",
    writerStep: "/size",
  };
}

function typeMismatch(reader: AvroType, writer: AvroType): LocalDifference {
  return {
    kind: "TYPE_MISMATCH",
    severity: "breaking",
    message: `The reader expects ${describeAvroType(reader)}, the writer has ${describeAvroType(writer)}.`,
    fix: `Let the reader expect ${describeAvroType(writer)}, or a union that contains it.`,
    readerStep: "",
    writerStep: "",
  };
}

/** The cost of expanding a pair on this side: the fields, names and symbols visited. */
function workOf(type: AvroType): number {
  switch (type.kind) {
    case "record":
      return type.fields.reduce((work, field) => work + 1 + field.aliases.length, 1 + type.aliases.length);
    case "enum":
      return 1 + type.symbols.length + type.aliases.length;
    case "fixed":
      return 1 + type.aliases.length;
    case "union":
      return 1 + type.branches.length;
    default:
      return 1;
  }
}

/** Types without further parts to compare, so their pairs can be decided immediately. */
export function isPlain(type: AvroType): type is AvroPrimitive | AvroUnion {
  return type.kind === "union" ? type.branches.every(isPrimitive) : isPrimitive(type);
}

export function isPrimitive(type: AvroType): type is AvroPrimitive {
  return "logicalType" in type && type.kind !== "fixed";
}

/**
 * What one reader type makes of one writer type, their parts aside: the rules of the reference registry (`strict`: Avro's
 * own SchemaCompatibility) and those of resolution without loss of meaning (`semantic`).
 */
import type { Difference } from "../../compatibility.ts";
import {
  type AvroEnum,
  type AvroFixed,
  type AvroNamedType,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  isNamed,
  typeName,
} from "../model.ts";
import { namesMatch, shorten } from "../names.ts";
import type { DefaultChecker } from "../parse/default-value.ts";
import { describeChanges, describeFieldChanges, info } from "./changes.ts";
import { findWriterFields } from "./record-fields.ts";
import { describeLoss } from "./semantic/find-loss.ts";
import { ENUM_SUBSTITUTION, NAMESPACE_CHANGED, PROMOTIONS } from "./semantic/losses.ts";
import type { BranchFinder } from "./union-branches.ts";

export type Rules = "strict" | "semantic";

/** The rules of one comparison, and what it finds branches and checks defaults with. */
export type RuleContext = { rules: Rules; branches: BranchFinder; defaults: DefaultChecker };

/** A difference whose places are still relative to the pair it belongs to. */
export type LocalDifference = Omit<Difference, "reader_pointer" | "writer_pointer"> & {
  readerStep: string | null;
  writerStep: string | null;
};

/** A part of a pair: it holds if one of its options does. Without `onFailure` the option's own differences tell why not. */
export type Part = {
  options: Iterable<{ reader: AvroType; writer: AvroType; readerStep: string; writerStep: string }>;
  onFailure: (() => LocalDifference) | null;
};

/** Takes what the two types themselves differ in, and their parts, in the order in which they are told. */
export type PairExpansion = { push(entry: LocalDifference | Part): void };

export function expandPair(reader: AvroType, writer: AvroType, context: RuleContext, expansion: PairExpansion): void {
  if (writer.kind === "union") expandWriterUnion(reader, writer.branches, context, expansion);
  else if (reader.kind === "union") expansion.push(unionPart(reader, writer, "", context));
  if (reader.kind === "union") describeChanges(reader, writer, "info", expansion);
  else if (writer.kind !== "union") expandSingle(reader, writer, context, expansion);
}

/** The reader must read every branch: each with one of its own, if it is a union itself. */
function expandWriterUnion(
  reader: AvroType,
  branches: readonly AvroType[],
  context: RuleContext,
  expansion: PairExpansion,
): void {
  branches.forEach((branch, index) => {
    expansion.push(
      reader.kind === "union" ? unionPart(reader, branch, `/${index}`, context) : only(reader, branch, "", `/${index}`),
    );
  });
}

/** Strictly any branch will do; semantically it is the one that resolution takes, and its differences are told. */
function unionPart(reader: AvroUnion, writer: AvroType, writerStep: string, context: RuleContext): Part {
  const taken = context.branches.first(reader, writer);
  return {
    options: optionsFor(reader, writer, writerStep, context),
    onFailure:
      context.rules === "semantic" && taken !== undefined
        ? null
        : () => ({
            kind: "MISSING_UNION_BRANCH",
            severity: "breaking",
            message: `The reader's union has no branch that reads the writer's ${describeType(writer)}.`,
            fix: `Add ${describeType(writer)} to the reader's union.`,
            readerStep: "",
            writerStep,
          }),
  };
}

function* optionsFor(reader: AvroUnion, writer: AvroType, writerStep: string, context: RuleContext) {
  for (const at of context.branches.all(reader, writer)) {
    yield { reader: reader.branches[at]!, writer, readerStep: `/${at}`, writerStep };
    if (context.rules === "semantic") return;
  }
}

function expandSingle(reader: AvroType, writer: AvroType, context: RuleContext, expansion: PairExpansion): void {
  if (reader.kind === "record" && writer.kind === "record") {
    expandRecords(reader, writer, context, expansion);
  } else if (reader.kind === "enum" && writer.kind === "enum") {
    compareNames(reader, writer, expansion);
    compareSymbols(reader, writer, context, expansion);
  } else if (reader.kind === "fixed" && writer.kind === "fixed") {
    compareNames(reader, writer, expansion);
    compareSizes(reader, writer, expansion);
  } else if (reader.kind === "array" && writer.kind === "array") {
    expansion.push(only(reader.items, writer.items, "/items", "/items"));
  } else if (reader.kind === "map" && writer.kind === "map") {
    expansion.push(only(reader.values, writer.values, "/values", "/values"));
  } else if (reader.kind !== writer.kind && !isPromotable(writer, reader)) {
    expansion.push({
      kind: "TYPE_MISMATCH",
      severity: "breaking",
      message: `The reader expects ${describeType(reader)}, the writer has ${describeType(writer)}.`,
      fix: `Let the reader expect ${describeType(writer)}, or a union that contains it.`,
      readerStep: "",
      writerStep: "",
    });
    return;
  }
  describeChanges(reader, writer, context.rules === "strict" ? "info" : NAMESPACE_CHANGED.severity, expansion);
  const loss = describeLoss(reader, writer);
  if (loss !== null) {
    const severity = context.rules === "strict" ? "info" : loss.severity;
    expansion.push({ ...loss, severity, readerStep: "", writerStep: "" });
  }
}

function only(reader: AvroType, writer: AvroType, readerStep: string, writerStep: string): Part {
  return { options: [{ reader, writer, readerStep, writerStep }], onFailure: null };
}

/** Equal primitives without properties, and unions of them: most fields of most records, with nothing to tell. */
function isSamePlainType(reader: AvroType, writer: AvroType): boolean {
  if (reader === writer) return "logicalType" in reader;
  if (reader.kind !== "union" || writer.kind !== "union") return false;
  const { branches } = reader;
  if (branches.length !== writer.branches.length) return false;
  return branches.every((branch, index) => branch === writer.branches[index] && "logicalType" in branch);
}

function isPromotable(writer: AvroType, reader: AvroType): boolean {
  const promotions: readonly string[] = PROMOTIONS[writer.kind as keyof typeof PROMOTIONS] ?? [];
  return promotions.includes(reader.kind);
}

function compareNames(reader: AvroNamedType, writer: AvroNamedType, expansion: PairExpansion): void {
  if (namesMatch(reader, writer)) return;
  expansion.push({
    kind: "NAME_MISMATCH",
    severity: "breaking",
    message: `The reader's ${reader.kind} is named ${shorten(reader.name.full)}, the writer's ${shorten(writer.name.full)}.`,
    fix: `Add "${shorten(writer.name.full)}" to the aliases of the reader's ${shorten(reader.name.full)}.`,
    readerStep: "/name",
    writerStep: "/name",
  });
}

function compareSizes(reader: AvroFixed, writer: AvroFixed, expansion: PairExpansion): void {
  if (reader.size === writer.size) return;
  expansion.push({
    kind: "FIXED_SIZE_MISMATCH",
    severity: "breaking",
    message: `The reader's ${shorten(reader.name.full)} has ${reader.size} bytes, the writer's has ${writer.size}.`,
    fix: `Keep ${writer.size} bytes, or use a new name for the other size.`,
    readerStep: "/size",
    writerStep: "/size",
  });
}

function compareSymbols(reader: AvroEnum, writer: AvroEnum, context: RuleContext, expansion: PairExpansion): void {
  const missing = writer.symbols.filter((symbol) => !reader.ordinals.has(symbol));
  if (missing.length === 0) return;
  const lack = `The reader's enum ${shorten(reader.name.full)} lacks the writer's symbols ${list(missing)}`;
  const steps = { readerStep: "/symbols", writerStep: "/symbols" };
  if (reader.defaultSymbol === null || !reader.ordinals.has(reader.defaultSymbol)) {
    const fix = `Add ${list(missing)} to the reader's symbols, or give its enum a default.`;
    expansion.push({
      ...{ kind: "MISSING_ENUM_SYMBOLS", severity: "breaking", message: `${lack} and has no default.`, fix },
      ...steps,
    });
    return;
  }
  const message = `${lack} and reads its default ${shorten(reader.defaultSymbol)} instead.`;
  const severity = context.rules === "strict" ? "info" : ENUM_SUBSTITUTION.severity;
  expansion.push({ ...ENUM_SUBSTITUTION, severity, message, ...steps });
}

function expandRecords(reader: AvroRecord, writer: AvroRecord, context: RuleContext, expansion: PairExpansion): void {
  compareNames(reader, writer, expansion);
  const writerFields = new Map(writer.fields.map((field, index) => [field.name, index]));
  const read = new Set<number>();
  reader.fields.forEach((field, index) => {
    const readerStep = `/fields/${index}`;
    const matches = findWriterFields(field, writerFields);
    if (matches.length > 1) {
      const names = matches.map((match) => writer.fields[match]!.name);
      for (const match of matches) read.add(match);
      expansion.push({
        kind: "AMBIGUOUS_FIELD",
        severity: "breaking",
        message: `Field "${shorten(field.name)}" of the reader's ${shorten(reader.name.full)} stands, by its name and aliases, for several of the writer's fields: ${list(names)}.`,
        fix: "Remove the aliases that name another field of the writer.",
        readerStep,
        writerStep: null,
      });
      return;
    }
    const [match] = matches;
    if (match !== undefined) {
      const writerField = writer.fields[match]!;
      const writerStep = `/fields/${match}`;
      read.add(match);
      describeFieldChanges(field, writerField, readerStep, writerStep, expansion);
      if (!isSamePlainType(field.type, writerField.type)) {
        expansion.push(only(field.type, writerField.type, `${readerStep}/type`, `${writerStep}/type`));
      }
    } else if (field.defaultValue === null) {
      if (context.rules === "strict" && field.type.kind === "enum" && field.type.defaultSymbol !== null) {
        // The reference registry takes the enum's own default for a sign to compare the enum with the whole record.
        expansion.push(only(field.type, writer, `${readerStep}/type`, ""));
        return;
      }
      expansion.push({
        kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
        severity: "breaking",
        message: `Field "${shorten(field.name)}" of the reader's ${shorten(reader.name.full)} has no default, and the writer has no such field.`,
        fix: `Give "${shorten(field.name)}" a default in the reader.`,
        readerStep,
        writerStep: null,
      });
    } else if (context.rules === "semantic" && !context.defaults.isUsable(field.type, field.defaultValue)) {
      expansion.push({
        kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
        severity: "breaking",
        message: `Field "${shorten(field.name)}" of the reader's ${shorten(reader.name.full)} has a default that does not fit its type, and the writer has no such field.`,
        fix: `Give "${shorten(field.name)}" a default of its type in the reader.`,
        readerStep,
        writerStep: null,
      });
    } else {
      const message = `The reader's field "${shorten(field.name)}" of ${shorten(reader.name.full)} is not in the writer and reads as its default.`;
      expansion.push(info("FIELD_ADDED", message, readerStep, null));
    }
  });
  writer.fields.forEach((field, index) => {
    if (read.has(index)) return;
    const message = `The writer's field "${shorten(field.name)}" of ${shorten(writer.name.full)} is not in the reader, which skips it.`;
    expansion.push(info("FIELD_REMOVED", message, null, `/fields/${index}`));
  });
}

const MAX_LISTED = 10;

function list(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).map(shorten).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

export function describeType(type: AvroType): string {
  return isNamed(type) ? `${type.kind} ${shorten(typeName(type))}` : type.kind;
}

/** What expanding a pair costs on this side: the fields, names and symbols that are looked at. */
export function workOf(type: AvroType): number {
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

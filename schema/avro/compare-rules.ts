/**
 * What one reader type makes of one writer type, their parts aside: the rules of the reference registry (`strict`: Avro's
 * own SchemaCompatibility) and those of resolution without loss of meaning (`semantic`).
 */
import type { Difference } from "../compatibility";
import { describeChanges, describeFieldChanges, info } from "./changes";
import { isUsableDefault } from "./default-value";
import { describeLoss } from "./loss-rules";
import { ENUM_SUBSTITUTION, NAMESPACE_CHANGED, PROMOTIONS } from "./losses";
import {
  type AvroEnum,
  type AvroFixed,
  type AvroNamedType,
  type AvroRecord,
  type AvroType,
  isNamed,
  typeName,
} from "./model";
import { namesMatch } from "./names";
import { findWriterFields } from "./record-fields";
import { branchesFor } from "./union-branches";

export type Rules = "strict" | "semantic";

/** A difference whose places are still relative to the pair it belongs to. */
export type LocalDifference = Omit<Difference, "reader_pointer" | "writer_pointer"> & {
  readerStep: string | null;
  writerStep: string | null;
};

/** A part of a pair: it holds if one of its options does. Without `onFailure` the option's own differences tell why not. */
export type Part = {
  options: readonly { reader: AvroType; writer: AvroType; readerStep: string; writerStep: string }[];
  onFailure: (() => LocalDifference) | null;
};

/** What the two types themselves differ in, and their parts, in the order in which they are told. */
export type PairExpansion = (LocalDifference | Part)[];

export function expandPair(reader: AvroType, writer: AvroType, rules: Rules): PairExpansion {
  const expansion: PairExpansion = [];
  if (writer.kind === "union") expandWriterUnion(reader, writer.branches, rules, expansion);
  else if (reader.kind === "union") expansion.push(unionPart(reader, writer, "", rules));
  if (reader.kind === "union") describeChanges(reader, writer, "info", expansion);
  else if (writer.kind !== "union") expandSingle(reader, writer, rules, expansion);
  return expansion;
}

/** The reader must read every branch: each with one of its own, if it is a union itself. */
function expandWriterUnion(
  reader: AvroType,
  branches: readonly AvroType[],
  rules: Rules,
  expansion: PairExpansion,
): void {
  branches.forEach((branch, index) => {
    expansion.push(
      reader.kind === "union" ? unionPart(reader, branch, `/${index}`, rules) : only(reader, branch, "", `/${index}`),
    );
  });
}

/** Strictly any branch will do; semantically it is the one that resolution takes, and its differences are told. */
function unionPart(
  reader: Extract<AvroType, { kind: "union" }>,
  writer: AvroType,
  writerStep: string,
  rules: Rules,
): Part {
  const branches = branchesFor(reader, writer);
  const taken = rules === "strict" ? branches : branches.slice(0, 1);
  return {
    options: taken.map((branch) => ({
      reader: branch,
      writer,
      readerStep: `/${reader.branches.indexOf(branch)}`,
      writerStep,
    })),
    onFailure:
      rules === "semantic" && taken.length > 0
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

function expandSingle(reader: AvroType, writer: AvroType, rules: Rules, expansion: PairExpansion): void {
  if (reader.kind === "record" && writer.kind === "record") {
    expandRecords(reader, writer, rules, expansion);
  } else if (reader.kind === "enum" && writer.kind === "enum") {
    expansion.push(...compareNames(reader, writer), ...compareSymbols(reader, writer, rules));
  } else if (reader.kind === "fixed" && writer.kind === "fixed") {
    expansion.push(...compareNames(reader, writer), ...compareSizes(reader, writer));
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
  describeChanges(reader, writer, rules === "strict" ? "info" : NAMESPACE_CHANGED.severity, expansion);
  const loss = describeLoss(reader, writer);
  if (loss !== null) {
    const severity = rules === "strict" ? "info" : loss.severity;
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

function compareNames(reader: AvroNamedType, writer: AvroNamedType): LocalDifference[] {
  if (namesMatch(reader, writer)) return [];
  return [
    {
      kind: "NAME_MISMATCH",
      severity: "breaking",
      message: `The reader's ${reader.kind} is named ${reader.name.full}, the writer's ${writer.name.full}.`,
      fix: `Add "${writer.name.full}" to the aliases of the reader's ${reader.name.full}.`,
      readerStep: "/name",
      writerStep: "/name",
    },
  ];
}

function compareSizes(reader: AvroFixed, writer: AvroFixed): LocalDifference[] {
  if (reader.size === writer.size) return [];
  return [
    {
      kind: "FIXED_SIZE_MISMATCH",
      severity: "breaking",
      message: `The reader's ${reader.name.full} has ${reader.size} bytes, the writer's has ${writer.size}.`,
      fix: `Keep ${writer.size} bytes, or use a new name for the other size.`,
      readerStep: "/size",
      writerStep: "/size",
    },
  ];
}

function compareSymbols(reader: AvroEnum, writer: AvroEnum, rules: Rules): LocalDifference[] {
  const known = new Set(reader.symbols);
  const missing = writer.symbols.filter((symbol) => !known.has(symbol));
  if (missing.length === 0) return [];
  const steps = { readerStep: "/symbols", writerStep: "/symbols" };
  if (reader.defaultSymbol === null || !known.has(reader.defaultSymbol)) {
    const message = `The reader's enum ${reader.name.full} lacks the writer's symbols ${list(missing)} and has no default.`;
    const fix = `Add ${list(missing)} to the reader's symbols, or give its enum a default.`;
    return [{ kind: "MISSING_ENUM_SYMBOLS", severity: "breaking", message, fix, ...steps }];
  }
  const message = `The reader's enum ${reader.name.full} lacks the writer's symbols ${list(missing)} and reads its default ${reader.defaultSymbol} instead.`;
  const severity = rules === "strict" ? "info" : ENUM_SUBSTITUTION.severity;
  return [{ ...ENUM_SUBSTITUTION, severity, message, ...steps }];
}

function expandRecords(reader: AvroRecord, writer: AvroRecord, rules: Rules, expansion: PairExpansion): void {
  expansion.push(...compareNames(reader, writer));
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
        message: `Field "${field.name}" of the reader's ${reader.name.full} stands, by its name and aliases, for several of the writer's fields: ${list(names)}.`,
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
      if (rules === "strict" && field.type.kind === "enum" && field.type.defaultSymbol !== null) {
        // The reference registry takes the enum's own default for a sign to compare the enum with the whole record.
        expansion.push(only(field.type, writer, `${readerStep}/type`, ""));
        return;
      }
      expansion.push({
        kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
        severity: "breaking",
        message: `Field "${field.name}" of the reader's ${reader.name.full} has no default, and the writer has no such field.`,
        fix: `Give "${field.name}" a default in the reader.`,
        readerStep,
        writerStep: null,
      });
    } else if (rules === "semantic" && !isUsableDefault(field.type, field.defaultValue)) {
      expansion.push({
        kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
        severity: "breaking",
        message: `Field "${field.name}" of the reader's ${reader.name.full} has a default that does not fit its type, and the writer has no such field.`,
        fix: `Give "${field.name}" a default of its type in the reader.`,
        readerStep,
        writerStep: null,
      });
    } else {
      const message = `The reader's field "${field.name}" of ${reader.name.full} is not in the writer and reads as its default.`;
      expansion.push(info("FIELD_ADDED", message, readerStep, null));
    }
  });
  writer.fields.forEach((field, index) => {
    if (read.has(index)) return;
    const message = `The writer's field "${field.name}" of ${writer.name.full} is not in the reader, which skips it.`;
    expansion.push(info("FIELD_REMOVED", message, null, `/fields/${index}`));
  });
}

const MAX_LISTED = 10;

function list(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

export function describeType(type: AvroType): string {
  return isNamed(type) ? `${type.kind} ${typeName(type)}` : type.kind;
}

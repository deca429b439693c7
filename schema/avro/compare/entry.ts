/** What expanding a pair of types yields: its own differences, and the parts it depends on. */
import type { Difference, Severity } from "../../compatibility.ts";
import { type AvroType, isNamed, typeName } from "../model.ts";
import { shorten } from "../names.ts";

/** A difference whose pointers are relative to its pair of types. */
export type LocalDifference = Omit<Difference, "reader_pointer" | "writer_pointer"> & {
  readerStep: string | null;
  writerStep: string | null;
};

/** A reader type and a writer type that meet inside a pair. */
export type BranchPair = { reader: AvroType; writer: AvroType; readerStep: string; writerStep: string };

/** A part of a pair; it holds if one of its options does. Without `onFailure`, the first option's differences explain a failure. */
export type BranchChoice = { options: Iterable<BranchPair>; onFailure: (() => LocalDifference) | null };

export type Entry = LocalDifference | BranchChoice;

export function isPart(entry: Entry): entry is BranchChoice {
  return "options" in entry;
}

/** The part that holds if and only if this reader type reads this writer type. */
export function only(reader: AvroType, writer: AvroType, readerStep: string, writerStep: string): BranchChoice {
  return { options: [{ reader, writer, readerStep, writerStep }], onFailure: null };
}

/** A difference at the pair itself, or at the same step on both sides. */
export function here(kind: string, severity: Severity, message: string, step = ""): LocalDifference {
  return { kind, severity, message, readerStep: step, writerStep: step };
}

const MAX_LISTED = 10;

export function listNames(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).map(shorten).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

export function describeAvroType(type: AvroType): string {
  return isNamed(type) ? `${type.kind} ${shorten(typeName(type))}` : type.kind;
}

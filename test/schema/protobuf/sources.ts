/** Schema texts as sources with references, and the two ways of parsing them. */
import type { ParseResult, ResolvedReference } from "../../../schema/format.ts";
import type { ProtobufModel } from "../../../schema/protobuf/model.ts";
import { parseProtobuf } from "../../../schema/protobuf/parse/parse.ts";

/** Texts by import path as references that can all import one another. */
export function references(texts: Record<string, string>): ResolvedReference[] {
  return Object.entries(texts).map(([name, text]) => reference(name, text));
}

export function reference(name: string, text: string, own: ResolvedReference[] = []): ResolvedReference {
  return { name, subject: name, version: 1, source: { text, references: own } };
}

export function parseNew(text: string, own: readonly ResolvedReference[] = []): ParseResult<ProtobufModel> {
  return parseProtobuf({ text, references: own }, { strictness: "new", defaultDialect: "2020-12" });
}

export function parseStored(text: string, own: readonly ResolvedReference[] = []): ParseResult<ProtobufModel> {
  return parseProtobuf({ text, references: own }, { strictness: "stored", defaultDialect: "2020-12" });
}

/** The model of a text that must be valid. */
export function modelOf(text: string, own: readonly ResolvedReference[] = []): ProtobufModel {
  const result = parseNew(text, own);
  if (!result.ok) throw new Error(result.refusal.problems.map(({ message, line }) => `${line}: ${message}`).join("\n"));
  return result.value.model;
}

/** Parses texts to models, for tests of comparison. */
import type { CompareOptions, Difference } from "../../../../schema/compatibility.ts";
import type { ParseOptions, ResolvedReference } from "../../../../schema/format.ts";
import { compareProtobuf } from "../../../../schema/protobuf/compare/compare.ts";
import type { ProtobufModel } from "../../../../schema/protobuf/model.ts";
import { parseProtobuf } from "../../../../schema/protobuf/parse/parse.ts";

export function model(
  text: string,
  references: readonly ResolvedReference[] = [],
  strictness: ParseOptions["strictness"] = "new",
): ProtobufModel {
  const parsed = parseProtobuf({ text, references }, { strictness, defaultDialect: "2020-12" });
  if (!parsed.ok) throw new Error(`${parsed.refusal.problems[0]!.message}\n${text}`);
  return parsed.value.model;
}

/** The model, or null if the text is not a valid schema. */
export function modelIfValid(text: string): ProtobufModel | null {
  const parsed = parseProtobuf({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" });
  return parsed.ok ? parsed.value.model : null;
}

export function differencesOf(
  reader: ProtobufModel,
  writer: ProtobufModel,
  policy: CompareOptions["policy"],
  writers: CompareOptions["writers"] = "declared",
): readonly Difference[] {
  const comparison = compareProtobuf(reader, writer, { policy, writers });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences;
}

/** Kinds, sorted; one per difference. */
export function kindsOf(...args: Parameters<typeof differencesOf>): string[] {
  return differencesOf(...args)
    .map(({ kind }) => kind)
    .sort();
}

/**
 * Enumerations and constants. Values that a provider cannot list are written as strings, which the decoder maps back.
 */
import { equalityKey } from "../json/validate/equality.ts";
import { type JsonNode, type JsonObject, toPlainValue, writeJsonText } from "../json-text.ts";
import { coversType, type Draft, typeOfNode } from "./draft.ts";
import { arrayNode, objectNode, stringNode } from "./json-nodes.ts";
import { withNull } from "./nullable.ts";
import type { JsonType } from "./profile.ts";
import type { Rewriter, Written } from "./rewriter.ts";
import { annotate } from "./write-annotations.ts";

export function writeValues(rewriter: Rewriter, draft: Draft, values: NonNullable<Draft["values"]>): Written | null {
  const nodes = unique(values.nodes.filter((node) => rewriter.admits(draft, toPlainValue(node))));
  if (nodes.length === 0) return null;
  // Every remaining value satisfies the draft's other constraints.
  const unconstrained: Draft = { ...draft, assertions: new Map(), conditions: [] };
  const { profile } = rewriter;
  const others = nodes.filter(({ type }) => type !== "null");
  if (others.length === 0) return finished(rewriter, unconstrained, objectNode([["type", stringNode("null")]]));
  if (!fitsBudget(rewriter, values, others)) return writeTooMany(rewriter, unconstrained, values, nodes);
  const listable = others.every((node) => coversType(profile.enumTypes.value, typeOfNode(node)));
  const types = new Set(nodes.map(typeOfNode));
  if (types.has("number")) types.delete("integer");
  const isOneList = types.size === 1 || profile.typeArrays.value !== "none" || (types.size === 2 && types.has("null"));
  const hasNull = others.length < nodes.length;
  const nullListed = hasNull && profile.nullability.value === "type" && coversType(profile.enumTypes.value, "null");
  if (!listable || !isOneList) {
    const written = writeAsStrings(rewriter, unconstrained, values, others);
    return hasNull ? withNull(rewriter, written) : written;
  }
  if (nullListed && profile.typeArrays.value !== "none")
    return writeListed(rewriter, unconstrained, values, nodes, types);
  types.delete("null");
  const written = writeListed(rewriter, unconstrained, values, others, types);
  return hasNull ? withNull(rewriter, written) : written;
}

function unique(nodes: readonly JsonNode[]): JsonNode[] {
  return [...new Map(nodes.map((node) => [equalityKey(node), node])).values()];
}

function finished(rewriter: Rewriter, draft: Draft, schema: JsonObject): Written {
  annotate(rewriter, draft, schema, []);
  return { schema, decode: null };
}

function writeListed(
  rewriter: Rewriter,
  draft: Draft,
  values: NonNullable<Draft["values"]>,
  nodes: readonly JsonNode[],
  types: ReadonlySet<JsonType>,
): Written {
  const { profile } = rewriter;
  const names = [...types].map(stringNode);
  const schema = objectNode([["type", names.length === 1 ? names[0]! : arrayNode(names)]]);
  if (values.keyword === "const" && profile.const.value) schema.members.set("const", nodes[0]!);
  else schema.members.set("enum", arrayNode(nodes));
  if (draft.types === null && !profile.untyped.value) {
    const message = `The type of the values is declared: ${profile.provider} requires it.`;
    rewriter.change("respelled", values.pointer, "lossless", message, 'Add "type".');
  }
  if (values.keyword === "const" && !profile.const.value) {
    const message = `The constant is written as an enumeration of one value: ${profile.provider} does not support "const".`;
    rewriter.change("const_as_enum", values.pointer, "lossless", message, 'Write "enum" with one value.');
  }
  annotate(rewriter, draft, schema, []);
  return { schema, decode: foldingStep(rewriter, values.pointer, nodes) };
}

/** If the model may change the case of a value, the decoder restores it. */
function foldingStep(rewriter: Rewriter, pointer: string, nodes: readonly JsonNode[]): Written["decode"] {
  if (rewriter.profile.enumCase.value === "kept") return null;
  const strings = nodes.flatMap((node) => (node.type === "string" ? [node.value] : []));
  if (strings.every((text) => text.toLowerCase() === text.toUpperCase())) return null;
  const folded = new Set(strings.map((text) => text.toLowerCase()));
  if (folded.size < strings.length) {
    const message = `Some values differ only in case, and ${rewriter.profile.provider} may change the case of a value.`;
    rewriter.change("ambiguous_case", pointer, "checked_after", message, "Use values that differ in more than case.");
    return null;
  }
  return { op: "values", pairs: strings.map((text) => ({ given: text, means: text })), ignore_case: true };
}

function writeAsStrings(
  rewriter: Rewriter,
  draft: Draft,
  values: NonNullable<Draft["values"]>,
  nodes: readonly JsonNode[],
): Written {
  const used = new Set(nodes.flatMap((node) => (node.type === "string" ? [node.value] : [])));
  const pairs = nodes.map((node) => {
    if (node.type === "string") return { given: node.value, means: node.value };
    const text = writeJsonText(node);
    let given = text;
    for (let count = 2; used.has(given); count += 1) given = `${text} (${count})`;
    used.add(given);
    return { given, means: toPlainValue(node) };
  });
  const schema = objectNode([["type", stringNode("string")]]);
  schema.members.set("enum", arrayNode(pairs.map(({ given }) => stringNode(given))));
  const message = `The values are listed as strings and converted back when decoded: ${rewriter.profile.provider} does not support enumerations of these types.`;
  rewriter.change("enum_as_strings", values.pointer, "lossless", message, "List strings only.");
  annotate(rewriter, draft, schema, []);
  const ignoresCase = rewriter.profile.enumCase.value === "any" ? { ignore_case: true as const } : {};
  return { schema, decode: { op: "values", pairs, ...ignoresCase } };
}

function fitsBudget(
  rewriter: Rewriter,
  { keyword }: NonNullable<Draft["values"]>,
  nodes: readonly JsonNode[],
): boolean {
  const { maxEnumValues, largeEnum } = rewriter.profile.budgets;
  if (keyword === "const") return true;
  const characters = nodes.reduce((sum, node) => sum + (node.type === "string" ? node.value.length : 0), 0);
  if (largeEnum && nodes.length > largeEnum.value.values && characters > largeEnum.value.characters) return false;
  if (maxEnumValues && rewriter.enumValues + nodes.length > maxEnumValues.value) return false;
  rewriter.enumValues += nodes.length;
  return true;
}

/** Any value of the types, checked against the list afterwards. */
function writeTooMany(
  rewriter: Rewriter,
  draft: Draft,
  values: NonNullable<Draft["values"]>,
  nodes: readonly JsonNode[],
): Written {
  const message = `The list of ${nodes.length} values is checked after decoding: ${rewriter.profile.provider} does not support a list of this length.`;
  rewriter.change("dropped", values.pointer, "checked_after", message, "Shorten the list, or split it.");
  const types = new Set(nodes.map(typeOfNode));
  const listable = [...types].filter((type) => type !== "object" && type !== "array" && type !== "null");
  const schema = objectNode([["type", stringNode(listable.length === 1 ? listable[0]! : "string")]]);
  annotate(rewriter, draft, schema, []);
  const written: Written = { schema, decode: listable.length === 1 ? null : { op: "json_text" } };
  return types.has("null") ? withNull(rewriter, written) : written;
}

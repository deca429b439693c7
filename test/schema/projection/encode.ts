/** The answer that a model would give for a value of the registered schema: the inverse of `decodeValue`. */
import { isMembers } from "../../../schema/json/validate/evaluation.ts";
import type { AnswerContext } from "../../../schema/projection/answer-context.ts";
import { isSameValue } from "../../../schema/projection/decode.ts";
import type { DecodeStep, MemberStep, RestStep } from "../../../schema/projection/decoder.ts";

/** Recursion is bounded by the depth of the value, times the alternatives around each part. */
export function encodeValue(context: AnswerContext, value: unknown): unknown {
  const { root } = context.decoder;
  return root === undefined ? value : encode(context, root, value);
}

type Members = Record<string, unknown>;

function encode(context: AnswerContext, step: DecodeStep | undefined | null, value: unknown): unknown {
  if (step === undefined || step === null) return value;
  switch (step.op) {
    case "object":
      return isMembers(value) ? encodeObject(context, step, value) : value;
    case "items":
      return Array.isArray(value) ? value.map((item) => encode(context, step.decode, item)) : value;
    case "prefix":
      if (!Array.isArray(value)) return value;
      return value.map((item, index) =>
        encode(context, index < step.items.length ? step.items[index] : step.rest, item),
      );
    case "tuple":
      return Array.isArray(value) ? encodeTuple(context, step.members, step.rest, value) : value;
    case "entries":
      if (!isMembers(value)) return value;
      return Object.entries(value).map(([key, inner]) => ({
        [step.key]: encode(context, step.decode_key, key),
        [step.value]: encode(context, step.decode, inner),
      }));
    case "json_text":
      return isOfTypes(step.types, value) ? JSON.stringify(value) : value;
    case "values":
      return step.pairs.find(({ means }) => isSameValue(means, value))?.given ?? value;
    case "unwrap":
      return { [step.member]: encode(context, step.decode, value) };
    case "choose":
      return encodeChosen(context, step, value);
    default:
      return encode(context, context.definition(step.name), value);
  }
}

function encodeObject(context: AnswerContext, step: Extract<DecodeStep, { op: "object" }>, value: Members): Members {
  const encoded = new Map<string, unknown>();
  const named = new Set(step.members.map(({ name }) => name));
  for (const member of step.members) {
    if (Object.hasOwn(value, member.name))
      encoded.set(member.given, encode(context, member.decode, value[member.name]));
    else if (member.absent !== undefined) encoded.set(member.given, member.absent.value);
    else if (member.nullable) encoded.set(member.given, null);
  }
  const others = Object.entries(value).filter(([name]) => !named.has(name));
  if (step.rest === undefined) {
    for (const [name, inner] of others) encoded.set(name, encode(context, step.others, inner));
  } else encoded.set(step.rest.member, encode(context, step.rest.decode, Object.fromEntries(others)));
  return Object.fromEntries(encoded);
}

function encodeTuple(
  context: AnswerContext,
  members: readonly MemberStep[],
  rest: RestStep | undefined,
  value: readonly unknown[],
): Members {
  const encoded = new Map<string, unknown>();
  for (const [index, member] of members.entries()) {
    if (index < value.length) encoded.set(member.given, encode(context, member.decode, value[index]));
    else encoded.set(member.given, member.absent?.value ?? null);
  }
  if (rest !== undefined) encoded.set(rest.member, encode(context, rest.decode, value.slice(members.length)));
  return Object.fromEntries(encoded);
}

/** The first branch that the value belongs to and whose encoding of it the projected schema accepts. */
function encodeChosen(
  context: AnswerContext,
  { branches }: Extract<DecodeStep, { op: "choose" }>,
  value: unknown,
): unknown {
  const fitting = branches.filter((branch) => context.takesRegistered(branch, value));
  for (const branch of fitting) {
    const encoded = encode(context, branch.decode, value);
    if (context.takesProjected(branch, encoded)) return encoded;
  }
  return fitting.length === 0 ? value : encode(context, fitting[0]!.decode, value);
}

/** Alternatives of other types remain next to the encoded text without a choice. */
function isOfTypes(types: readonly string[] | undefined, value: unknown): boolean {
  if (types === undefined) return true;
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return types.includes(type) || (type === "number" && types.includes("integer"));
}

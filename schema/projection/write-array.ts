/** Arrays with one kind of item, and tuples, which become objects if a provider only supports the former. */
import type { DecodeStep, MemberStep } from "./decoder.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { arrayNode, booleanNode, numberNode, objectNode, stringNode } from "./json-nodes.ts";
import { withNull } from "./nullable.ts";
import type { Part, Place, Rewriter, Written } from "./rewriter.ts";

export function writeArray(rewriter: Rewriter, draft: Draft, place: Place): Part | Written | null {
  if (minItems(draft) > maxItems(draft)) return null;
  const inside: Place = { ...place, depth: place.depth + 1, isOptional: place.isOptional || minItems(draft) === 0 };
  if (draft.prefix !== null && draft.prefix.length > 0) {
    return rewriter.use("prefixItems") === "enforced"
      ? writePrefix(rewriter, draft, draft.prefix, inside)
      : writeTuple(rewriter, draft, draft.prefix, inside);
  }
  const schema = objectNode([["type", stringNode("array")]]);
  if (draft.items === false) return writeNoItems(rewriter, draft, schema);
  if (draft.items === null && rewriter.profile.untyped.value) return { schema, decode: null, moved: [] };
  const item = typeof draft.items === "object" && draft.items !== null ? draft.items : anyItem(draft);
  const written = rewriter.write(item, inside);
  if (written === null) return writeNoItems(rewriter, draft, schema);
  schema.members.set("items", written.schema);
  return { schema, decode: written.decode === null ? null : { op: "items", decode: written.decode }, moved: [] };
}

function minItems({ assertions }: Draft): number {
  const node = assertions.get("minItems")?.node;
  return node?.type === "number" ? node.value : 0;
}

function anyItem(draft: Draft): Draft {
  return emptyDraft(draft.pointer);
}

/** Only the empty array. */
function writeNoItems(rewriter: Rewriter, draft: Draft, schema: Part["schema"]): Part | Written | null {
  if (minItems(draft) > 0) return null;
  if (rewriter.profile.otherKeywords.value === "enforced") {
    schema.members.set("items", booleanNode(false));
    return { schema, decode: null, moved: [] };
  }
  const text = objectNode([
    ["type", stringNode("string")],
    ["enum", arrayNode([stringNode("[]")])],
  ]);
  rewriter.change(
    "json_in_string",
    draft.pointer,
    "lossless",
    `An array that must be empty is requested as its text: ${rewriter.profile.provider} cannot express it.`,
    "Remove the array.",
  );
  return { schema: rewriter.describeEncoded(draft, text, []), decode: { op: "json_text", types: ["array"] } };
}

function writePrefix(rewriter: Rewriter, draft: Draft, prefix: readonly Draft[], inside: Place): Part | null {
  const written = prefix.map((item) => rewriter.write(item, inside));
  const end = written.indexOf(null);
  const kept = (end === -1 ? written : written.slice(0, end)) as Written[];
  if (end !== -1 && minItems(draft) > end) return null;
  const schema = objectNode([
    ["type", stringNode("array")],
    ["prefixItems", arrayNode(kept.map((item) => item.schema))],
  ]);
  const rest = end === -1 ? draft.items : false;
  let decode: DecodeStep | null = null;
  if (typeof rest === "boolean") schema.members.set("items", booleanNode(rest));
  else if (rest !== null) {
    const item = rewriter.write(rest, inside);
    schema.members.set("items", item?.schema ?? booleanNode(false));
    decode = item?.decode ?? null;
  }
  const items = kept.map((item) => item.decode);
  const isPlain = decode === null && items.every((item) => item === null);
  return { schema, decode: isPlain ? null : { op: "prefix", items, rest: decode }, moved: [] };
}

/** A tuple as an object with one member per position, and one for further items. */
function writeTuple(rewriter: Rewriter, draft: Draft, prefix: readonly Draft[], inside: Place): Written | null {
  const { profile } = rewriter;
  const least = minItems(draft);
  const schema = objectNode([["type", stringNode("object")]]);
  const properties = objectNode();
  const required: string[] = [];
  const members: MemberStep[] = [];
  let end: number | undefined;
  for (const [index, item] of prefix.slice(0, maxItems(draft)).entries()) {
    const written = rewriter.write(item, { ...inside, isOptional: inside.isOptional || index >= least });
    if (written === null) {
      if (index < least) return null;
      end = index;
      break;
    }
    const given = `item_${index + 1}`;
    // A position beyond the minimum length may be empty; null then means the end, so an item that may be null itself is
    // kept.
    const mayEnd = index >= least && !rewriter.admits(item, null);
    properties.members.set(given, (mayEnd ? withNull(rewriter, written) : written).schema);
    required.push(given);
    members.push({
      given,
      name: String(index),
      ...(mayEnd ? { absent: { value: null } } : {}),
      ...(written.decode ? { decode: written.decode } : {}),
    });
  }
  // If a position allows no item, the array ends before it.
  const rest = end === undefined ? writeTupleRest(rewriter, draft, prefix.length, inside) : null;
  if (rest === null && least > members.length) return null;
  if (rest !== null) {
    properties.members.set(REST_MEMBER, rest.schema);
    required.push(REST_MEMBER);
  }
  schema.members.set("properties", properties);
  schema.members.set("required", arrayNode(required.map(stringNode)));
  if (profile.additionalProperties.value !== "any") schema.members.set("additionalProperties", booleanNode(false));
  const isExact = members.every(({ absent }, index) => absent !== undefined || index < least);
  const message = `The tuple is requested as an object with one member per item: ${profile.provider} only supports arrays with one kind of item.`;
  rewriter.change(
    "tuple_as_object",
    draft.pointer,
    isExact ? "lossless" : "lost",
    message,
    "Make it an object with named members.",
  );
  const assertions = new Map([...draft.assertions].filter(([name]) => name === "uniqueItems"));
  const described = rewriter.describeEncoded({ ...draft, assertions }, schema, []);
  const step = rest === null ? {} : { rest: { member: REST_MEMBER, ...(rest.decode ? { decode: rest.decode } : {}) } };
  return { schema: described, decode: { op: "tuple", members, ...step } };
}

const REST_MEMBER = "further_items";

function maxItems({ assertions }: Draft): number {
  const node = assertions.get("maxItems")?.node;
  return node?.type === "number" ? node.value : Number.POSITIVE_INFINITY;
}

/** The items after the declared positions, if they are constrained. */
function writeTupleRest(rewriter: Rewriter, draft: Draft, taken: number, inside: Place): Written | null {
  const { items } = draft;
  if (items === false || maxItems(draft) <= taken) return null;
  const isSaid = typeof items === "object" && items !== null;
  if (!isSaid && minItems(draft) <= taken) {
    const message = `Items after the ${taken} declared positions can no longer be returned, because they have no schema.`;
    const fix = 'Add "items": false, or a schema for them.';
    rewriter.change("dropped", `${draft.pointer}/items`, "lost", message, fix);
    return null;
  }
  const item = isSaid ? items : anyItem(draft);
  const written = rewriter.write(item, { ...inside, depth: inside.depth + 1, isOptional: true });
  if (written === null) return null;
  const schema = objectNode([
    ["type", stringNode("array")],
    ["items", written.schema],
  ]);
  const bound = { ...draft, annotations: new Map(), conditions: [], assertions: restBounds(draft, taken) };
  const decode: DecodeStep | null = written.decode === null ? null : { op: "items", decode: written.decode };
  return { schema: rewriter.describe(bound, schema, ["array"], []), decode };
}

/** The array's bounds, minus the positions that have members of their own. */
function restBounds({ assertions }: Draft, taken: number): Draft["assertions"] {
  const bounds = new Map<string, { node: ReturnType<typeof numberNode>; pointer: string }>();
  for (const name of ["minItems", "maxItems"]) {
    const known = assertions.get(name);
    if (known?.node.type === "number" && known.node.value > taken) {
      bounds.set(name, { node: numberNode(known.node.value - taken), pointer: known.pointer });
    }
  }
  return bounds;
}

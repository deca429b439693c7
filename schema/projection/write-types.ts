import { combineAlternatives } from "./alternatives.ts";
import type { DecodeStep } from "./decoder.ts";
import { ALL_TYPES, type Draft, listChildren } from "./draft.ts";
import { arrayNode, objectNode, stringNode } from "./json-nodes.ts";
import type { JsonType } from "./profile.ts";
import type { Part, Place, Rewriter, Written } from "./rewriter.ts";
import { addAnnotations } from "./write-annotations.ts";
import { writeArray } from "./write-array.ts";
import { describeAssertions, writeAssertions } from "./write-assertions.ts";
import { writeObject } from "./write-object.ts";

const CONTAINERS: ReadonlySet<JsonType> = new Set(["array", "object"]);

export function writeTypes(
  rewriter: Rewriter,
  draft: Draft,
  types: ReadonlySet<JsonType>,
  place: Place,
): Written | null {
  const all = [...types];
  if (all.length === 1) return writeType(rewriter, draft, all[0]!, place);
  const lists = rewriter.profile.typeArrays.value;
  const containers = all.filter((type) => CONTAINERS.has(type));
  if (containers.length === 0 ? lists !== "none" : lists === "any" && !encodes(rewriter, draft, containers, place)) {
    const list = writeList(rewriter, draft, all, place);
    if (list !== undefined) return list;
  }
  if (lists === "none" || (lists === "scalars" && containers.length > 0)) {
    const message = `The list of types is written as "anyOf": ${rewriter.profile.provider} does not support lists of types.`;
    rewriter.change(
      "types_as_any_of",
      `${draft.pointer}/type`,
      "lossless",
      message,
      'Write "anyOf" with one type per alternative.',
    );
  }
  const bare: Draft = { ...draft, annotations: new Map() };
  const written = all.flatMap((type) => {
    const one = writeType(rewriter, { ...bare, types: new Set([type]) }, type, deeper(place));
    return one === null ? [] : [{ draft, written: one }];
  });
  return combineAlternatives(rewriter, draft, written, "anyOf");
}

function deeper(place: Place): Place {
  return { ...place, depth: place.depth + 1 };
}

function writeType(rewriter: Rewriter, draft: Draft, type: JsonType, place: Place): Written | null {
  if (type === "object") return finish(rewriter, draft, type, writeObject(rewriter, draft, place));
  if (type === "array") return finish(rewriter, draft, type, writeArray(rewriter, draft, place));
  const schema = objectNode([["type", stringNode(type)]]);
  const moved = writeAssertions(rewriter, draft, schema, [type]);
  return addAnnotations(rewriter, draft, schema, moved);
}

/** A part that is complete because it is encoded, or one that is still to be described. */
function finish(rewriter: Rewriter, draft: Draft, type: JsonType, part: Part | Written | null): Written | null {
  if (part === null || !isPart(part)) return part;
  if (!part.schema.members.has("type")) part.schema.members.set("type", stringNode(type));
  const described = new Map([...draft.assertions].filter(([name]) => part.described?.includes(name)));
  const written = new Map([...draft.assertions].filter(([name]) => !described.has(name)));
  const moved = [...part.moved, ...writeAssertions(rewriter, { ...draft, assertions: written }, part.schema, [type])];
  describeAssertions(rewriter, { ...draft, assertions: described }, moved);
  return { schema: addAnnotations(rewriter, draft, part.schema, moved).schema, decode: part.decode };
}

function isPart(written: Part | Written): written is Part {
  return "moved" in written;
}

/** Whether one of the containers would have to be encoded. */
function encodes(rewriter: Rewriter, draft: Draft, containers: readonly JsonType[], place: Place): boolean {
  const { additionalProperties, optionalProperties, propertyNames } = rewriter.profile;
  if (additionalProperties.value !== "any" || !optionalProperties.value || propertyNames !== undefined) return true;
  return containers.length > 1 && place.depth > 0 && listChildren(draft).length > 0;
}

/** Undefined if a container is encoded, because it cannot share a schema with the other types. */
function writeList(
  rewriter: Rewriter,
  draft: Draft,
  types: readonly JsonType[],
  place: Place,
): Written | null | undefined {
  const schema = objectNode([["type", arrayNode([])]]);
  const possible: JsonType[] = [];
  const moved: string[] = [];
  let decode: DecodeStep | null = null;
  for (const type of types) {
    if (!CONTAINERS.has(type)) {
      possible.push(type);
      continue;
    }
    const written = type === "object" ? writeObject(rewriter, draft, place) : writeArray(rewriter, draft, place);
    if (written === null) continue;
    if (!isPart(written)) return undefined;
    possible.push(type);
    for (const [name, node] of written.schema.members) if (name !== "type") schema.members.set(name, node);
    moved.push(...written.moved);
    decode = written.decode ?? decode;
  }
  if (possible.length === 0) return null;
  const names = possible.map(stringNode);
  schema.members.set("type", names.length === 1 ? names[0]! : arrayNode(names));
  moved.push(...writeAssertions(rewriter, draft, schema, possible));
  return { schema: addAnnotations(rewriter, draft, schema, moved).schema, decode };
}

const STRING_KEYWORDS = ["minLength", "maxLength", "pattern", "format"];
const NUMBER_KEYWORDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const ARRAY_KEYWORDS = ["minItems", "maxItems", "uniqueItems"];
const OBJECT_KEYWORDS = ["minProperties", "maxProperties"];

/** The types that the keywords of a schema without `type` apply to; null if they apply to none. */
export function inferTypes(rewriter: Rewriter, draft: Draft): ReadonlySet<JsonType> | null {
  const { profile } = rewriter;
  // A provider that accepts any schema accepts it without a type: every type is then written as one list.
  if (profile.untyped.value && profile.otherKeywords.value === "enforced") return new Set(ALL_TYPES);
  const says = (names: readonly string[]) => names.some((name) => draft.assertions.has(name));
  const types = new Set<JsonType>();
  if (draft.properties !== null || draft.required.size > 0 || draft.additional !== null || says(OBJECT_KEYWORDS))
    types.add("object");
  if (draft.prefix !== null || draft.items !== null || says(ARRAY_KEYWORDS)) types.add("array");
  if (says(STRING_KEYWORDS)) types.add("string");
  if (says(NUMBER_KEYWORDS)) types.add("number");
  if (types.size === 0) return null;
  const words = [...types].join(" or ");
  const message = `The type is assumed to be ${words}, as its keywords suggest, so values of other types can no longer be returned: ${profile.provider} requires a type.`;
  rewriter.change("type_inferred", draft.pointer, "lost", message, `Add "type": ${words}.`);
  return types;
}

/** Objects: their members, which of them may be absent, and how undeclared members are represented. */

import type { JsonNode } from "../json-text.ts";
import type { DecodeStep } from "./decoder.ts";
import { type Draft, isUnconstrained } from "./draft.ts";
import { arrayNode, booleanNode, objectNode, stringNode } from "./json-nodes.ts";
import type { Part, Place, Rewriter, Written } from "./rewriter.ts";
import { writeInString } from "./write-annotations.ts";
import { moveNames, writeEntries } from "./write-entries.ts";
import { type Members, memberNames, writeMembers } from "./write-members.ts";

/** Holds the entries of a map next to declared members. */
const REST_MEMBER = "additional_properties";

export function writeObject(rewriter: Rewriter, draft: Draft, place: Place): Part | Written | null {
  const { profile } = rewriter;
  const isOpen = profile.additionalProperties.value === "any";
  const names = memberNames(rewriter, draft);
  if (!isOpen && names.length === 0) {
    const isMap = typeof draft.additional === "object" && draft.additional !== null;
    const entries = isMap ? writeEntries(rewriter, draft, draft.additional, place) : null;
    if (entries !== null) return entries;
    // A map whose members can have no value is empty.
    const saysNone =
      draft.additional === false ||
      isMap ||
      (draft.additional === null && (draft.properties !== null || isPlainRoot(draft, place)));
    if (!saysNone)
      return writeInString(
        rewriter,
        draft,
        "json_in_string",
        "An object without declared members is requested as JSON in a string",
        FREE_FORM_FIX,
      );
    if (!profile.emptyObjects.value && place.depth > 0) return writeEmptyObject(rewriter, draft);
  }
  const members = writeMembers(rewriter, draft, names, place);
  if (members === null) return null;
  const rest = isOpen ? writeOpenRest(rewriter, draft, place) : writeClosedRest(rewriter, draft, members, place);
  if (rest === null) return null;
  const schema = objectNode([["type", stringNode("object")]]);
  if (members.properties.size > 0 || draft.properties !== null || !isOpen)
    schema.members.set("properties", objectNode(members.properties));
  if (members.required.length > 0 || (!profile.optionalProperties.value && !isOpen))
    schema.members.set("required", arrayNode(members.required.map(stringNode)));
  for (const [name, node] of rest.keywords) schema.members.set(name, node);
  // The entries of a map are one member of its object, and null represents an empty map.
  const counts = rest.step !== undefined || members.steps.some(({ absent }) => absent !== undefined);
  const described = counts ? { described: ["minProperties", "maxProperties"] } : {};
  return { schema, decode: objectStep(members, rest), moved: rest.moved, ...described };
}

/** At the top level, `{"type": "object"}` is the usual form of tools without parameters. */
function isPlainRoot({ types, assertions, conditions }: Draft, { depth }: Place): boolean {
  return depth === 0 && types !== null && assertions.size === 0 && conditions.length === 0;
}

type Rest = {
  keywords: Map<string, JsonNode>;
  moved: string[];
  step?: { member: string; decode?: DecodeStep };
  /** For members without a declared name. */
  others?: DecodeStep;
};

function objectStep(members: Members, rest: Rest): DecodeStep | null {
  const isPlain = members.steps.every(
    ({ given, name, absent, nullable, decode }) => given === name && !absent && !nullable && !decode,
  );
  if (isPlain && !members.isReordered && rest.step === undefined && rest.others === undefined) return null;
  return {
    op: "object",
    members: members.steps,
    ...(rest.step === undefined ? {} : { rest: rest.step }),
    ...(rest.others === undefined ? {} : { others: rest.others }),
    ...(members.isReordered ? { in_order: true as const } : {}),
  };
}

/** The provider supports `additionalProperties` unchanged. */
function writeOpenRest(rewriter: Rewriter, draft: Draft, place: Place): Rest {
  const { additional, additionalNames } = draft;
  const rest: Rest = { keywords: new Map(), moved: [] };
  if (typeof additional === "boolean") rest.keywords.set("additionalProperties", booleanNode(additional));
  if (typeof additional !== "object" || additional === null) return rest;
  const written = rewriter.write(additional, { ...place, depth: place.depth + 1, isOptional: true });
  const schema = written?.schema ?? booleanNode(false);
  if (additionalNames !== null && rewriter.use("patternProperties") === "enforced") {
    rest.keywords.set("patternProperties", objectNode([[additionalNames.pattern, schema]]));
    if (additionalNames.isClosed) rest.keywords.set("additionalProperties", booleanNode(false));
  } else {
    rest.keywords.set("additionalProperties", schema);
    if (additionalNames !== null) moveNames(rewriter, additionalNames, rest.moved);
  }
  if (written?.decode) rest.others = written.decode;
  return rest;
}

function writesAdditional({ locations }: Draft): boolean {
  return locations.some(({ node }) => node.type === "object" && node.members.has("additionalProperties"));
}

/** The provider closes objects, so undeclared members are requested as entries. */
function writeClosedRest(rewriter: Rewriter, draft: Draft, members: Members, place: Place): Rest | null {
  const { profile } = rewriter;
  const { additional } = draft;
  const rest: Rest = { keywords: new Map(), moved: [] };
  const saysFalse = profile.additionalProperties.value === "false";
  rest.keywords.set("additionalProperties", booleanNode(false));
  if (typeof additional === "object" && additional !== null && !isUnconstrained(additional)) {
    let member = REST_MEMBER;
    while (members.properties.has(member)) member += "_";
    const entries = writeEntries(rewriter, { ...draft, annotations: new Map(), assertions: new Map() }, additional, {
      ...place,
      depth: place.depth + 1,
    });
    if (entries === null) return rest;
    members.properties.set(member, entries.schema);
    members.required.push(member);
    return { ...rest, step: { member, ...(entries.decode ? { decode: entries.decode } : {}) } };
  }
  reportClosing(rewriter, draft, saysFalse);
  return rest;
}

function reportClosing(rewriter: Rewriter, draft: Draft, saysFalse: boolean): void {
  const { provider } = rewriter.profile;
  const { additional, pointer } = draft;
  const fix = 'Add "additionalProperties": false.';
  if (additional === false) {
    if (!saysFalse && writesAdditional(draft)) {
      rewriter.change(
        "dropped",
        `${pointer}/additionalProperties`,
        "lossless",
        `"additionalProperties" is omitted: ${provider} does not support it and returns only declared members.`,
        'Leave out "additionalProperties".',
      );
    }
  } else if (additional === null) {
    if (saysFalse)
      rewriter.change(
        "closed_object",
        pointer,
        "lossless",
        `The object is closed, because it does not declare other members: ${provider} requires "additionalProperties": false.`,
        fix,
      );
  } else {
    rewriter.change(
      "closed_object",
      pointer,
      "lost",
      `The object is closed, so undeclared members can no longer be returned: ${provider} only supports declared members.`,
      fix,
    );
  }
}

/** The only value of an object without members is {}, requested as its text. */
function writeEmptyObject(rewriter: Rewriter, draft: Draft): Written {
  const schema = objectNode([
    ["type", stringNode("string")],
    ["enum", arrayNode([stringNode("{}")])],
  ]);
  rewriter.change(
    "json_in_string",
    draft.pointer,
    "lossless",
    `An object without members is requested as its text: ${rewriter.profile.provider} requires at least one.`,
    "Remove the object.",
  );
  return { schema: rewriter.describeEncoded(draft, schema, []), decode: { op: "json_text", types: ["object"] } };
}

const FREE_FORM_FIX = 'Declare its members under "properties", or give them a schema under "additionalProperties".';
